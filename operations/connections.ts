import { and, asc, desc, eq, isNull, ne, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { z } from 'zod';
import type { Tx } from '../db/client.ts';
import { connections, inbox } from '../db/schema/index.ts';
import type { Rate } from '../domain/rate.ts';
import { sends } from '../integrations/index.ts';
import type { Integration } from '../integrations/port.ts';
import { recordAudit } from './audit.ts';
import { enterBot, wakeBot } from './bots/lease.ts';
import { noteFault } from './composition/ledger.ts';
import type { Deps } from './deps.ts';
import { senderContextOf } from './outlets.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from './read/page.ts';
import { webhookUrlOf } from './webhook-url.ts';

type ConnectionRow = typeof connections.$inferSelect;
type ConnectionDeps = Pick<Deps, 'db' | 'sealing' | 'integrations' | 'publicUrl'>;

/** A tenant's account at an integration, as its owner sees it: no secret in it. */
export interface ConnectionView {
  id: string;
  integration: string;
  name: string;
  state: 'connected' | 'disconnected';
  /** What it can do. */
  receives: boolean;
  sends: boolean;
  /** Where its provider delivers; null: it receives nothing. */
  webhookUrl: string | null;
  /** How many messages leave through it at most; null: as many as there are. */
  rate: Rate | null;
  /** Why its provider does not let us in; null: nothing of the kind is known. */
  fault: string | null;
  /** When a delivery came last that was not signed with its secrets, epoch milliseconds; null: none since they were changed. */
  missignedAtMs: number | null;
  /** How many secrets its webhooks may be signed with now; two while one is being rotated. */
  liveSecrets: number;
  createdAtMs: number;
}

/** A field of the configuration or of the secrets that cannot be used, and what to do about it. */
export interface ConfigFault {
  path: string;
  message: string;
}

export interface ConnectionRequest {
  integration: string;
  name: string;
  /** As the integration's own schema wants it; null: none is given. */
  config: unknown;
  /** Webhook secrets that the provider has made, the newest first. Empty: Rekindle makes one, where the integration allows. */
  secrets: string[];
}

export type Created =
  /** The secret is shown this once; null: there is none to show. */
  | { kind: 'created'; connection: ConnectionView; secret: string | null }
  | { kind: 'unknown_integration'; known: string[] }
  | { kind: 'invalid'; faults: ConfigFault[] };

/** Connect a tenant to an account of an integration. */
export async function createConnection(deps: ConnectionDeps, tenantId: string, request: ConnectionRequest, by: string): Promise<Created> {
  const integration = deps.integrations[request.integration];
  if (integration === undefined) return { kind: 'unknown_integration', known: Object.keys(deps.integrations) };
  const faults = faultsOf(integration, request.config);
  if (faults.length > 0) return { kind: 'invalid', faults };
  const own = secretsFor(integration, request);
  if (own.kind === 'invalid') return own;
  const row = {
    tenantId,
    id: uuidv7(),
    integration: integration.name,
    name: request.name,
    secrets: own.secrets.map((secret) => deps.sealing.seal(secret)),
    sealedConfig: integration.config === undefined ? null : deps.sealing.seal(JSON.stringify(complete(integration, request.config ?? {}, null))),
  };
  const made = await deps.db.withTenant(tenantId, async (tx) => {
    if (integration.isSingle === true && (await hasAnother(tx, tenantId, row.id, integration.name))) return null;
    const [stored] = await tx.insert(connections).values(row).returning();
    if (integration.bot !== undefined) await enterBot(tx, { tenantId, connectionId: row.id });
    await record(tx, tenantId, by, 'connection.create', row.id, { integration: integration.name });
    return stored;
  });
  if (made === null) return { kind: 'invalid', faults: [onlyOne(integration)] };
  if (made === undefined) throw new Error('insert returned nothing');
  return { kind: 'created', connection: viewOf(deps, made), secret: own.shown };
}

/** A configuration as it is stored. @param before - as it is stored now; null: it is not */
const complete = (integration: Integration, config: unknown, before: unknown): unknown => integration.complete?.(config, before) ?? config;

const onlyOne = ({ name }: Integration): ConfigFault => ({
  path: 'integration',
  message: `a store has one connection of ${name}, and this one has it already: change that, or disconnect or remove it first`,
});

/** Whether the store has another live connection of the integration. Two that are made at once wait for each other. */
async function hasAnother(tx: Tx, tenantId: string, id: string, integration: string): Promise<boolean> {
  await tx.execute(sql`select pg_advisory_xact_lock(name_lock(${`${tenantId} single ${integration}`}))`);
  const others = await tx
    .select({ id: connections.id })
    .from(connections)
    .where(and(eq(connections.integration, integration), eq(connections.state, 'connected'), isNull(connections.removedAt), ne(connections.id, id)));
  return others.length > 0;
}

/** The oldest first. */
export function listConnections(deps: ConnectionDeps, tenantId: string, page: PageWanted): Promise<Page<ConnectionView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(connections)
      .where(and(isNull(connections.removedAt), beyond(connections.id, 'oldest', page)))
      .orderBy(byAge(connections.id, 'oldest', page))
      .limit(page.limit + 1);
    const { items, next } = pageOf(rows, page.limit, (row) => row.id);
    return { items: items.map((row) => viewOf(deps, row)), next };
  });
}

