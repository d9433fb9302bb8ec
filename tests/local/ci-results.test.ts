import { expect, test } from 'vitest';
import { countGates, countTests, filesToRunAgain, summary, type TestReport } from '../../local/ci-results.mjs';

const root = '/project';
type Outcome = Record<string, 'passed' | 'failed'>;
/** A file without tests failed before its first. */
function reportOf(files: Record<string, Outcome | null>): TestReport {
  const testResults = Object.entries(files).map(([file, tests]) => ({
    name: `${root}/${file}`,
    status: tests === null || Object.values(tests).includes('failed') ? 'failed' : 'passed',
    assertionResults: Object.entries(tests ?? {}).map(([fullName, status]) => ({ fullName, status })),
  }));
  const numPassedTests = testResults.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => status === 'passed').length;
  return { numPassedTests, testResults };
}
const rest = { testsExit: 1, secondExit: 0, check: 'passed  lint\n\n11 passed, 0 failed\n', checkExit: 0, root };

test('few files that failed are run again', () => {
  expect(filesToRunAgain(reportOf({ 'tests/api/a.test.ts': { one: 'failed', two: 'passed' }, 'tests/api/b.test.ts': null }), root)).toEqual([
    'tests/api/a.test.ts',
    'tests/api/b.test.ts',
  ]);
  expect(filesToRunAgain(reportOf({ 'tests/api/a.test.ts': { one: 'passed' } }), root)).toEqual([]);
});

test('many are not, and none beside one that is about a guarantee', () => {
  const many = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`tests/api/${name}.test.ts`, { one: 'failed' as const }]));
  expect(filesToRunAgain(reportOf(many), root)).toEqual([]);
  for (const file of [
    'tests/domain/money.test.ts',
    'tests/hostile/foreign-tenants.test.ts',
    'tests/faults/two-builds.test.ts',
    'tests/operations/fence-proof.test.ts',
    'tests/operations/send-fence.test.ts',
    'tests/end-to-end/soak.test.ts',
    'tests/end-to-end/killed-worker.test.ts',
    'tests/end-to-end/temporal-lost.test.ts',
  ])
    expect(filesToRunAgain(reportOf({ 'tests/api/a.test.ts': { one: 'failed' }, [file]: { one: 'failed' } }), root), file).toEqual([]);
});

test('who passes by itself has passed, and is named', () => {
  const first = reportOf({ 'tests/api/a.test.ts': { one: 'failed', two: 'passed' }, 'tests/api/b.test.ts': { three: 'passed' } });
  const second = reportOf({ 'tests/api/a.test.ts': { one: 'passed', two: 'passed' } });
  expect(countTests(first, second, root)).toEqual({ passed: 3, failed: 0, secondTime: ['tests/api/a.test.ts > one'] });
  const { lines, failed } = summary({ first, second, ...rest });
  expect(failed).toBe(0);
  expect(lines).toEqual([
    'failed beside others and passed by themselves, to be looked into (1):',
    '  tests/api/a.test.ts > one',
    'tests: 3 passed, 0 failed; gates: 11 passed, 0 failed',
    '14 passed, 0 failed',
  ]);
});

test('who fails twice has failed; so has who fails the second time only, or does not come', () => {
  const first = reportOf({ 'tests/api/a.test.ts': { one: 'failed', two: 'passed' } });
  expect(countTests(first, reportOf({ 'tests/api/a.test.ts': { one: 'failed', two: 'passed' } }), root)).toMatchObject({ failed: 1, secondTime: [] });
  expect(countTests(first, reportOf({ 'tests/api/a.test.ts': { one: 'passed', two: 'failed' } }), root)).toMatchObject({ failed: 2 });
  expect(countTests(first, reportOf({ 'tests/api/a.test.ts': null }), root).failed).toBeGreaterThan(0);
  expect(countTests(first, reportOf({}), root)).toMatchObject({ failed: 1, secondTime: [] });
  expect(countTests(first, null, root)).toMatchObject({ failed: 1 });
});

test('what ended badly without a number of its own counts', () => {
  const good = reportOf({ 'tests/api/a.test.ts': { one: 'passed' } });
  expect(summary({ first: good, second: null, ...rest }).failed).toBe(1);
  expect(summary({ first: null, second: null, ...rest, testsExit: 0 }).failed).toBe(1);
  expect(summary({ first: good, second: null, ...rest, testsExit: 0, checkExit: 1 }).failed).toBe(1);
  expect(summary({ first: good, second: null, ...rest, testsExit: 0 }).failed).toBe(0);
  const once = reportOf({ 'tests/api/a.test.ts': { one: 'failed' } });
  expect(summary({ first: once, second: good, ...rest, secondExit: 1 }).failed).toBe(1);
  expect(countGates('npm error')).toEqual({ passed: 0, failed: 0 });
});
