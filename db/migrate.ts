import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as runMigrations } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { isLockFailure } from './client.ts';
import { settingSession } from './session-settings.ts';

// The advisory lock of all Rekindle processes: a second one waits, then finds nothing to do.
const migrationLock = 7_265_001;

// A statement that waits for a table's lock makes all later ones wait behind it. Webhooks wait 800 ms for a lock (docs/fence.md#times-in-order): a
// migration gives up before that, rolls back, and tries again later.
const lockWaitMs = 400;
// By chance: a worker asks for work each second, in statements over a dozen tables that all waited for the migration and begin again together when it
// gives up. Resting for a second too, it met all of them again each time, and a migration of several tables took minutes.
const restMs = () => 300 + Math.random() * 600;
const giveUpAfterMs = 120_000;

/** The committed migrations, also from compiled output, where the SQL files lie beside the sources' folder. */
function migrationsFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const found = [join(here, 'migrations'), join(here, '../../db/migrations')].find((folder) => existsSync(join(folder, 'meta/_journal.json')));
  if (found === undefined) throw new Error(`no migrations beside ${here}: the installation is incomplete`);
  return found;
}

/**
 * Bring a database to the current schema, while APIs and workers of the build before go on. Processes that start at once migrate once: the
 * lock is held on a connection of its own, so that it outlives every transaction of the migration and ends with the process.
 * @param databaseUrl - the owner's URL; the owner must be allowed to create roles
 * @param folder - the migrations, with their journal
 * @throws when the database cannot be reached, a statement fails, or a table's lock was not to be had for two minutes; nothing is kept then
 */
export async function migrate(databaseUrl: string, folder = migrationsFolder()): Promise<void> {
  const lock = new pg.Client({ connectionString: databaseUrl, application_name: 'rekindle migrate lock' });
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'rekindle migrate' });
  await lock.connect();
  try {
    await lock.query('select pg_advisory_lock($1)', [migrationLock]);
    await client.connect();
    await settingSession({ lock_timeout: String(lockWaitMs) })(client);
    await untilLocked(() => runMigrations(drizzle(client), { migrationsFolder: folder }));
  } finally {
    await client.end().catch(() => undefined);
    await lock.end().catch(() => undefined);
  }
}

/** All that is new is one transaction: it gets every lock that it needs, or leaves everything as it was. */
async function untilLocked(run: () => Promise<void>): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!isLockFailure(error) || performance.now() - startedMs > giveUpAfterMs) throw error;
      await new Promise((rested) => setTimeout(rested, restMs()));
    }
  }
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  const url = process.env['MIGRATION_DATABASE_URL'] ?? process.env['DATABASE_URL'];
  if (url === undefined) {
    process.stderr.write('DATABASE_URL is missing: set it to the URL of the Postgres to migrate\n');
    process.exit(1);
  }
  await migrate(url);
  process.stdout.write('database is up to date\n');
}
