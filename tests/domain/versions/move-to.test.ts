import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { moveTo } from '../../../domain/versions/move-to.ts';

const version = (ids: string) => ({ steps: ids.split('').map((id) => ({ id })) });
const move = (from: string, to: string, settled: string) => {
  const moved = moveTo(version(from), version(to), new Set(settled));
  return moved.kind === 'stays' ? 'stays' : moved.passed.join('');
};

describe('where somebody stands in another version', () => {
  test.each([
    ['who has had nothing begins with its first step', 'abc', 'xya', '', ''],
    ['behind the step that was done last', 'abc', 'xaybc', 'a', 'x'],
    ['a step that is put in after it is still to come', 'abc', 'axbc', 'a', ''],
    ['a step that is put in before it is passed', 'abc', 'axbc', 'ab', 'x'],
    ['where the last one done is gone, at the step that is waited for', 'abc', 'axyc', 'ab', 'xy'],
    ['where that is gone too, behind an earlier one', 'abc', 'axy', 'ab', ''],
    ['without any step in common it stays', 'abc', 'xyz', 'ab', 'stays'],
    ['nobody goes back behind a step that was done', 'abcd', 'cabd', 'abc', ''],
    ['not even where the last one done was moved to the front', 'abc', 'bca', 'ab', 'c'],
    ['the whole sequence may be behind them', 'abcd', 'abc', 'abc', ''],
  ])('%s: %s to %s after "%s"', (_, from, to, settled, passed) => {
    expect(move(from, to, settled)).toBe(passed);
  });
});

test('whatever two versions have in common: nothing that was done comes again, and what is left lies behind all that was done', () => {
  const ids = fc.shuffledSubarray('abcdefgh'.split(''), { minLength: 1 });
  fc.assert(
    fc.property(ids, ids, fc.nat(8), (from, to, done) => {
      const settled = new Set(from.slice(0, Math.min(done, from.length - 1)));
      const moved = moveTo(version(from.join('')), version(to.join('')), settled);
      const common = to.filter((id) => settled.has(id));
      if (moved.kind === 'stays') {
        expect(settled.size).toBeGreaterThan(0);
        expect(common).toEqual([]);
        return;
      }
      const left = to.filter((id) => !settled.has(id) && !moved.passed.includes(id));
      expect(moved.passed.filter((id) => settled.has(id))).toEqual([]);
      const lastDone = to.findLastIndex((id) => settled.has(id));
      for (const id of left) expect(to.indexOf(id)).toBeGreaterThan(lastDone);
      // What is left is the end of the new version, without a gap.
      expect(left).toEqual(to.slice(to.length - left.length));
    }),
  );
});

test('a reaction has no place in the order: it is neither passed nor waited for', () => {
  const from = { steps: [{ id: 'a' }, { id: 'b' }, { id: 'r', on: {} }] };
  const to = { steps: [{ id: 'q', on: {} }, { id: 'a' }, { id: 's', on: {} }, { id: 'x' }, { id: 'b' }] };
  expect(moveTo(from, to, new Set(['a', 'r']))).toEqual({ kind: 'moves', passed: [] });
  expect(moveTo(from, { steps: [{ id: 'x' }, { id: 'r', on: {} }] }, new Set(['a', 'r']))).toEqual({ kind: 'stays' });
});
