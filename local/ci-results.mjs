// What `.ci/run` makes of the reports of its tests and checks. Only what Node brings: it also has to count where nothing could be installed.
import { readFileSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** More files than these have not met a busy moment: something is broken, and all of it is to be seen. */
const mostFilesAgain = 3;

/** Files about what the product guarantees. A wrong outcome that shows once in a hundred runs is a fault, so these are never run again. */
const isGuarantee = (file) =>
  /^tests\/(domain|db|hostile|faults|proof|soak)\//.test(file) || /(fence|proof|soak|killed|random|lost)[^/]*$/.test(file);

const failedTests = ({ assertionResults }) => assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);

/** Each failed test as `file > name`; a file that failed before its first test (a typo, a set-up that failed) by itself. */
export function failures(report, root) {
  return report.testResults.flatMap((result) => {
    if (result.status !== 'failed') return [];
    const file = isAbsolute(result.name) ? relative(root, result.name) : result.name;
    const names = failedTests(result);
    return names.length === 0 ? [{ file, test: null }] : names.map((test) => ({ file, test }));
  });
}

/** The files that are run once more by themselves. None where too many failed, or where one is about a guarantee. */
export function filesToRunAgain(report, root) {
  const files = [...new Set(failures(report, root).map(({ file }) => file))];
  return files.length > mostFilesAgain || files.some(isGuarantee) ? [] : files;
}

/**
 * @param first - the report of all tests; null: there is none
 * @param second - the report of the files that ran again; null: none did
 */
export function countTests(first, second, root) {
  if (first === null) return { passed: 0, failed: 0, secondTime: [] };
  const failed = failures(first, root);
  if (second === null) return { passed: first.numPassedTests, failed: failed.length, secondTime: [] };
  const nameOf = ({ file, test }) => (test === null ? file : `${file} > ${test}`);
  const still = failures(second, root);
  const stillFailed = new Set([...still.map(nameOf), ...still.map(({ file }) => file)]);
  const ran = new Set(
    second.testResults.filter(({ status }) => status === 'passed').map(({ name }) => (isAbsolute(name) ? relative(root, name) : name)),
  );
  // Passed is who is said to have passed: a file that is missing from the second report has failed twice.
  const secondTime = failed.filter((one) => ran.has(one.file) && !stillFailed.has(nameOf(one)));
  const twice = failed.length - secondTime.length + still.filter((one) => !failed.some((other) => nameOf(other) === nameOf(one))).length;
  return { passed: first.numPassedTests + secondTime.length, failed: twice, secondTime: secondTime.map(nameOf) };
}

/** @param printed - what `npm run check` printed */
export function countGates(printed) {
  const [, passed, failed] =
    printed
      .trimEnd()
      .split('\n')
      .at(-1)
      ?.match(/^(\d+) passed, (\d+) failed$/) ?? [];
  return { passed: Number(passed ?? 0), failed: Number(failed ?? 0) };
}

/** The last lines of `.ci/run`. Whatever ended badly without a number of its own still counts: a crash, an unhandled error, no test at all. */
export function summary({ first, second, testsExit, secondExit, check, checkExit, root }) {
  const tests = countTests(first, second, root);
  const gates = countGates(check);
  const exit = tests.secondTime.length > 0 ? secondExit : testsExit;
  if (tests.failed === 0 && (exit !== 0 || tests.passed === 0)) tests.failed = 1;
  if (gates.failed === 0 && (checkExit !== 0 || gates.passed === 0)) gates.failed = 1;
  const failed = tests.failed + gates.failed;
  const lines = [
    ...(tests.secondTime.length === 0
      ? []
      : [
          `failed beside others and passed by themselves, to be looked into (${tests.secondTime.length}):`,
          ...tests.secondTime.map((name) => `  ${name}`),
        ]),
    `tests: ${tests.passed} passed, ${tests.failed} failed; gates: ${gates.passed} passed, ${gates.failed} failed`,
    `${tests.passed + gates.passed} passed, ${failed} failed`,
  ];
  return { lines, failed };
}

function reportOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [command, testsFile, ...rest] = process.argv.slice(2);
  const root = process.cwd();
  const first = reportOf(testsFile);
  if (command === 'again') {
    for (const file of first === null ? [] : filesToRunAgain(first, root)) console.log(file);
  } else {
    const [testsExit, secondFile, secondExit, checkFile, checkExit] = rest;
    const { lines, failed } = summary({
      ...{ first, second: reportOf(secondFile), testsExit: Number(testsExit), secondExit: Number(secondExit) },
      ...{ check: readFileSync(checkFile, 'utf8'), checkExit: Number(checkExit), root },
    });
    console.log(`\n${lines.join('\n')}`);
    process.exitCode = failed > 0 ? 1 : 0;
  }
}
