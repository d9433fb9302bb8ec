import { inArray, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { liveReaders, webhookEvents } from '../../db/schema/index.ts';
import { encodeCursor, isAhead, type LiveCursor } from '../../domain/live/cursor.ts';
import type { WebhookEventType } from '../../domain/webhooks/catalogue.ts';
import type { Deps } from '../deps.ts';
import { messageIdOf, readBody } from '../webhooks/body.ts';
import { readTold } from '../webhooks/sources.ts';

/** An event of a store, as outgoing webhooks tell it. */
export interface LiveEvent {
  /** The same as the `webhook-id` of the event. */
  id: string;
  type: WebhookEventType;
  /** Epoch milliseconds, by the database's clock. */
  atMs: number;
  /** Of the transaction that wrote it. */
  txid: string;
  /** What is newer than this event. */
  cursor: string;
  /** JSON of `type`, `timestamp` and `data`; null: nobody asked for this one. */
  body: { plain: string | null; personal: string | null };
}

export type EventsRead =
  /** `more`: there are further events now. */
  | { kind: 'read'; events: LiveEvent[]; cursor: LiveCursor; more: boolean }
  /** Events after the cursor are not kept any more, or were never recorded. */
  | { kind: 'expired' };

/** Which bodies are wanted. */
export interface Wanted {
  plain: boolean;
  personal: boolean;
}

/** A day less than events are kept (`prune_webhooks`). */
const readableMs = 29 * 86_400_000;

/** Where reading begins: what is there now counts as read. Call `recordForReaders` before. */
export async function cursorOfNow({ db }: Pick<Deps, 'db'>, tenantId: string): Promise<LiveCursor> {
  const { now, nowMs } = await db.withTenant(tenantId, (tx) => findRows(tx, null, 0));
  return { atMs: nowMs, seen: now, page: null };
}

/** Read what is newer than a cursor, transaction by transaction. @param limit - of events; some of them may tell nothing */
export function readEvents(
  { db, log }: Pick<Deps, 'db' | 'log'>,
  tenantId: string,
  { after, limit, wanted }: { after: LiveCursor; limit: number; wanted: Wanted },
): Promise<EventsRead> {
  return db.withTenant(tenantId, async (tx): Promise<EventsRead> => {
    const { now, nowMs, found } = await findRows(tx, after, limit + 1);
    const [reader] = await tx.select({ since: liveReaders.since }).from(liveReaders);
    const isTooOld = reader === undefined || after.atMs < reader.since || after.atMs < nowMs - readableMs;
    if (isTooOld || [after.seen, after.page?.seen ?? after.seen].some((seen) => isAhead(seen, now))) return { kind: 'expired' };
    const listed = found.slice(0, limit);
    const [seen, seenAtMs] = after.page === null ? [now, nowMs] : [after.page.seen, after.page.seenAtMs];
    const at = ({ txid, seq }: Found): LiveCursor => ({ ...after, page: { seen, seenAtMs, txid, seq } });
    const events = await tell(log, tx, listed, wanted, at);
    const last = listed.at(-1);
    if (found.length > limit && last !== undefined) return { kind: 'read', events, cursor: at(last), more: true };
    // A page that another read began is over; what came since is the next one.
    return { kind: 'read', events, cursor: { atMs: seenAtMs, seen, page: null }, more: after.page !== null };
  });
}

interface Found {
  id: string;
  txid: string;
  seq: number;
}

/** One statement, so that what it finds is exactly what its snapshot has seen. */
async function findRows(tx: Tx, after: LiveCursor | null, limit: number): Promise<{ now: string; nowMs: number; found: Found[] }> {
  const seen = after?.seen ?? null;
  const page = after?.page ?? null;
  const { rows } = await tx.execute<{ now: string; now_ms: string; id: string | null; txid: string; seq: string }>(sql`
    select here.now, here.now_ms, e.id, e.txid, e.seq
    from (select pg_current_snapshot()::text as now, (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms) here
    left join lateral (
      select v.id, v.txid::text as txid, v.seq
      from webhook_events v
      where v.txid >= pg_snapshot_xmin(${seen}::pg_snapshot)
        and v.txid < pg_snapshot_xmax(coalesce(${page?.seen ?? null}::pg_snapshot, pg_current_snapshot()))
        and not pg_visible_in_snapshot(v.txid, ${seen}::pg_snapshot)
        and (${page?.seen ?? null}::pg_snapshot is null
          or pg_visible_in_snapshot(v.txid, ${page?.seen ?? null}::pg_snapshot)
            and (v.txid, v.seq) > (${page?.txid ?? null}::xid8, ${page?.seq ?? null}::bigint))
      order by v.txid, v.seq
      limit ${limit}
    ) e on true`);
  const [here] = rows;
  if (here === undefined) throw new Error('Postgres has no snapshot');
  return {
    now: here.now,
    nowMs: Number(here.now_ms),
    found: rows.flatMap(({ id, txid, seq }) => (id === null ? [] : [{ id, txid, seq: Number(seq) }])),
  };
}

/** Their queries go to Postgres one behind the other, without waiting for each other's answers. */
async function tell(
  log: Deps['log'],
  tx: Tx,
  listed: readonly Found[],
  wanted: Wanted,
  cursorAt: (found: Found) => LiveCursor,
): Promise<LiveEvent[]> {
  if (listed.length === 0) return [];
  const ids = listed.map(({ id }) => id);
  const rows = new Map((await tx.select().from(webhookEvents).where(inArray(webhookEvents.id, ids))).map((row) => [row.id, row]));
  const told = await Promise.all(
    listed.map(async (found) => {
      const row = rows.get(found.id);
      // A test is for one endpoint.
      if (row === undefined || row.source === 'test') return [];
      const read = await readTold(tx, row).catch((err: unknown) => {
        if (!(err instanceof Error) || err.name !== 'ZodError') throw err;
        log.error({ tenantId: row.tenantId, source: row.source, err }, 'an event does not fit the catalogue of events, and is not told');
        return null;
      });
      if (read === null) return [];
      const { type, data, subjectId, contactId } = read;
      const event = { ...row, type, contactId, payload: { data, subjectId } };
      const bodyOf = (isWanted: boolean, withPersonalData: boolean) => (isWanted ? readBody(tx, event, withPersonalData) : null);
      const [plain, personal] = await Promise.all([bodyOf(wanted.plain, false), bodyOf(wanted.personal, true)]);
      const { txid } = found;
      return [{ id: messageIdOf(row.id), type, atMs: row.at, txid, cursor: encodeCursor(cursorAt(found)), body: { plain, personal } }];
    }),
  );
  return told.flat();
}
