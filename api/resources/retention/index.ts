import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { applyRetention } from '../../../operations/privacy/apply-retention.ts';
import { recordAuditOf } from '../../../operations/audit.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const runSchema = z
  .object({
    dry_run: z.boolean(),
    rows: z.record(z.string(), z.int().nonnegative()).meta({ description: 'Rows that were emptied or deleted, or would be, by kind.' }),
    finished: z.boolean().meta({ description: 'false: its time was over; ask again for the rest, or leave it to the night.' }),
  })
  .meta({ id: 'RetentionRun' });

/** As long as a request may reasonably take. */
const withinMs = 10_000;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.post(
    '/api/retention/run',
    {
      schema: {
        summary: 'Take away what is older than the settings keep',
        description:
          'By the setting `retention`, as it happens each night for every store: contents of deliveries and messages, stories of ended enrollments, events, the audit log, carts of nobody. Figures stay. With `dry_run` it is counted and nothing is changed.',
        body: z.strictObject({ dry_run: z.boolean().default(false) }).nullish(),
        response: { 200: runSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { tenantId } = callerOf(request);
      const dryRun = request.body?.dry_run === true;
      const { rows, finished } = await applyRetention(deps, tenantId, { dryRun, withinMs });
      if (!dryRun) await recordAuditOf(deps, { tenantId, actor: actorOf(request), action: 'retention.run', subject: null, data: { rows } });
      return { dry_run: dryRun, rows, finished };
    },
  );
};

export const resource: Resource = {
  tag: { name: 'retention', description: 'For how long data are kept.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
