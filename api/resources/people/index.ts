import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { problem, problems } from '../../plugins/errors.ts';
import { isoTime, timeField } from '../../routes/fields.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const personal = z.strictObject({ email: z.email().max(254) });
const linkSchema = z
  .object({
    url: z.string().meta({ description: 'The link for this person. Shown once: give it to nobody else.' }),
    expires_at: timeField,
  })
  .meta({ id: 'PasswordLink' });
const linkMs = 3_600_000;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  const { identity } = deps;
  const unknown = 'There is no account for this address.';

  app.post(
    '/api/people/password-link',
    {
      schema: {
        summary: 'Make a link with which a person sets a new password',
        description: 'It opens for an hour, once. Be sure that it is this person who asks.',
        body: personal,
        response: { 201: linkSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const person = await identity.findByEmail(request.body.email);
      if (person === null) return problem(reply, 404, 'unknown_person', unknown);
      const expiresAtMs = Date.now() + linkMs;
      request.log.info({ personId: person.id }, 'a link to a new password was made');
      return reply
        .code(201)
        .send({ url: `${deps.publicUrl}/new-password#${await identity.passwordLink(person.id)}`, expires_at: isoTime(expiresAtMs) });
    },
  );

  app.post(
    '/api/people/remove',
    {
      schema: {
        summary: 'Remove a person’s account from the installation',
        description: 'With their sessions and memberships of all stores. What they did stays in the audit logs under their id.',
        body: personal,
        response: { 204: z.null().meta({ description: 'Removed.' }), ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const person = await identity.findByEmail(request.body.email);
      if (person === null || !(await identity.deletePerson(person.id))) return problem(reply, 404, 'unknown_person', unknown);
      request.log.info({ personId: person.id }, 'an account was removed');
      return reply.code(204).send(null);
    },
  );
};

export const resource: Resource = {
  tag: { name: 'people', description: 'Accounts of people who sign in. For whoever runs the installation.' },
  guard: 'installation',
  routes,
};
