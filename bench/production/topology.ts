import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../../db/migrate.ts';
import { freePort } from '../../local/ports.ts';
import { type PostgresServer, startPostgres } from '../../local/postgres.ts';
import { removePostgres } from '../../local/postgres-place.ts';
import type { BuiltDeps } from '../../operations/create-deps.ts';
import { type SmtpServer, startSmtpServer } from '../../tests/helpers/smtp-server.ts';
import { openDeps } from '../shop.ts';
import { type Balancer, createBalancer } from './balancer.ts';
import { createDatabases, urlAs } from './databases.ts';
import { type Part, scriptPart } from './part.ts';
import { type Cost, costOf } from '../process-cost.ts';
import { obtainServerPrograms } from './server-programs.ts';
import { startTemporalCluster, type TemporalCluster } from './temporal-cluster.ts';

export interface TopologyOptions {
  shards: number;
  split: boolean;
  /** Run what `npm run build` made, by plain Node, instead of the sources. */
  built: boolean;
  log: (line: string) => void;
}

/** How many processes of each: two, so that one may go. */
const each = [1, 2] as const;

/** Production on one machine: the official server on a Postgres of its own, ours on another, two APIs behind a balancer, two workers. */
export interface Topology {
  /** As API and worker: a login that owns nothing. */
  databaseUrl: string;
  ownerUrl: string;
  temporal: TemporalCluster;
  /** The only provider: it records what it took. */
  smtp: SmtpServer;
  apis: Part[];
  workers: Part[];
  balancer: Balancer;
  /** The benchmark's own connection to the database, also for making tenants. */
  deps: BuiltDeps;
  /** Start another process of this repository, which is ended with the rest. */
  script(name: string, script: string, env: Record<string, string>): Part;
  /** What the processes of each kind have used so far, by kind; empty where the system does not report it. */
  costs(): Map<string, Cost>;
  /** Wait until what was begun is done: nothing in the outbox and the processes idle. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

export async function openTopology({ shards, split, built, log }: TopologyOptions): Promise<Topology> {
  const programs = await obtainServerPrograms(log);
  const dir = mkdtempSync(join(tmpdir(), 'rekindle-production-'));
  // As root, Postgres runs as another user who must be able to enter.
  chmodSync(dir, 0o755);
  const logs = join(dir, 'logs');
  mkdirSync(logs);
  const closing: (() => Promise<void> | void)[] = [() => rmSync(dir, { recursive: true, force: true })];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    log('Two Postgres servers: ours and Temporal’s …');
    const password = () => randomBytes(18).toString('hex');
    const startDatabase = async (name: string) => {
      const place = join(dir, name);
      const server = await startPostgres({ dir: place, port: await freePort(), durable: true, log });
      closing.push(async () => {
        await server.stop();
        removePostgres(place);
      });
      const passwords = { owner: password(), app: password(), temporal: password() };
      await createDatabases(server.url, passwords);
      return { server, passwords };
    };
    const ours = await startDatabase('postgres');
    const temporals = await startDatabase('temporal-postgres');
    const ownerUrl = urlAs(ours.server.url, 'rekindle_owner', ours.passwords.owner, 'rekindle');
    const databaseUrl = urlAs(ours.server.url, 'rekindle', ours.passwords.app, 'rekindle');
    await migrate(ownerUrl);

    const temporal = await startTemporalCluster({
      dir: join(dir, 'temporal'),
      programs,
      postgres: { host: '127.0.0.1', port: Number(new URL(temporals.server.url).port), user: 'temporal', password: temporals.passwords.temporal },
      shards,
      split,
      log,
    });
    closing.push(() => temporal.stop());
    const smtp = await startSmtpServer();
    closing.push(() => smtp.close());

    const masterKey = randomBytes(32);
    const environment = {
      NODE_ENV: 'production',
      // Every far end is on this machine.
      REKINDLE_PRIVATE_ADDRESSES: 'all',
      LOG_LEVEL: 'warn',
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      REKINDLE_MASTER_KEY: masterKey.toString('base64'),
      SMTP_URL: smtp.url,
      PUBLIC_URL: 'https://rekindle.example.com',
    };
    const script = (name: string, file: string, env: Record<string, string>, kind = name.replace(/-\d+$/, '')) => {
      const part = scriptPart({ name, kind, script: file, built, env: { ...environment, ...env }, logFile: join(logs, `${name}.log`) });
      closing.push(() => part.stop());
      return part;
    };
    const ports = [await freePort(), await freePort()];
    const apis = ports.map((port, index) => script(`api-${index + 1}`, 'api/server.ts', { PORT: String(port) }, 'api'));
    const workers = each.map((number) => script(`worker-${number}`, 'worker/main.ts', {}, 'worker'));
    log('Two APIs, two workers …');
    await Promise.all([...apis, ...workers].map((part) => part.start()));
    const balancer = createBalancer(ports, '/readyz');
    closing.push(() => balancer.close());
    const deps = openDeps(databaseUrl, masterKey);
    closing.push(() => deps.db.close());

    const others: Part[] = [];
    const costs = () =>
      costsOf([...apis, ...workers, ...temporal.nodes, ...others], { postgres: ours.server, 'temporal-postgres': temporals.server });
    return {
      databaseUrl,
      ownerUrl,
      temporal,
      smtp,
      apis,
      workers,
      balancer,
      deps,
      script(name, file, env) {
        const part = script(name, file, env);
        others.push(part);
        return part;
      },
      costs,
      quiet: () => untilQuiet(deps, costs),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function costsOf(parts: Part[], databases: Record<string, PostgresServer>): Map<string, Cost> {
  const sums = new Map<string, Cost>();
  const add = (kind: string, pid: number | null) => {
    const cost = pid === null ? null : costOf(pid);
    if (cost === null) return;
    const sum = sums.get(kind) ?? { cpuMs: 0, rssMiB: 0 };
    sums.set(kind, { cpuMs: sum.cpuMs + cost.cpuMs, rssMiB: sum.rssMiB + cost.rssMiB });
  };
  for (const part of parts) add(part.kind, part.pid);
  for (const [kind, server] of Object.entries(databases)) add(kind, server.pid);
  return sums;
}

const idleShare = 0.25;

async function untilQuiet(deps: BuiltDeps, costs: () => Map<string, Cost>): Promise<void> {
  const cpuMs = () => [...costs().values()].reduce((sum, cost) => sum + cost.cpuMs, 0);
  const windowMs = 500;
  for (const endMs = performance.now() + 60_000; performance.now() < endMs; ) {
    const before = cpuMs();
    await sleep(windowMs);
    if ((await deps.db.outboxBacklog()).waiting === 0 && cpuMs() - before < idleShare * windowMs) return;
  }
}
