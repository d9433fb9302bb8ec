import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideMove, type MoveFacts } from '../../../domain/actions/decide-move.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f'];
const steps = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }).chain((ids) =>
  fc.array(fc.integer({ min: 0, max: 5 }), { minLength: ids.length, maxLength: ids.length }).map((dice) => ({
    // One in six reacts to something.
    steps: ids.map((id, i) => (dice[i] === 0 ? { id, on: 'message.opened' } : { id })),
  })),
);
const settled = fc.dictionary(fc.constantFrom(...names), fc.constantFrom({ outcome: 'sent' }, { outcome: 'unknown' }, { outcome: 'skipped' }));
const still: Omit<MoveFacts, 'settled'> = { ended: false, inFlight: false, sameVersion: false };
const order = ({ steps: all }: { steps: readonly { id: string; on?: unknown }[] }) => all.flatMap(({ id, on }) => (on === undefined ? [id] : []));

test('whoever is moved goes on at the step that was named, and nothing that was done is done again', () => {
  fc.assert(
    fc.property(steps, steps, fc.constantFrom(...names), settled, (from, to, step, done) => {
      const decided = decideMove(from, to, step, { ...still, settled: done });
      const left = order(to).filter((id) => done[id] === undefined);
      if (decided.kind !== 'move') {
        expect(decided.kind).toBe('refuse');
        const possible = order(to).includes(step) && done[step] === undefined && left.length > 0;
        const behind = order(to)
          .slice(order(to).indexOf(step))
          .some((id) => done[id] !== undefined);
        expect(possible && !behind).toBe(false);
        return;
      }
      expect(decided.passed.filter((id) => done[id] !== undefined)).toEqual([]);
      // What is left, without the steps that it leaves out, begins with the one that was named.
      expect(left.filter((id) => !decided.passed.includes(id))[0]).toBe(step);
    }),
  );
});

test('a move to a step within the same version changes nothing where it is the next one', () => {
  const version = { steps: [{ id: 'a' }, { id: 'b' }, { id: 'c' }] };
  const stands = { ...still, sameVersion: true, settled: { a: { outcome: 'sent' } } };
  expect(decideMove(version, version, 'b', stands)).toEqual({ kind: 'unchanged' });
  expect(decideMove(version, version, 'c', stands)).toEqual({ kind: 'move', passed: ['b'] });
  expect(decideMove(version, version, null, stands)).toEqual({ kind: 'unchanged' });
});

test('refusals say why', () => {
  const version = { steps: [{ id: 'a' }, { id: 'b' }, { id: 'x', on: 'message.opened' }, { id: 'c' }] };
  const why = (step: string | null, facts: Partial<MoveFacts>) => {
    const decided = decideMove(version, { steps: version.steps.toReversed() }, step, { ...still, settled: {}, ...facts });
    return decided.kind === 'refuse' ? decided.why : decided.kind;
  };
  expect(why('a', { ended: true })).toBe('ended');
  expect(why('a', { inFlight: true })).toBe('in_flight');
  expect(why('nonsense', {})).toBe('unknown_step');
  expect(why('x', {})).toBe('reaction');
  expect(why('a', { settled: { a: { outcome: 'unknown' } } })).toBe('already_sent');
  expect(why('a', { settled: { a: { outcome: 'skipped' } } })).toBe('already_skipped');
  expect(why('c', { settled: { a: { outcome: 'sent' } } })).toBe('no_place');
});
