import { and, eq, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { webhookDeliveries, webhookEndpoints, webhookEvents } from '../../db/schema/index.ts';
import { PrivateAddressError, refusePrivateLiteral } from '../../integrations/http/outbound.ts';
import { newStandardWebhookSecret } from '../../integrations/standard-webhooks.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';
import { disableEndpoint, enableEndpoint } from './deliver.ts';

type EndpointRow = typeof webhookEndpoints.$inferSelect;
type EndpointDeps = Pick<Deps, 'db' | 'sealing' | 'clock'>;

/** An endpoint as its owner sees it: no secret in it. Times in epoch milliseconds. */
export interface EndpointView {
  id: string;
  url: string;
  description: string;
  /** Empty: every type. */
  eventTypes: string[];
  includePersonalData: boolean;
  state: 'enabled' | 'disabled';
  disabledReason: 'by_hand' | 'gone' | 'failing' | null;
  disabledAtMs: number | null;
  failingSinceMs: number | null;
  /** Until when the secret before the last rotation signs as well; null: it does not. */
  oldSecretUntilMs: number | null;
  createdAtMs: number;
}

export interface EndpointWish {
  url: string;
  description: string;
  eventTypes: readonly string[];
  includePersonalData: boolean;
}

export type EndpointMade =
  /** The secret is shown this once. */
  { kind: 'made'; endpoint: EndpointView; secret: string } | { kind: 'invalid_url'; message: string } | { kind: 'too_many'; most: number };

const mostEndpointsOfStore = 20;

/** Why an address cannot be called at all; null: it may. Host names are checked when they are resolved, at each attempt. */
function faultOfUrl(url: string): string | null {
  const { hostname, username, password } = new URL(url);
  if (username !== '' || password !== '') return 'holds a user name or a password: leave them out, the signature shows who calls';
  try {
    refusePrivateLiteral(hostname);
    return null;
  } catch (error) {
    if (error instanceof PrivateAddressError) return error.message;
    throw error;
  }
}

const viewOf = (row: EndpointRow, nowMs: number): EndpointView => ({
  id: row.id,
  url: row.url,
  description: row.description,
  eventTypes: row.eventTypes,
  includePersonalData: row.includePersonalData,
  state: row.state,
  disabledReason: row.disabledReason,
  disabledAtMs: row.disabledAt,
  failingSinceMs: row.failingSince,
  oldSecretUntilMs: row.oldSecretUntil !== null && row.oldSecretUntil > nowMs ? row.oldSecretUntil : null,
  createdAtMs: row.createdAt,
});

/** Its path and query may hold a token: the audit log gets the host. */
const hostOf = (url: string) => new URL(url).host;

async function find(tx: Tx, id: string): Promise<EndpointRow | null> {
  const [row] = await tx
    .select()
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, id), isNull(webhookEndpoints.removedAt)))
    .for('no key update');
  return row ?? null;
}

export async function createEndpoint(deps: EndpointDeps, tenantId: string, wish: EndpointWish, by: string): Promise<EndpointMade> {
  const fault = faultOfUrl(wish.url);
  if (fault !== null) return { kind: 'invalid_url', message: fault };
  const secret = newStandardWebhookSecret();
  return deps.db.withTenant(tenantId, async (tx): Promise<EndpointMade> => {
    const live = await tx.select({ id: webhookEndpoints.id }).from(webhookEndpoints).where(isNull(webhookEndpoints.removedAt));
    if (live.length >= mostEndpointsOfStore) return { kind: 'too_many', most: mostEndpointsOfStore };
    const [row] = await tx
      .insert(webhookEndpoints)
      .values({ tenantId, id: uuidv7(), ...wish, eventTypes: [...wish.eventTypes], secrets: [deps.sealing.seal(secret)] })
      .returning();
    if (row === undefined) throw new Error('insert returned nothing');
    const data = { host: hostOf(wish.url), eventTypes: wish.eventTypes, includePersonalData: wish.includePersonalData };
    await recordAudit(tx, { tenantId, actor: by, action: 'webhook_endpoint.create', subject: row.id, data });
    return { kind: 'made', endpoint: viewOf(row, deps.clock.nowMs()), secret };
  });
}

/** The oldest first. */
export function listEndpoints(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, page: PageWanted): Promise<Page<EndpointView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(webhookEndpoints)
      .where(and(isNull(webhookEndpoints.removedAt), beyond(webhookEndpoints.id, 'oldest', page)))
      .orderBy(byAge(webhookEndpoints.id, 'oldest', page))
      .limit(page.limit + 1);
    const { items, next } = pageOf(rows, page.limit, (row) => row.id);
    return { items: items.map((row) => viewOf(row, deps.clock.nowMs())), next };
  });
}

export function readEndpoint(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, id: string): Promise<EndpointView | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const row = await find(tx, id);
    return row === null ? null : viewOf(row, deps.clock.nowMs());
  });
}

export type EndpointChange = { [K in keyof EndpointWish]?: EndpointWish[K] | undefined } & { state?: 'enabled' | 'disabled' | undefined };
export type EndpointChanged = { kind: 'changed'; endpoint: EndpointView } | { kind: 'unknown' } | { kind: 'invalid_url'; message: string };

