/**
 * Our statistics beside those of others, on the same random cases: gbstats, savvi, statsmodels and lifelines, in environments of their own.
 * Run: npm run judge:statistics. Prints the largest difference of each figure, and ends with 1 where one is larger than it may be.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { logEvidence, pooledZ } from '../../domain/statistics/anytime.ts';
import { competingRisks } from '../../domain/statistics/competing-risks.ts';
import { adjustedP } from '../../domain/statistics/false-discovery.ts';
import { momentsOf, welch } from '../../domain/statistics/means.ts';
import { twoSidedP } from '../../domain/statistics/normal.ts';
import { differenceInterval, homogeneity, relativeLift, wilsonInterval } from '../../domain/statistics/proportions.ts';
import { sampleRatio } from '../../domain/statistics/sample-ratio.ts';
import { differenceSequence } from '../../domain/statistics/sequence-of-differences.ts';
import { tuning } from '../../domain/statistics/sequential.ts';
import { seededRandom } from '../chaos/random.ts';
import { pythonWith, runPython } from '../helpers/python-environment.ts';

/** They want different versions of their packages. */
const environments = {
  rates: { name: 'statistics-judges-rates-1', packages: ['gbstats==0.8.0', 'statsmodels==0.15.0'] },
  evidence: { name: 'statistics-judges-evidence-2', packages: ['savvi==0.3.1', 'matplotlib', 'cvxpy'] },
  ends: { name: 'statistics-judges-ends-1', packages: ['lifelines==0.30.3'] },
};
/** The largest relative difference that is rounding, where nothing else is said. */
const usualBound = 1e-8;

type Figures = Record<string, number | null | undefined>;
const answers = z.array(z.record(z.string(), z.number().nullable()));
const random = seededRandom(17);
let missed = 0;

