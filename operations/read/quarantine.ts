import { and, count, eq, isNotNull, isNull, sql, type SQL } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { connections, inbox, quarantine } from '../../db/schema/index.ts';
import type { FieldNote } from '../../domain/field-note.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readList } from './page.ts';

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
  state: QuarantineState;
  /** When it was read after all or dismissed; null: it is still open. */
  closedAtMs: number | null;
  /** When, by whom and why it was dismissed; null: it was not. */
  dismissed: { atMs: number; by: string; reason: string } | null;
}

/** `open`: nobody has dealt with it. `released`: it was read after all. `dismissed`: a person judged that it is not to take effect. */
export const quarantineStates = ['open', 'released', 'dismissed'] as const;
export type QuarantineState = (typeof quarantineStates)[number];

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
  closedAtMs: quarantine.releasedAt,
  dismissedAt: quarantine.dismissedAt,
  dismissedBy: quarantine.dismissedBy,
  dismissalReason: quarantine.dismissalReason,
};

type Row = Omit<SetAside, 'state' | 'dismissed'> & { dismissedAt: number | null; dismissedBy: string | null; dismissalReason: string | null };

function viewOf({ dismissedAt, dismissedBy, dismissalReason, ...row }: Row): SetAside {
  const dismissed = dismissedAt === null ? null : { atMs: dismissedAt, by: dismissedBy ?? '', reason: dismissalReason ?? '' };
  return { ...row, state: dismissed !== null ? 'dismissed' : row.closedAtMs === null ? 'open' : 'released', dismissed };
}

function isIn(state: QuarantineState | null): SQL | undefined {
  switch (state) {
    case null:
      return undefined;
    case 'open':
      return isNull(quarantine.releasedAt);
    case 'released':
      return and(isNotNull(quarantine.releasedAt), isNull(quarantine.dismissedAt));
    case 'dismissed':
      return isNotNull(quarantine.dismissedAt);
  }
}

/** By the index of deliveries, which begins with the connection. */
const isDelivery = (deliveryId: string): SQL =>
  sql`(${inbox.connectionId} = any(array(select ${connections.id} from ${connections})) and ${inbox.dedupeKey} = ${deliveryId})`;

/** The tenant's quarantine, the oldest first: what waits longest is corrected first. @param page - `state` null: whatever it is; `deliveryId` is the sender's own */
export function listQuarantine(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  page: PageWanted & { state: QuarantineState | null; deliveryId?: string | null },
): Promise<Page<SetAside>> {
  return readList(deps, tenantId, async (tx) => {
    const rows = await tx
      .select(columns)
      .from(quarantine)
      .innerJoin(connections, and(eq(connections.tenantId, quarantine.tenantId), eq(connections.id, quarantine.connectionId)))
      .innerJoin(inbox, and(eq(inbox.tenantId, quarantine.tenantId), eq(inbox.id, quarantine.inboxId)))
      .where(and(isIn(page.state), page.deliveryId == null ? undefined : isDelivery(page.deliveryId), beyond(quarantine.id, 'oldest', page)))
      .orderBy(byAge(quarantine.id, 'oldest', page))
      .limit(page.limit + 1);
    return pageOf(rows.map(viewOf), page.limit, (row) => row.id);
  });
}

/** One of them with its body as it came. @returns null when the tenant has no such delivery */
export function readSetAside(deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<(SetAside & { body: string }) | null> {
  return deps.db.withTenant(tenantId, (tx) => findSetAside(tx, id));
}

export async function findSetAside(tx: Tx, id: string): Promise<(SetAside & { body: string }) | null> {
  const [found] = await tx
    .select({ ...columns, body: quarantine.body })
    .from(quarantine)
    .innerJoin(connections, and(eq(connections.tenantId, quarantine.tenantId), eq(connections.id, quarantine.connectionId)))
    .innerJoin(inbox, and(eq(inbox.tenantId, quarantine.tenantId), eq(inbox.id, quarantine.inboxId)))
    .where(eq(quarantine.id, id));
  if (found === undefined) return null;
  const { body, ...row } = found;
  return { ...viewOf(row), body };
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
