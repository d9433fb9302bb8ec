import type { EpochMs } from '../../sequence/plan.ts';

/** The appointments of a lead, by their ids, each as it was reported last. */
export type Viewings = Readonly<Record<string, { atMs: EpochMs; isOff: boolean }>>;

/** So many are remembered, the latest. */
const mostViewings = 50;

/**
 * Note what was reported about one appointment. Reports come in any order: of one appointment, the latest counts.
 * @returns the same where the report says nothing new
 */
export function foldViewing(known: Viewings, { id, isOff, atMs }: { id: string; isOff: boolean; atMs: EpochMs }): Viewings {
  const before = known[id];
  // Of two at the same moment, the one that calls it off is the later: an appointment is made before it is called off.
  if (before !== undefined && (before.atMs > atMs || (before.atMs === atMs && (before.isOff || !isOff)))) return known;
  const all = Object.entries({ ...known, [id]: { atMs, isOff } }).toSorted(([, a], [, b]) => b.atMs - a.atMs);
  return Object.fromEntries(all.slice(0, mostViewings));
}

/** When the latest viewing that stands was agreed; null: none is. */
export function agreedAt(viewings: Viewings): EpochMs | null {
  const standing = Object.values(viewings).filter(({ isOff }) => !isOff);
  return standing.length === 0 ? null : Math.max(...standing.map(({ atMs }) => atMs));
}

/** Those of two leads that are one. */
export const uniteViewings = (a: Viewings, b: Viewings): Viewings =>
  Object.entries(b).reduce((all, [id, { atMs, isOff }]) => foldViewing(all, { id, atMs, isOff }), a);
