import { sql } from 'drizzle-orm';
import { postgresCode } from '../db/client.ts';
import type { Deps } from './deps.ts';

// The probe reads no tenant's rows.
const nobody = '00000000-0000-0000-0000-000000000000';
const diskFull = '53100';

/**
 * Whether Postgres can store anything. With a full disk it still answers whatever only reads; so make it write half a megabyte: what exceeds
 * `work_mem` goes into a temporary file, which is removed with the statement.
 * @throws when Postgres cannot be reached
 * Source: https://www.postgresql.org/docs/current/disk-full.html
 */
export async function probeStorage({ db }: Pick<Deps, 'db'>): Promise<'ok' | 'full'> {
  try {
    await db.withTenant(nobody, async (tx) => {
      await tx.execute(sql`set local work_mem = '64kB'`);
      await tx.execute(sql`select count(*) from generate_series(1, 20000)`);
    });
    return 'ok';
  } catch (error) {
    if (postgresCode(error) === diskFull) return 'full';
    throw error;
  }
}
