import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { issueKey, listApiKeys, revokeKey, rotateKey } from '../../../operations/api-keys.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { isId, isoTime, timeField } from '../../routes/fields.ts';
import { pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { keyList, keyWish, newKeySchema, presentKey, wishOf } from './schemas.ts';

const params = z.object({ id: z.string().max(100) });
const unknown = (reply: FastifyReply) => problem(reply, 404, 'unknown_key', 'There is no such key, or it opens nothing any more.');
/** A program that has two keys for longer has been forgotten. */
const longestOverlapHours = 30 * 24;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/keys',
    {
      // Who else may come in is for those who let them in.
      config: { permission: 'own' },
      schema: {
        summary: 'List the store’s API keys',
        querystring: keyList.query,
        response: { 200: keyList.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return keyList.present(
        request.query.sort,
        await listApiKeys(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })),
        presentKey,
      );
    },
  );

  app.post(
    '/api/keys',
    {
      schema: {
        summary: 'Issue an API key',
        description: 'The key itself is shown once; only its hash is stored.',
        body: keyWish,
        response: { 201: newKeySchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const wish = wishOf(request.body);
      if (wish.expiresAtMs !== null && wish.expiresAtMs <= deps.clock.nowMs())
        return invalidRequest(reply, [{ path: 'body/expires_at', message: 'lies in the past' }]);
      const { id, apiKey } = await issueKey(deps, callerOf(request).tenantId, wish, actorOf(request));
      return reply.code(201).send({ id, api_key: apiKey });
    },
  );

  app.post(
    '/api/keys/:id/rotate',
    {
      schema: {
        summary: 'Replace an API key',
        description: 'By one of the same name and role. The old one stays valid for a while, so that programs can change over without a gap.',
        params,
        body: z.strictObject({
          overlap_hours: z
            .number()
            .min(0)
            .max(longestOverlapHours)
            .default(24)
            .meta({ description: 'How long the old key stays valid; 0: not at all, as after a leak.' }),
        }),
        response: {
          201: newKeySchema.extend({ old_valid_until: timeField }).meta({ id: 'RotatedApiKey' }),
          ...problems(400, 401, 404, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const overlapMs = request.body.overlap_hours * 3_600_000;
      const made = isId(id) ? await rotateKey(deps, callerOf(request).tenantId, id, overlapMs, actorOf(request)) : null;
      return made === null ? unknown(reply) : reply.code(201).send({ id: made.id, api_key: made.apiKey, old_valid_until: isoTime(made.oldUntilMs) });
    },
  );

  app.delete(
    '/api/keys/:id',
    {
      config: { edits: null },
      schema: {
        summary: 'Revoke an API key',
        description:
          'It opens nothing from now on. A store that revokes its last key of the role owner can get another one with the installation’s key.',
        params,
        response: { 204: z.null().meta({ description: 'Revoked.' }), ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const revoked = isId(id) && (await revokeKey(deps, callerOf(request).tenantId, id, actorOf(request)));
      return revoked ? reply.code(204).send(null) : unknown(reply);
    },
  );
};

export const resource: Resource = {
  tag: { name: 'keys', description: 'Who may use the API for the store, and for what.' },
  guard: 'tenant',
  changes: 'own',
  routes,
};
