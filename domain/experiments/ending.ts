import type { EpochMs } from '../sequence/plan.ts';
import type { Judgement } from './judge.ts';

/** A test says nothing before a whole week: people do other things on other days of it. */
export const shortestTestMs = 7 * 24 * 3_600_000;

/** What is known of a test that runs. */
export interface RunningTest {
  startedAtMs: EpochMs;
  /** Of its people whose window is over; null: nothing may be said, because the counts are not what they should be. */
  judgement: Judgement | null;
  /** Arms that do harm for certain: none of them wins. */
  harmful: readonly string[];
  /** How long after the assignment an outcome counts, in milliseconds of the tenant's time. */
  windowMs: number;
  /** `shortestTestMs` in the tenant's time. */
  shortestMs: number;
}

/** Whether a test has ended, and why it goes on. */
export type Ending =
  | { kind: 'runs'; because: 'too_young' | 'unsound' | 'too_few' | 'open' | 'harm' | 'bandit' }
  /** One arm is better than each of the others, for certain. */
  | { kind: 'ended'; winner: string };

/**
 * Whether a test ends now. It may be asked as often as anybody likes: a week, one whole window and 50 people in each arm are only a floor beneath the method.
 * Source: docs/rules.md#rule-76
 */
export function endingOf({ startedAtMs, judgement, harmful, windowMs, shortestMs }: RunningTest, nowMs: EpochMs): Ending {
  if (nowMs < startedAtMs + Math.max(shortestMs, windowMs)) return { kind: 'runs', because: 'too_young' };
  if (judgement === null) return { kind: 'runs', because: 'unsound' };
  const { state, winner } = judgement;
  if (winner !== null && harmful.includes(winner)) return { kind: 'runs', because: 'harm' };
  if (state === 'decided' && winner !== null) return { kind: 'ended', winner };
  return { kind: 'runs', because: state === 'too_few' ? 'too_few' : 'open' };
}