/** A connection as its provisioner needs it; `secret` is null where its webhooks have none. */
export interface ProvisionedConnection {
  id: string;
  /** Below the public URL. */
  path: string;
  secret: string | null;
}

/**
 * See to it that the tenant has a connection of the integration with this configuration, and sends by no other of it: one that is there is
 * found, another configuration makes another connection.
 * @throws Error where the request cannot be used
 */
export async function ensureConnection(
  deps: ConnectionDeps,
  tenantId: string,
  request: ConnectionRequest,
  by: string,
): Promise<ProvisionedConnection> {
  const rows = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select()
      .from(connections)
      .where(and(eq(connections.integration, request.integration), eq(connections.state, 'connected'), isNull(connections.removedAt)))
      .orderBy(asc(connections.id)),
  );
  const integration = deps.integrations[request.integration];
  const isIt = ({ sealedConfig }: ConnectionRow) => {
    if (sealedConfig === null || integration === undefined) return request.config == null;
    const stored = deps.sealing.open(sealedConfig);
    return stored === JSON.stringify(complete(integration, request.config ?? {}, JSON.parse(stored)));
  };
  const known = rows.find(isIt);
  const of = (id: string, secret: string | null) => ({ id, path: `/api/webhooks/${request.integration}/${id}`, secret });
  if (known !== undefined) {
    const [sealed] = known.secrets;
    return of(known.id, sealed === undefined ? null : deps.sealing.open(sealed));
  }
  // A message in doubt is asked about through the connection that it went by: that one stays, and sends nothing more.
  for (const row of rows) await changeConnection(deps, tenantId, row.id, { state: 'disconnected' }, by);
  const created = await createConnection(deps, tenantId, request, by);
  if (created.kind !== 'created') throw new Error(`a connection of ${request.integration} cannot be made: ${JSON.stringify(created)}`);
  return of(created.connection.id, created.secret ?? request.secrets[0] ?? null);
}

export function readConnection(deps: ConnectionDeps, tenantId: string, id: string): Promise<ConnectionView | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const row = await find(tx, id);
    return row === null ? null : viewOf(deps, row);
  });
}

export interface ConnectionChange {
  name?: string | undefined;
  state?: 'connected' | 'disconnected' | undefined;
  /** The new configuration, complete: it replaces the old one. */
  config?: unknown;
  /** null: no limit. */
  rate?: Rate | null | undefined;
}

export type Changed = { kind: 'changed'; connection: ConnectionView } | { kind: 'unknown' } | { kind: 'invalid'; faults: ConfigFault[] };

