import { logEvidence, pooledZ } from '../statistics/anytime.ts';
import type { Cases } from '../statistics/interval.ts';

/** Two-sided: one experiment of twenty without any difference names a winner. */
const alpha = 0.05;
/** In each arm, before anything is said. */
const fewestPeople = 50;

/** An arm of an experiment. */
export interface ArmCases extends Cases {
  id: string;
  /** Of the people who are assigned. */
  share: number;
}

/** What can be said of an experiment so far, at any time and as often as anybody likes. */
export interface Judgement {
  /** `too_few`: an arm has fewer than 50 people; `open`: nothing is certain yet; `decided`: one arm is better than each of the others. */
  state: 'too_few' | 'open' | 'decided';
  /** How likely conversions this unequal are, at any look, where no arm is better: 1 / E. 1 at most. */
  p: number;
  /** The arm that is better than each of the others; null: none is, for certain. */
  winner: string | null;
  /** Of the second arm against the first, for information; null: there are more than two arms, or there is nothing to compare. */
  z: number | null;
}

/**
 * @param arms - two at least
 * Source: docs/rules.md#rule-35
 */
export function judge(arms: readonly ArmCases[]): Judgement {
  const all = arms.reduce((sum, { share }) => sum + share, 0);
  const evidence = (some: readonly ArmCases[]) => {
    const shares = some.reduce((sum, { share }) => sum + share, 0);
    return logEvidence(
      some.map(({ converted }) => converted),
      some.map(({ share }) => share / shares),
    );
  };
  const [first, second] = arms;
  const z = first === undefined || second === undefined || arms.length > 2 ? null : pooledZ(first, second);
  const p = all > 0 ? Math.min(1, Math.exp(-evidence(arms))) : 1;
  if (arms.some(({ people }) => people < fewestPeople)) return { state: 'too_few', p, winner: null, z };
  // Each arm is compared with every other: the bound holds for all pairs together.
  const bar = Math.log((arms.length * (arms.length - 1)) / (2 * alpha));
  const best = arms.toSorted((a, b) => b.converted / b.people - a.converted / a.people)[0];
  const isBetter = best !== undefined && arms.every((arm) => arm === best || evidence([best, arm]) >= bar);
  return isBetter ? { state: 'decided', p, winner: best.id, z } : { state: 'open', p, winner: null, z };
}
