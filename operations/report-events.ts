import { randomUUID } from 'node:crypto';
import { and, asc, eq, isNull } from 'drizzle-orm';
import { connections } from '../db/schema/index.ts';
import type { FieldNote } from '../domain/field-note.ts';
import type { Delivery } from '../integrations/port.ts';
import { acceptDelivery } from './accept-delivery.ts';
import { startAnswerBudget } from './answer-budget.ts';
import type { Deps } from './deps.ts';
import { readTenant } from './intake/tenant.ts';
import { storeContextOf } from './store-context.ts';
import { webhookUrlOf } from './webhook-url.ts';

/** An event of the integration `generic`, as a store's own code reports it. */
export interface OwnEvent {
  /** By which a repeat is recognised; null: it is an event of its own. */
  id: string | null;
  type: string;
  /** ISO 8601, when it happened; null: now. */
  timestamp: string | null;
  data: unknown;
}

export type Reported =
  /** `pending`: it is stored, and takes effect in a moment. `notes`: fields that were left out. */
  | { kind: 'accepted'; id: string; pending: boolean; notes: FieldNote[] }
  /** An event with this id was accepted before, by this way or by webhook. */
  | { kind: 'duplicate'; id: string }
  /** Nothing was stored: `fields` say what to correct. */
  | { kind: 'refused'; id: string; fields: FieldNote[] }
  /** It was not taken in in time: report it again, with the same id. */
  | { kind: 'busy'; id: string };

export type EventsReported = { kind: 'reported'; results: Reported[] } | { kind: 'no_connection' } | { kind: 'unknown_connection' };

/**
 * Take in events of a store's own code, in their order: by the same steps as its webhooks, the signature included, so that an event has one effect whichever
 * way it comes. What cannot be read is refused here, and not kept in the quarantine: its sender hears of it at once.
 * @param connectionId - of the integration `generic`; null: the store's oldest one
 */
export async function reportEvents(
  deps: Deps,
  tenantId: string,
  { connectionId, events }: { connectionId: string | null; events: readonly OwnEvent[] },
): Promise<EventsReported> {
  const budget = startAnswerBudget(deps.clock);
  const found = await deps.db.withTenant(tenantId, async (tx) => {
    const isOurs = and(eq(connections.integration, 'generic'), eq(connections.state, 'connected'), isNull(connections.removedAt));
    const [row] = await tx
      .select()
      .from(connections)
      .where(and(isOurs, connectionId === null ? undefined : eq(connections.id, connectionId)))
      .orderBy(asc(connections.id))
      .limit(1);
    return row === undefined ? null : { row, store: storeContextOf(await readTenant(tx, tenantId)) };
  });
  const { receiver, signEvent } = deps.integrations['generic'] ?? {};
  const [newest] = found?.row.secrets ?? [];
  if (found === null || receiver === undefined || signEvent === undefined || newest === undefined)
    return { kind: connectionId === null ? 'no_connection' : 'unknown_connection' };
  const { row, store } = found;
  const secret = deps.sealing.open(newest);

  const deliveryOf = ({ type, timestamp, data }: OwnEvent, id: string): Delivery => {
    const nowMs = deps.clock.nowMs();
    const body = JSON.stringify({ type, timestamp: timestamp ?? new Date(nowMs).toISOString(), data });
    return {
      method: 'POST',
      url: webhookUrlOf(deps, row.integration, row.id),
      raw: Buffer.from(body),
      headers: signEvent(secret, { id, body, nowMs }),
      receivedAtMs: nowMs,
    };
  };

  const report = async (event: OwnEvent): Promise<Reported> => {
    const id = event.id ?? `api_${randomUUID()}`;
    if (budget.leftMs() <= 0) return { kind: 'busy', id };
    const delivery = deliveryOf(event, id);
    const read = receiver.receive(delivery, [secret], store);
    if (read.kind === 'ignored') {
      const reason = `is none of ${receiver.topics.join(', ')}`;
      return { kind: 'refused', id, fields: [{ field: 'type', reason }] };
    }
    if (read.kind === 'unreadable') return { kind: 'refused', id, fields: read.fields };
    const accepted = await acceptDelivery(deps, row.integration, row.id, delivery);
    switch (accepted.kind) {
      case 'accepted': {
        if (accepted.result === 'repeated') return { kind: 'duplicate', id };
        return { kind: 'accepted', id, pending: accepted.result === 'pending', notes: read.kind === 'events' ? read.notes : [] };
      }
      case 'unreadable':
        return { kind: 'refused', id, fields: accepted.fields.length > 0 ? accepted.fields : [{ field: 'data', reason: accepted.reason }] };
      case 'answered':
      case 'refused':
      case 'busy':
      case 'overloaded':
        return { kind: 'busy', id };
    }
  };

  const results: Reported[] = [];
  // One after the other: an order must not overtake its cart.
  for (const event of events) results.push(await report(event));
  return { kind: 'reported', results };
}
