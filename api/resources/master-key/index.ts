import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { countSealed, resealAll, type SealedTexts } from '../../../operations/keys/reseal.ts';
import { SealError } from '../../../operations/sealing.ts';
import { installationActor } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import type { Resource } from '../resource.ts';

const count = z.int().nonnegative();

const statusSchema = z
  .object({
    current: z.string().meta({ description: 'The id of the key that seals. An id tells nothing about its key.' }),
    sealed: z
      .record(z.string(), count)
      .meta({ description: 'How many texts are sealed under which key; `unknown`: under one that is not configured.' }),
    may_go: z.array(z.string()).meta({ description: 'Keys that are configured and that nothing needs any more.' }),
  })
  .meta({ id: 'MasterKeyStatus' });

const resealedSchema = z
  .object({ resealed: count, finished: z.boolean().meta({ description: 'false: ask again for the rest.' }), status: statusSchema })
  .meta({ id: 'MasterKeyResealed' });

/** As long as a request may reasonably take. */
const withinMs = 10_000;

const routes: FastifyPluginAsyncZod<{ deps: BuiltDeps }> = async (app, { deps }) => {
  app.get(
    '/api/master-key',
    { schema: { summary: 'Show what is sealed under which master key', response: { 200: statusSchema, ...problems(401, 429, 503) } } },
    async () => present(await countSealed(deps)),
  );

  app.post(
    '/api/master-key/reseal',
    {
      schema: {
        summary: 'Seal everything anew under the present master key',
        description:
          'Row by row, while everything runs; it may be ended and begun again anywhere. Every process needs both keys meanwhile: the new one as REKINDLE_MASTER_KEY, the old one in REKINDLE_OTHER_MASTER_KEYS.',
        response: { 200: resealedSchema, ...problems(401, 409, 429, 503) },
      },
    },
    async (_, reply) => {
      try {
        const { resealed, finished } = await resealAll(deps, { actor: installationActor, withinMs });
        return { resealed, finished, status: present(await countSealed(deps)) };
      } catch (error) {
        if (!(error instanceof SealError)) throw error;
        return problem(
          reply,
          409,
          'unknown_master_key',
          'Something is sealed under a master key that is not configured: add it to REKINDLE_OTHER_MASTER_KEYS and start the API anew.',
        );
      }
    },
  );
};

const present = ({ current, byKey, mayGo }: SealedTexts): z.input<typeof statusSchema> => ({ current, sealed: byKey, may_go: mayGo });

export const resource: Resource = {
  tag: { name: 'master key', description: 'The key that seals secrets, and how it is replaced by another.' },
  guard: 'installation',
  routes,
};
