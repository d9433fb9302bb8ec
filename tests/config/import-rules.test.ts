import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type ScratchProject, scratchProject } from '../helpers/scratch-project.ts';

const report = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), rule: z.object({ name: z.string() }) })),
    ruleSetUsed: z.object({ forbidden: z.array(z.object({ name: z.string() })) }),
  }),
});

// Each file breaks the named rule, and is the only one that does so from where it lies.
const broken: [rule: string, file: string, code: string][] = [
  ['domain-imports', 'domain/a.ts', `export { target } from '../db/target.ts';`],
  ['workflows-imports', 'workflows/a.ts', `export { target } from '../operations/target.ts';`],
  ['db-imports', 'db/a.ts', `export { target } from '../operations/target.ts';`],
  ['integrations-imports', 'integrations/a.ts', `export { target } from '../db/target.ts';`],
  ['content-imports', 'content/a.ts', `export { target } from '../db/target.ts';`],
  ['operations-imports', 'operations/a.ts', `export { target } from '../workflows/contract.ts';`],
  ['activities-imports', 'activities/a.ts', `export { target } from '../db/target.ts';`],
  ['temporal-imports', 'temporal/a.ts', `export { target } from '../db/target.ts';`],
  ['config-imports', 'config/a.ts', `export { target } from '../domain/target.ts';`],
  ['worker-imports', 'worker/a.ts', `export { target } from '../api/target.ts';`],
  ['api-imports', 'api/a.ts', `export { target } from '../db/target.ts';`],
  ['sdk-imports', 'sdk/a.ts', `export { target } from '../domain/target.ts';`],
  ['cli-imports', 'cli/a.ts', `export { target } from '../operations/target.ts';`],
  ['mcp-imports', 'mcp/a.ts', `export { target } from '../operations/target.ts';`],
  ['web-imports', 'web/screen.tsx', `import { target } from '../operations/target.ts';\nexport const Screen = () => <p>{target}</p>;`],
  ['web-imports', 'web/a.ts', `export { target } from '../domain/target.ts';`],
  ['examples-imports', 'examples/a.ts', `export { target } from '../domain/target.ts';`],
  ['deploy-imports', 'deploy/a.ts', `export { target } from '../domain/target.ts';`],
  ['local-imports', 'local/a.ts', `export { target } from '../tests/target.ts';`],
  ['tests-imports', 'tests/a.ts', `export { target } from '../elsewhere/target.ts';`],
  ['bench-imports', 'bench/a.ts', `export { target } from '../tests/target.ts';`],
  // Importing types counts as well.
  ['domain-imports', 'domain/types.ts', `import type { Target } from '../db/target.ts';\nexport type Mine = Target;`],
  ['operations-imports', 'operations/tool.ts', `export { target } from '../local/target.ts';`],
  ['no-unlisted-folder', 'elsewhere/orphan.ts', 'export const alone = 1;'],
  ['no-cycle', 'domain/cycle/one.ts', `import type { Two } from './two.ts';\nexport type One = Two;`],
  ['no-unresolvable', 'domain/missing.ts', `export { target } from './not-there.ts';`],
  [
    'no-development-package-in-the-product',
    'operations/dev.ts',
    `import { faker } from '@faker-js/faker';\nexport const name = faker.person.firstName();`,
  ],
  ['no-undeclared-package', 'operations/undeclared.ts', `export { nanoid } from 'nanoid';`],
  ['domain-stays-pure', 'domain/reads.ts', `export { readFileSync } from 'node:fs';`],
  ['domain-stays-pure', 'domain/random.ts', `export { v7 } from 'uuid';`],
  ['workflows-stay-in-the-sandbox', 'workflows/parses.ts', `export { z } from 'zod';`],
  ['contract-is-all-that-leaves-workflows', 'worker/runs.ts', `export { target } from '../workflows/target.ts';`],
  ['confined-pg', 'content/pg.ts', `export { Client } from 'pg';`],
  ['confined-fastify', 'operations/http.ts', `export { fastify } from 'fastify';`],
  ['confined-nodemailer', 'operations/mail.ts', `export { createTransport } from 'nodemailer';`],
  ['confined-csv-parse', 'operations/rows.ts', `export { parse } from 'csv-parse';`],
  ['confined-undici', 'operations/call.ts', `export { fetch } from 'undici';`],
  ['confined-better-auth', 'operations/people.ts', `export { betterAuth } from 'better-auth';`],
  ['confined-web-push', 'operations/push.ts', `export { sendNotification } from 'web-push';`],
  ['confined-openai', 'integrations/model.ts', `export { OpenAI } from 'openai';`],
  ['confined-mjml', 'operations/render.ts', `export { Liquid } from 'liquidjs';`],
  ['confined-temporalio-worker', 'activities/core.ts', `export { Worker } from '@temporalio/worker';`],
  ['confined-temporalio-activity', 'operations/activity.ts', `export { Context } from '@temporalio/activity';`],
  ['confined-temporalio-client', 'operations/client.ts', `export { Client } from '@temporalio/client';`],
  ['confined-modelcontextprotocol-sdk', 'cli/agents.ts', `export { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';`],
  ['confined-react', 'api/page.ts', `export { createElement } from 'react';`],
  ['confined-date-holidays', 'domain/gates/holidays.ts', `import type Holidays from 'date-holidays';\nexport type Calendar = Holidays;`],
  ['confined-temporal-polyfill', 'domain/gates/zones.ts', `export { Temporal } from 'temporal-polyfill';`],
];

