import { randomUUID } from 'node:crypto';
import { and, eq, isNull } from 'drizzle-orm';
import { connections } from '../db/schema/index.ts';
import { type Acceptance, acceptDelivery } from './accept-delivery.ts';
import type { Deps } from './deps.ts';
import { type DeliveryView, listDeliveries } from './read/deliveries.ts';
import { webhookUrlOf } from './webhook-url.ts';

export interface TestEvent {
  type: string;
  /** When it happened, epoch milliseconds; null: now. */
  occurredAtMs: number | null;
  data: unknown;
}

export type Sent =
  /** `delivery`: what became of it; null: nothing was stored. */
  | { kind: 'sent'; deliveryId: string; acceptance: Acceptance; delivery: DeliveryView | null }
  | { kind: 'unknown_connection' }
  /** Its integration takes no events of ours, only its provider's own deliveries. */
  | { kind: 'not_ours'; integration: string }
  | { kind: 'disconnected' }
  /** Its newest secret can sign nothing: it was entered before such secrets were refused. */
  | { kind: 'unusable_secret'; reason: string };

/**
 * Deliver an event to a connection as its own system would: signed with its secret, and taken in by the same steps, the check of the signature
 * first. Whatever it does is done; there is no rehearsal in it.
 */
export async function sendTestEvent(
  deps: Deps,
  tenantId: string,
  connectionId: string,
  event: TestEvent,
  deliveryId = `test_${randomUUID()}`,
): Promise<Sent> {
  const [row] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select()
      .from(connections)
      .where(and(eq(connections.id, connectionId), isNull(connections.removedAt))),
  );
  if (row === undefined) return { kind: 'unknown_connection' };
  const sign = deps.integrations[row.integration]?.signEvent;
  if (sign === undefined) return { kind: 'not_ours', integration: row.integration };
  const [newest] = row.secrets;
  if (row.state !== 'connected' || newest === undefined) return { kind: 'disconnected' };
  const secret = deps.sealing.open(newest);
  const reason = deps.integrations[row.integration]?.unusableSecret?.(secret) ?? null;
  if (reason !== null) return { kind: 'unusable_secret', reason };
  const nowMs = deps.clock.nowMs();
  const timestamp = new Date(event.occurredAtMs ?? nowMs).toISOString();
  const body = JSON.stringify({ type: event.type, timestamp, data: event.data });
  const delivery = {
    method: 'POST',
    url: webhookUrlOf(deps, row.integration, row.id),
    raw: Buffer.from(body),
    headers: sign(secret, { id: deliveryId, body, nowMs }),
    receivedAtMs: nowMs,
  } as const;
  const acceptance = await acceptDelivery(deps, row.integration, row.id, delivery);
  const { items } = await listDeliveries(deps, tenantId, { deliveryId, limit: 1, after: null });
  return { kind: 'sent', deliveryId, acceptance, delivery: items[0] ?? null };
}
