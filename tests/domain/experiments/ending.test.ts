import { describe, expect, test } from 'vitest';
import { endingOf, shortestTestMs } from '../../../domain/experiments/ending.ts';
import { judge } from '../../../domain/experiments/judge.ts';
import { areSameArms, comparedIn, withWinner } from '../../../domain/experiments/take-over.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';

const dayMs = 24 * 3_600_000;

/** A generator of its own, so that a run can be repeated. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One test, looked at every day of two months; a person's outcome is known three days after they were assigned. */
function run(seed: number, rates: readonly [number, number], peopleADay: number): { day: number; winner: string } | null {
  const next = random(seed);
  const windowDays = 3;
  const days: { people: number; converted: number }[][] = [];
  for (let day = 0; day < 60; day += 1) {
    const arms = rates.map(() => ({ people: 0, converted: 0 }));
    for (let person = 0; person < peopleADay; person += 1) {
      const index = next() < 0.5 ? 0 : 1;
      const arm = arms[index];
      if (arm === undefined) continue;
      arm.people += 1;
      if (next() < (rates[index] ?? 0)) arm.converted += 1;
    }
    days.push(arms);
    const known = days.slice(0, Math.max(0, day - windowDays + 1));
    const cases = ['a', 'b'].map((id, index) => ({
      ...{ id, share: 0.5 },
      people: known.reduce((sum, one) => sum + (one[index]?.people ?? 0), 0),
      converted: known.reduce((sum, one) => sum + (one[index]?.converted ?? 0), 0),
    }));
    const test = { startedAtMs: 0, judgement: judge(cases), harmful: [], windowMs: windowDays * dayMs, shortestMs: shortestTestMs };
    const ending = endingOf(test, (day + 1) * dayMs);
    if (ending.kind === 'ended') return { day, winner: ending.winner };
  }
  return null;
}

describe('a test that is looked at every day', () => {
  const runs = 400;

  test('names a winner in fewer than one of twenty tests without a difference', () => {
    const ended = Array.from({ length: runs }, (_, seed) => run(seed, [0.1, 0.1], 40)).filter((one) => one !== null);
    // Two standard errors above 5 %.
    expect(ended.length / runs).toBeLessThan(0.05 + 2 * Math.sqrt((0.05 * 0.95) / runs));
  });

  test('finds a large difference, names the better one, and never ends within its first week', () => {
    const ended = Array.from({ length: 100 }, (_, seed) => run(seed, [0.08, 0.2], 40)).filter((one) => one !== null);
    expect(ended.length).toBeGreaterThan(90);
    expect(ended.filter(({ winner }) => winner === 'b').length).toBe(ended.length);
    for (const { day } of ended) expect(day + 1).toBeGreaterThanOrEqual(7);
  });
});

describe('the floor beneath a test', () => {
  const clear = judge([
    { id: 'a', people: 60, converted: 2, share: 0.5 },
    { id: 'b', people: 60, converted: 58, share: 0.5 },
  ]);
  const test_ = { startedAtMs: 0, judgement: clear, harmful: [], windowMs: dayMs, shortestMs: shortestTestMs };

  test('is a week, one whole window, 50 people in each arm, and counts that can be believed', () => {
    expect(endingOf(test_, 7 * dayMs - 1)).toEqual({ kind: 'runs', because: 'too_young' });
    expect(endingOf(test_, 7 * dayMs)).toEqual({ kind: 'ended', winner: 'b' });
    expect(endingOf({ ...test_, windowMs: 30 * dayMs }, 29 * dayMs)).toEqual({ kind: 'runs', because: 'too_young' });
    expect(endingOf({ ...test_, judgement: null }, 8 * dayMs)).toEqual({ kind: 'runs', because: 'unsound' });
    expect(endingOf({ ...test_, harmful: ['b'] }, 8 * dayMs)).toEqual({ kind: 'runs', because: 'harm' });
    expect(endingOf({ ...test_, harmful: ['a'] }, 8 * dayMs)).toEqual({ kind: 'ended', winner: 'b' });
    const few = judge([
      { id: 'a', people: 49, converted: 0, share: 0.5 },
      { id: 'b', people: 60, converted: 60, share: 0.5 },
    ]);
    expect(endingOf({ ...test_, judgement: few }, 8 * dayMs)).toEqual({ kind: 'runs', because: 'too_few' });
  });
});

describe('a winner', () => {
  const definitionOf = (steps: string) => {
    const read = parseSequence(`sequence: s\nname: S\non: cart.abandoned\nquietFor: 1h\nsteps:\n${steps}`);
    if (!read.ok) throw new Error(JSON.stringify(read.errors));
    return read.definition;
  };
  const hourMs = 3_600_000;

  test('is what everybody gets', () => {
    const before = definitionOf('  - { id: mail, at: 2h, channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/b }] }\n');
    expect(comparedIn(before)).toEqual([{ stepId: 'mail', shares: { a: 0.5, b: 0.5 }, mode: 'test' }]);
    const after = withWinner(before, 'mail', 'b');
    expect(after?.steps[0]).toMatchObject({ content: 'cart/b', due: { delayMs: 2 * hourMs } });
    expect(after?.steps[0]).not.toHaveProperty('variants');
    expect([withWinner(before, 'mail', 'c'), withWinner(before, 'other', 'b')]).toEqual([null, null]);
  });

  test('that went out later keeps its time, and so do the steps behind it', () => {
    const before = definitionOf(
      '  - { id: mail, at: 2h, channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/a, later: 8h }] }\n  - { id: next, after: 20h, channel: none }\n',
    );
    expect(withWinner(before, 'mail', 'b')?.steps.map(({ due }) => due)).toEqual([
      { from: 'anchor', delayMs: 10 * hourMs },
      { from: 'previous', delayMs: 12 * hourMs },
    ]);
  });

  test('texts that are there for variety are no test, and other weights are another one', () => {
    expect(comparedIn(definitionOf('  - { id: mail, at: 2h, channel: email, texts: [cart/a, cart/b] }\n'))).toEqual([]);
    expect(areSameArms({ a: 0.5, b: 0.5 }, { b: 0.5, a: 0.5 })).toBe(true);
    expect(areSameArms({ a: 0.5, b: 0.5 }, { a: 0.75, b: 0.25 })).toBe(false);
    expect(areSameArms({ a: 1 }, { a: 0.5, b: 0.5 })).toBe(false);
  });
});
