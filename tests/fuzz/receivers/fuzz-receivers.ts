import fc from 'fast-check';
import { cases, describeCase, findFault } from './properties.ts';

const perRound = 2_000;

/**
 * Damage valid deliveries until one is lost, for ever or for so long.
 * @param seed - the first round's; each later one has the next
 * @returns 0 where nothing was lost in that time, 1 at the first fault, which is said with its seed
 */
export function fuzzReceivers(seed: number, forMs: number | null, say: (line: string) => void): number {
  const startedMs = Date.now();
  for (let round = 0; forMs === null || Date.now() - startedMs < forMs; round++) {
    const checked = fc.check(
      fc.property(cases, (one) => findFault(one) === null),
      { seed: seed + round, numRuns: perRound },
    );
    if (checked.failed) {
      const [counterexample] = checked.counterexample ?? [];
      say(counterexample === undefined ? 'A delivery was lost.' : `${describeCase(counterexample)}: ${String(findFault(counterexample))}`);
      say(`Again: npm run fuzz -- receivers --seed ${seed + round}`);
      return 1;
    }
    say(`${(round + 1) * perRound} deliveries, none lost`);
  }
  return 0;
}
