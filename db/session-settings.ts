import type { ClientBase } from 'pg';

/** A pooler answers the login itself and then waits for a server that is away: longer than a new connection may take to Postgres itself. */
const givenUpAfterMs = 3_000;

/**
 * Set a new connection up by its first statement. Startup `options` would do it without a round trip, but PgBouncer refuses a login that has them.
 * Where it fails the connection must not be used: without its role, a login that owns the tables is bound by no row-level security.
 * @param settings - name and value of each, as `SET` takes them
 * Source: docs/adr/0119-sessions-behind-a-pooler.md
 */
export function settingSession(settings: Readonly<Record<string, string>>): (client: ClientBase) => Promise<void> {
  const pairs = Object.entries(settings);
  const text = `select ${pairs.map((_, i) => `set_config($${2 * i + 1}, $${2 * i + 2}, false)`).join(', ')}`;
  return async (client) => {
    const setting = { text, values: pairs.flat(), query_timeout: givenUpAfterMs };
    await client.query(setting);
  };
}
