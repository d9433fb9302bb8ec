import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextOverdueMove, type OverduePolicy } from '../../../domain/work/overdue.ts';

// A task that nobody does: docs/rules.md#rule-119

const minute = 60_000;
const policyArb: fc.Arbitrary<OverduePolicy> = fc.record({
  remindMinutes: fc.uniqueArray(fc.nat(300), { maxLength: 5 }),
  passOnMinutes: fc.option(fc.integer({ min: 1, max: 400 }), { nil: null }),
});
const facts = { dueMs: 1_000 * minute, givenMs: 0, isAccepted: false, made: 0 };

/** Looks at a task at each of these moments, as a worker does, and says what was done when. */
function live(policy: OverduePolicy, looks: readonly number[], given: Partial<typeof facts> = {}) {
  let { made, ...about } = { ...facts, ...given };
  const done: { does: string; atMs: number }[] = [];
  for (const nowMs of looks) {
    const move = nextOverdueMove({ ...about, made }, policy, nowMs);
    ({ made } = move);
    if (move.does !== null) done.push({ does: move.does, atMs: nowMs });
    if (move.does === 'pass_on' || (move.does === null && move.nextMs === null)) break;
  }
  return done;
}

test('its owner is reminded at its time and again, and then it goes on', () => {
  const policy = { remindMinutes: [30, 0], passOnMinutes: 60 };
  const minutes = Array.from({ length: 90 }, (_, at) => facts.dueMs + (at - 10) * minute);
  expect(live(policy, minutes).map(({ does, atMs }) => [does, (atMs - facts.dueMs) / minute])).toEqual([
    ['remind', 0],
    ['remind', 30],
    ['pass_on', 60],
  ]);
});

test('whoever gets a late task has as long, and is not reminded at the moment in which they are told', () => {
  const policy = { remindMinutes: [0, 30], passOnMinutes: 60 };
  const givenMs = facts.dueMs + 60 * minute;
  const minutes = Array.from({ length: 90 }, (_, at) => givenMs + at * minute);
  expect(live(policy, minutes, { givenMs }).map(({ does, atMs }) => [does, (atMs - givenMs) / minute])).toEqual([
    ['remind', 30],
    ['pass_on', 60],
  ]);
});

test('whoever has accepted it keeps it', () => {
  const policy = { remindMinutes: [0], passOnMinutes: 60 };
  const late = facts.dueMs + 1_000 * minute;
  expect(live(policy, [late, late + minute], { isAccepted: true })).toEqual([{ does: 'remind', atMs: late }]);
});

test('whenever a worker looks: no more reminders than steps, none early, none behind the passing on, and what comes next is never forgotten', () => {
  fc.assert(
    fc.property(policyArb, fc.array(fc.nat(500), { minLength: 1, maxLength: 30 }), (policy, offsets) => {
      const looks = offsets.toSorted((a, b) => a - b).map((offset) => facts.dueMs + (offset - 50) * minute);
      const done = live(policy, looks);
      const reminders = done.filter(({ does }) => does === 'remind');
      expect(reminders.length).toBeLessThanOrEqual(policy.remindMinutes.length);
      for (const { atMs } of done) expect(atMs).toBeGreaterThanOrEqual(facts.dueMs);
      const passed = done.findIndex(({ does }) => does === 'pass_on');
      expect(passed === -1 || passed === done.length - 1).toBe(true);
      const lastMs = looks.at(-1) ?? 0;
      const passOnMs = policy.passOnMinutes === null ? null : facts.dueMs + policy.passOnMinutes * minute;
      expect(passed !== -1).toBe(passOnMs !== null && passOnMs <= lastMs);
      // A worker that looks exactly when it is told to makes every step once.
      const exact: number[] = [];
      let made = 0;
      for (let nowMs: number | null = facts.dueMs; nowMs !== null; ) {
        const move = nextOverdueMove({ ...facts, made }, policy, nowMs);
        if (move.does === 'remind') exact.push(nowMs);
        ({ made } = move);
        if (move.nextMs !== null) expect(move.nextMs).toBeGreaterThan(nowMs);
        nowMs = move.does === 'pass_on' ? null : move.nextMs;
      }
      const wanted = policy.remindMinutes.map((m) => facts.dueMs + m * minute).filter((ms) => passOnMs === null || ms < passOnMs);
      expect(exact).toEqual(wanted.toSorted((a, b) => a - b));
    }),
  );
});