/** Every process uses the change with its next webhook or dispatch: connections are read each time, and senders are kept by their configuration. */
export function changeConnection(deps: ConnectionDeps, tenantId: string, id: string, change: ConnectionChange, by: string): Promise<Changed> {
  return deps.db.withTenant(tenantId, async (tx): Promise<Changed> => {
    const row = await find(tx, id);
    if (row === null) return { kind: 'unknown' };
    const integration = deps.integrations[row.integration];
    const reconfigured = change.config !== undefined;
    const faults = reconfigured && integration !== undefined ? faultsOf(integration, change.config) : [];
    if (change.rate != null && integration !== undefined && !sends(integration))
      faults.push({ path: 'rate', message: `nothing is sent through ${row.integration}: leave it out` });
    const isSingle = integration?.isSingle === true && change.state === 'connected';
    if (integration !== undefined && isSingle && (await hasAnother(tx, tenantId, id, integration.name))) faults.push(onlyOne(integration));
    if (faults.length > 0) return { kind: 'invalid', faults };
    const before: unknown = row.sealedConfig === null ? null : JSON.parse(deps.sealing.open(row.sealedConfig));
    const completed = integration === undefined ? change.config : complete(integration, change.config, before);
    const set = {
      ...(change.name === undefined ? {} : { name: change.name }),
      ...(change.state === undefined ? {} : { state: change.state }),
      ...(change.rate === undefined ? {} : { rate: change.rate }),
      ...(reconfigured ? { sealedConfig: deps.sealing.seal(JSON.stringify(completed)) } : {}),
      ...(reconfigured && integration !== undefined ? secretsAfter(deps, integration, change.config, row.secrets) : {}),
    };
    const [changed] =
      Object.keys(set).length === 0
        ? [row]
        : await tx
            .update(connections)
            // A new configuration is tried anew.
            .set(reconfigured ? { ...set, fault: null, faultAt: null } : set)
            .where(eq(connections.id, id))
            .returning();
    if (integration?.bot !== undefined) await wakeBot(tx, id);
    await record(tx, tenantId, by, 'connection.change', id, { fields: Object.keys(set) });
    return changed === undefined ? { kind: 'unknown' } : { kind: 'changed', connection: viewOf(deps, changed) };
  });
}

/** Secrets that the new configuration holds count from now on; the one before stays valid beside them, for what is under way. */
function secretsAfter({ sealing }: ConnectionDeps, integration: Integration, config: unknown, sealed: string[]): { secrets?: string[] } {
  const known = sealed.map((secret) => sealing.open(secret));
  const fresh = (integration.webhookSecrets?.(config) ?? []).filter((secret) => !known.includes(secret));
  return fresh.length === 0 ? {} : { secrets: [...fresh.map((secret) => sealing.seal(secret)), ...sealed].slice(0, 2) };
}

/**
 * Remove a connection: its webhooks are refused and nothing new is sent through it. The row and its configuration stay, for the deliveries it
 * brought and for calls in doubt, which only its account can answer for.
 * @returns false when there is none
 */
export function removeConnection(deps: ConnectionDeps & Pick<Deps, 'clock'>, tenantId: string, id: string, by: string): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    if ((await find(tx, id)) === null) return false;
    await tx.update(connections).set({ state: 'disconnected', secrets: [], removedAt: deps.clock.nowMs() }).where(eq(connections.id, id));
    await wakeBot(tx, id);
    await record(tx, tenantId, by, 'connection.remove', id, {});
    return true;
  });
}

export type Rotated =
  | { kind: 'rotated'; secret: string | null; connection: ConnectionView }
  | { kind: 'unknown' }
  | { kind: 'invalid'; faults: ConfigFault[] };

/**
 * Give a connection a new webhook secret. The one before stays valid beside it, so that no delivery is lost while the provider is changed; rotating
 * again, or `retireOld`, ends it.
 * @param secret - as the provider has made it; null: Rekindle makes one
 */
