import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type ConsentRow, listConsents } from '../../../operations/read/consents.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problems } from '../../plugins/errors.ts';
import { isoTime, lineField, timeField } from '../../routes/fields.ts';
import { aList } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const consentSchema = z
  .object({
    id: z.uuid(),
    contact_id: z.uuid(),
    channel: z.string().meta({ description: '`all`: every channel.' }),
    purpose: z.string(),
    state: z.enum(['granted', 'denied']),
    source: z.string(),
    basis: z.string().nullable().meta({ description: '`person`: their own act. `record`: the shop’s record. `box`: a box that was ticked.' }),
    wording: z.string().nullable().meta({ description: 'The exact sentence that they agreed to.' }),
    wording_version: z.string().nullable(),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    url: z.string().nullable().meta({ description: 'The page on which it was given.' }),
    stated_at: timeField,
    recorded_at: timeField,
  })
  .meta({ id: 'Consent' });

const list = aList({
  name: 'consents',
  item: consentSchema,
  filters: {
    email: lineField(320).optional().meta({ description: 'Read as in a webhook.' }),
    phone: lineField(60).optional().meta({ description: 'Read as in a webhook.' }),
  },
});

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/consents',
    {
      schema: {
        summary: 'Show what a person has stated about being contacted',
        description: 'Every statement with its time, source, wording and proof, the latest first. Records are added, and never changed.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, cursor, ...search } = request.query;
      if (search.email === undefined && search.phone === undefined) return invalidRequest(reply, [], 'Say whose: email or phone.');
      const result = await listConsents(deps, callerOf(request).tenantId, search, { limit, after: cursor ?? null });
      if (result.kind === 'found') return list.present(result.found, presentConsent);
      return invalidRequest(reply, [
        { path: `querystring/${result.field}`, message: result.field === 'email' ? 'is no email address' : 'is no telephone number' },
      ]);
    },
  );
};

function presentConsent(row: ConsentRow): z.input<typeof consentSchema> {
  const proof = (name: string) => (typeof row.proof[name] === 'string' ? row.proof[name] : null);
  return {
    id: row.id,
    contact_id: row.contactId,
    channel: row.channel,
    purpose: row.purpose,
    state: row.state,
    source: row.source,
    basis: row.basis,
    wording: row.wording,
    wording_version: proof('wordingVersion'),
    ip: proof('ip'),
    user_agent: proof('userAgent'),
    url: proof('url'),
    stated_at: isoTime(row.occurredAt),
    recorded_at: isoTime(row.createdAt),
  };
}

export const resource: Resource = {
  tag: { name: 'consents', description: 'What people have stated about being contacted, with its proof.' },
  guard: 'tenant',
  changes: null,
  routes,
};
