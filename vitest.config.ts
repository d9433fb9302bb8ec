import { defineConfig } from 'vitest/config';

// Three projects: `unit` needs nothing, `workflows` and `integration` share one real Postgres and one real Temporal.
const stack = './tests/helpers/stack.ts';

export default defineConfig({
  test: {
    pool: 'forks',
    // Most of the time is spent waiting for Postgres, Temporal and deadlines: two files at once also where there are two cores only.
    maxWorkers: 2,
    // Vitest's own limits (a test 5 s, a hook 10 s, a poll 1 s) are those of a quiet machine: on a busy one a first import takes longer. These are
    // the last resort of a test that hangs; what has to be fast says so itself.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['tests/{domain,content,integrations,config,cli,local,bench}/**/*.test.ts'] },
      },
      {
        extends: true,
        test: { name: 'workflows', include: ['tests/workflows/**/*.test.ts'], globalSetup: stack, testTimeout: 120_000, hookTimeout: 120_000 },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['tests/{db,operations,activities,worker,api,end-to-end,extension,faults,hostile}/**/*.test.ts'],
          globalSetup: stack,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
