import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelNames } from '../../../domain/channels/index.ts';
import { beginBacktest, listBacktests, readBacktest, type StoredBacktest } from '../../../operations/backtest/backtests.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems, wrongChoice } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const counts = z.record(z.string(), z.int());

const reportSchema = z
  .object({
    since: timeField,
    until: timeField,
    time_zone: z.string().meta({ description: 'Of the days.' }),
    people: z.int().meta({ description: 'Whose stored events were read.' }),
    enrollments: z.object({ begun: z.int(), completed: z.int(), held_out: z.int(), running: z.int(), stopped: counts }),
    not_begun: counts.meta({ description: 'Carts or leads about which nothing began, by what kept it from beginning.' }),
    messages: z.object({
      total: z.int(),
      by_channel: counts,
      by_step: counts,
      by_day: z.array(z.object({ day: z.string(), channel: z.string(), messages: z.int() })),
      busiest_day: z.object({ day: z.string(), messages: z.int() }).nullable(),
    }),
    cost: z
      .object({ currency: z.string().nullable(), total: z.number(), by_channel: z.record(z.string(), z.number()) })
      .nullable()
      .meta({ description: 'By the prices that were given; null: none were.' }),
    deferred: counts.meta({ description: 'How often steps were put off, by reason.' }),
    skipped: counts.meta({ description: 'How many steps were left out, by reason.' }),
    collisions: z
      .object({ enrollments: z.int(), by_sequence: counts, steps_put_off: z.int(), steps_capped: z.int() })
      .meta({ description: 'Enrollments whose person was in another sequence at the time, and what caps and gaps did to them.' }),
    suppressed: z
      .object({ people: z.int(), share: z.number() })
      .meta({ description: 'People whom an opt-out or a suppression kept from some of it or all of it, and their share (0 to 1).' }),
    messaged_after_buying: z
      .object({ people: z.int(), examples: z.array(z.string()) })
      .meta({ description: 'Must be 0. `examples`: ids of contacts.' }),
  })
  .meta({ id: 'BacktestReport' });

const backtestSchema = z
  .object({
    id: z.string(),
    sequence: z.string(),
    version: z.int().nullable().meta({ description: 'The published version that was run; null: it was a file.' }),
    source_hash: z.string().meta({ description: 'Of what was run.' }),
    days: z.int(),
    state: z.enum(['running', 'done', 'failed']),
    progress: z.number().meta({ description: '0 to 1.' }),
    error: z.string().nullable(),
    requested_by: z.string(),
    started_at: timeField,
    ended_at: timeField.nullable(),
    report: reportSchema.nullable(),
  })
  .meta({ id: 'Backtest' });

const body = z.strictObject({
  sequence: z.string().max(40).optional().meta({ description: 'The slug of a sequence of the store.' }),
  version: z.int32().min(1).optional().meta({ description: 'A published version of it; default: the one in use.' }),
  yaml: z.string().max(200_000).optional().meta({ description: 'Instead: the text of a sequence file.' }),
  days: z.int().min(1).max(730).default(90).meta({ description: 'How far back.' }),
  prices: z
    .partialRecord(z.enum(channelNames as [string, ...string[]]), z.number().nonnegative())
    .optional()
    .meta({ description: 'Of one message, by channel, in major units: `{ "sms": 0.07 }`.' }),
});

const list = aList({ name: 'backtests', item: backtestSchema, filters: {}, usual: 20, most: 100 });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  const ending = new AbortController();
  app.addHook('onClose', (_app, done) => {
    ending.abort();
    done();
  });

  app.post(
    '/api/backtests',
    {
      schema: {
        summary: 'Run a sequence over the store’s own history',
        description:
          'Stored events of real people, run through a sequence by the functions that dispatch real messages. Sends and changes nothing. Answers at once; ask `GET /api/backtests/{id}` for the progress and the report. One at a time.',
        body,
        response: { 202: backtestSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { sequence, version, yaml, days, prices } = request.body;
      if ((sequence === undefined) === (yaml === undefined))
        return wrongChoice(reply, 'body', ['sequence', 'yaml'], 'Say what to run: sequence, or yaml.');
      if (yaml !== undefined && version !== undefined)
        return invalidRequest(reply, [{ path: 'body/version', message: 'is of a sequence, not of a file' }]);
      const wish = {
        tenantId: callerOf(request).tenantId,
        days,
        prices: (prices as Record<string, number> | undefined) ?? null,
        actor: actorOf(request),
      };
      const what = yaml === undefined ? { slug: sequence ?? '', version: version ?? null } : { yaml };
      const begun = await beginBacktest(deps, { ...wish, what }, ending.signal);
      switch (begun.kind) {
        case 'begun':
          return reply.code(202).send(present(begun.backtest));
        case 'unknown_sequence':
          return problem(reply, 404, 'unknown_sequence', 'There is no such sequence, or no such version of it.');
        case 'invalid':
          return invalidRequest(reply, [{ path: 'body/yaml', message: begun.detail }]);
        case 'running':
          return problem(reply, 409, 'backtest_running', `The backtest ${begun.id} is running: one at a time.`, { backtest: begun.id });
      }
    },
  );

  app.get(
    '/api/backtests',
    {
      schema: {
        summary: 'List backtests, the newest first',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return list.present(request.query.sort, await listBacktests(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })), present);
    },
  );

  app.get(
    '/api/backtests/:id',
    { schema: { params: idParams, summary: 'Show a backtest', response: { 200: backtestSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const { id } = request.params;
      const found = isId(id) ? await readBacktest(deps, callerOf(request).tenantId, id) : null;
      return found === null ? problem(reply, 404, 'unknown_backtest', 'There is no such backtest.') : present(found);
    },
  );
};

function present(row: StoredBacktest): z.input<typeof backtestSchema> {
  const { id, version, sourceHash, days, state, progress, error, requestedBy, createdAt, endedAt, report } = row;
  const times = { started_at: isoTime(createdAt), ended_at: isoTimeOrNull(endedAt) };
  return { id, sequence: row.slug, version, source_hash: sourceHash, days, state, progress, error, requested_by: requestedBy, ...times, report };
}

export const resource: Resource = {
  tag: { name: 'backtests', description: 'What a sequence would have done over the store’s own history.' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};