export function rotateSecret(deps: ConnectionDeps, tenantId: string, id: string, secret: string | null, by: string): Promise<Rotated> {
  return deps.db.withTenant(tenantId, async (tx): Promise<Rotated> => {
    const row = await find(tx, id);
    const integration = row === null ? undefined : deps.integrations[row.integration];
    if (row === null || integration === undefined) return { kind: 'unknown' };
    if (secret === null && integration.webhookSecrets !== undefined) {
      return { kind: 'invalid', faults: [{ path: 'secret', message: `stands in the configuration of ${integration.name}: change that` }] };
    }
    const next = secretsFor(integration, { integration: row.integration, name: row.name, config: null, secrets: secret === null ? [] : [secret] });
    if (next.kind === 'invalid') return { kind: 'invalid', faults: next.faults.map((fault) => ({ ...fault, path: 'secret' })) };
    const [fresh] = next.secrets;
    if (fresh === undefined) return { kind: 'invalid', faults: [{ path: 'secret', message: 'this integration signs nothing' }] };
    const secrets = [deps.sealing.seal(fresh), ...row.secrets.slice(0, 1)];
    const [rotated] = await tx.update(connections).set({ secrets, missignedAt: null }).where(eq(connections.id, id)).returning();
    await record(tx, tenantId, by, 'connection.rotate', id, {});
    return rotated === undefined ? { kind: 'unknown' } : { kind: 'rotated', secret: next.shown, connection: viewOf(deps, rotated) };
  });
}

/** End the older of two live secrets. @returns false when there is no such connection */
export function retireOldSecret(deps: ConnectionDeps, tenantId: string, id: string, by: string): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const row = await find(tx, id);
    if (row === null) return false;
    await tx
      .update(connections)
      .set({ secrets: row.secrets.slice(0, 1) })
      .where(eq(connections.id, id));
    await record(tx, tenantId, by, 'connection.retire_secret', id, {});
    return true;
  });
}

/** What a check found out. Times in epoch milliseconds. */
export interface ConnectionCheck {
  /** Whether its provider accepts our login, or the shop lets us see its codes; null: it neither sends, nor makes codes, nor writes, nor recommends. */
  sends: { ok: boolean; detail: string } | null;
  /** When its last delivery came; null: none yet, or it receives nothing. */
  lastDeliveryAtMs: number | null;
}

/** Open a session to the provider and close it again; nothing is sent. @returns null when there is no such connection */
export async function checkConnection(deps: Deps, tenantId: string, id: string): Promise<ConnectionCheck | null> {
  const found = await deps.db.withTenant(tenantId, async (tx) => {
    const row = await find(tx, id);
    if (row === null) return null;
    const [last] = await tx.select({ at: inbox.receivedAt }).from(inbox).where(eq(inbox.connectionId, id)).orderBy(desc(inbox.receivedAt)).limit(1);
    return { row, lastDeliveryAtMs: last?.at ?? null };
  });
  if (found === null) return null;
  const sends = await trySession(deps, found.row);
  // Somebody has mended the account at its provider: what was not asked any more is asked again.
  if (sends?.ok === true && found.row.fault !== null) await deps.db.withTenant(tenantId, (tx) => noteFault(tx, id, null));
  return { sends, lastDeliveryAtMs: found.lastDeliveryAtMs };
}

