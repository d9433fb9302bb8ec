import { and, eq, inArray } from 'drizzle-orm';
import { connections, inbox } from '../../db/schema/index.ts';
import type { FieldNote } from '../../domain/field-note.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from './page.ts';

/** A delivery that was accepted, and what became of it. Times in epoch milliseconds. */
export interface DeliveryView {
  id: string;
  integration: string;
  connectionId: string;
  /** What the sender calls the delivery: `webhook-id` or its like. */
  deliveryId: string;
  topic: string;
  state: 'applied' | 'pending' | 'ignored' | 'quarantined';
  /** Fields that were left out or read with a guess. */
  notes: FieldNote[];
  receivedAtMs: number;
  appliedAtMs: number | null;
}

/** The tenant's deliveries, the newest first. @param page - `deliveryId` finds one by the sender's own id */
export function listDeliveries(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  page: PageWanted & { deliveryId: string | null },
): Promise<Page<DeliveryView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const stores = await tx.select({ id: connections.id, integration: connections.integration }).from(connections);
    if (stores.length === 0) return { items: [], next: null };
    const storeIds = stores.map((s) => s.id);
    const rows = await tx
      .select()
      .from(inbox)
      .where(
        and(
          // The unique index of deliveries begins with the connection.
          page.deliveryId === null ? undefined : and(inArray(inbox.connectionId, storeIds), eq(inbox.dedupeKey, page.deliveryId)),
          beyond(inbox.id, 'newest', page),
        ),
      )
      .orderBy(byAge(inbox.id, 'newest', page))
      .limit(page.limit + 1);
    const items = rows.map((row) => ({
      id: row.id,
      integration: stores.find((s) => s.id === row.connectionId)?.integration ?? '',
      connectionId: row.connectionId,
      deliveryId: row.dedupeKey,
      topic: row.topic,
      state: row.state,
      notes: row.notes,
      receivedAtMs: row.receivedAt,
      appliedAtMs: row.state === 'applied' ? row.appliedAt : null,
    }));
    return pageOf(items, page.limit, (item) => item.id);
  });
}
