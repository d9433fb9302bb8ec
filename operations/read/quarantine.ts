import { and, asc, count, eq, gt, isNull, sql } from 'drizzle-orm';
import { connections, inbox, quarantine } from '../../db/schema/index.ts';
import type { FieldNote } from '../../domain/field-note.ts';
import type { Deps } from '../deps.ts';
import type { Page } from './active-sequences.ts';

/** A delivery that was authentic and could not be read. Times in epoch milliseconds. */
export interface SetAside {
  id: string;
  integration: string;
  connectionId: string;
  /** What the sender calls the delivery: `webhook-id` or its like. */
  deliveryId: string;
  topic: string;
  reason: string;
  /** The fields that were at fault, where the receiver could name them. */
  fields: FieldNote[];
  /** It may have been a purchase, a reply or an opt-out: messages go on that it would have stopped. */
  mayBeStop: boolean;
  receivedAtMs: number;
  /** When it was replayed or otherwise dealt with; null: it is still open. */
  releasedAtMs: number | null;
}

const columns = {
  id: quarantine.id,
  integration: connections.integration,
  connectionId: quarantine.connectionId,
  deliveryId: inbox.dedupeKey,
  topic: quarantine.topic,
  reason: quarantine.reason,
  fields: inbox.notes,
  mayBeStop: quarantine.mayBeStop,
  receivedAtMs: quarantine.receivedAt,
  releasedAtMs: quarantine.releasedAt,
};

/** The tenant's quarantine, the oldest first: what waits longest is corrected first. @param page - `open` leaves out what was released; `deliveryId` is the sender's own */
export function listQuarantine(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  page: { open: boolean; limit: number; after: string | null; deliveryId?: string | null },
): Promise<Page<SetAside>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select(columns)
      .from(quarantine)
      .innerJoin(connections, and(eq(connections.tenantId, quarantine.tenantId), eq(connections.id, quarantine.connectionId)))
      .innerJoin(inbox, and(eq(inbox.tenantId, quarantine.tenantId), eq(inbox.id, quarantine.inboxId)))
      .where(
        and(
          page.open ? isNull(quarantine.releasedAt) : undefined,
          page.deliveryId == null ? undefined : eq(inbox.dedupeKey, page.deliveryId),
          page.after === null ? undefined : gt(quarantine.id, page.after),
        ),
      )
      .orderBy(asc(quarantine.id))
      .limit(page.limit + 1);
    const items = rows.slice(0, page.limit);
    return { items, next: rows.length > page.limit ? (items.at(-1)?.id ?? null) : null };
  });
}

/** One of them with its body as it came. @returns null when the tenant has no such delivery */
export function readSetAside(deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<(SetAside & { body: string }) | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select({ ...columns, body: quarantine.body })
      .from(quarantine)
      .innerJoin(connections, and(eq(connections.tenantId, quarantine.tenantId), eq(connections.id, quarantine.connectionId)))
      .innerJoin(inbox, and(eq(inbox.tenantId, quarantine.tenantId), eq(inbox.id, quarantine.inboxId)))
      .where(eq(quarantine.id, id));
    return row ?? null;
  });
}

/** How many deliveries of a tenant wait in the quarantine, and how many of these may be stops. */
export function countQuarantine(deps: Pick<Deps, 'db'>, tenantId: string): Promise<{ open: number; mayBeStops: number }> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select({ open: count(), mayBeStops: sql<number>`count(*) filter (where ${quarantine.mayBeStop})::int` })
      .from(quarantine)
      .where(isNull(quarantine.releasedAt));
    return row ?? { open: 0, mayBeStops: 0 };
  });
}
