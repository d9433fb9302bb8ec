import { defineConfig } from 'vitest/config';

// Three projects: `unit` needs nothing, `workflows` and `integration` share one real Postgres and one real Temporal.
const stack = './tests/helpers/stack.ts';

export default defineConfig({
  test: {
    pool: 'forks',
    // Most of the time is spent waiting for Postgres, Temporal and deadlines: two files at once also where there are two cores only.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'unit', testTimeout: 30_000, include: ['tests/{domain,content,integrations,config,cli,local,bench}/**/*.test.ts'] },
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
