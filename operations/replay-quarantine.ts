import { eq } from 'drizzle-orm';
import { connections, inbox, quarantine } from '../db/schema/index.ts';
import type { DomainEvent } from '../domain/events.ts';
import type { FieldNote } from '../domain/field-note.ts';
import type { Normalised } from '../integrations/port.ts';
import { waitForCalls } from './accept-delivery.ts';
import { startAnswerBudget } from './answer-budget.ts';
import { settleAsIgnored, tryApply, unstorableReason } from './apply-delivery.ts';
import type { Deps } from './deps.ts';
import type { StoredDelivery, TenantRow } from './intake/delivery.ts';
import { readTenant } from './intake/tenant.ts';
import { deliveryOf } from './kept-delivery.ts';
import { resolveAgain, storeLookups } from './lookups.ts';
import { storeContextOf, withConnection } from './store-context.ts';
import { webhookUrlOf } from './webhook-url.ts';

/** The result of reading a quarantined delivery again. */
export type Replayed =
  /** It has taken effect; where it is a stop, no call that it covers is open any more. No events: nothing is done for its topic today. */
  | { kind: 'applied'; topic: string; events: DomainEvent['type'][]; notes: FieldNote[] }
  | { kind: 'still_unreadable'; reason: string; fields: FieldNote[] }
  /** Released before, by a replay or a corrected repeat. */
  | { kind: 'already_released' }
  /** A person judged that it is not to take effect. */
  | { kind: 'dismissed' }
  /** There is no such delivery. */
  | { kind: 'unknown' }
  /** Another transaction holds the locks, or a call that it covers is still open: try again. */
  | { kind: 'busy' };

/**
 * Read a quarantined delivery again with the present receiver and apply it. The same inbox row is used, so that it takes effect once, however often
 * it is replayed.
 */
export async function replayQuarantined(deps: Deps, tenantId: string, quarantineId: string): Promise<Replayed> {
  const kept = await readKept(deps, tenantId, quarantineId);
  if (kept === null) return { kind: 'unknown' };
  if (kept.dismissedAt !== null) return { kind: 'dismissed' };
  if (kept.releasedAt !== null) return { kind: 'already_released' };
  const read = await readAgain(deps, tenantId, kept);
  if (read.kind === 'unreadable') return { kind: 'still_unreadable', reason: read.reason, fields: read.fields };
  if (read.kind === 'ignored') {
    const settled = await settleAsIgnored(deps, tenantId, kept.inboxId);
    return settled ? { kind: 'applied', topic: read.topic, events: [], notes: [] } : { kind: 'already_released' };
  }
  const row: StoredDelivery = {
    tenantId,
    connectionId: kept.connectionId,
    dedupeKey: kept.dedupeKey,
    topic: read.topic,
    notes: read.notes,
    tenant: kept.tenant,
  };
  if (read.lookups !== undefined) await storeLookups(deps, row, read.lookups);
  if (read.events.length > 0) return applyNow(deps, row, read);
  const settled = await settleAsIgnored(deps, tenantId, kept.inboxId);
  return settled ? { kind: 'applied', topic: read.topic, events: [], notes: read.notes } : { kind: 'already_released' };
}

async function applyNow(deps: Deps, row: StoredDelivery, read: Extract<Normalised, { kind: 'events' }>): Promise<Replayed> {
  const budget = startAnswerBudget(deps.clock);
  try {
    let attempt = await tryApply(deps, row, read.events, budget);
    while (attempt.kind === 'locked' && budget.leftMs() > 0) attempt = await tryApply(deps, row, read.events, budget, true);
    if (attempt.kind === 'locked' || !(await waitForCalls(deps, row, attempt, budget))) return { kind: 'busy' };
    if (attempt.kind === 'repeated') return { kind: 'already_released' };
    return { kind: 'applied', topic: read.topic, events: read.events.map((event) => event.type), notes: read.notes };
  } catch (error) {
    const reason = unstorableReason(error);
    if (reason === null) throw error;
    return { kind: 'still_unreadable', reason, fields: [] };
  }
}

interface Kept {
  connectionId: string;
  integration: string;
  inboxId: string;
  dedupeKey: string;
  topic: string;
  body: string;
  headers: Record<string, string>;
  /** As they were read before, where only applying them failed. */
  events: readonly DomainEvent[];
  receivedAt: number;
  releasedAt: number | null;
  dismissedAt: number | null;
  tenant: TenantRow;
}

function readKept(deps: Deps, tenantId: string, quarantineId: string): Promise<Kept | null> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(quarantineId)) return Promise.resolve(null);
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select({
        connectionId: quarantine.connectionId,
        integration: connections.integration,
        inboxId: quarantine.inboxId,
        dedupeKey: inbox.dedupeKey,
        topic: quarantine.topic,
        body: quarantine.body,
        headers: quarantine.headers,
        events: inbox.events,
        receivedAt: quarantine.receivedAt,
        releasedAt: quarantine.releasedAt,
        dismissedAt: quarantine.dismissedAt,
      })
      .from(quarantine)
      .innerJoin(inbox, eq(inbox.id, quarantine.inboxId))
      .innerJoin(connections, eq(connections.id, quarantine.connectionId))
      .where(eq(quarantine.id, quarantineId));
    return row === undefined ? null : { ...row, tenant: await readTenant(tx, tenantId) };
  });
}

async function readAgain(deps: Deps, tenantId: string, kept: Kept): Promise<Normalised> {
  // Events that were read once and could not be applied are kept as such: no integration's body is a list.
  if (kept.body.startsWith('[') && kept.events.length > 0) return { kind: 'events', topic: kept.topic, events: [...kept.events], notes: [] };
  const receiver = deps.integrations[kept.integration]?.receiver;
  if (receiver === undefined) {
    return { kind: 'unreadable', topic: kept.topic, reason: 'its integration is no longer known', fields: [], mayBeStop: true };
  }
  const where = { tenantId, connectionId: kept.connectionId };
  const asked = await resolveAgain(deps, receiver, where, kept);
  if (asked !== null) return asked;
  const delivery = deliveryOf(receiver, kept, webhookUrlOf(deps, kept.integration, kept.connectionId));
  const store = await withConnection(deps, receiver, { tenantId, id: kept.connectionId }, storeContextOf(kept.tenant));
  // Whatever was said then, the answer would come too late.
  return receiver.reread(delivery, { ...store, chat: { answersFromMs: Number.POSITIVE_INFINITY, isBacklog: true } });
}
