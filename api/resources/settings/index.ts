import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { settingsChange } from '../../../operations/settings.ts';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { changeSettings, type CurrentSettings, listSettingsVersions, readSettings } from '../../../operations/settings.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource } from '../resource.ts';

const settingsSchema = z
  .object({
    version: z.int().meta({ description: 'Raised by every change; 0: nothing was changed yet.' }),
    settings: z.record(z.string(), z.unknown()),
    examples: z
      .array(z.string())
      .meta({ description: 'Names of settings that are still the example that a store begins with: state your own before you write to anybody.' }),
    changed_by: z.string().nullable(),
    changed_at: timeField.nullable(),
  })
  .meta({ id: 'Settings' });

const versionSchema = z
  .object({ version: z.int(), changes: z.record(z.string(), z.unknown()), changed_by: z.string(), changed_at: timeField })
  .meta({ id: 'SettingsVersion' });

const history = aList({ name: 'settings', item: versionSchema, filters: {}, key: 'number' });

const routes: FastifyPluginAsyncZod<{ deps: BuiltDeps }> = async (app, { deps }) => {
  app.get(
    '/api/settings',
    { schema: { summary: 'Show the store’s settings', response: { 200: settingsSchema, ...problems(401, 429, 503) } } },
    async (request) => present(await readSettings(deps, callerOf(request).tenantId)),
  );

  app.patch(
    '/api/settings',
    {
      schema: {
        summary: 'Change settings',
        description: 'Fields that are left out stay as they are. The next webhook and the next message use the new ones.',
        body: z.strictObject({
          version: z.int32().optional().meta({ description: 'The version that you have seen: 409 where somebody changed the settings meanwhile.' }),
          settings: settingsChange,
        }),
        response: { 200: settingsSchema, ...problems(400, 401, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { version, settings } = request.body;
      const change = { changes: settings, expectedVersion: version ?? null, by: actorOf(request) };
      const { kind, current } = await changeSettings(deps, callerOf(request).tenantId, change);
      if (kind === 'changed') return present(current);
      return problem(reply, 409, 'stale_version', `The settings are at version ${current.version}: read them again, then change them.`);
    },
  );

  app.get(
    '/api/settings/history',
    {
      schema: {
        summary: 'List changes of settings, the latest first',
        querystring: history.query,
        response: { 200: history.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return history.present(
        request.query.sort,
        await listSettingsVersions(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })),
        (v) => ({
          version: v.version,
          changes: v.changes,
          changed_by: v.changedBy,
          changed_at: isoTime(v.changedAtMs),
        }),
      );
    },
  );
};

function present({ version, settings, examples, changedBy, changedAtMs }: CurrentSettings): z.input<typeof settingsSchema> {
  return { version, settings, examples, changed_by: changedBy, changed_at: isoTimeOrNull(changedAtMs) };
}

export const resource: Resource = {
  tag: { name: 'settings', description: 'What a store configures: names, quiet hours, consent, what is recovered.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
