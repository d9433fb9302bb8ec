import type { Cases } from '../statistics/interval.ts';
import { banditShares, chancesToBeBest } from '../statistics/thompson.ts';

/** Every arm keeps a tenth of the people, or half of an equal share where there are many arms: else one that began badly would never be known better. */
const usualFloor = 0.1;

const floorOf = (arms: number) => Math.min(usualFloor, 0.5 / arms);

type ArmCases = Cases & { id: string };

/** How likely each arm converts best, by its id. Source: docs/rules.md#rule-124 */
export function chancesOfBandit(arms: readonly ArmCases[]): Record<string, number> {
  return byId(arms, chancesToBeBest(arms));
}

/** The shares by which people are assigned from now on, by the arm's id: as likely as each is the best, and never below a floor. They add up to 1. */
export function sharesOfBandit(arms: readonly ArmCases[]): Record<string, number> {
  return byId(arms, banditShares(arms, floorOf(arms.length)));
}

const byId = (arms: readonly ArmCases[], values: readonly number[]) => Object.fromEntries(arms.map(({ id }, index) => [id, values[index] ?? 0]));
