import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type FactRow, factKindNames, factReport, listFacts, storeFacts } from '../../../operations/facts.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problems } from '../../plugins/errors.ts';
import { isoTime, lineField, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const factSchema = z
  .object({
    id: z.uuid(),
    kind: z.string(),
    subject: z.string(),
    value: z.record(z.string(), z.unknown()),
    source: z.string(),
    connection_id: z.uuid().nullable().meta({ description: 'The shop whose ids these are; null: any.' }),
    observed_at: timeField,
    expires_at: timeField.meta({ description: 'From then on no message states it.' }),
    recorded_at: timeField,
    fresh: z.boolean().meta({ description: 'Whether it may be stated now. Of several about one subject, the latest observation counts.' }),
  })
  .meta({ id: 'Fact' });

const list = aList({
  name: 'facts',
  item: factSchema,
  filters: {
    kind: z.enum(factKindNames).optional(),
    subject: lineField(255).optional().meta({ description: 'A product, an area, `store`.' }),
    fresh: z.enum(['true', 'false']).optional().meta({ description: 'Those that may be stated now, or those that may not.' }),
  },
});

const mostAtOnce = 500;
// Not a union: its errors would name neither the fact nor the field.
const body = z.preprocess(
  (sent) => (typeof sent === 'object' && sent !== null && !('facts' in sent) ? { facts: [sent] } : sent),
  z.strictObject({
    facts: z
      .array(factReport)
      .min(1, 'is empty')
      .max(mostAtOnce, `are more than ${mostAtOnce}`)
      .meta({ description: 'One alone may also be the whole body.' }),
  }),
);

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.post(
    '/api/facts',
    {
      schema: {
        summary: 'State facts',
        description:
          'One, or up to 500 in `facts`: all are stored, or none. What messages claim about stock, prices, reviews, markets and offers rests on them. The same statement again changes nothing.',
        body,
        response: { 200: z.object({ data: z.array(factSchema.extend({ created: z.boolean() })) }), ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const stored = await storeFacts(deps, callerOf(request).tenantId, request.body.facts);
      if (stored.kind === 'stored') return { data: stored.facts.map(({ row, created }) => ({ ...present(row, deps.clock.nowMs()), created })) };
      return invalidRequest(
        reply,
        stored.errors.map(({ index, field, reason }) => ({ path: `body/facts/${index}/${field}`, message: reason })),
      );
    },
  );

  app.get(
    '/api/facts',
    {
      schema: {
        summary: 'List facts',
        description: 'The latest recorded first. What a cart itself says about its products is not among them; `explain` shows it.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, fresh, ...search } = request.query;
      const wish = { ...search, ...(fresh === undefined ? {} : { fresh: fresh === 'true' }) };
      const page = await listFacts(deps, callerOf(request).tenantId, wish, pageWanted({ limit, sort, cursor }));
      return list.present(request.query.sort, page, (row) => present(row, deps.clock.nowMs()));
    },
  );
};

function present(row: FactRow, nowMs: number): z.input<typeof factSchema> {
  return {
    id: row.id,
    kind: row.kind,
    subject: row.subject,
    value: row.value as Record<string, unknown>,
    source: row.source,
    connection_id: row.connectionId,
    observed_at: isoTime(row.observedAt),
    expires_at: isoTime(row.expiresAt),
    recorded_at: isoTime(row.recordedAt),
    fresh: row.observedAt <= nowMs && nowMs < row.expiresAt,
  };
}

export const resource: Resource = {
  tag: { name: 'facts', description: 'What messages may claim: stock, prices, reviews, markets, ends of offers.' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};
