import type { EpochMs } from '../sequence/plan.ts';
import { scaled } from '../sequence/time-scale.ts';
import type { Facts } from './facts.ts';

const askEveryMs = 3_600_000;

/**
 * When a step is asked about again whose person is answered by somebody: within the hour, or when the takeover ends by itself. Source:
 * docs/rules.md#rule-21
 */
export function askAgainAt({ plan, person }: Pick<Facts, 'plan' | 'person'>, nowMs: EpochMs): EpochMs {
  const ends = person.contacts.flatMap(({ takenOver }) => takenOver?.untilMs ?? []);
  return Math.min(nowMs + scaled(askEveryMs, plan.timeScale), ...ends.filter((endMs) => endMs > nowMs));
}
