import type { OrderRefund } from '../../domain/events.ts';
import type { Draft } from '../intake/draft.ts';
import { iso } from '../intake/stored-rows.ts';
import type { Effect, EventOf } from './effect.ts';

/**
 * Refunds and edits correct what an order counts for, as often and in whatever order they come. An update of an unknown order is stored, and joined
 * with the order when that arrives. Stops nothing and names nobody: only the order's row is locked.
 * Source: docs/adr/0016-what-an-order-counts-for.md
 */
export const orderUpdated: Effect<EventOf<'order.updated'>> = {
  stops: 'never',
  reads: [],
  decide(event, draft) {
    const { externalId, currency, currentTotalMinor, refunds, holds = false } = event.order;
    const rows = refundRows(draft, refunds);
    updateOrder(draft, event, externalId, {
      currency,
      current_minor: currentTotalMinor === null || isAmount(currentTotalMinor) ? currentTotalMinor : null,
      edited_id: draft.context.newId(),
      ...(rows.length === 0 ? {} : { refunds: rows }),
      ...(holds ? { cancelled: false, restored_id: draft.context.newId() } : {}),
    });
  },
};

/** The order stays and is marked as cancelled: what it stopped stays stopped. */
export const orderCancelled: Effect<EventOf<'order.cancelled'>> = {
  stops: 'never',
  reads: [],
  decide: (event, draft) => updateOrder(draft, event, event.order.externalId, { cancelled: true, cancelled_id: draft.context.newId() }),
};

function updateOrder(
  draft: Draft,
  event: EventOf<'order.updated'> | EventOf<'order.cancelled'>,
  orderId: string,
  said: Record<string, unknown>,
): void {
  draft.changes.orderUpdates.push({
    id: draft.context.newId(),
    inbox_id: draft.context.inboxId,
    connection_id: draft.context.source.connectionId,
    order_id: orderId,
    at: iso(event.occurredAtMs),
    ...(event.toTheSecond === true ? { to_the_second: true } : {}),
    ...said,
  });
}

/** One row for each refund: of one that is listed twice, the last. An amount that cannot be one is left out. */
function refundRows(draft: Draft, refunds: readonly OrderRefund[]): Record<string, unknown>[] {
  const byId = new Map(refunds.filter((r) => isAmount(r.amountMinor)).map((r) => [r.id, r]));
  return [...byId.values()].map(({ id, amountMinor, atMs, besidesTotalMinor = 0 }) => ({
    id: draft.context.newId(),
    event_id: draft.context.newId(),
    refund_id: id,
    amount_minor: amountMinor,
    besides_total_minor: Number.isSafeInteger(besidesTotalMinor) ? Math.min(besidesTotalMinor, amountMinor) : 0,
    at: iso(atMs),
  }));
}

const isAmount = (minor: number) => Number.isSafeInteger(minor) && minor >= 0;
