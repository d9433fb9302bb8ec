/** What is read of a report of vitest's JSON reporter. */
export interface TestReport {
  numPassedTests: number;
  testResults: { name: string; status: string; assertionResults: { fullName: string; status: string }[] }[];
}

export interface Failure {
  /** From the project's root. */
  file: string;
  /** null: the file failed before its first test. */
  test: string | null;
}

export interface TestCount {
  passed: number;
  failed: number;
  /** `file > test` of those that failed beside others and passed by themselves. */
  secondTime: string[];
}

/** Each failed test, and each file that failed before its first test. */
export function failures(report: TestReport, root: string): Failure[];

/** The files that are run once more by themselves, from the project's root. Empty where too many failed, or where one is about a guarantee. */
export function filesToRunAgain(report: TestReport, root: string): string[];

/** @param second - the report of the files that ran again; null: none did */
export function countTests(first: TestReport | null, second: TestReport | null, root: string): TestCount;

/** @param printed - what `npm run check` printed */
export function countGates(printed: string): { passed: number; failed: number };

/** The last lines of `.ci/run`, and how much has failed. */
export function summary(runs: {
  first: TestReport | null;
  second: TestReport | null;
  /** Exit codes. */
  testsExit: number;
  secondExit: number;
  check: string;
  checkExit: number;
  root: string;
}): { lines: string[]; failed: number };
