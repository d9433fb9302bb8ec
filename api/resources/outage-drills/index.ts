import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelNames } from '../../../domain/channels/index.ts';
import {
  type DrillRow,
  drilledParts,
  endDrill,
  listDrills,
  longestDrillMs,
  readDrill,
  shortestDrillMs,
  startDrill,
} from '../../../operations/drills/drills.ts';
import { readDrillFigures } from '../../../operations/drills/figures.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { presentWaves, wavesSchema } from '../waves/schemas.ts';

const minuteMs = 60_000;
const part = z.enum(drilledParts).meta({
  description:
    '`provider`: its sessions fail, as where it does not answer. `worker`: no step is decided. `temporal`: no step is decided, and what happens is not passed on to Temporal; it is stored and takes effect all the same.',
});
const channel = z
  .enum(channelNames)
  .nullable()
  .meta({ description: 'Of `provider`: whose messages it takes. Null: every channel that disturbs people.' });

const drillSchema = z
  .object({
    id: z.uuid(),
    part,
    channel,
    share_percent: z.int().meta({ description: 'Of the enrollments; whoever is in a share is in every larger one.' }),
    running: z.boolean(),
    started_at: timeField,
    ends_at: timeField.meta({ description: 'It ends by itself then.' }),
    ended_at: timeField.nullable().meta({ description: 'Where somebody ended it earlier.' }),
    started_by: z.string(),
  })
  .meta({ id: 'OutageDrill' });

const figuresSchema = drillSchema
  .extend({
    waves: wavesSchema.meta({ description: 'Of those whom it reaches.' }),
    sent_during: z.int().meta({ description: 'Messages to them that were accepted while it ran, of channels that it leaves alone.' }),
    released: z.int().meta({ description: 'Messages that were due before its end and were accepted after it.' }),
    busiest_minute: z
      .int()
      .meta({ description: 'The most messages later than ten minutes that left in one minute since its end. No more than `catch_up_per_minute`.' }),
    will_expire: z.int().meta({ description: 'Steps that will be too old when it ends; 0 once it has ended.' }),
    expired: z.int().meta({ description: 'Steps that were left out since it began because they had become too old.' }),
    sent_twice: z.int().meta({ description: 'Steps that were accepted more than once since it began. Must be 0.' }),
  })
  .meta({ id: 'OutageDrillReport' });

const body = z.strictObject({
  part,
  channel: z.enum(channelNames).optional().meta({ description: 'Of `provider`; left out: every channel that disturbs people.' }),
  share_percent: z
    .int()
    .min(1, 'is below 1')
    .max(100, 'is above 100')
    .meta({ description: 'Of the store’s enrollments: 100 on a test store, a few on one that sells.' }),
  minutes: z
    .int()
    .min(shortestDrillMs / minuteMs, 'is below 1')
    .max(longestDrillMs / minuteMs, 'is above 240: steps may expire, and a drill is to lose nobody a message')
    .meta({ description: 'After how many it ends by itself.' }),
});

const list = aList({ name: 'outage-drills', item: drillSchema, filters: {}, usual: 20, most: 100 });
const unknown = ['unknown_outage_drill', 'There is no such drill.'] as const;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  const present = ({ id, part: of, channel: by, sharePercent, startedAt, endsAt, endedAt, startedBy }: DrillRow): z.input<typeof drillSchema> => ({
    ...{ id, part: of, channel: by as z.input<typeof channel>, share_percent: sharePercent },
    running: endedAt === null && endsAt > deps.clock.nowMs(),
    ...{ started_at: isoTime(startedAt), ends_at: isoTime(endsAt), ended_at: isoTimeOrNull(endedAt), started_by: startedBy },
  });

  app.post(
    '/api/outage-drills',
    {
      schema: {
        summary: 'Practise an outage',
        description:
          'For a share of the store’s enrollments a part counts as away until the time is over. Their steps are put off as in a real outage, leave afterwards at the store’s rate for what is late, and are left out where they have become too old. Stops take effect all the while. One at a time; it ends by itself.',
        body,
        response: { 201: drillSchema, ...problems(400, 401, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { part: of, channel: by, share_percent: sharePercent, minutes } = request.body;
      if (by !== undefined && of !== 'provider') return invalidRequest(reply, [{ path: 'body/channel', message: 'is of a provider: leave it out' }]);
      const wish = { part: of, channel: by ?? null, sharePercent, lastsMs: minutes * minuteMs };
      const { kind, drill } = await startDrill(deps, callerOf(request).tenantId, wish, actorOf(request));
      if (kind === 'started') return reply.code(201).send(present(drill));
      return problem(reply, 409, 'outage_drill_running', `The store practises an outage until ${isoTime(drill.endsAt)}: end it first, or wait.`, {
        drill: drill.id,
      });
    },
  );

  app.get(
    '/api/outage-drills',
    {
      schema: {
        summary: 'List the outages that were practised',
        description: 'The latest first.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return list.present(request.query.sort, await listDrills(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })), present);
    },
  );

  app.get(
    '/api/outage-drills/:id',
    {
      schema: {
        summary: 'Show a practised outage: what it holds, what expires, what was released',
        params: idParams,
        response: { 200: figuresSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const drill = isId(id) ? await readDrill(deps, tenantId, id) : null;
      if (drill === null) return problem(reply, 404, ...unknown);
      const { waves, sentDuring, released, busiestMinute, expired, sentTwice } = await readDrillFigures(deps, tenantId, drill);
      return {
        ...present(drill),
        ...{ waves: presentWaves(waves), sent_during: sentDuring, released, busiest_minute: busiestMinute },
        ...{ will_expire: waves.expire, expired, sent_twice: sentTwice },
      };
    },
  );

  app.post(
    '/api/outage-drills/:id/end',
    {
      schema: {
        summary: 'End a practised outage before its time',
        description: 'Steps that wait for the worker are asked again within five minutes.',
        params: idParams,
        response: { 200: drillSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const ended = isId(id) ? await endDrill(deps, callerOf(request).tenantId, id, actorOf(request)) : null;
      if (ended === null) return problem(reply, 404, ...unknown);
      if (ended.kind === 'over') return problem(reply, 409, 'outage_drill_over', 'It is over already.');
      return present(ended.drill);
    },
  );
};

export const resource: Resource = {
  tag: { name: 'outage drills', description: 'Outages that are practised.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
