import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as runMigrations } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';

// One number for every Rekindle process: whoever comes second waits, then finds nothing to do.
const migrationLock = 7_265_001;

/** The committed migrations, also from compiled output, where the SQL files lie beside the sources' folder. */
function migrationsFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const found = [join(here, 'migrations'), join(here, '../../db/migrations')].find((folder) => existsSync(join(folder, 'meta/_journal.json')));
  if (found === undefined) throw new Error(`no migrations beside ${here}: the installation is incomplete`);
  return found;
}

/**
 * Bring a database to the current schema. Processes that start at once migrate once: the lock is held on a connection of its own,
 * so that it outlives every transaction of the migration and ends with the process.
 * @param databaseUrl - the owner's URL; the owner must be allowed to create roles
 * @throws when the database cannot be reached or a statement fails; nothing of the failed file is kept
 */
export async function migrate(databaseUrl: string): Promise<void> {
  const lock = new pg.Client({ connectionString: databaseUrl, application_name: 'rekindle migrate lock' });
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'rekindle migrate' });
  await lock.connect();
  try {
    await lock.query('select pg_advisory_lock($1)', [migrationLock]);
    await client.connect();
    await runMigrations(drizzle(client), { migrationsFolder: migrationsFolder() });
  } finally {
    await client.end().catch(() => undefined);
    await lock.end().catch(() => undefined);
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
