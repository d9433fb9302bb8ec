import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openDatabase } from '../db/client.ts';
import { subjectKinds, type SubjectKinds } from '../domain/subjects/index.ts';
import { type PrivateAddresses, restrictPrivateAddresses } from '../integrations/http/outbound.ts';
import { createSender, createSenders, integrations, sends, type Integrations } from '../integrations/index.ts';
import { OwnModels } from '../integrations/onnx/own-models.ts';
import type { Sender } from '../integrations/port.ts';
import { DeliverySets, type SetOptions } from './intake/delivery-sets.ts';
import { Floods } from './intake/flood.ts';
import { ClaimSlots } from './claim-slots.ts';
import { Turns } from './dispatch/turns.ts';
import { type Clock, systemClock } from './clock.ts';
import type { CompiledPreset } from './compiled-preset.ts';
import { type Checkpoints, type Deps, type Log, noCheckpoints } from './deps.ts';
import { VersionCache } from './dispatch/versions.ts';
import { createIdentity, type Identity, type OidcOptions } from './identity/identity.ts';
import { LimitInTurn } from './in-turn.ts';
import { createLatenessLog } from './lateness-log.ts';
import { createLeaseWatch } from './lease-watch.ts';
import { createLinkTokens } from './link-tokens.ts';
import { loadPresets } from './publish-presets.ts';
import { RiskCache } from './risk/risk-cache.ts';
import { currentRequestId } from './request-context.ts';
import type { MailFrom } from './mail-from.ts';
import { hasOwnSender, sendInstallationMail } from './team-mail.ts';
import { passwordEmail } from '../content/team-emails.ts';
import { createSealing } from './sealing.ts';
import { noTelemetry, type Telemetry } from './telemetry.ts';

/** A transaction that reads a step takes some milliseconds, most of them the processor's: more at once would only make all of them slower. */
const mostLookingAhead = 4;

export interface DepsOptions {
  databaseUrl: string;
  masterKey: Buffer;
  /** Master keys that only open, while one is replaced by another. */
  otherMasterKeys?: readonly Buffer[];
  publicUrl: string;
  /** Where emails go for tenants without a connection of their own; null: nowhere. */
  smtpUrl: string | null;
  /** From whom emails come that the installation itself sends, by `smtpUrl`; absent or null: it sends none. */
  mailFrom?: MailFrom | null;
  /** What messages of `smtpUrl` are signed with; null: nothing, or the relay signs. */
  dkim?: { domain: string; selector: string; privateKey: string } | null;
  /** Where people may sign in beside a password; absent or null: nowhere. */
  oidc?: OidcOptions | null;
  /** Where the whole process may connect to beside the public internet; absent: as it was. */
  privateAddresses?: PrivateAddresses;
  timeScale: number | null;
  /** The folder of models that stores have brought; absent or null: nobody brings any. */
  ownModels?: string | null;
  /** Percent of the stores whose accounts get interventions by themselves; absent: all of them. */
  interventionStores?: number;
  log: Log;
  applicationName: string;
  maxConnections?: number;
  settlingConnections?: number;
  telemetry?: Telemetry;
  clock?: Clock;
  /** How deliveries that arrive together are gathered into one transaction. */
  sets?: SetOptions;
  checkpoints?: Checkpoints;
  /** Kinds of subject; for installations that add their own. */
  subjects?: SubjectKinds;
  /** Reads the preset sequences; default: those in the folder `sequences/`. */
  presets?: () => Promise<readonly CompiledPreset[]>;
  /** Integrations; for installations that add their own. */
  integrations?: Integrations;
  /** Senders for tenants without a connection of that channel, instead of `smtpUrl`: the installation's own adapters, and stand-ins in tests. */
  defaultSenders?: readonly Sender[];
}

export type BuiltDeps = Deps & {
  onKick(listener: () => void): void;
  /** People who sign in: for the API alone, which ends it. */
  identity: Identity;
};

// One for the process, as its event loop: each has a timer that runs a hundred times a second for as long as the process lives.
const loopDelay = monitorEventLoopDelay();

