import { expiryAt, readyAt } from '../sequence/due.ts';
import { nextStep } from '../sequence/next-step.ts';
import type { EpochMs, Plan, Progress } from '../sequence/plan.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
export const hoursAhead = 24;

/** Spans of lateness, the shortest first: up to so many milliseconds. The last one takes the rest. */
export const latenessSpansMs = [minuteMs, 10 * minuteMs, hourMs, 6 * hourMs, 24 * hourMs, Number.POSITIVE_INFINITY] as const;

/** What the steps of open enrollments wait for, counted. */
export interface Waves {
  /** Enrollments that were looked at. */
  lookedAt: number;
  /** Whose next step comes within 24 hours, by hour from now on. */
  ahead: number[];
  /** Whose next step should have gone out already, by how late it is (`latenessSpansMs`). */
  behind: number[];
  /** On hold: paused, taken over, or their sequence or campaign is paused. */
  held: number;
  /** Due later than that, or waiting for something to react to. */
  later: number;
  /** Of those behind and ahead, how many may not be sent any more at `expiresBy`. */
  expire: number;
}

export interface Standing {
  plan: Plan;
  progress: Progress;
  /** Its sequence or its campaign is paused. */
  paused: boolean;
}

export const noWaves = (): Waves => ({
  lookedAt: 0,
  ahead: Array<number>(hoursAhead).fill(0),
  behind: Array<number>(latenessSpansMs.length).fill(0),
  held: 0,
  later: 0,
  expire: 0,
});

/**
 * Count one open enrollment into the waves. By its plan: what its hours, caps and conditions make of it is decided when it is due.
 * @param expiresBy - epoch ms; null: nothing is asked
 */
export function countInto(waves: Waves, { plan, progress, paused }: Standing, nowMs: EpochMs, expiresBy: EpochMs | null = null): void {
  waves.lookedAt += 1;
  const step = nextStep(plan, progress);
  if (paused || progress.held !== null) {
    waves.held += 1;
    return;
  }
  const readyMs = step === null ? Number.POSITIVE_INFINITY : readyAt(plan, progress, step.id);
  const inHours = Math.floor((readyMs - nowMs) / hourMs);
  if (step === null || inHours >= hoursAhead) {
    waves.later += 1;
    return;
  }
  const expires = expiresBy !== null && readyMs <= expiresBy && expiryAt(plan, progress, step.id) < expiresBy;
  if (expires) waves.expire += 1;
  if (readyMs > nowMs) addOne(waves.ahead, inHours);
  else
    addOne(
      waves.behind,
      latenessSpansMs.findIndex((span) => nowMs - readyMs <= span),
    );
}

function addOne(counts: number[], index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}

/** The same for a sample of all: what it comes to for everybody. */
export function scaledUp(waves: Waves, open: number): Waves {
  if (waves.lookedAt === 0 || waves.lookedAt >= open) return waves;
  const up = (count: number) => Math.round((count * open) / waves.lookedAt);
  const { ahead, behind, held, later, expire } = waves;
  return { lookedAt: waves.lookedAt, ahead: ahead.map(up), behind: behind.map(up), held: up(held), later: up(later), expire: up(expire) };
}