const target = 'export const target = 1;\nexport type Target = 1;';
const targets = [
  'domain',
  'db',
  'integrations',
  'content',
  'operations',
  'activities',
  'workflows',
  'config',
  'worker',
  'api',
  'local',
  'tests',
  'elsewhere',
];

const allowed: Record<string, string> = {
  'workflows/ok.ts': `export { target } from '../domain/target.ts';\nexport { sleep } from '@temporalio/workflow';`,
  'operations/ok.ts': `export { target as a } from '../db/target.ts';\nexport { target as b } from '../content/target.ts';\nexport { createHash } from 'node:crypto';`,
  'activities/ok.ts': `export { target as a } from '../operations/target.ts';\nexport { target as b } from '../workflows/contract.ts';`,
  'api/ok.ts': `export { target as a } from '../operations/target.ts';\nexport { target as b } from '../workflows/contract.ts';\nexport { fastify } from 'fastify';`,
  'worker/ok.ts': `export { target } from '../activities/target.ts';\nexport type { Target } from '../workflows/target.ts';\nexport { Worker } from '@temporalio/worker';`,
  'domain/time/ok.ts': `export { Temporal } from 'temporal-polyfill';\nexport { target } from '../target.ts';`,
  'tests/ok.ts': `export { target } from '../local/target.ts';\nexport { test } from 'vitest';`,
};

describe('the import directions', () => {
  let project: ScratchProject;
  let found: Set<string>;
  let rules: string[];

  beforeAll(() => {
    project = scratchProject(['.dependency-cruiser.mjs'], {
      ...Object.fromEntries(targets.map((folder) => [`${folder}/target.ts`, target])),
      'workflows/contract.ts': target,
      'domain/cycle/two.ts': `import type { One } from './one.ts';\nexport type Two = One | 2;`,
      ...Object.fromEntries(broken.map(([, file, code]) => [file, code])),
      ...allowed,
    });
    // The scratch project's node_modules is a link to ours: seen from there it must look like its own.
    const cruise = project.run('depcruise', ['--config', '.dependency-cruiser.mjs', '--preserve-symlinks', '--output-type', 'json', '.']);
    const { summary } = report.parse(JSON.parse(cruise.stdout));
    found = new Set(summary.violations.map(({ from, rule }) => `${rule.name}: ${from}`));
    rules = summary.ruleSetUsed.forbidden.map(({ name }) => name);
  }, 60_000);
  afterAll(() => project.remove());

  test.each(broken)('%s is broken by %s', (rule, file) => {
    expect(found).toContain(`${rule}: ${file}`);
  });

  test('every rule is broken once above: none is only decoration', () => {
    expect(rules.filter((rule) => !broken.some(([name]) => name === rule))).toEqual([]);
  });

  test.each(Object.keys(allowed))('the arrows of %s are allowed', (file) => {
    expect([...found].filter((violation) => violation.endsWith(`: ${file}`))).toEqual([]);
  });
});
