import { adjustedP } from './false-discovery.ts';
import { grouped } from './grouped.ts';
import type { Interval } from './interval.ts';
import { twoSidedP, z95 } from './normal.ts';

/** One of the texts that were compared in a test, with what it came to. */
export interface TestedText {
  test: string;
  phrases: ReadonlySet<string>;
  /** Conversions, or clicks, by people. */
  rate: number;
}

/** Whether texts with a phrase do better than those beside them in the same tests. */
export interface PhraseFinding {
  phrase: string;
  /** In how many tests some texts have it and some have not. */
  tests: number;
  /** How much better texts with it are than those without it in the same test, on average, relative to the mean of the test. */
  lift: number;
  /** The 95 % interval of `lift`, by how much it differs between tests; null: there are too few tests. */
  interval: Interval | null;
  /** null: there are too few tests. */
  z: number | null;
  /** Adjusted for all phrases that are judged (Benjamini and Hochberg). */
  p: number | null;
}

/** In which a phrase varies: below that nothing is said. */
export const fewestTests = 30;

/**
 * Which phrases texts do better with. The unit is the text in its test: people who got the same text are no separate proof of its words.
 * @returns the phrases that vary in some test, the surest first
 * Source: the score test of a linear effect within tests, with the variance of the tests; Liang and Zeger, 1986
 */
export function phraseFindings(texts: readonly TestedText[], fewest = fewestTests): PhraseFinding[] {
  const scores = new Map<string, { scores: number[]; lifts: number[] }>();
  for (const among of grouped(texts, ({ test }) => test).values()) {
    const mean = among.reduce((sum, { rate }) => sum + rate, 0) / among.length;
    if (!(mean > 0)) continue;
    for (const phrase of new Set(among.flatMap(({ phrases }) => [...phrases]))) {
      const having = among.filter(({ phrases }) => phrases.has(phrase));
      if (having.length === among.length) continue;
      const score = having.reduce((sum, { rate }) => sum + (rate - mean) / mean, 0);
      const kept = scores.get(phrase) ?? { scores: [], lifts: [] };
      kept.scores.push(score);
      // Relative residuals of a test add up to 0: those without it have the opposite sum.
      kept.lifts.push(score / having.length + score / (among.length - having.length));
      scores.set(phrase, kept);
    }
  }
  const found = [...scores].map(([phrase, { scores: of, lifts }]) => {
    const spread = Math.sqrt(of.reduce((sum, score) => sum + score * score, 0));
    const z = of.length < fewest || !(spread > 0) ? null : of.reduce((sum, score) => sum + score, 0) / spread;
    const lift = lifts.reduce((sum, one) => sum + one, 0) / lifts.length;
    return { phrase, tests: of.length, lift, interval: z === null ? null : around(lift, lifts), z };
  });
  const judged = found.flatMap(({ z }) => (z === null ? [] : [twoSidedP(z)]));
  const adjusted = adjustedP(judged)[Symbol.iterator]();
  return found
    .map((one) => ({ ...one, p: one.z === null ? null : (adjusted.next().value ?? 1) }))
    .toSorted((a, b) => Math.abs(b.z ?? 0) - Math.abs(a.z ?? 0) || a.phrase.localeCompare(b.phrase));
}

function around(mean: number, values: readonly number[]): Interval {
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const reach = z95 * Math.sqrt(variance / values.length);
  return { low: mean - reach, high: mean + reach };
}

/**
 * How much more a word is used in one collection of texts than in another, as a z. It describes; whether a word causes anything only tests tell.
 * @param weight - of the pooled shares as prior
 * Source: Monroe, Colaresi and Quinn, Fightin’ words, 2008
 */
export function logOdds(here: Readonly<Record<string, number>>, there: Readonly<Record<string, number>>, weight = 10): Record<string, number> {
  const words = [...new Set([...Object.keys(here), ...Object.keys(there)])];
  const all = (counts: Readonly<Record<string, number>>) => words.reduce((sum, word) => sum + (counts[word] ?? 0), 0);
  const [inHere, inThere] = [all(here), all(there)];
  return Object.fromEntries(
    words.map((word) => {
      const [a, b] = [here[word] ?? 0, there[word] ?? 0];
      const prior = (weight * (a + b)) / (inHere + inThere);
      const odds = (count: number, total: number) => Math.log((count + prior) / (total + weight - count - prior));
      return [word, (odds(a, inHere) - odds(b, inThere)) / Math.sqrt(1 / (a + prior) + 1 / (b + prior))];
    }),
  );
}
