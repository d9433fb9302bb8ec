import { readFileSync } from 'node:fs';
import pg from 'pg';

const script = new URL('../../deploy/postgres/create-databases.sh', import.meta.url);

export interface Passwords {
  owner: string;
  app: string;
  temporal: string;
}

/**
 * Make databases and logins as production does: by the statements of deploy/postgres/create-databases.sh, without its psql.
 * @param adminUrl - a superuser's, of a server that holds nothing yet but the empty database `rekindle`
 */
export async function createDatabases(adminUrl: string, passwords: Passwords): Promise<void> {
  const url = new URL(adminUrl);
  url.pathname = '/postgres';
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  try {
    await admin.query('drop database rekindle');
    for (const statement of statementsOf(readFileSync(script, 'utf8'), passwords)) await admin.query(statement);
  } finally {
    await admin.end();
  }
}

/** The script's SQL with its variables filled in, one statement each: databases are not made inside a transaction. */
export function statementsOf(shell: string, passwords: Passwords): string[] {
  const sql = /<<'SQL'\n([\s\S]*)\nSQL\n/.exec(shell)?.[1];
  if (sql === undefined) throw new Error('create-databases.sh holds no SQL');
  const variables: Record<string, string> = {
    owner_password: passwords.owner,
    app_password: passwords.app,
    temporal_password: passwords.temporal,
  };
  return sql
    .replaceAll(/^--.*$/gm, '')
    .replaceAll(/:'(\w+)'/g, (_all, name: string) => {
      const value = variables[name];
      if (value === undefined) throw new Error(`create-databases.sh asks for ${name}, which nobody gives`);
      return pg.escapeLiteral(value);
    })
    .split(';')
    .map((statement) => statement.trim())
    .filter(Boolean);
}

/** The same server as another login, or another database. */
export function urlAs(adminUrl: string, user: string, password: string, database: string): string {
  const url = new URL(adminUrl);
  url.username = user;
  url.password = password;
  url.pathname = `/${database}`;
  return url.href;
}
