import { readFile } from 'node:fs/promises';
import { rehearse } from '../domain/rehearsal/rehearse.ts';
import { parseSequence } from '../domain/sequence/parse-sequence.ts';
import { budgeted, type Measured, median } from './measure.ts';

/** Thirty-day enrollments of the cart preset per second on one core; a pure figure without a floor. */
export async function measureRehearsal(rounds: number): Promise<Measured> {
  const parsed = parseSequence(await readFile(new URL('../sequences/cart.yaml', import.meta.url), 'utf8'));
  if (!parsed.ok) throw new Error('the preset does not parse');
  const rates: number[] = [];
  const perRound = 20_000;
  for (let round = 0; round <= rounds; round++) {
    const fromMs = performance.now();
    for (let i = 0; i < perRound; i++) rehearse(parsed.definition, [{ type: 'subject.updated', atMs: 1_790_000_000_000 + i * 61_000 }]);
    // The first round warms up.
    if (round > 0) rates.push((perRound / (performance.now() - fromMs)) * 1_000);
  }
  return { figures: [budgeted('rehearsal', median(rates), 'enrollments/s', '>= 20000/s on one core', (rate) => rate >= 20_000)] };
}
