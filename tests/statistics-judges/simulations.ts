import { sharesOfBandit } from '../../domain/experiments/bandit.ts';
import { readGuardrails } from '../../domain/experiments/guardrails.ts';
import { judge } from '../../domain/experiments/judge.ts';
import { normalQuantile } from '../../domain/statistics/normal.ts';
import { momentsOf } from '../../domain/statistics/means.ts';
import { phraseFindings } from '../../domain/statistics/phrases.ts';
import { differenceInterval, relativeLift } from '../../domain/statistics/proportions.ts';
import { sampleRatio } from '../../domain/statistics/sample-ratio.ts';
import { differenceSequence } from '../../domain/statistics/sequence-of-differences.ts';
import { weekMap } from '../../domain/statistics/shrinkage.ts';
import { type Random, seededRandom } from '../chaos/random.ts';

/** A world whose truth is known, and what is said of it. */
export interface Simulation {
  name: string;
  runs: number;
  /** How often, of all runs. */
  share: number;
  /** Within which it has to be; null: shown only. */
  bounds: [number, number] | null;
}

/** Conversions among many people, by the normal approximation where it is exact enough. */
function convertedOf(people: number, rate: number, random: Random): number {
  const mean = people * rate;
  if (mean > 200) return Math.round(mean + Math.sqrt(mean * (1 - rate)) * normalQuantile(0.000_001 + 0.999_998 * random.real()));
  let converted = 0;
  for (let person = 0; person < people; person += 1) if (random.real() < rate) converted += 1;
  return converted;
}

/** A test that is looked at every day: how often somebody wins, by our rule and by the plain z. */
function watched(rates: readonly number[], { runs, days, perDay, seed }: { runs: number; days: number; perDay: number; seed: number }) {
  const random = seededRandom(seed);
  let [named, right, naive] = [0, 0, 0];
  const best = rates.indexOf(Math.max(...rates));
  for (let run = 0; run < runs; run += 1) {
    const arms = rates.map((_, index) => ({ id: String(index), people: 0, converted: 0, share: 1 / rates.length }));
    let [winner, crossed] = [null as string | null, false];
    for (let day = 0; day < days && (winner === null || !crossed); day += 1) {
      for (const [index, arm] of arms.entries()) {
        arm.people += perDay;
        arm.converted += convertedOf(perDay, rates[index] ?? 0, random);
      }
      const { winner: now, z } = judge(arms);
      winner ??= now;
      crossed ||= Math.abs(z ?? 0) >= 1.96;
    }
    named += winner === null ? 0 : 1;
    right += winner === String(best) ? 1 : 0;
    naive += crossed ? 1 : 0;
  }
  return { named: named / runs, right: right / runs, naive: naive / runs };
}

/**
 * All simulations. The same seed gives the same figures on every machine.
 * @param runs - of each; its bounds allow for as few as 200
 */
