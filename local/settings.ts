import { Connection } from '@temporalio/client';
import { Client } from 'pg';
import { readEnv } from '../config/env.ts';
import { busyPorts, type PortClaim, portFrom } from './ports.ts';
import { StartError } from './start-error.ts';

/** What the environment says about a start on one machine. Nothing has been started yet. */
export interface LocalSettings {
  host: string;
  ports: { api: number; temporal: number; temporalUi: number; smtp: number; mailbox: number; postgres: number; shop: number };
  publicUrl: string;
  /** Given by the user: then no own one is started. */
  databaseUrl: string | null;
  temporalAddress: string | null;
  smtpUrl: string | null;
  mailboxUrl: string | null;
  /** For every tenant; null: real time, and the demo store at its own pace. */
  timeScale: number | null;
  demo: boolean;
}

type Source = Record<string, string | undefined>;

/** @throws EnvError or StartError naming what is wrong, before anything is started */
export function readSettings(args: readonly string[], source: Source = process.env): LocalSettings {
  const ports = {
    api: portFrom('PORT', 3000, source),
    temporal: portFrom('TEMPORAL_PORT', 7233, source),
    temporalUi: portFrom('TEMPORAL_UI_PORT', 8233, source),
    smtp: portFrom('MAILBOX_SMTP_PORT', 1025, source),
    mailbox: portFrom('MAILBOX_PORT', 8025, source),
    postgres: portFrom('POSTGRES_PORT', 5433, source),
    shop: portFrom('DEMO_STORE_PORT', 3030, source),
  };
  // What the children will refuse is refused here, in front of the user: what is missing is what this start provides.
  const env = readEnv({ ...provided, ...withoutEmpty(source) });
  return {
    host: env.HOST,
    ports,
    publicUrl: env.PUBLIC_URL,
    databaseUrl: source.DATABASE_URL?.trim() || null,
    temporalAddress: source.TEMPORAL_ADDRESS?.trim() || null,
    smtpUrl: env.SMTP_URL,
    mailboxUrl: env.MAILBOX_URL,
    timeScale: env.REKINDLE_TIME_SCALE,
    demo: !args.includes('--no-demo'),
  };
}

const provided = {
  DATABASE_URL: 'postgres://127.0.0.1/rekindle',
  TEMPORAL_ADDRESS: '127.0.0.1:7233',
  REKINDLE_MASTER_KEY: Buffer.alloc(32).toString('base64'),
};

function withoutEmpty(source: Source): Source {
  return Object.fromEntries(Object.entries(source).filter(([, value]) => value?.trim()));
}

/** Where this machine reaches the API, whatever address it listens on. */
export function apiUrlOf({ host, ports }: LocalSettings): string {
  const everywhere = ['127.0.0.1', 'localhost', '::1', '0.0.0.0', '::'].includes(host);
  return `http://${everywhere ? 'localhost' : host}:${ports.api}`;
}

/** What the user gave is tried before anything is started on top of it. @throws StartError naming the variable that leads nowhere */
export async function checkGiven({ databaseUrl, temporalAddress }: LocalSettings): Promise<void> {
  if (databaseUrl !== null) {
    const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
    await client.connect().catch((error: unknown) => refuse('DATABASE_URL', 'the Postgres', error, 'leave it out to use the embedded one'));
    await client.end();
  }
  if (temporalAddress !== null) {
    const connection = await Connection.connect({ address: temporalAddress, connectTimeout: '5 seconds' }).catch((error: unknown) =>
      refuse('TEMPORAL_ADDRESS', 'the Temporal', error, 'leave it out to use an own one'),
    );
    await connection.close();
  }
}

function refuse(variable: string, server: string, error: unknown, otherwise: string): never {
  const causes = error instanceof AggregateError ? error.errors : [error];
  const why = causes[0] instanceof Error ? causes[0].message : String(causes[0]);
  throw new StartError(`${variable}: ${server} there cannot be used (${why}). Mend it, or ${otherwise}.`, { cause: error });
}

/** The ports that this start will listen on. */
export function portClaims({ ports, ...given }: LocalSettings): PortClaim[] {
  const own = (isOwn: boolean, ...claims: PortClaim[]) => (isOwn ? claims : []);
  return [
    { port: ports.api, variable: 'PORT', purpose: 'API and live page', host: given.host },
    ...own(given.databaseUrl === null, { port: ports.postgres, variable: 'POSTGRES_PORT', purpose: 'Postgres' }),
    ...own(
      given.temporalAddress === null,
      { port: ports.temporal, variable: 'TEMPORAL_PORT', purpose: 'Temporal' },
      { port: ports.temporalUi, variable: 'TEMPORAL_UI_PORT', purpose: 'Temporal Web UI' },
    ),
    ...own(
      given.smtpUrl === null,
      { port: ports.smtp, variable: 'MAILBOX_SMTP_PORT', purpose: 'mailbox, SMTP' },
      { port: ports.mailbox, variable: 'MAILBOX_PORT', purpose: 'mailbox, page' },
    ),
    { port: ports.shop, variable: 'DEMO_STORE_PORT', purpose: 'demo shop' },
  ];
}

/** @throws StartError with one line per port that cannot be had */
export async function checkPorts(settings: LocalSettings): Promise<void> {
  const problems = await busyPorts(portClaims(settings));
  if (problems.length > 0) throw new StartError(problems.join('\n'));
}
