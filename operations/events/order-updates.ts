import { v7 as uuidv7 } from 'uuid';
import { callUnawaited } from '../../db/client.ts';
import type { DomainEvent, OrderRefund } from '../../domain/events.ts';
import type { EventContext } from './context.ts';
import { iso } from './stored-rows.ts';

type OrderUpdated = Extract<DomainEvent, { type: 'order.updated' }>;
type OrderCancelled = Extract<DomainEvent, { type: 'order.cancelled' }>;

/**
 * Refunds and edits correct what an order counts for, as often and in whatever order they come. An order that is not known yet is kept with
 * what became of it, and joined when it comes. Stops nothing, and names nobody: the order's row is all that is locked.
 * Source: docs/adr/0016-what-an-order-counts-for.md
 */
export function applyOrderUpdated(ctx: EventContext, event: OrderUpdated): void {
  const { externalId, currency, currentTotalMinor, refunds } = event.order;
  const rows = refundRows(refunds);
  updateOrder(ctx, event, externalId, {
    currency,
    current_minor: currentTotalMinor === null || isAmount(currentTotalMinor) ? currentTotalMinor : null,
    edited_id: uuidv7(),
    ...(rows.length === 0 ? {} : { refunds: rows }),
  });
}

/** The order is kept and marked: what it stopped stays stopped. */
export function applyOrderCancelled(ctx: EventContext, event: OrderCancelled): void {
  updateOrder(ctx, event, event.order.externalId, { cancelled: true, cancelled_id: uuidv7() });
}

function updateOrder(ctx: EventContext, event: OrderUpdated | OrderCancelled, orderId: string, told: Record<string, unknown>): void {
  callUnawaited(ctx.tx, 'update_order($1)', [
    JSON.stringify({
      id: uuidv7(),
      inbox_id: ctx.inboxId,
      connection_id: ctx.source.connectionId,
      order_id: orderId,
      at: iso(event.occurredAtMs),
      ...(event.toTheSecond === true ? { to_the_second: true } : {}),
      ...told,
    }),
  ]);
}

/** One row for each refund: of one that is listed twice, the last. An amount that cannot be one is left out. */
function refundRows(refunds: readonly OrderRefund[]): Record<string, unknown>[] {
  const byId = new Map(refunds.filter((r) => isAmount(r.amountMinor)).map((r) => [r.id, r]));
  return [...byId.values()].map(({ id, amountMinor, atMs, besidesTotalMinor = 0 }) => ({
    id: uuidv7(),
    event_id: uuidv7(),
    refund_id: id,
    amount_minor: amountMinor,
    besides_total_minor: Number.isSafeInteger(besidesTotalMinor) ? Math.min(besidesTotalMinor, amountMinor) : 0,
    at: iso(atMs),
  }));
}

const isAmount = (minor: number) => Number.isSafeInteger(minor) && minor >= 0;
