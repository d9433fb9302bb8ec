import { expect, test } from 'vitest';
import { costLines } from '../helpers/cost-lines.ts';

const files = (count: number, seconds: number) => Array.from({ length: count }, (_, i) => ({ file: `tests/file-${i}.test.ts`, seconds }));

test('says what a run took, the files that took most first', () => {
  const lines = costLines([...files(20, 1), { file: 'tests/slow.test.ts', seconds: 29.5 }], 55.4);
  expect(lines[0]).toBe(
    'Processor time: 55 s for 21 files, 50 s of it in the files themselves and the rest in servers that they share. Most by itself:',
  );
  expect(lines[1]).toBe('   29.5 s  tests/slow.test.ts');
  expect(lines).toHaveLength(13);
});

test('names a file that is over its budget', () => {
  expect(costLines([...files(2, 1), { file: 'tests/slow.test.ts', seconds: 30.1 }], 40)[1]).toContain('tests/slow.test.ts  OVER');
});

test('only a whole run is over budget', () => {
  expect(costLines(files(300, 1), 1_400).at(-1)).toMatch(/^OVER BUDGET by 80 s/);
  expect(costLines(files(300, 1), 1_300).join('\n')).not.toContain('OVER');
  expect(costLines(files(299, 1), 1_400).join('\n')).not.toContain('OVER');
});

test('one file alone is no run', () => {
  expect(costLines(files(1, 99), 120)).toEqual([]);
});
