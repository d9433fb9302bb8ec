import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { type Database, openDatabase } from '../../db/client.ts';
import { connections } from '../../db/schema/index.ts';
import { parseSequence } from '../../domain/sequence/parse-sequence.ts';
import { createLatenessLog } from '../../operations/lateness-log.ts';
import { createLeaseWatch } from '../../operations/lease-watch.ts';
import { type BuiltDeps, createDeps } from '../../operations/create-deps.ts';
import { systemClock } from '../../operations/clock.ts';
import { type ProvisionedTenant, provisionTenant } from '../../operations/provision-tenant.ts';
import { publishPreset } from '../../operations/publish-sequence.ts';
import { noTelemetry } from '../../operations/telemetry.ts';
import { openPool } from '../helpers/open-pool.ts';
import { type PostgresLine, startPostgresLine } from '../chaos/postgres-line.ts';
import { withLenientReceiver } from '../chaos/lenient-receiver.ts';
import { type SubjectName, subjects } from './subjects/index.ts';
import { FarEnd, type ProviderKind, type StepChannel, stepChannels } from './far-end.ts';

/** The kind of each channel's provider. */
export type Providers = Record<StepChannel, ProviderKind>;

/** What all histories of a run share: one database, the far ends, a tenant for each pair of providers and each rule of opting out. */
export interface World {
  db: Database;
  /** The same database through a proxy that can swallow what follows a COMMIT. */
  behindProxy: Database;
  proxy: PostgresLine;
  farEnd: FarEnd;
  /** Of a process without faults. */
  deps: BuiltDeps;
  tenantOf(providers: Providers, optOutAll: boolean): ProvisionedTenant;
  /** As the owner, outside the product: to look, and to let time pass. */
  owner: pg.Pool;
  /** How often a stop met a call that was running. */
  waits: { settled: number; lease_over: number; budget_spent: number; none: number };
  /** How often the sweep has passed over all rows. */
  sweeps: { passed: number };
  close(): Promise<void>;
}

const silent = { info() {}, warn() {}, error() {} };

const yamlOf = (name: SubjectName) => `
sequence: proof-${name}
name: Proof
on: ${subjects[name].trigger}
quietFor: ${subjects[name].quietFor}
stopOn: ${subjects[name].stopOn}
maxAge: 300d
reentry: once-per-subject
together: many
priority: 3
goal: { event: order.placed, within: 7d }
steps:
  - { id: mail, at: 1h, channel: [email, sms], content: proof/${name}, maxRetries: 10 }
`;
/** The one step of every enrollment. */
export const stepId = 'mail';
/** An hour of the plan is a tenth of a second. */
const timeScale = 36_000;

/** @param url - the owner's URL of a migrated database that nobody else uses */
export async function openWorld(url: string): Promise<World> {
  const proxy = await startPostgresLine(url);
  const proxied = new URL(url);
  proxied.hostname = '127.0.0.1';
  proxied.port = String(proxy.port);
  const short = { idleInTransactionMs: 250, lockWaitMs: 400 };
  const db = openDatabase({ url, maxConnections: 30, settlingConnections: 8, applicationName: 'proof', ...short });
  const behindProxy = openDatabase({ url: proxied.href, maxConnections: 20, settlingConnections: 6, applicationName: 'proof proxied', ...short });
  const farEnd = new FarEnd();
  const waits = { settled: 0, lease_over: 0, budget_spent: 0, none: 0 };
  const built = createDeps({
    databaseUrl: url,
    masterKey: randomBytes(32),
    publicUrl: 'http://rekindle.example.com',
    smtpUrl: null,
    timeScale: null,
    log: silent,
    applicationName: 'proof',
    telemetry: { ...noTelemetry, leaseWait: (result) => void (waits[result] += 1) },
  });
  const deps: BuiltDeps = {
    ...built,
    integrations: withLenientReceiver(built.integrations),
    db,
    leases: createLeaseWatch(db, systemClock),
    lateness: createLatenessLog(),
    createSenders: (integration) => [farEnd.sender(...partsOf(integration), 'undisturbed')],
  };
  const presets = (Object.keys(subjects) as SubjectName[]).map(presetOf);
  const tenants = new Map<string, ProvisionedTenant>();
  const kinds = ['none', 'keys', 'find'] as const;
  for (const providers of kinds.flatMap((email) => kinds.map((sms): Providers => ({ email, sms })))) {
    for (const optOutAll of [true, false]) {
      const settings = {
        quietHours: null,
        legalHours: false,
        consentLaw: 'off' as const,
        catchUpPerMinute: null,
        caps: [],
        optOutAllChannels: optOutAll,
        requireConsent: [],
      };
      const slug = `proof-${providers.email}-${providers.sms}-${optOutAll}`;
      const tenant = await provisionTenant(deps, { slug, name: 'Proof', timeScale, synthetic: true, settings });
      const sealedConfig = deps.sealing.seal('{}');
      const { tenantId } = tenant;
      await db.withTenant(tenantId, (tx) =>
        tx.insert(connections).values(
          stepChannels.map((channel) => ({
            tenantId,
            id: uuidv7(),
            integration: `stub-${channel}-${providers[channel]}`,
            name: 'far end',
            sealedConfig,
          })),
        ),
      );
      for (const preset of presets) await publishPreset(deps, tenantId, preset);
      tenants.set(`${providers.email} ${providers.sms} ${optOutAll}`, tenant);
    }
  }
  const owner = openPool({ connectionString: url, max: 4 });
  return {
    db,
    behindProxy,
    proxy,
    farEnd,
    deps,
    owner,
    waits,
    sweeps: { passed: 0 },
    tenantOf({ email, sms }, optOutAll) {
      const tenant = tenants.get(`${email} ${sms} ${optOutAll}`);
      if (tenant === undefined) throw new Error('no such tenant');
      return tenant;
    },
    async close() {
      await Promise.all([db.close(), behindProxy.close(), built.db.close(), owner.end()]);
      await proxy.close();
    },
  };
}

function presetOf(name: SubjectName) {
  const yaml = yamlOf(name);
  const parsed = parseSequence(yaml);
  if (!parsed.ok) throw new Error(`the proof's sequence: ${JSON.stringify(parsed.errors)}`);
  const content = {
    [`proof/${name}`]: { subject: 'What you left', html: subjects[name].html, text: 'What you left' },
    [`proof/${name}.sms`]: { text: 'What you left {{ link.url }}', language: 'en' },
  };
  return { definition: parsed.definition, content, sourceHash: createHash('sha256').update(yaml).digest('hex') };
}

/** Which far end a connection of the proof leads to. */
export function partsOf(integration: string): [StepChannel, ProviderKind] {
  const [, channel, kind] = integration.split('-');
  const known = stepChannels.find((c) => c === channel);
  if (known === undefined || (kind !== 'none' && kind !== 'keys' && kind !== 'find')) throw new Error(`${integration} is no far end`);
  return [known, kind];
}
