import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { integrationPurposes, listIntegrations } from '../../../operations/list-integrations.ts';
import { problems } from '../../plugins/errors.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const integrationSchema = z
  .object({
    name: z.string().meta({ description: 'As `integration` of a connection names it.' }),
    title: z.string().meta({ description: 'As people call it.' }),
    purpose: z.enum(integrationPurposes),
    receives: z.boolean().meta({ description: 'It delivers webhooks.' }),
    sends: z.boolean().meta({ description: 'Messages leave through it.' }),
    secret: z.enum(['made_here', 'entered', 'in_config', 'none']).meta({
      description:
        'How the secret of its webhooks comes about. `made_here`: a new connection shows it once, and you enter it at the provider. `entered`: the provider has made it, and it goes into `secrets`. `in_config`: the configuration holds it.',
    }),
    guide: z
      .object({
        before: z.array(z.string()).meta({ description: 'Where what a connection is told is found.' }),
        secret: z.string().nullable().meta({ description: 'Where the provider shows the secret of its webhooks; null: it makes none.' }),
        after: z.array(z.string()).meta({ description: 'What is entered at the provider once the connection has an address.' }),
      })
      .meta({ description: 'What somebody does at the provider, step by step, for people.' }),
    single: z.boolean().meta({ description: 'A store has one connection of it at a time.' }),
    authorised: z.boolean().meta({ description: 'An app of yours is let in by OAuth, after the connection is made.' }),
    config: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'What `config` of a connection may hold, as JSON Schema (draft 2020-12); null: there is nothing to configure.' }),
  })
  .meta({ id: 'Integration' });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/integrations',
    {
      schema: {
        summary: 'List what a store can be connected to',
        description: 'With what each connection has to be told. The same for every store.',
        response: { 200: z.object({ data: z.array(integrationSchema) }), ...problems(401, 429, 503) },
      },
    },
    () => ({ data: listIntegrations(deps) }),
  );
};

export const resource: Resource = {
  tag: { name: 'integrations', description: 'What a store can be connected to.' },
  guard: 'tenant',
  changes: null,
  routes,
};
