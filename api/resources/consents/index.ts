import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { listConsents } from '../../../operations/read/consents.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problems, wrongChoice } from '../../plugins/errors.ts';
import { lineField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { consentSchema, presentConsent } from './schemas.ts';

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
      const { limit, sort, cursor, ...search } = request.query;
      if (search.email === undefined && search.phone === undefined)
        return wrongChoice(reply, 'querystring', ['email', 'phone'], 'Say whose: email or phone.');
      const result = await listConsents(deps, callerOf(request).tenantId, search, pageWanted({ limit, sort, cursor }));
      if (result.kind === 'found') return list.present(request.query.sort, result.found, presentConsent);
      return invalidRequest(reply, [
        { path: `querystring/${result.field}`, message: result.field === 'email' ? 'is no email address' : 'is no telephone number' },
      ]);
    },
  );
};

export const resource: Resource = {
  tag: { name: 'consents', description: 'What people have stated about being contacted, with its proof.' },
  guard: 'tenant',
  changes: null,
  routes,
};
