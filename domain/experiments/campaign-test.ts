import type { EpochMs } from '../sequence/plan.ts';
import { variantAt } from './variant.ts';

/** A test of a campaign's scripts on one channel: it runs, or its winner is suggested or has taken over. */
export interface CampaignTest {
  id: string;
  /** Of each arm, by its id. */
  shares: Readonly<Record<string, number>>;
  /** null: it runs. */
  winner: string | null;
  takeover: 'suggested' | 'applied' | 'dismissed' | null;
  /** When the winner took over; null: it has not. */
  resolvedAtMs: EpochMs | null;
}

/** The arm of somebody in it. */
export interface ArmInTest {
  variant: string;
  /** `kept`: stored before. `drawn`: to be stored with the first message. `winner`: nothing is compared any more. */
  by: 'kept' | 'drawn' | 'winner';
}

/**
 * Which arm a message of the campaign is of. Whoever began after the winner took over gets the winner; everybody else keeps their arm, or draws one.
 * @param has - the arm that the person got before; null: none yet
 * @param point - where the person lies in [0, 1): the same for the same person and test, evenly spread over people
 * @returns null: the test was dismissed
 * Source: docs/rules.md#rule-79
 */
export function armInTest(
  { shares, winner, takeover, resolvedAtMs }: CampaignTest,
  { has, enrolledAtMs, point }: { has: string | null; enrolledAtMs: EpochMs; point: number },
): ArmInTest | null {
  if (takeover === 'dismissed') return null;
  if (takeover === 'applied' && winner !== null && resolvedAtMs !== null && enrolledAtMs >= resolvedAtMs) return { variant: winner, by: 'winner' };
  if (has !== null && shares[has] !== undefined) return { variant: has, by: 'kept' };
  const arms = Object.entries(shares)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, weight]) => ({ id, weight }));
  return { variant: variantAt(point, arms).id, by: 'drawn' };
}
