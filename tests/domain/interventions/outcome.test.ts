import fc from 'fast-check';
import { expect, test } from 'vitest';
import { interventionOutcomes, type JudgedAction, outcomeOfAll, outcomesOf, type Sign, succeeded } from '../../../domain/interventions/outcome.ts';

// What comes of an intervention: docs/rules.md#rule-97

const times = { windowMs: 100, nowMs: 1_000 };
const done = (atMs: number, more: Partial<JudgedAction> = {}): JudgedAction => ({
  state: 'done',
  atMs,
  isEscalation: false,
  taskOpen: null,
  ...more,
});
const sign = (kind: Sign['kind'], atMs: number): Sign => ({ kind, atMs });

test('what an account does counts for the latest action before it, within the window', () => {
  expect(outcomesOf([done(100), done(150)], [sign('touch', 160)], times)).toEqual(['ignored', 'engaged']);
  expect(outcomesOf([done(100), done(150)], [sign('touch', 149), sign('order', 249)], times)).toEqual(['engaged', 'converted']);
  expect(outcomesOf([done(100)], [sign('order', 200), sign('order', 99)], times), 'too late, and before').toEqual(['ignored']);
  expect(outcomesOf([done(950)], [], times)).toEqual(['delivered']);
});

test('tasks wait for a colleague, escalations have happened, and what was left out has no outcome', () => {
  const actions: JudgedAction[] = [
    done(100, { taskOpen: true }),
    done(100, { isEscalation: true, taskOpen: true }),
    { state: 'left_out', atMs: null, isEscalation: false, taskOpen: null },
    { state: 'failed', atMs: null, isEscalation: false, taskOpen: null },
    { state: 'planned', atMs: null, isEscalation: false, taskOpen: null },
  ];
  expect(outcomesOf(actions, [], times)).toEqual(['pending', 'escalated', null, 'failed', 'pending']);
  expect(outcomeOfAll(['ignored', null, 'engaged', 'failed'])).toBe('engaged');
  expect(outcomeOfAll([null])).toBeNull();
});

test('success is judged after the same time for all, by what the band counts', () => {
  expect(succeeded('early', { firstAtMs: 950, signs: [sign('order', 960)] }, times), 'its window is not over').toBeNull();
  expect(succeeded('early', { firstAtMs: null, signs: [] }, times)).toBeNull();
  expect(succeeded('active', { firstAtMs: 100, signs: [sign('touch', 150)] }, times)).toBe(true);
  expect(succeeded('critical', { firstAtMs: 100, signs: [sign('touch', 150)] }, times), 'a visit is no retention').toBe(false);
  expect(succeeded('critical', { firstAtMs: 100, signs: [sign('answer', 150)] }, times)).toBe(true);
});

test('random histories: each sign counts once, and every action that took place has one outcome', () => {
  const action = fc.record({
    state: fc.constantFrom('planned', 'running', 'done', 'failed', 'left_out'),
    atMs: fc.integer({ min: 0, max: 1_000 }),
    isEscalation: fc.boolean(),
    taskOpen: fc.constantFrom(true, false, null),
  });
  const signs = fc.array(fc.record({ kind: fc.constantFrom('touch', 'answer', 'order'), atMs: fc.integer({ min: 0, max: 1_100 }) }), {
    maxLength: 3,
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 5 }), signs, (made, found) => {
      const actions = made as JudgedAction[];
      const outcomes = outcomesOf(actions, found as Sign[], times);
      const came = outcomes.filter((outcome) => outcome === 'engaged' || outcome === 'converted').length;
      expect(came).toBeLessThanOrEqual(found.length);
      outcomes.forEach((outcome, index) => {
        expect(outcome === null).toBe(actions[index]?.state === 'left_out');
        if (outcome !== null) expect(interventionOutcomes).toContain(outcome);
      });
    }),
  );
});
