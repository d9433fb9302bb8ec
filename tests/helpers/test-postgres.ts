import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../db/migrate.ts';
import { startPostgres } from '../../local/postgres.ts';
import { removePostgres } from '../../local/postgres-place.ts';
import { loadPresets } from '../../operations/publish-presets.ts';
import type { CompiledPreset } from '../../operations/publish-sequence.ts';
import { compiledSources } from '../chaos/compiled-sources.ts';
import { fastFolder } from './fast-folder.ts';
import { onFreePort, oncePerRun } from './once-per-run.ts';
import { templateDatabase } from './template-database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The owner's URL of the test cluster (by its socket), for making databases; tests themselves use `createTestDatabase()`. */
    postgresUrl: string;
    /** The product's presets. Compiling them takes longer than everything else that a shop needs. */
    presets: CompiledPreset[];
    /** The same as JSON in a file, for processes of their own. */
    presetsFile: string;
  }
}

const shared = oncePerRun(
  'postgres',
  async () => {
    const dir = fastFolder('rekindle-test');
    // As root, Postgres runs as another user who must be able to enter.
    chmodSync(dir, 0o755);
    const log = (line: string) => process.stderr.write(`[postgres] ${line}\n`);
    // Here and not in the first test that starts a process: on a busy machine it takes longer than a test may.
    const [server, folder] = await Promise.all([
      onFreePort((port) => startPostgres({ dir: join(dir, 'postgres'), port, durable: false, socket: true, log })),
      compiledSources(),
    ]);
    const presets = (await loadPresets(join(folder, 'sequences'))).map(atAnyHour);
    await makeTemplate(server.socketUrl);
    const presetsFile = join(dir, 'presets.json');
    writeFileSync(presetsFile, JSON.stringify(presets));
    return { dir, server, presets, presetsFile };
  },
  async ({ dir, server }) => {
    await server.stop();
    removePostgres(join(dir, 'postgres'));
    rmSync(dir, { recursive: true, force: true });
  },
);

/**
 * What tests send does not depend on the hour at which they run: no email waits for the hour at which people read emails. Without their source, presets
 * are not linted for each store that tests make, where nobody reads what the linter logs.
 */
function atAnyHour(preset: CompiledPreset): CompiledPreset {
  const made = structuredClone(preset);
  delete made.source;
  for (const step of made.definition.steps) delete step.bestHour;
  return made;
}

/** One Postgres for all test files of a run; each file has a database of its own there. */
export async function setup(project: TestProject): Promise<void> {
  const { server, presets, presetsFile } = await shared.use();
  project.provide('postgresUrl', server.socketUrl);
  project.provide('presets', presets);
  project.provide('presetsFile', presetsFile);
  // Clients connect when they are first used. A project whose files run workflows has test-temporal.ts besides.
  project.provide('temporalAddress', 'no-temporal-in-this-project.invalid:7233');
}

export const teardown = shared.leave;

async function makeTemplate(adminUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`create database ${templateDatabase}`);
  await admin.end();
  const url = new URL(adminUrl);
  url.pathname = `/${templateDatabase}`;
  await migrate(url.href);
}
