import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { alarmKinds, type AlarmRow, listAlarms, readAlarms } from '../../../operations/alarms/read-alarms.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import { isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const kind = z.enum(alarmKinds).meta({ description: 'docs/runbooks.md says of each what it means and what to do.' });

const standingSchema = z
  .object({
    kind,
    raised: z.boolean(),
    raised_at: timeField.nullable(),
    figure: z.number().nullable().meta({
      description:
        '`latency`: seconds by which the latest step of five minutes was late. `success`: the share of the messages of an hour that were accepted. `escalation_share`: of the assessed accounts of 30 days. `failures`: messages of an hour that failed or whose outcome nobody knows. `backlog`: deliveries and tasks that wait. Null: there is nothing to measure.',
    }),
    threshold: z.number().nullable().meta({ description: 'By the setting `alarms`; null: the store is not warned.' }),
    trouble: z.enum(['above', 'below']).meta({ description: 'On which side of the threshold it is.' }),
    checked_at: timeField.nullable(),
  })
  .meta({ id: 'AlarmStanding' });

const alarmSchema = z
  .object({ id: z.uuid(), kind, figure: z.number(), threshold: z.number(), raised_at: timeField, cleared_at: timeField.nullable() })
  .meta({ id: 'Alarm' });

const list = aList({ name: 'alarms', item: alarmSchema, filters: {} });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/alarms',
    {
      schema: {
        summary: 'Show the store’s figures beside their thresholds, and what is an alarm',
        description:
          'Looked at once a minute. A figure is an alarm once it has been beyond its threshold for `alarms.minutes` of the settings, and over once it has been a tenth of the way back for as long.',
        response: { 200: z.object({ alarms: z.array(standingSchema) }), ...problems(401, 429, 503) },
      },
    },
    async (request) => {
      const found = await readAlarms(deps, callerOf(request).tenantId);
      return {
        alarms: found.map(({ kind: of, raised, raisedAtMs, figure, threshold, trouble, checkedAtMs }) => ({
          ...{ kind: of, raised, raised_at: isoTimeOrNull(raisedAtMs), figure, threshold, trouble, checked_at: isoTimeOrNull(checkedAtMs) },
        })),
      };
    },
  );

  app.get(
    '/api/alarms/history',
    {
      schema: {
        summary: 'List the alarms that were raised',
        description: 'The latest first.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return list.present(request.query.sort, await listAlarms(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })), present);
    },
  );
};

const present = ({ id, kind: of, figure, threshold, raisedAt, clearedAt }: AlarmRow) => ({
  ...{ id, kind: of, figure, threshold, raised_at: isoTime(raisedAt), cleared_at: isoTimeOrNull(clearedAt) },
});

export const resource: Resource = {
  tag: { name: 'alarms', description: 'What the store is warned of.' },
  guard: 'tenant',
  changes: null,
  routes,
};
