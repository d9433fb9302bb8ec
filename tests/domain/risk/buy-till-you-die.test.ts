import { describe, expect, test } from 'vitest';
import { type BuyingHistory, chanceAlive, fitBuying, logLikelihood } from '../../../domain/risk/buy-till-you-die.ts';
import { seededRandom } from '../../chaos/random.ts';

/** Of Fader, Hardie & Lee (2005), for the 2,357 buyers of CDNOW. `npm run judge:risk -- cdnow` fits them anew. */
const published = { r: 0.242_59, alpha: 4.413_53, a: 0.792_89, b: 2.425_75 };

describe('the BG/NBD model', () => {
  // P(alive) as published; the rest by scipy 1.17.
  test('has the likelihood and the chance of being alive of other implementations', () => {
    const often = { repeats: 10, lastAt: 20, age: 38.86 };
    const twice = { repeats: 2, lastAt: 30.43, age: 38.86 };
    expect(chanceAlive(published, twice)).toBeCloseTo(0.726_61, 5);
    expect(chanceAlive(published, often)).toBeCloseTo(0.039_355_998_633, 10);
    expect(chanceAlive(published, { repeats: 0, lastAt: 0, age: 38.86 })).toBe(1);
    expect(logLikelihood(published, { repeats: 0, lastAt: 0, age: 38.86 })).toBeCloseTo(-0.553_800_537_876, 10);
    expect(logLikelihood(published, twice)).toBeCloseTo(-9.459_709_924_466, 10);
    expect(logLikelihood(published, often)).toBeCloseTo(-24.283_886_592_741, 10);
  });

  test('finds the parameters that buyers were drawn with', () => {
    // r = 1 and b = 1 make both distributions easy to draw from: rates are exponential, and the share that leaves is 1 − u^(1/a) … with a = 1 uniform.
    const random = seededRandom(11);
    const buyers = Array.from({ length: 4_000 }, (): BuyingHistory => {
      const rate = -Math.log(1 - random.real()) / 8;
      const leaves = random.real();
      const age = 20 + random.real() * 30;
      let [repeats, lastAt] = [0, 0];
      for (let at = 0; ; repeats += 1, lastAt = at) {
        if (repeats > 0 && random.chance(leaves)) break;
        at = lastAt - Math.log(1 - random.real()) / rate;
        if (at > age) break;
      }
      return { repeats, lastAt, age };
    });
    const model = fitBuying(buyers);
    expect(model?.r).toBeGreaterThan(0.9);
    expect(model?.r).toBeLessThan(1.1);
    expect((model?.alpha ?? 0) / (model?.r ?? 1)).toBeGreaterThan(7);
    expect((model?.alpha ?? 0) / (model?.r ?? 1)).toBeLessThan(9);
    expect((model?.a ?? 0) / ((model?.a ?? 0) + (model?.b ?? 1))).toBeCloseTo(0.5, 1);
  });

  test('is not fitted to next to nothing, nor to times that are none', () => {
    const buyer = { repeats: 1, lastAt: 2, age: 3 };
    expect(fitBuying([])).toBeNull();
    expect(fitBuying(Array.from({ length: 9 }, () => buyer))).toBeNull();
    expect(fitBuying([...Array.from({ length: 20 }, () => buyer), { repeats: 1, lastAt: 5, age: 3 }])).toBeNull();
    expect(fitBuying([...Array.from({ length: 20 }, () => buyer), { repeats: 1, lastAt: Number.NaN, age: 3 }])).toBeNull();
    // All alike: there is no best rate of leaving, and still an answer.
    const alike = fitBuying(Array.from({ length: 20 }, () => buyer));
    expect(Object.values(alike ?? { none: Number.NaN }).every(Number.isFinite)).toBe(true);
  });
});