export function simulate(runs: number): Simulation[] {
  const found: Simulation[] = [];
  const add = (name: string, share: number, bounds: Simulation['bounds']) => void found.push({ name, runs, share, bounds });
  /** What 5 % may be by chance in so many runs. */
  const atMost5 = 0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs);
  const around95: [number, number] = [0.95 - 3.5 * Math.sqrt((0.05 * 0.95) / runs) - 0.005, 1];

  const same = watched([0.05, 0.05], { runs, days: 100, perDay: 50, seed: 1 });
  add('no true effect, two arms looked at daily: a winner is named', same.named, [0, atMost5]);
  add('the same by the plain z at its first crossing', same.naive, [0.2, 1]);
  const four = watched([0.05, 0.05, 0.05, 0.05], { runs, days: 100, perDay: 50, seed: 2 });
  add('no true effect, four arms looked at daily: a winner is named', four.named, [0, atMost5]);
  const power = watched([0.05, 0.06], { runs, days: 80, perDay: 200, seed: 3 });
  add('5 % against 6 %, 16,000 people an arm: the better one is named', power.right, [0.7, 1]);
  add('the same: the worse one is named', power.named - power.right, [0, atMost5]);

  let random = seededRandom(4);
  let [difference, lift, found7, unsure] = [0, 0, 0, 0];
  for (let run = 0; run < runs; run += 1) {
    // The shoppers of the demo store.
    const held = { people: 3_000, converted: convertedOf(3_000, 0.07, random) };
    const treated = { people: 3_000, converted: convertedOf(3_000, 0.09, random) };
    const interval = differenceInterval(held, treated);
    const relative = relativeLift(held, treated)?.interval;
    if (interval !== null && interval.low <= 0.02 && interval.high >= 0.02) difference += 1;
    if (relative !== undefined && relative.low <= 2 / 7 && relative.high >= 2 / 7) lift += 1;
    if (interval !== null && interval.low > 0) found7 += 1;
    const few = differenceInterval(
      { people: 100, converted: convertedOf(100, 0.07, random) },
      { people: 100, converted: convertedOf(100, 0.09, random) },
    );
    if (few !== null && few.low <= 0) unsure += 1;
  }
  add('7 % held out, 9 % treated: the interval of the difference holds the truth', difference / runs, around95);
  add('the same: the interval of the relative lift holds the truth', lift / runs, around95);
  add('the same, 3,000 people an arm: an effect is shown', found7 / runs, [0.7, 1]);
  add('the same, 100 people an arm: the interval says that nothing is certain', unsure / runs, [0.85, 1]);

  random = seededRandom(5);
  let [alarms, falseAlarms] = [0, 0];
  for (let run = 0; run < runs; run += 1) {
    const [skewed, fair] = [convertedOf(10_000, 0.53, random), convertedOf(10_000, 0.5, random)];
    if (sampleRatio([skewed, 10_000 - skewed], [5_000, 5_000])?.mismatch === true) alarms += 1;
    if (sampleRatio([fair, 10_000 - fair], [5_000, 5_000])?.mismatch === true) falseAlarms += 1;
  }
  add('53 instead of 50 % are assigned to an arm: the alarm sounds', alarms / runs, [0.97, 1]);
  add('assigned as they should be: the alarm sounds', falseAlarms / runs, [0, 0.001 + 3 * Math.sqrt(0.001 / runs)]);

  random = seededRandom(6);
  let missed = 0;
  for (let run = 0; run < runs; run += 1) {
    const amounts: [number[], number[]] = [[], []];
    let wrong = false;
    for (let day = 0; day < 20; day += 1) {
      for (const arm of amounts) for (let person = 0; person < 50; person += 1) arm.push(random.real() < 0.1 ? 20 + 80 * random.real() : 0);
      const [a, b] = [momentsOf(amounts[0]), momentsOf(amounts[1])];
      const sequence = day < 4 || a === null || b === null ? null : differenceSequence(a, b);
      wrong ||= sequence !== null && (sequence.interval.low > 0 || sequence.interval.high < 0);
    }
    missed += wrong ? 1 : 0;
  }
  add('revenue without a true effect, looked at daily: an effect is shown', missed / runs, [0, atMost5]);

  for (const [seed, rates, name, bounds] of [
    [7, [0.01, 0.01, 0.01], 'three arms whose people opt out alike, looked at daily: one is accused', [0, atMost5]],
    [8, [0.01, 0.01, 0.04], 'one of three arms with four times as many opt-outs, 5,000 people each: it is accused', [0.9, 1]],
  ] as const) {
    random = seededRandom(seed);
    let accused = 0;
    for (let run = 0; run < runs; run += 1) {
      const arms = rates.map((_, index) => ({ id: String(index), people: 0, share: 1 / rates.length, opt_outs: 0, complaints: 0, refunds: 0 }));
      let isAccused = false;
      for (let day = 0; day < 50 && !isAccused; day += 1) {
        for (const [index, arm] of arms.entries()) {
          arm.people += 100;
          arm.opt_outs += convertedOf(100, rates[index] ?? 0, random);
          arm.refunds += convertedOf(100, 0.02, random);
        }
        isAccused = readGuardrails(arms).some(({ isWorse }) => isWorse);
      }
      accused += isAccused ? 1 : 0;
    }
    add(name, accused / runs, [...bounds]);
  }

  random = seededRandom(9);
  let toBest = 0;
  // A bandit costs an integral at every look: fewer runs say enough.
  const bandits = Math.min(runs, 60);
  for (let run = 0; run < bandits; run += 1) {
    const arms = [0.03, 0.03, 0.05].map((rate, index) => ({ id: String(index), rate, people: 0, converted: 0 }));
    for (let day = 0; day < 30; day += 1) {
      const shares = sharesOfBandit(arms);
      for (const arm of arms) {
        const people = Math.round(400 * (shares[arm.id] ?? 0));
        arm.people += people;
        arm.converted += convertedOf(people, arm.rate, random);
      }
    }
    toBest += (arms[2]?.people ?? 0) / arms.reduce((sum, { people }) => sum + people, 0) / bandits;
  }
  add('a bandit between 3, 3 and 5 %, 12,000 people: of them, those who get the best arm', toBest, [0.5, 0.8]);

  random = seededRandom(7);
  const words = ['free', 'today', 'cart', 'hurry', 'back', 'still', 'save', 'now'];
  const phraseRuns = Math.max(20, Math.floor(runs / 10));
  let [chance, real] = [0, 0];
  for (let run = 0; run < phraseRuns; run += 1) {
    const texts = (effect: number) =>
      Array.from({ length: 120 }, (_, test) => test).flatMap((test) =>
        [0, 1].map(() => {
          const phrases = new Set(words.filter(() => random.real() < 0.4));
          return { test: String(test), phrases, rate: convertedOf(1_000, 0.05 * (phrases.has('free') ? 1 + effect : 1), random) / 1_000 };
        }),
      );
    if (phraseFindings(texts(0)).some(({ p }) => p !== null && p < 0.05)) chance += 1;
    if (phraseFindings(texts(0.4)).some(({ phrase, p }) => phrase === 'free' && p !== null && p < 0.05)) real += 1;
  }
  found.push({
    name: 'words without an effect, in 120 tests: one is called good',
    runs: phraseRuns,
    share: chance / phraseRuns,
    bounds: [0, 0.05 + 3.5 * Math.sqrt(0.05 / phraseRuns)],
  });
  found.push({ name: 'a word that brings 40 % more: it is found', runs: phraseRuns, share: real / phraseRuns, bounds: [0.7, 1] });

  random = seededRandom(8);
  let moved = 0;
  for (let run = 0; run < phraseRuns; run += 1) {
    const cells = Array.from({ length: 168 }, (_, index) => ({
      day: Math.floor(index / 24),
      hour: index % 24,
      people: 60,
      converted: convertedOf(60, 0.03, random),
    }));
    if ((weekMap(cells) ?? []).some(({ chanceBetter, rate }) => chanceBetter > 0.9 && rate > 0.03 * 1.5)) moved += 1;
  }
  found.push({
    name: 'a flat week of 10,000 sends: an hour is called half as good again',
    runs: phraseRuns,
    share: moved / phraseRuns,
    bounds: [0, 0.25],
  });
  return found;
}

/** Whether everything lies within its bounds. */
export const isWithin = ({ share, bounds }: Simulation): boolean => bounds === null || (share >= bounds[0] && share <= bounds[1]);
