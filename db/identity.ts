import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { settingSession } from './session-settings.ts';

/** The tables of people who sign in, and no store's: every connection acts as `rekindle_identity`. */
export type IdentityDb = NodePgDatabase;

/**
 * Open a small pool for the schema `identity`. Nothing connects before the first query, so a process that asks for nobody holds no connection.
 * @param url - of a login that may act as the role (migrations grant it)
 */
export function openIdentityDb(url: string, applicationName: string): { db: IdentityDb; close(): Promise<void> } {
  const pool = new pg.Pool({
    connectionString: url,
    max: 4,
    // The pool waits for it; its types do not say so.
    // oxlint-disable-next-line typescript/no-misused-promises
    onConnect: settingSession({ role: 'rekindle_identity', idle_in_transaction_session_timeout: '5000', lock_timeout: '2000' }),
    application_name: `${applicationName} identity`,
    connectionTimeoutMillis: 3_000,
    query_timeout: 10_000,
    keepAlive: true,
    allowExitOnIdle: true,
  });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return { db: drizzle(pool), close: () => pool.end() };
}