/** Waiting deliveries use the new settings from now on. An endpoint that is enabled again gets what waits for it. */
export async function changeEndpoint(
  deps: EndpointDeps,
  tenantId: string,
  id: string,
  { state, url, description, eventTypes, includePersonalData }: EndpointChange,
  by: string,
): Promise<EndpointChanged> {
  const fault = url === undefined ? null : faultOfUrl(url);
  if (fault !== null) return { kind: 'invalid_url', message: fault };
  return deps.db.withTenant(tenantId, async (tx): Promise<EndpointChanged> => {
    const before = await find(tx, id);
    if (before === null) return { kind: 'unknown' };
    const set = {
      ...(url === undefined ? {} : { url }),
      ...(description === undefined ? {} : { description }),
      ...(eventTypes === undefined ? {} : { eventTypes: [...eventTypes] }),
      ...(includePersonalData === undefined ? {} : { includePersonalData }),
    };
    if (Object.keys(set).length > 0) await tx.update(webhookEndpoints).set(set).where(eq(webhookEndpoints.id, id));
    if (state === 'disabled') await disableEndpoint(tx, id, 'by_hand', before.disabledAt ?? deps.clock.nowMs());
    if (state === 'enabled' && before.state === 'disabled') await enableEndpoint(tx, id);
    const fields = [...Object.keys(set), ...(state === undefined ? [] : ['state'])];
    const data = { fields, ...(state === undefined ? {} : { before: before.state, after: state }) };
    await recordAudit(tx, { tenantId, actor: by, action: 'webhook_endpoint.change', subject: id, data });
    const after = await find(tx, id);
    return after === null ? { kind: 'unknown' } : { kind: 'changed', endpoint: viewOf(after, deps.clock.nowMs()) };
  });
}

/** Nothing is sent to it any more, and what waited is given up. Its log stays until it is old. @returns false when there is none */
export function removeEndpoint(deps: EndpointDeps, tenantId: string, id: string, by: string): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const row = await find(tx, id);
    if (row === null) return false;
    const nowMs = deps.clock.nowMs();
    await tx
      .update(webhookEndpoints)
      .set({ state: 'disabled', listens: false, secrets: [], oldSecretUntil: null, removedAt: nowMs })
      .where(eq(webhookEndpoints.id, id));
    await tx
      .update(webhookDeliveries)
      .set({ state: 'failed', settledAt: nowMs, lastError: 'the endpoint was removed' })
      .where(and(eq(webhookDeliveries.endpointId, id), sql`state in ('waiting', 'held')`));
    await recordAudit(tx, { tenantId, actor: by, action: 'webhook_endpoint.remove', subject: id, data: { host: hostOf(row.url) } });
    return true;
  });
}

/**
 * Another secret. The one before signs as well for a while, so that the receiver can change over without a gap; one that was still being replaced ends.
 * @returns null when there is no such endpoint
 */
export function rotateEndpointSecret(
  deps: EndpointDeps,
  tenantId: string,
  id: string,
  overlapMs: number,
  by: string,
): Promise<{ secret: string; oldUntilMs: number } | null> {
  const secret = newStandardWebhookSecret();
  return deps.db.withTenant(tenantId, async (tx) => {
    const row = await find(tx, id);
    if (row === null) return null;
    const oldUntilMs = deps.clock.nowMs() + overlapMs;
    const secrets = [deps.sealing.seal(secret), ...row.secrets.slice(0, overlapMs > 0 ? 1 : 0)];
    await tx.update(webhookEndpoints).set({ secrets, oldSecretUntil: oldUntilMs }).where(eq(webhookEndpoints.id, id));
    const data = { oldUntil: new Date(oldUntilMs).toISOString() };
    await recordAudit(tx, { tenantId, actor: by, action: 'webhook_endpoint.rotate', subject: id, data });
    return { secret, oldUntilMs };
  });
}

export type TestAsked = { kind: 'asked'; deliveryId: string } | { kind: 'unknown' } | { kind: 'disabled' };

/** Have the event `webhook.test` delivered, like any other and to this endpoint alone. */
export async function testEndpoint(deps: Pick<Deps, 'db' | 'clock' | 'kickRelay'>, tenantId: string, id: string): Promise<TestAsked> {
  const asked = await deps.db.withTenant(tenantId, async (tx): Promise<TestAsked> => {
    const row = await find(tx, id);
    if (row === null) return { kind: 'unknown' };
    if (row.state === 'disabled') return { kind: 'disabled' };
    const [eventId, deliveryId] = [uuidv7(), uuidv7()];
    const payload = { data: { endpoint_id: id }, subjectId: null };
    const type = 'webhook.test';
    await tx.insert(webhookEvents).values({
      ...{ tenantId, id: eventId, source: 'test', refId: id, type, payload },
      expandedAt: deps.clock.nowMs(),
    });
    await tx.insert(webhookDeliveries).values({ tenantId, id: deliveryId, eventId, endpointId: id, type });
    return { kind: 'asked', deliveryId };
  });
  if (asked.kind === 'asked') deps.kickRelay();
  return asked;
}
