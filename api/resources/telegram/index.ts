import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { createAdminCode } from '../../../operations/chat/admin-codes.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import { isoTime, timeField } from '../../routes/fields.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const codeSchema = z
  .object({
    code: z.string().meta({ description: 'Shown once. The admin writes `/set_admin CODE` to the bot.' }),
    expiresAt: timeField,
  })
  .meta({ id: 'AdminCode' });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.post(
    '/api/telegram/admin-codes',
    {
      schema: {
        summary: 'Make a one-time code for the admin chat',
        description:
          'The chat that brings it gets the alerts about hot leads from then on. It holds for 15 minutes and once; a new code ends the one before.',
        response: { 201: codeSchema, ...problems(401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { code, expiresAtMs } = await createAdminCode(deps, callerOf(request).tenantId, actorOf(request));
      return reply.code(201).send({ code, expiresAt: isoTime(expiresAtMs) });
    },
  );
};

export const resource: Resource = {
  tag: { name: 'telegram', description: 'The chat of the store’s admin with its bot.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
