import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { conversionOutcomes, type ConversionView, listConversions, readConversion } from '../../../operations/conversions/conversions.ts';
import { matchByHand } from '../../../operations/conversions/match.ts';
import { reportConversion } from '../../../operations/conversions/report.ts';
import { statedAmount } from '../../../operations/conversions/stated-amount.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { conversionSchema, reportBody, reportedSchema } from './schemas.ts';

const list = aList({
  name: 'conversions',
  item: conversionSchema,
  filters: {
    matched: z
      .enum(['true', 'false'])
      .transform((text) => text === 'true')
      .optional()
      .meta({ description: '`false`: those whose lead is not known.' }),
    lead: z.uuid().optional(),
    campaign: z.uuid().optional(),
    outcome: z.enum(conversionOutcomes).optional(),
  },
});

const unknown = ['unknown_conversion', 'There is no such conversion.'] as const;
const busy = ['busy', 'It could not be answered for in time. Repeat it: it counts once.'] as const;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/conversions',
    {
      schema: {
        summary: 'List conversions, the newest first',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, ...filter } = request.query;
      return list.present(
        request.query.sort,
        await listConversions(deps, callerOf(request).tenantId, filter, pageWanted({ limit, sort, cursor })),
        present,
      );
    },
  );

  app.get(
    '/api/conversions/:id',
    { schema: { params: idParams, summary: 'Show a conversion', response: { 200: conversionSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const found = isId(request.params.id) ? await readConversion(deps, callerOf(request).tenantId, request.params.id) : null;
      return found === null ? problem(reply, 404, ...unknown) : present(found);
    },
  );

  app.post(
    '/api/conversions',
    {
      schema: {
        summary: 'Report a conversion by hand',
        description:
          'It counts as if a tracker had reported it: a sale ends everything that runs for the lead, at once, and a refusal takes it back. Each status of a transaction counts once.',
        body: reportBody,
        response: { 201: reportedSchema, ...problems(400, 401, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { sub_id: subId, click_id: clickId = null, tid = '', status, payout, currency } = request.body;
      const amount = await statedAmount(deps, tenantId, { payout: payout ?? null, currency: currency ?? null });
      if (amount === null) return invalidRequest(reply, [{ path: 'payout', message: 'is no amount of that currency: write it as 30.50' }]);
      const made = await reportConversion(deps, tenantId, { subId, clickId, tid, outcome: status, ...amount });
      if (made.kind === 'busy') return problem(reply.header('retry-after', '1'), 503, ...busy);
      if (made.kind === 'no_connection') {
        const why = 'No connection reports conversions: make one first, rekindle connections create keitaro --name Tracker.';
        return problem(reply, 409, 'no_connection', why);
      }
      const found = await readConversion(deps, tenantId, made.id);
      if (found === null) throw new Error('a conversion was not stored');
      return reply.code(201).send({ conversion: present(found), repeated: made.repeated });
    },
  );

  app.post(
    '/api/conversions/:id/match',
    {
      schema: {
        summary: 'Match a conversion with its lead',
        description: 'Whatever else waits of the same click is matched with it. It counts as if it had named the lead when it came.',
        params: idParams,
        body: z.strictObject({ lead: z.uuid() }),
        response: { 200: conversionSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      if (!isId(id)) return problem(reply, 404, ...unknown);
      const matched = await matchByHand(deps, { tenantId, conversionId: id, leadId: request.body.lead, actor: actorOf(request) });
      switch (matched.kind) {
        case 'busy':
          return problem(reply.header('retry-after', '1'), 503, ...busy);
        case 'unknown_conversion':
          return problem(reply, 404, ...unknown);
        case 'unknown_lead':
          return problem(reply, 404, 'unknown_lead', 'There is no such lead.');
        case 'matched_before':
          return problem(reply, 409, 'matched_before', `It is matched with the lead ${matched.leadId} already.`);
        case 'matched': {
          const found = await readConversion(deps, tenantId, id);
          return found === null ? problem(reply, 404, ...unknown) : present(found);
        }
      }
    },
  );
};

function present({ row, campaign, channel }: ConversionView): z.input<typeof conversionSchema> {
  const { currency, payoutMinor } = row;
  return {
    ...{ id: row.id, lead: row.subjectId, attempt: row.messageId, campaign, channel, status: row.status, outcome: row.outcome },
    revenue: payoutMinor === null || currency === null ? null : { amountMinor: payoutMinor, currency },
    ...{ sub_id: row.subId, click_id: row.clickId, click: row.click, tid: row.tid === '' ? null : row.tid },
    ...{ reportedAt: isoTime(row.reportedAt), matchedAt: isoTimeOrNull(row.matchedAt), matchedBy: row.matchedBy },
    reversedAt: isoTimeOrNull(row.reversedAt),
  };
}

export const resource: Resource = {
  tag: { name: 'conversions', description: 'What trackers report about clicks: sales, refusals, and whose they are.' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};