async function trySession(deps: Deps, row: ConnectionRow): Promise<ConnectionCheck['sends']> {
  const integration = deps.integrations[row.integration];
  const { minter: mints, writer: writes, recommender: recommends } = integration ?? {};
  if (row.sealedConfig === null || integration === undefined) return null;
  if (!sends(integration) && [mints, writes, recommends].every((can) => can === undefined)) return null;
  try {
    if (integration.check !== undefined)
      return { ok: true, detail: await integration.check(JSON.parse(deps.sealing.open(row.sealedConfig)), senderContextOf(deps, row)) };
    if (recommends !== undefined) {
      const source = recommends(JSON.parse(deps.sealing.open(row.sealedConfig)));
      return { ok: true, detail: `it is ${await source.check(deps.clock.nowMs())}` };
    }
    if (writes !== undefined) {
      const writer = writes(JSON.parse(deps.sealing.open(row.sealedConfig)));
      await writer.check();
      return { ok: true, detail: `${writer.account} lets us in` };
    }
    if (mints !== undefined) return { ok: true, detail: `${await mints(JSON.parse(deps.sealing.open(row.sealedConfig))).check()} lets us in` };
    const [sender] = deps.createSenders(row.integration, deps.sealing.open(row.sealedConfig), senderContextOf(deps, row));
    if (sender === undefined) return null;
    (await sender.open()).close();
    // An account without a user, `smtp:@host:25`, keeps its name where calls in doubt are stored; people read `smtp:host:25`.
    return { ok: true, detail: `${sender.account.replace(':@', ':')} lets us in` };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

async function find(tx: Tx, id: string): Promise<ConnectionRow | null> {
  const [row] = await tx
    .select()
    .from(connections)
    .where(and(eq(connections.id, id), isNull(connections.removedAt)));
  return row ?? null;
}

function viewOf({ integrations, publicUrl }: Pick<Deps, 'integrations' | 'publicUrl'>, row: ConnectionRow): ConnectionView {
  const integration = integrations[row.integration];
  const receives = integration?.receiver !== undefined;
  return {
    id: row.id,
    integration: row.integration,
    name: row.name,
    state: row.state,
    receives,
    sends: integration !== undefined && sends(integration),
    webhookUrl: receives ? webhookUrlOf({ publicUrl }, row.integration, row.id) : null,
    rate: row.rate,
    fault: row.fault,
    missignedAtMs: row.missignedAt,
    liveSecrets: row.secrets.length,
    createdAtMs: row.createdAt,
  };
}

function faultsOf(integration: Integration, config: unknown): ConfigFault[] {
  if (integration.config === undefined) {
    return config == null || (typeof config === 'object' && Object.keys(config).length === 0)
      ? []
      : [{ path: 'config', message: `${integration.name} has no configuration: leave it out` }];
  }
  let parsed: z.ZodSafeParseResult<unknown>;
  try {
    parsed = integration.config.safeParse(config ?? {});
  } catch (error) {
    // Some integrations report a wrong configuration by an error of their own.
    return [{ path: 'config', message: error instanceof Error ? error.message : String(error) }];
  }
  if (parsed.success) return [];
  return parsed.error.issues.map(({ path, message }) => ({ path: ['config', ...path.map(String)].join('.'), message }));
}

/** The secrets that a connection begins with, and the one that is shown because Rekindle made it. */
function secretsFor(
  integration: Integration,
  request: ConnectionRequest,
): { kind: 'ok'; secrets: string[]; shown: string | null } | { kind: 'invalid'; faults: ConfigFault[] } {
  if (integration.receiver === undefined) {
    return request.secrets.length === 0
      ? { kind: 'ok', secrets: [], shown: null }
      : { kind: 'invalid', faults: [{ path: 'secrets', message: `${integration.name} delivers no webhooks: leave them out` }] };
  }
  if (request.secrets.length > 0) {
    const faults = request.secrets.flatMap((secret, index) => {
      const message = integration.unusableSecret?.(secret) ?? null;
      return message === null ? [] : [{ path: `secrets.${index}`, message }];
    });
    return faults.length > 0 ? { kind: 'invalid', faults } : { kind: 'ok', secrets: request.secrets, shown: null };
  }
  const made = integration.newSecret?.();
  if (made !== undefined) return { kind: 'ok', secrets: [made], shown: made };
  const given = integration.webhookSecrets?.(request.config) ?? [];
  if (given.length > 0) return { kind: 'ok', secrets: [...given], shown: null };
  return { kind: 'invalid', faults: [{ path: 'secrets', message: `${integration.name} makes the secret itself: copy it from there` }] };
}

const record = (tx: Tx, tenantId: string, actor: string, action: string, subject: string, data: Record<string, unknown>) =>
  recordAudit(tx, { tenantId, actor, action, subject, data });
