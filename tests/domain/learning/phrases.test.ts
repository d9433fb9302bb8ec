import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { featuresOf, sentencesOf } from '../../../domain/learning/features.ts';
import { type ArmText, findPhrases } from '../../../domain/learning/phrases.ts';
import { partsOfText } from '../../../content/parts-of-text.ts';

// Words and phrases by tests: docs/rules.md#rule-113

const words = ['free', 'today', 'cart', 'hurry', 'gift', 'waits', 'soon', 'last', 'open', 'yours', 'back', 'now'];

/** A generator of numbers in [0, 1) that a property can shrink: Park and Miller’s. */
function drawer(seed: number) {
  let state = (seed % 2_147_483_646) + 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** Tests of three texts each, in which a text that has `good` converts at twice the rate. */
function aStore(seed: number, good: string | null, tests = 80): ArmText[] {
  const draw = drawer(seed);
  return Array.from({ length: tests }, (_, test) => {
    const base = 0.03 + 0.1 * draw();
    return Array.from({ length: 3 }, (): ArmText => {
      const text = words.filter(() => draw() < 0.5);
      const rate = good !== null && text.includes(good) ? 2 * base : base;
      const people = 1_000;
      let converted = 0;
      for (let n = 0; n < people; n += 1) if (draw() < rate) converted += 1;
      return { test: `test-${test}`, parts: [`${text.join(' ')}.`, 'Bye now'], language: 'en', people, converted };
    });
  }).flat();
}

/** The results of each test, dealt out anew among its texts. */
function shuffled(arms: readonly ArmText[], seed: number): ArmText[] {
  const draw = drawer(seed);
  const byTest = [...new Set(arms.map(({ test }) => test))];
  return byTest.flatMap((test) => {
    const own = arms.filter((arm) => arm.test === test);
    const results = own.map(({ people, converted }) => ({ people, converted, at: draw() })).toSorted((a, b) => a.at - b.at);
    return own.map((arm, index) => ({ ...arm, people: results[index]?.people ?? 0, converted: results[index]?.converted ?? 0 }));
  });
}

describe('findPhrases', () => {
  test('finds the word that does better, and says by how much', () => {
    const { better, tests } = findPhrases(aStore(7, 'gift'));
    expect(tests).toBe(80);
    const gift = better.find(({ kind, text }) => kind === 'word' && text === 'gift');
    expect(gift?.p).toBeLessThan(0.001);
    // Twice the rate of the others: two thirds of the mean apart where half of the texts have it.
    expect(gift?.lift).toBeGreaterThan(0.4);
    expect(gift?.interval?.low).toBeLessThan(gift?.lift ?? 0);
    expect(better.every(({ text }) => text.includes('gift'))).toBe(true);
  });

  test('labels that are shuffled within their tests give no hit, but by chance', () => {
    // At 5 % of false discoveries, one store of twenty has a hit. Of forty, more than eight would be no chance (p < 0.0005).
    let hits = 0;
    const real = aStore(11, 'gift', 60);
    for (let seed = 1; seed <= 40; seed += 1) {
      const { better, worse, open } = findPhrases(shuffled(real, seed * 7_919));
      expect(open.length).toBeGreaterThan(20);
      if (better.length + worse.length > 0) hits += 1;
    }
    expect(hits).toBeLessThanOrEqual(8);
  });

  test('below thirty tests in which it varies nothing is said of a phrase, however large the difference', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 29 }), fc.nat(1_000), (tests, seed) => {
        const { better, worse, open, tooFew } = findPhrases(aStore(seed, 'gift', tests));
        expect([better, worse, open]).toEqual([[], [], []]);
        expect(Math.max(0, ...tooFew.map((one) => one.tests))).toBeLessThanOrEqual(tests);
        expect(tooFew.every(({ z, p, interval }) => z === null && p === null && interval === null)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test('nobody in an arm, and tests without a conversion, are no proof', () => {
    const empty = aStore(3, null, 40).map((arm) => ({ ...arm, converted: 0 }));
    expect(findPhrases(empty).tests).toBe(0);
    expect(findPhrases(aStore(3, null, 40).map((arm, index) => (index % 3 === 0 ? arm : { ...arm, people: 0, converted: 0 }))).tests).toBe(0);
  });
});

describe('features of a text', () => {
  test('phrases do not cross the end of a sentence, nor what is filled in', () => {
    const parts = partsOfText({
      subject: 'Hi {{ contact.firstName }}, still there?',
      html: '<p>no</p>',
      text: 'Free today! {% if x %}Hurry{% endif %} up https://a.example/b',
    });
    const sentences = sentencesOf(parts, 'en');
    expect(sentences).toEqual([['hi'], ['still', 'there'], ['free', 'today'], ['hurry'], ['up']]);
    const texts = featuresOf(sentences).map(({ kind, text }) => `${kind}: ${text}`);
    expect(texts).toContain('two_words: still there');
    expect(texts).not.toContain('two_words: hi still');
    expect(texts).not.toContain('two_words: there free');
    expect(texts).toContain('opening: hi');
    expect(texts).toContain('closing: up');
  });

  test('words of languages without spaces are words', () => {
    expect(sentencesOf(['カートに商品があります'], 'ja').flat().length).toBeGreaterThan(2);
  });

  test('a copy without words of ours has none', () => {
    for (const nothing of [null, undefined, 7, 'text', { language: 'en', workflow: 'x' }]) expect(partsOfText(nothing)).toEqual([]);
  });
});
