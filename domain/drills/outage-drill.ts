import type { Channel } from '../channels/index.ts';
import type { EpochMs } from '../sequence/plan.ts';

/** What a drill takes away: a provider, the worker, or Temporal. */
export const drilledParts = ['provider', 'worker', 'temporal'] as const;
export type DrilledPart = (typeof drilledParts)[number];

/** No drill takes longer: a step lives for twelve hours at least, so a drill moves steps, and few expire by it. */
export const longestDrillMs = 4 * 3_600_000;
export const shortestDrillMs = 60_000;

/** A part that counts as away for a share of a store's enrollments, until a time. */
export interface OutageDrill {
  part: DrilledPart;
  /** Of a provider: the channel whose messages it takes; null: every channel that disturbs people. */
  channel: Channel | null;
  /** 1 to 100, of the enrollments. */
  sharePercent: number;
  /** It ends by itself. */
  endsAtMs: EpochMs;
}

/** What is asked of a drill: a message that waits for its worker comes back at the end, or within this time where somebody ends the drill early. */
const asksAgainAfterMs = 5 * 60_000;

/**
 * Whether an enrollment is in the share. Whoever is in a share is in every larger one. The last digits of an id are random (UUID version 7).
 * `reachedBy` in `operations/drills/figures.ts` says the same in SQL.
 */
export function reaches({ sharePercent }: Pick<OutageDrill, 'sharePercent'>, enrollmentId: string): boolean {
  return Number.parseInt(enrollmentId.slice(-4), 16) * 100 < sharePercent * 65_536;
}

/** Whether a drill keeps steps of this enrollment from being decided at all. null: it does not; else for how many milliseconds from now. */
export function heldFor(drill: OutageDrill | null, enrollmentId: string, nowMs: EpochMs): number | null {
  if (drill === null || drill.part === 'provider' || drill.endsAtMs <= nowMs || !reaches(drill, enrollmentId)) return null;
  return Math.min(drill.endsAtMs - nowMs, asksAgainAfterMs);
}

/** Whether the provider of a channel counts as away for this enrollment. */
export function isAway(
  drill: OutageDrill | null,
  enrollmentId: string,
  { channel, disturbs }: { channel: Channel; disturbs: boolean },
  nowMs: EpochMs,
): boolean {
  if (drill === null || drill.part !== 'provider' || drill.endsAtMs <= nowMs || !reaches(drill, enrollmentId)) return false;
  return drill.channel === null ? disturbs : drill.channel === channel;
}

/** Whether Temporal is not to hear of this enrollment now. */
export function isUntold(drill: OutageDrill | null, enrollmentId: string, nowMs: EpochMs): boolean {
  return drill !== null && drill.part === 'temporal' && drill.endsAtMs > nowMs && reaches(drill, enrollmentId);
}
