import type { EpochMs } from '../sequence/plan.ts';

/** At most `most` messages in any span of `withinMs`. */
export interface Cap {
  /** null: over all channels. */
  channel: string | null;
  most: number;
  withinMs: number;
}

/** A message that uses caps up, or a slot that is kept for one. */
export interface Taken {
  channel: string | null;
  atMs: EpochMs;
}

/** Whether a message on a channel uses a cap up. */
const countsAgainst = (cap: Cap, channel: string | null): boolean => cap.channel === null || cap.channel === channel;

/**
 * The first instant at or after `fromMs` at which one more message keeps every cap, with all that is taken before and after it. A window is half
 * open: a message counts from its own instant to before its instant plus `withinMs`.
 * @param caps - those that the message counts against, each with `most` of 1 or more
 */
export function firstFree(caps: readonly Cap[], taken: readonly Taken[], fromMs: EpochMs): EpochMs {
  let atMs = fromMs;
  for (let settled = false; !settled; ) {
    settled = true;
    for (const cap of caps) {
      const freeMs = freeUnder(cap, taken, atMs);
      if (freeMs === atMs) continue;
      atMs = freeMs;
      settled = false;
    }
  }
  return atMs;
}

/** What stands in the way of a message at an instant: all that counts in the fullest window around it; null: there is room. */
export function crowdAt<T extends Taken>(cap: Cap, taken: readonly T[], atMs: EpochMs): T[] | null {
  const { withinMs, most } = cap;
  const near = taken.filter((t) => countsAgainst(cap, t.channel) && t.atMs > atMs - withinMs && t.atMs < atMs + withinMs);
  if (near.length < most) return null;
  // Every window that holds the instant ends at the instant, or at something taken soon after it.
  const ends = [atMs, ...near.map((t) => t.atMs).filter((endMs) => endMs > atMs)];
  for (const endMs of ends) {
    const inside = near.filter((t) => t.atMs > endMs - withinMs && t.atMs <= endMs);
    if (inside.length >= most) return inside;
  }
  return null;
}

function freeUnder(cap: Cap, taken: readonly Taken[], fromMs: EpochMs): EpochMs {
  let atMs = fromMs;
  while (crowdAt(cap, taken, atMs) !== null) {
    // Only where something leaves the window is there more room than before.
    let nextMs = Number.POSITIVE_INFINITY;
    for (const t of taken) {
      const leavesMs = t.atMs + cap.withinMs;
      if (countsAgainst(cap, t.channel) && leavesMs > atMs && leavesMs < nextMs) nextMs = leavesMs;
    }
    atMs = nextMs;
  }
  return atMs;
}
