import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const postgres = 'tests/helpers/test-postgres.ts';
const temporal = 'tests/helpers/test-temporal.ts';

/** What waits for minutes, for deadlines or for processes that were killed, begins first: at the end of the others nothing would run beside it. */
class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => Number(isWaiting(b)) - Number(isWaiting(a)));
  }
}
const waiting =
  /\/(registered-senders|http-stub-conformance|two-builds|workflow-ends|temporal-down|database-away|killed-worker|model-faults)\.test\.ts$/;
const isWaiting = ({ moduleId }: TestSpecification) => waiting.test(moduleId);

/** Files in which a workflow runs. Elsewhere nothing listens where Temporal would be. */
const temporalTests = [
  'tests/{workflows,worker,end-to-end,extension,faults}/**/*.test.ts',
  'tests/api/health.test.ts',
  'tests/operations/sums.test.ts',
];

// Three projects, by the servers that their files need: none, one Postgres for all, or that and one Temporal.
export default defineConfig({
  test: {
    pool: 'forks',
    // Most of the time is spent waiting for Postgres, Temporal and deadlines: four files at once also where there are two cores only.
    maxWorkers: 4,
    // The files of a project share these processes, and what is imported there: importing everything anew took longer than many files' tests.
    // A file that changes its process (environment, listeners, globals) undoes it, or runs what does so in a process of its own.
    isolate: false,
    // What one project has transformed the next two need not: without it each does so for itself.
    experimental: { fsModuleCache: true },
    sequence: { sequencer: WaitingFirst },
    // More of these processes run than there are processors: threads that collect garbage beside them would only take from the others.
    execArgv: ['--single-threaded-gc', '--max-semi-space-size=64', '--import', resolve(import.meta.dirname, 'tests/helpers/end-with-run.mjs')],
    setupFiles: 'tests/helpers/file-cost.ts',
    reporters: ['default', './tests/helpers/cost-reporter.ts'],
    // Vitest's own limits (a test 5 s, a hook 10 s, a poll 1 s) are those of a quiet machine: on a busy one a first import takes longer. These are
    // the last resort of a test that hangs; what has to be fast says so itself.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['tests/{domain,content,integrations,config,cli,sdk,mcp,local,bench,web}/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'postgres',
          include: ['tests/{db,operations,activities,api,hostile}/**/*.test.ts'],
          exclude: temporalTests,
          globalSetup: postgres,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'temporal',
          include: temporalTests,
          globalSetup: [postgres, temporal],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // After the others: these wait for timers and for processes that were killed, so more of them at once keep two cores busy.
          sequence: { groupOrder: 1 },
          maxWorkers: 5,
        },
      },
    ],
  },
});
