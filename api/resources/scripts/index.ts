import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  changeScript,
  createScript,
  listScripts,
  readScript,
  removeScript,
  scriptChannels,
  type ScriptRefused,
  type ScriptRow,
} from '../../../operations/scripts/scripts.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { channelField, changeBody, createBody, scriptSchema } from './schemas.ts';

const list = aList({
  name: 'scripts',
  fields: { name: 'text' },
  item: scriptSchema,
  filters: { channel: channelField.optional(), campaign: z.uuid().optional() },
});
const unknown = ['unknown_script', 'There is no such script.'] as const;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.post(
    '/api/scripts',
    {
      schema: {
        summary: 'Create a script',
        description:
          'A text of one channel that steps use in the place of their own: by its name (`script`), as a campaign’s own, or as the default of the channel. It is compiled and checked as the texts of sequences are.',
        body: createBody,
        response: { 201: scriptSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { channel, about, campaign = null, call = null, ...fields } = request.body;
      const by = { tenantId: callerOf(request).tenantId, actor: actorOf(request) };
      const made = await createScript(deps, { ...by, channel, about, fields: { ...fields, campaignId: campaign, call } });
      return made.kind === 'saved' ? reply.code(201).send(present(made.row)) : refuse(reply, made);
    },
  );

  app.get(
    '/api/scripts',
    {
      schema: { summary: 'List scripts, the newest first', querystring: list.query, response: { 200: list.answer, ...problems(400, 401, 429, 503) } },
    },
    async (request) => {
      const { limit, sort, cursor, ...filter } = request.query;
      return list.present(
        request.query.sort,
        await listScripts(deps, callerOf(request).tenantId, filter, pageWanted({ limit, sort, cursor })),
        present,
      );
    },
  );

  app.get(
    '/api/scripts/:id',
    { schema: { params: idParams, summary: 'Show a script', response: { 200: scriptSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const found = isId(request.params.id) ? await readScript(deps, callerOf(request).tenantId, request.params.id) : null;
      return found === null ? problem(reply, 404, ...unknown) : present(found);
    },
  );

  app.patch(
    '/api/scripts/:id',
    {
      schema: {
        summary: 'Change a script',
        description: 'What is left out stays. What is sent from now on has its new words.',
        params: idParams,
        body: changeBody,
        response: { 200: scriptSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { campaign, ...fields } = request.body;
      const wish = { tenantId: callerOf(request).tenantId, actor: actorOf(request), id };
      const given = Object.fromEntries(Object.entries({ ...fields, campaignId: campaign }).filter(([, value]) => value !== undefined));
      const changed = isId(id) ? await changeScript(deps, { ...wish, fields: given }) : null;
      if (changed === null) return problem(reply, 404, ...unknown);
      if (changed.kind === 'in_use') return inUse(reply, changed.sequences);
      return changed.kind === 'saved' ? present(changed.row) : refuse(reply, changed);
    },
  );

  app.delete(
    '/api/scripts/:id',
    {
      schema: {
        summary: 'Take a script out of use',
        description: 'Steps go on with their own texts. Refused while a sequence in use names it, or a test of a campaign compares it.',
        params: idParams,
        response: { 204: z.null(), ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const removed = isId(id) ? await removeScript(deps, { tenantId: callerOf(request).tenantId, actor: actorOf(request), id }) : null;
      if (removed === null) return problem(reply, 404, ...unknown);
      if (removed.sequences.length > 0) return inUse(reply, removed.sequences);
      return removed.removed
        ? reply.code(204).send(null)
        : problem(reply, 409, 'in_use', `Tests of campaigns compare it: ${removed.tests.join(', ')}. Stop or dismiss them first.`);
    },
  );
};

const inUse = (reply: FastifyReply, sequences: readonly string[]) =>
  problem(reply, 409, 'in_use', `Sequences in use name it: ${sequences.join(', ')}. Publish versions that do not, first.`);

function refuse(reply: FastifyReply, refused: ScriptRefused): FastifyReply {
  switch (refused.kind) {
    case 'invalid':
      return invalidRequest(reply, refused.faults, 'The script cannot be used like this.');
    case 'unknown_campaign':
      return problem(reply, 404, refused.kind, 'There is no such campaign.');
    case 'name_taken':
      return problem(reply, 409, refused.kind, 'Another script has this name: choose another one, or change that script.');
    case 'campaign_has_one':
      return problem(reply, 409, refused.kind, 'The campaign has a script of this channel: change that one.');
  }
}

const present = (row: ScriptRow): z.input<typeof scriptSchema> => {
  const { '': content = '', ...translations } = row.texts;
  const { id, name, about, campaignId, isDefault, call, changedBy } = row;
  return {
    ...{ id, name, about, campaign: campaignId, isDefault, content, translations, call, changedBy },
    channel: scriptChannels.find((known) => known === row.channel) ?? 'none',
    createdAt: isoTime(row.createdAt),
    changedAt: isoTime(row.changedAt),
  };
};

export const resource: Resource = {
  tag: { name: 'scripts', description: 'Texts of one channel that steps use in the place of their own.' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};
