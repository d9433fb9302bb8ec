import pg from 'pg';

/**
 * A pool of connections to a test's database. `end()` of a pool does not wait until its connections are closed, so dropping the database may still
 * meet one, and an error of an idle connection that nobody listens for ends the process.
 */
export function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', () => undefined);
  return pool;
}
