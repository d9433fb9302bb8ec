import { eq, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { erasures } from '../../db/schema/index.ts';
import { addCounts } from '../../domain/privacy/receipt.ts';
import type { PersonTraces } from '../../domain/privacy/search-terms.ts';
import type { Sealing } from '../sealing.ts';

export type ErasureRow = typeof erasures.$inferSelect;

export async function readErasureRow(tx: Tx, erasureId: string): Promise<ErasureRow | null> {
  const [row] = await tx.select().from(erasures).where(eq(erasures.id, erasureId));
  return row ?? null;
}

/** In the transaction that ends the person's sequences: from now on everything that gave them away is known, whatever is deleted. */
export async function noteStopped(tx: Tx, sealing: Sealing, erasureId: string, traces: PersonTraces): Promise<void> {
  const sealedTraces = await withTraces(tx, sealing, erasureId, traces);
  await tx
    .update(erasures)
    .set({ sealedTraces, stoppedAt: sql`coalesce(${erasures.stoppedAt}, clock_timestamp())` })
    .where(eq(erasures.id, erasureId));
}

/** In the transaction that takes their data away. A repeat adds what it has found besides. */
export async function noteErased(
  tx: Tx,
  sealing: Sealing,
  erasureId: string,
  traces: PersonTraces,
  counts: Readonly<Record<string, number>>,
): Promise<void> {
  const before = await readErasureRow(tx, erasureId);
  if (before === null) return;
  const sealedTraces = await withTraces(tx, sealing, erasureId, traces);
  // The rows of a person are emptied again by a repeat, but they are the same rows.
  const erased = before.erasedAt === null ? addCounts(before.erased, counts) : before.erased;
  await tx
    .update(erasures)
    .set({ sealedTraces, erased, waitsFor: null, erasedAt: sql`coalesce(${erasures.erasedAt}, clock_timestamp())` })
    .where(eq(erasures.id, erasureId));
}

/** What is searched for: what is known now and what was known before. @returns null where neither is anything */
async function withTraces(tx: Tx, sealing: Sealing, erasureId: string, traces: PersonTraces): Promise<string | null> {
  const row = await readErasureRow(tx, erasureId);
  const known = row === null ? null : openTraces(sealing, row);
  if (known === null && row?.doneAt != null && nothingIn(traces)) return null;
  const identities = distinct([...(known?.identities ?? []), ...traces.identities.map(({ kind, value }) => ({ kind, value }))]);
  const keys = distinct([...(known?.keys ?? []), ...traces.keys.map(({ value }) => ({ value }))]);
  const names = distinct([...(known?.names ?? []), ...traces.names]);
  return sealing.seal(JSON.stringify({ identities, keys, names } satisfies PersonTraces));
}

/** @returns null: the search has found nothing, and they are forgotten */
export function openTraces(sealing: Sealing, row: Pick<ErasureRow, 'sealedTraces'>): PersonTraces | null {
  // Nobody but `withTraces` writes the column.
  return row.sealedTraces === null ? null : (JSON.parse(sealing.open(row.sealedTraces)) as PersonTraces);
}

const nothingIn = ({ identities, keys, names }: PersonTraces) =>
  identities.length === 0 && keys.length === 0 && names.every(({ first, last }) => first === null && last === null);

const distinct = <T>(values: readonly T[]): T[] => [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