async function ask(part: keyof typeof environments, command: string, cases: readonly unknown[]): Promise<Record<string, number | null>[]> {
  const { name, packages } = environments[part];
  const python = await pythonWith(name, packages);
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-judges-'));
  try {
    const file = join(folder, 'cases.json');
    await writeFile(file, JSON.stringify(cases));
    return answers.parse(JSON.parse(await runPython(python, join(import.meta.dirname, 'judge.py'), [command, file])));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param bounds - other bounds than the usual one, by figure; null: shown and explained only */
function compare(
  title: string,
  ours: readonly Figures[],
  theirs: readonly Record<string, number | null>[],
  bounds: Record<string, { most: number | null; why: string }>,
): void {
  console.log(`\n${title}: ${theirs.length} cases`);
  for (const figure of Object.keys(theirs[0] ?? {})) {
    const differences = theirs.flatMap((their, index) => {
      const [own, other] = [ours[index]?.[figure], their[figure]];
      if (own === null || own === undefined || other === undefined || other === null) return [];
      return [Math.abs(own - other) / Math.max(Math.abs(other), 1e-9)];
    });
    const largest = Math.max(...differences);
    const { most, why } = bounds[figure] ?? { most: usualBound, why: 'rounding' };
    const isMissed = most !== null && !(largest <= most);
    if (isMissed) missed += 1;
    console.log(
      `  ${figure.padEnd(22)} ${differences.length.toString().padStart(4)} compared, largest difference ${largest.toExponential(2)}  ${isMissed ? `MISSED, at most ${most}` : why}`,
    );
  }
}

const arm = () => {
  const people = random.whole(100, 20_000);
  return { people, converted: Math.max(5, Math.floor(people * (0.01 + 0.3 * random.real()))) };
};
const pairs = Array.from({ length: 200 }, () => ({ a: arm(), b: arm(), p: Array.from({ length: random.whole(2, 30) }, () => random.real() ** 3) }));
const relative = 'another method: theirs is symmetric on the ratio itself, ours on its logarithm (ADR 92)';
compare(
  'rates, gbstats 0.8.0 and statsmodels',
  pairs.map(({ a, b, p }) => {
    const [wilson, newcombe, lift, z] = [wilsonInterval(b.converted, b.people), differenceInterval(a, b), relativeLift(a, b), pooledZ(a, b)];
    const [chi, adjusted] = [homogeneity([a, b]), adjustedP(p)];
    const half = (a.people + b.people) / 2;
    return {
      ...{ 'wilson low': wilson?.low, 'wilson high': wilson?.high, 'newcombe low': newcombe?.low, 'newcombe high': newcombe?.high },
      ...{
        'ratio low': lift?.interval.low,
        'ratio high': lift?.interval.high,
        'gbstats lift low': lift?.interval.low,
        'gbstats lift high': lift?.interval.high,
      },
      ...{ 'pooled z': z, 'p of z': z === null ? null : twoSidedP(z), 'chi squared': chi?.chiSquared, 'p of chi squared': chi?.p },
      ...{ 'largest adjusted p': Math.max(...adjusted), 'smallest adjusted p': Math.min(...adjusted) },
      'sample ratio p': sampleRatio([a.people, b.people], [half, half])?.p,
    };
  }),
  await ask(
    'rates',
    'rates',
    pairs.map(({ a, b, p }) => ({ a: [a.people, a.converted], b: [b.people, b.converted], p })),
  ),
  { 'gbstats lift low': { most: null, why: relative }, 'gbstats lift high': { most: null, why: relative } },
);
const amounts = () => Array.from({ length: random.whole(20, 400) }, () => (random.chance(0.3) ? Math.round(random.real() * 20_000) / 100 : 0));
const shops = Array.from({ length: 60 }, () => ({ a: amounts(), b: amounts() }));
compare(
  'revenue of everybody, gbstats 0.8.0 and statsmodels',
  shops.map(({ a, b }): Figures => {
    const [ofA, ofB] = [momentsOf(a), momentsOf(b)];
    if (ofA === null || ofB === null) return {};
    const found = welch(ofA, ofB);
    const sequence = differenceSequence(ofA, ofB);
    return {
      ...{ t: found?.t, p: found?.p, degrees: found?.degrees, low: found?.interval.low, high: found?.interval.high },
      ...{ 'gbstats p': found?.p, 'gbstats low': found?.interval.low, 'gbstats high': found?.interval.high, 'gbstats tuning': tuning(5_000) },
      'gbstats sequence': sequence === null ? null : sequence.interval.high - sequence.difference,
    };
  }),
  await ask('rates', 'means', shops),
  {},
);

const shares = [
  [0.5, 0.5],
  [0.25, 0.25, 0.25, 0.25],
  [0.75, 0.25],
  [0.5, 0.25, 0.125, 0.125],
] as const;
const tests = Array.from({ length: 100 }, () => {
  const of = random.pick(shares);
  return { shares: of, days: Array.from({ length: random.whole(1, 30) }, () => of.map((share) => random.whole(0, Math.ceil(20 * share)))) };
});
compare(
  'evidence at every look, savvi 0.3.1',
  tests.map(({ shares: of, days }) => ({
    'log evidence': logEvidence(
      of.map((_, index) => days.reduce((sum, day) => sum + (day[index] ?? 0), 0)),
      of,
    ),
  })),
  await ask('evidence', 'evidence', tests),
  { 'log evidence': { most: 1e-6, why: 'they carry E itself from look to look, and lose digits where it is small' } },
);

// Times that differ: lifelines moves ties apart by chance.
const courses = Array.from({ length: 40 }, () => {
  const people = random.whole(10, 200);
  return {
    times: Array.from({ length: people }, (_, index) => index + 1 + random.real() / 2),
    causes: Array.from({ length: people }, () => random.whole(0, 2)),
  };
});
compare(
  'competing ends, lifelines 0.30.3',
  courses.map(({ times, causes }): Figures => {
    const last = competingRisks(times.map((time, index) => ({ time, cause: ['', 'converted', 'other'][causes[index] ?? 0] || null }))).at(-1);
    return { share: last?.ended['converted']?.share, error: last?.ended['converted']?.error, free: last?.free };
  }),
  await ask('ends', 'ends', courses),
  { error: { most: usualBound, why: 'rounding, where theirs is a number: it is none once the last one who was watched has ended' } },
);
process.exitCode = missed === 0 ? 0 : 1;
