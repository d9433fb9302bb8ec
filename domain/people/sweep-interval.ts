/** The sweeps that look for leads that no event has brought into their sequence. */
export const sweepKinds = ['silent', 'ghosts'] as const;
export type SweepKind = (typeof sweepKinds)[number];

/**
 * Whether a pass of a sweep examines a store. The passes of the installation are the shortest interval there is; a store may have a longer one. The pass
 * that is nearest to the end of its interval counts, so that one which comes a second early does not add a whole interval.
 * @param intervalMs - what the store asks for; null: every pass
 * @param passEveryMs - how long after a pass the next one comes
 * @param sinceMs - how long ago the store was examined; null: it never was
 * Source: docs/rules.md#rule-62
 */
export function isSweepDue({
  intervalMs,
  passEveryMs,
  sinceMs,
}: {
  intervalMs: number | null;
  passEveryMs: number;
  sinceMs: number | null;
}): boolean {
  if (intervalMs === null || sinceMs === null || intervalMs <= passEveryMs) return true;
  return sinceMs >= intervalMs - passEveryMs / 2;
}
