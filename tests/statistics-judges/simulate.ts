/** Worlds whose truth is known, and what our statistics say of them. Run: npm run simulate:statistics [-- RUNS]. Ends with 1 where a figure misses its bounds. */
import { isWithin, simulate } from './simulations.ts';

const runs = Number(process.argv[2] ?? 2_000);
if (!Number.isInteger(runs) || runs < 200) {
  console.error('RUNS is a whole number, 200 at least.');
  process.exit(2);
}
const found = simulate(runs);
for (const one of found) {
  const bounds = one.bounds === null ? '' : `  (${one.bounds.map((bound) => `${(100 * bound).toFixed(1)} %`).join(' to ')})`;
  console.log(`${(100 * one.share).toFixed(2).padStart(7)} %  ${one.name}, ${one.runs} runs${bounds}${isWithin(one) ? '' : '  MISSED'}`);
}
process.exitCode = found.every(isWithin) ? 0 : 1;
