import { Connection } from '@temporalio/client';
import { Client } from 'pg';
import { type Env, EnvError, type EnvProblem, readEnv } from '../config/env.ts';
import { busyPorts, type PortClaim, readPort } from './ports.ts';
import { StartError } from './start-error.ts';

/** The settings of a start on one machine, read before anything is started. */
export interface LocalSettings {
  host: string;
  ports: {
    api: number;
    temporal: number;
    temporalUi: number;
    smtp: number;
    mailbox: number;
    phone: number;
    model: number;
    providers: number;
    postgres: number;
    shop: number;
    /** null: any free one. */
    workerMetrics: number | null;
  };
  publicUrl: string;
  /** Given by the user; then no own server is started. */
  databaseUrl: string | null;
  temporalAddress: string | null;
  smtpUrl: string | null;
  mailboxUrl: string | null;
  /** For every tenant; null: real time, and the demo store at its own pace. */
  timeScale: number | null;
  /** The synthetic shoppers. `no_mailbox`: they are left out, because their emails could not be found. */
  demo: 'wanted' | 'not_wanted' | 'no_mailbox';
}

type Source = Record<string, string | undefined>;

/** @throws EnvError naming everything that is wrong, before anything is started */
export function readSettings(args: readonly string[], source: Source = process.env): LocalSettings {
  const problems: EnvProblem[] = [];
  const port = (variable: string, fallback: number) => {
    const read = readPort(variable, fallback, source);
    if (read.problem !== null) problems.push(read.problem);
    return read.port;
  };
  const own = {
    temporal: port('TEMPORAL_PORT', 7233),
    temporalUi: port('TEMPORAL_UI_PORT', 8233),
    smtp: port('MAILBOX_SMTP_PORT', 1025),
    mailbox: port('MAILBOX_PORT', 8025),
    phone: port('PHONE_PORT', 8026),
    model: port('MODEL_PORT', 8027),
    providers: port('PROVIDERS_PORT', 8028),
    postgres: port('POSTGRES_PORT', 5433),
    shop: port('DEMO_STORE_PORT', 3030),
  };
  const env = readAll(source, problems);
  return {
    host: env.HOST,
    ports: { api: env.PORT, ...own, workerMetrics: env.METRICS_PORT },
    publicUrl: env.PUBLIC_URL,
    databaseUrl: source.DATABASE_URL?.trim() || null,
    temporalAddress: source.TEMPORAL_ADDRESS?.trim() || null,
    smtpUrl: env.SMTP_URL,
    mailboxUrl: env.MAILBOX_URL,
    timeScale: env.REKINDLE_TIME_SCALE,
    // Its emails must not reach a real server: shoppers read them in the mailbox.
    demo: args.includes('--no-demo') ? 'not_wanted' : env.SMTP_URL !== null && env.MAILBOX_URL === null ? 'no_mailbox' : 'wanted',
  };
}

/** Variables that the child processes would refuse are refused here; those that this start provides may be missing. */
function readAll(source: Source, problems: readonly EnvProblem[]): Env {
  let found: readonly EnvProblem[] = [];
  try {
    const env = readEnv({ ...provided, ...withoutEmpty(source) });
    if (problems.length === 0) return env;
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    found = error.problems;
  }
  throw new EnvError([...found, ...problems]);
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

/** Try the servers that the user gave before starting anything that needs them. @returns one line for each that cannot be used */
async function unusable({ databaseUrl, temporalAddress }: LocalSettings): Promise<string[]> {
  const tried = await Promise.all([
    databaseUrl === null
      ? null
      : tryPostgres(databaseUrl).catch((error: unknown) => refusal('DATABASE_URL', 'the Postgres', error, 'leave it out to use the embedded one')),
    temporalAddress === null
      ? null
      : tryTemporal(temporalAddress).catch((error: unknown) => refusal('TEMPORAL_ADDRESS', 'the Temporal', error, 'leave it out to use an own one')),
  ]);
  return tried.filter((line) => line !== null);
}

async function tryPostgres(connectionString: string): Promise<null> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 });
  await client.connect();
  await client.end();
  return null;
}

async function tryTemporal(address: string): Promise<null> {
  const connection = await Connection.connect({ address, connectTimeout: '5 seconds' });
  await connection.close();
  return null;
}

function refusal(variable: string, server: string, error: unknown, otherwise: string): string {
  const causes = error instanceof AggregateError ? error.errors : [error];
  const why = causes[0] instanceof Error ? causes[0].message : String(causes[0]);
  return `${variable}: ${server} there cannot be used (${why}). Correct it, or ${otherwise}.`;
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
    ...own(
      given.demo === 'wanted',
      { port: ports.phone, variable: 'PHONE_PORT', purpose: 'page with the texts' },
      { port: ports.model, variable: 'MODEL_PORT', purpose: 'stand-in for a language model' },
      { port: ports.providers, variable: 'PROVIDERS_PORT', purpose: 'stand-ins for the providers of leads' },
      { port: ports.shop, variable: 'DEMO_STORE_PORT', purpose: 'demo shop' },
    ),
    ...(ports.workerMetrics === null
      ? []
      : [{ port: ports.workerMetrics, variable: 'METRICS_PORT', purpose: 'the worker’s figures', host: given.host }]),
  ];
}

/** @throws StartError with one line for each port that cannot be had and each server that cannot be used */
export async function checkSettings(settings: LocalSettings): Promise<void> {
  const problems = (await Promise.all([busyPorts(portClaims(settings)), unusable(settings)])).flat();
  if (problems.length > 0) throw new StartError(problems.join('\n'));
}
