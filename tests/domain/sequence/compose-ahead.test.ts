import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compilePlan } from '../../../domain/sequence/compile-plan.ts';
import { type ComposedFor, moveWithComposing } from '../../../domain/sequence/compose-ahead.ts';
import { nextMove } from '../../../domain/sequence/next-move.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';
import type { Progress } from '../../../domain/sequence/plan.ts';

const hourMs = 3_600_000;
const yaml = (ahead: string) => `sequence: cart
name: Cart
on: cart.abandoned
steps:
  - { id: plain, at: 1h, channel: email, content: cart/a }
  - { id: written, at: 24h, channel: email, content: { model: cart/b, fallback: cart/b${ahead} } }
`;

function planOf(ahead = '', scale = 1) {
  const parsed = parseSequence(yaml(ahead));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return compilePlan(parsed.definition, 1, scale);
}

const fresh: Progress = { anchorMs: 0, activatedAtMs: null, settled: {}, notBeforeMs: {}, held: null, stopped: null };
const afterPlain: Progress = { ...fresh, settled: { plain: { outcome: 'sent', atMs: hourMs } } };

test('a step is composed so long before it is due, once for each time at which it is due', () => {
  const plan = planOf(', ahead: 2h');
  const dueMs = 24 * hourMs;
  expect(moveWithComposing(plan, fresh, 0, {})).toEqual({ kind: 'wait', untilMs: hourMs });
  expect(moveWithComposing(plan, afterPlain, hourMs, {})).toEqual({ kind: 'wait', untilMs: 22 * hourMs });
  expect(moveWithComposing(plan, afterPlain, 22 * hourMs, {})).toEqual({ kind: 'compose', stepId: 'written', dueMs });
  expect(moveWithComposing(plan, afterPlain, 22 * hourMs, { written: dueMs })).toEqual({ kind: 'wait', untilMs: dueMs });
  expect(moveWithComposing(plan, afterPlain, dueMs, { written: dueMs })).toEqual({ kind: 'dispatch', stepId: 'written' });
  // Nobody was there to compose it: it is dispatched all the same.
  expect(moveWithComposing(plan, afterPlain, dueMs, {})).toEqual({ kind: 'dispatch', stepId: 'written' });
  const putOff = { ...afterPlain, notBeforeMs: { written: 30 * hourMs } };
  expect(moveWithComposing(plan, putOff, dueMs, { written: dueMs })).toEqual({ kind: 'wait', untilMs: 28 * hourMs });
  expect(moveWithComposing(plan, putOff, 28 * hourMs, { written: dueMs })).toEqual({ kind: 'compose', stepId: 'written', dueMs: 30 * hourMs });
});

test('under a time scale a model has seconds all the same', () => {
  expect(planOf('', 36_000).steps[1]?.composeAheadMs).toBe(5_000);
});

test('whatever is composed when, a step is dispatched exactly when it would be without', () => {
  const plan = planOf(', ahead: 3h');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40 * hourMs }), fc.integer({ min: 0, max: 40 * hourMs }), fc.boolean(), (nowMs, laterMs, isPutOff) => {
      const progress = isPutOff ? { ...afterPlain, notBeforeMs: { written: laterMs } } : afterPlain;
      const plain = nextMove(plan, progress, nowMs);
      const composed: ComposedFor = {};
      const move = moveWithComposing(plan, progress, nowMs, composed);
      if (plain.kind !== 'wait') {
        expect(move).toEqual(plain);
        return;
      }
      // It wakes no later than it would have, and then waits for the same moment.
      if (move.kind === 'compose') expect(move.dueMs).toBe(plain.untilMs);
      else expect(move.kind === 'wait' && move.untilMs <= plain.untilMs).toBe(true);
      expect(moveWithComposing(plan, progress, nowMs, { written: plain.untilMs })).toEqual(plain);
    }),
  );
});

test.each([
  ['content: { model: cart/b }', 'fallback'],
  ['content: { model: cart/b, fallback: cart/b, temperature: 2 }', 'temperature'],
  ['content: { model: B, fallback: cart/b }', 'model'],
  ['content: [cart/b]', 'content'],
])('a mistake is named: %s', (content, named) => {
  const parsed = parseSequence(yaml('').replace(/content: \{.*\}(?= \})/, content));
  expect(parsed.ok).toBe(false);
  if (!parsed.ok) expect(parsed.errors.map(({ message }) => message).join('\n')).toContain(named);
});
