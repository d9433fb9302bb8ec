import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { settingsChange } from '../../../operations/settings.ts';
import { issueKey, listApiKeys, revokeKey } from '../../../operations/api-keys.ts';
import { createTenant, findTenant, listAllTenants, renameTenant, type TenantView } from '../../../operations/tenants.ts';
import { installationActor } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { isId, lineField } from '../../routes/fields.ts';
import { keyList, keyWish, newKeySchema, presentKey, wishOf } from '../keys/schemas.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource } from '../resource.ts';

const tenantFields = {
  id: z.uuid(),
  slug: z.string(),
  name: z.string(),
  time_scale: z.number().meta({ description: 'How many times faster than wall time its plans run; 1 outside demos.' }),
  synthetic: z.boolean(),
};
const tenantSchema = z.object(tenantFields).meta({ id: 'Tenant' });
const madeSchema = z
  .object({ ...tenantFields, api_key: z.string().meta({ description: 'Shown once. It opens this tenant and no other.' }) })
  .meta({ id: 'NewTenant' });
const params = z.object({ tenant: z.string().max(100).meta({ description: 'Its id or its slug.' }) });
const slug = z.string().regex(/^[a-z][a-z0-9-]{1,38}[a-z0-9]$/, 'is no slug: lower-case letters, digits and hyphens, a letter first, 3 to 40');

const tenantList = aList({ name: 'tenants', first: 'oldest', item: tenantSchema, filters: {} });

const unknown = (reply: FastifyReply) => problem(reply, 404, 'unknown_tenant', 'There is no such tenant.');

const routes: FastifyPluginAsyncZod<{ deps: BuiltDeps }> = async (app, { deps }) => {
  app.post(
    '/api/tenants',
    {
      schema: {
        summary: 'Make a tenant: a store, or an agency’s client',
        description: 'With its preset sequences active and a first API key, in every process, when this is answered.',
        body: z.strictObject({ slug, name: lineField(120), settings: settingsChange.default({}) }),
        response: { 201: madeSchema, ...problems(400, 401, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const made = await createTenant(deps, request.body, installationActor);
      if (made === null)
        return problem(
          reply,
          409,
          'slug_taken',
          `There is a tenant "${request.body.slug}" already. Where its key was lost: POST /api/tenants/${request.body.slug}/keys, or npx rekindle tenants issue ${request.body.slug} --name …`,
        );
      return reply.code(201).send({ ...present(made.tenant), api_key: made.apiKey });
    },
  );

  app.get(
    '/api/tenants',
    {
      schema: {
        summary: 'List tenants',
        querystring: tenantList.query,
        response: { 200: tenantList.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return tenantList.present(request.query.sort, await listAllTenants(deps, pageWanted({ limit, sort, cursor })), present);
    },
  );

  app.get(
    '/api/tenants/:tenant',
    { schema: { summary: 'Show a tenant', params, response: { 200: tenantSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const found = await findTenant(deps, request.params.tenant);
      return found === null ? unknown(reply) : present(found);
    },
  );

  app.patch(
    '/api/tenants/:tenant',
    {
      schema: {
        summary: 'Rename a tenant',
        params,
        body: z.strictObject({ name: lineField(120) }),
        response: { 200: tenantSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const found = await findTenant(deps, request.params.tenant);
      if (found === null) return unknown(reply);
      await renameTenant(deps, found.id, request.body.name, installationActor);
      return present({ ...found, name: request.body.name });
    },
  );

  app.get(
    '/api/tenants/:tenant/keys',
    {
      schema: {
        summary: 'List a tenant’s API keys',
        params,
        querystring: keyList.query,
        response: { 200: keyList.answer, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const found = await findTenant(deps, request.params.tenant);
      if (found === null) return unknown(reply);
      const { limit, sort, cursor } = request.query;
      return keyList.present(request.query.sort, await listApiKeys(deps, found.id, pageWanted({ limit, sort, cursor })), presentKey);
    },
  );

  app.post(
    '/api/tenants/:tenant/keys',
    {
      schema: {
        summary: 'Issue one more API key',
        params,
        body: keyWish,
        response: { 201: newKeySchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const found = await findTenant(deps, request.params.tenant);
      if (found === null) return unknown(reply);
      const { id, apiKey } = await issueKey(deps, found.id, wishOf(request.body), installationActor);
      return reply.code(201).send({ id, api_key: apiKey });
    },
  );

  app.delete(
    '/api/tenants/:tenant/keys/:key',
    {
      config: { edits: null },
      schema: {
        summary: 'Revoke an API key',
        description: 'It opens nothing from now on.',
        params: params.extend({ key: z.string().max(100) }),
        response: { 204: z.null(), ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenant, key } = request.params;
      const found = await findTenant(deps, tenant);
      const revoked = found !== null && isId(key) && (await revokeKey(deps, found.id, key, installationActor));
      return revoked ? reply.code(204).send(null) : problem(reply, 404, 'unknown_key', 'There is no such key, or it was revoked before.');
    },
  );
};

function present(t: TenantView): z.input<typeof tenantSchema> {
  return { id: t.id, slug: t.slug, name: t.name, time_scale: t.timeScale, synthetic: t.synthetic };
}

export const resource: Resource = {
  tag: { name: 'tenants', description: 'Stores of this installation and their API keys. For whoever runs it.' },
  guard: 'installation',
  routes,
};