/** Everything that the operations need, built once per process. `close` the database when the process ends. */
export function createDeps(options: DepsOptions): BuiltDeps {
  if (options.privateAddresses !== undefined) restrictPrivateAddresses(options.privateAddresses);
  const telemetry = options.telemetry ?? noTelemetry;
  loopDelay.enable();
  const db = openDatabase({
    url: options.databaseUrl,
    applicationName: options.applicationName,
    requestId: currentRequestId,
    onLeftWaiting({ after, repeated }) {
      telemetry.leftWaiting(repeated ? 'repeated' : 'given_up');
      // The longest turn of the event loop since the last such line: as long as the transaction's limit, this process got too little processor time.
      const loopDelayMs = Math.round(loopDelay.max / 1e6);
      loopDelay.reset();
      options.log.warn(
        { after: after.slice(0, 100), repeated, loopDelayMs },
        'a transaction was left waiting between two statements, and Postgres ended it',
      );
    },
    ...(options.maxConnections === undefined ? {} : { maxConnections: options.maxConnections }),
    ...(options.settlingConnections === undefined ? {} : { settlingConnections: options.settlingConnections }),
  });
  const clock = options.clock ?? systemClock;
  const sealing = createSealing(options.masterKey, options.otherMasterKeys);
  const known = options.integrations ?? integrations;
  const kicked: (() => void)[] = [];
  const defaultSenders =
    options.defaultSenders ??
    (options.smtpUrl === null ? [] : [createSender({ integration: 'smtp', config: { url: options.smtpUrl, dkim: options.dkim ?? null } })]);
  const mail = { clock, defaultSenders, mailFrom: options.mailFrom ?? null, publicUrl: options.publicUrl };
  return {
    db,
    clock,
    checkpoints: options.checkpoints ?? noCheckpoints,
    sealing,
    links: createLinkTokens(() => sealing.deriveKey('links')),
    leases: createLeaseWatch(db, clock),
    claimSlots: new ClaimSlots(),
    lookingAhead: new LimitInTurn(mostLookingAhead),
    turns: new Turns(clock),
    lateness: createLatenessLog(),
    telemetry,
    risk: new RiskCache(),
    log: options.log,
    subjects: options.subjects ?? subjectKinds,
    integrations: known,
    createSenders: cachedSenders(known),
    defaultSenders,
    mailFrom: mail.mailFrom,
    publicUrl: options.publicUrl,
    timeScale: options.timeScale,
    ownModels: new OwnModels(options.ownModels ?? null),
    interventionStores: options.interventionStores ?? 100,
    kickRelay: () => {
      for (const listener of kicked) listener();
    },
    onKick: (listener) => void kicked.push(listener),
    identity: createIdentity({
      ...{ databaseUrl: options.databaseUrl, applicationName: options.applicationName, publicUrl: options.publicUrl, log: options.log, db },
      secret: sealing.deriveKey('sessions'),
      oidc: options.oidc ?? null,
      sendPasswordLink: hasOwnSender(mail) ? (email, url) => sendPasswordLink(mail, options.log, email, url) : null,
    }),
    versions: new VersionCache(),
    presets: keptPresets(options.presets ?? loadPresets),
    deliverySets: new DeliverySets(options.sets),
    waitingSets: new DeliverySets({ atOnce: 3, most: 16, inOrder: true }),
    storingSets: new DeliverySets({ atOnce: 1, most: 100 }),
    floods: new Floods(),
  };
}

async function sendPasswordLink(mail: Parameters<typeof sendInstallationMail>[0], log: Log, email: string, url: string): Promise<void> {
  const sent = await sendInstallationMail(mail, email, passwordEmail({ url, minutes: 60 }));
  if (sent.kind === 'failed') log.error({ detail: sent.detail }, 'a link to a new password could not be sent');
}

/** A failure is not kept: the file may have been mended. */
function keptPresets(load: () => Promise<readonly CompiledPreset[]>): Deps['presets'] {
  let kept: Promise<readonly CompiledPreset[]> | null = null;
  return () =>
    (kept ??= load().catch((error: unknown) => {
      kept = null;
      throw error;
    }));
}

/** The same senders for the same configuration: they may keep pools. */
function cachedSenders(known: Integrations): Deps['createSenders'] {
  const made = new Map<string, readonly Sender[]>();
  return (name, config, context) => {
    const integration = known[name];
    if (integration === undefined || !sends(integration)) return [];
    const key = `${name} ${context.webhookUrl ?? ''} ${config}`;
    const cached = made.get(key);
    if (cached !== undefined) return cached;
    const senders = createSenders({ integration: name, config: JSON.parse(config) }, context, known);
    made.set(key, senders);
    return senders;
  };
}
