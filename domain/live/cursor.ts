/*
 * How far somebody has read the events of a store. Events become visible when their transaction commits, which is not the order in which they are
 * numbered; so a cursor is what Postgres itself uses to tell what was visible: a snapshot of transactions.
 * Source: docs/adr/0087-live-events.md
 */

/** Everything that `seen` has seen was read; and of what `page` has seen besides, everything up to and including one event. */
export interface LiveCursor {
  /** By the database's clock, epoch milliseconds: when `seen` was taken. */
  atMs: number;
  /** `xmin:xmax:transactions that ran in between`, as Postgres writes it. */
  seen: string;
  /** null: the page was read to its end. */
  page: { seen: string; seenAtMs: number; txid: string; seq: number } | null;
}

const number = String.raw`\d{1,19}`;
const snapshot = String.raw`${number}:${number}:(?:${number}(?:,${number})*)?`;
const pattern = new RegExp(`^(\\d{1,15}) (${snapshot})(?: (\\d{1,15}) (${snapshot}) (${number}) (\\d{1,15}))?$`);

/** An opaque text for a URL. */
export function encodeCursor({ atMs, seen, page }: LiveCursor): string {
  const text = page === null ? `${atMs} ${seen}` : `${atMs} ${seen} ${page.seenAtMs} ${page.seen} ${page.txid} ${page.seq}`;
  return Buffer.from(text).toString('base64url');
}

/** @returns null for a text that `encodeCursor` has not made */
export function decodeCursor(text: string): LiveCursor | null {
  const plain = Buffer.from(text, 'base64url').toString();
  const [, atMs, seen = '', seenAtMs, pageSeen, txid = '', seq] = pattern.exec(plain) ?? [];
  if (atMs === undefined || parseSnapshot(seen) === null) return null;
  if (pageSeen !== undefined && parseSnapshot(pageSeen) === null) return null;
  const page = pageSeen === undefined ? null : { seen: pageSeen, seenAtMs: Number(seenAtMs), txid, seq: Number(seq) };
  const cursor = { atMs: Number(atMs), seen, page };
  return encodeCursor(cursor) === text ? cursor : null;
}

interface Snapshot {
  /** All transactions below it have ended. */
  xmin: bigint;
  /** None from it on had begun. */
  xmax: bigint;
  /** In between, those that were running. */
  running: ReadonlySet<bigint>;
}

/** @returns null for what Postgres would refuse as a `pg_snapshot` */
function parseSnapshot(text: string): Snapshot | null {
  const [xmin, xmax, list = ''] = text.split(':');
  const [from, to] = [BigInt(xmin ?? 0), BigInt(xmax ?? 0)];
  const running = list === '' ? [] : list.split(',').map(BigInt);
  // Postgres wants them in order and between the two.
  const inOrder = running.every((txid, index) => txid >= from && txid < to && (index === 0 || txid > (running[index - 1] ?? 0n)));
  return from >= 1n && from <= to && to < 1n << 63n && inOrder ? { xmin: from, xmax: to, running: new Set(running) } : null;
}

/** Whether a snapshot has seen what a transaction wrote. */
export function hasSeen(seen: string, txid: string): boolean {
  const snapshot = parseSnapshot(seen);
  const id = BigInt(txid);
  return snapshot !== null && id < snapshot.xmax && !snapshot.running.has(id);
}

/** Whether one snapshot is of a time to come for the other: of another database, or of this one before it was restored. */
export const isAhead = (seen: string, now: string): boolean => (parseSnapshot(seen)?.xmax ?? 0n) > (parseSnapshot(now)?.xmax ?? 0n);
