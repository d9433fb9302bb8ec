import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { marketTriggerReport, storeMarketTriggers, triggerRecovery, triggersOfCsv } from '../../../operations/market-triggers.ts';
import { reachedStages } from '../../../operations/read/abandonment.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { isoTime, lineField, timeField } from '../../routes/fields.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const mostAtOnce = 500;

const recovery = z.strictObject({
  type: z.literal('ABANDONMENT_RECOVERY'),
  contact: z
    .strictObject({ email: lineField(320).optional(), phone: lineField(60).optional(), externalId: lineField(200).optional() })
    .refine((contact) => Object.values(contact).some((value) => value !== undefined), 'names nobody: write an email, a phone or an externalId')
    .meta({ description: 'Whose lead it is, or an id that its source has for it.' }),
  stage: z
    .enum(reachedStages)
    .meta({ description: 'How long the lead has been silent. Another stage is refused, so that no text comes at the wrong time.' }),
  template: lineField(40).optional().meta({ description: 'The sequence whose texts are sent; left out, the one about silent leads that is in use.' }),
});

const triggersBody = z.strictObject({
  triggers: z
    .array(marketTriggerReport)
    .min(1, 'is empty')
    .max(mostAtOnce, `are more than ${mostAtOnce}`)
    .meta({ description: 'One alone may also be the whole body.' }),
});

const described = (schema: z.ZodType) => {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' });
  return shape;
};

// Not a plain union: its errors would name neither the trigger nor the field.
const body = z
  .unknown()
  .transform((sent, context) => {
    if (typeof sent === 'string') return { kind: 'csv' as const, text: sent };
    const isRecovery = typeof sent === 'object' && sent !== null && 'type' in sent;
    const read = isRecovery
      ? recovery.safeParse(sent)
      : triggersBody.safeParse(typeof sent === 'object' && sent !== null && !('triggers' in sent) ? { triggers: [sent] } : sent);
    if (read.success) return 'triggers' in read.data ? { kind: 'triggers' as const, ...read.data } : { kind: 'recovery' as const, ...read.data };
    for (const { path, message } of read.error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  })
  .meta({
    description: 'Triggers of a market, or a recovery. As `text/csv`: a header with trigger, area, statement, date, source, expires_at.',
    anyOf: [recovery, triggersBody, marketTriggerReport, z.string()].map(described),
  });

const storedSchema = z.object({
  data: z.array(
    z.object({
      id: z.uuid().meta({ description: 'The fact that it is stored as.' }),
      area: z.string(),
      date: z.string(),
      observed_at: timeField,
      expires_at: timeField,
      fresh: z.boolean().meta({ description: 'Whether messages may state it now.' }),
      created: z.boolean().meta({ description: 'false: it was known already.' }),
    }),
  ),
});
const begunSchema = z.object({ type: z.literal('ABANDONMENT_RECOVERY'), lead: z.uuid(), stage: z.enum(reachedStages), enrollment: z.uuid() });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, text, done) => done(null, text));

  app.post(
    '/api/market-triggers',
    {
      schema: {
        summary: 'Report what moves a market, or have a silent lead recovered',
        description:
          'A trigger (a price, a rate, sales nearby, the season) is stored as a dated fact about an area, which messages to leads that named this area may repeat while it is fresh. All are stored, or none; a repeat changes nothing. `ABANDONMENT_RECOVERY` takes up one silent lead at once, by the rules of every beginning.',
        consumes: ['application/json', 'text/csv'],
        body,
        response: { 200: storedSchema, 201: begunSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const sent = request.body;
      if (sent.kind === 'recovery') {
        const { contact: search, stage, template } = sent;
        const triggered = await triggerRecovery(deps, tenantId, { search, stage, template: template ?? null });
        switch (triggered.kind) {
          case 'begun':
            return reply.code(201).send({ type: 'ABANDONMENT_RECOVERY', lead: triggered.leadId, stage, enrollment: triggered.enrollmentId });
          case 'unreadable':
            return invalidRequest(reply, [{ path: `body/contact/${triggered.field}`, message: 'cannot be read' }]);
          case 'unknown_lead':
            return problem(reply, 404, 'unknown_lead', 'There is no such lead.');
          case 'other_stage':
            return problem(reply, 409, 'other_stage', `The lead has been silent for another while: its stage is ${triggered.stage}.`);
          case 'kept':
            return problem(reply, 409, triggered.reason, `No sequence was begun about the lead: ${triggered.reason.replaceAll('_', ' ')}.`);
        }
      }
      const read = sent.kind === 'csv' ? triggersOfCsv(sent.text, mostAtOnce) : { ok: true as const, triggers: sent.triggers };
      if (!read.ok)
        return invalidRequest(
          reply,
          read.mistakes.map(({ line, field, message }) => ({ path: `body/line ${line}/${field}`, message })),
        );
      const stored = await storeMarketTriggers(deps, tenantId, read.triggers);
      if (stored.kind === 'invalid')
        return invalidRequest(
          reply,
          stored.errors.map(({ index, field, reason }) => ({ path: `body/triggers/${index}/${field}`, message: reason })),
        );
      const nowMs = deps.clock.nowMs();
      return {
        data: stored.facts.map(({ row, created }, index) => ({
          id: row.id,
          area: row.subject,
          date: read.triggers[index]?.date ?? '',
          observed_at: isoTime(row.observedAt),
          expires_at: isoTime(row.expiresAt),
          fresh: row.observedAt <= nowMs && nowMs < row.expiresAt,
          created,
        })),
      };
    },
  );
};

export const resource: Resource = {
  tag: { name: 'market triggers', description: 'What moves the markets that leads asked about.' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};
