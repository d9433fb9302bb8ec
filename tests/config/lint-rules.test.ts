import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type ScratchProject, scratchProject } from '../helpers/scratch-project.ts';

const report = z.object({ diagnostics: z.array(z.object({ code: z.string().optional(), filename: z.string() })) });

const activity = `import { proxyActivities, sleep } from '@temporalio/workflow';
const { send } = proxyActivities<{ send(id: string): Promise<string> }>({ startToCloseTimeout: '10s' });
`;

// Each file breaks the named rule.
const broken: [rule: string, file: string, code: string][] = [
  ['typescript(no-floating-promises)', 'operations/floating.ts', 'async function load() {}\nexport function run() { load(); }'],
  ['typescript(no-floating-promises)', 'workflows/floating-activity.ts', `${activity}export async function run() { await sleep(1); send('1'); }`],
  ['typescript(no-floating-promises)', 'workflows/floating-sleep.ts', `${activity}export async function run() { sleep(1); await send('1'); }`],
  ['typescript(no-misused-promises)', 'workflows/misused.ts', `${activity}export async function run() { if (send('1')) await sleep(1); }`],
  [
    'typescript(no-misused-promises)',
    'operations/misused.ts',
    'export function run(ids: string[]) { ids.forEach(async (id) => { await Promise.resolve(id); }); }',
  ],
  ['typescript(await-thenable)', 'operations/thenable.ts', 'export async function run(n: number) { await n; }'],
  [
    'typescript(return-await)',
    'operations/return-await.ts',
    'async function load() {}\nexport async function run() { try { return load(); } catch { return; } }',
  ],
  ['typescript(prefer-promise-reject-errors)', 'operations/reject.ts', `export const never = () => Promise.reject('no');`],
  ['typescript(only-throw-error)', 'operations/throw.ts', `export function run() { throw 'no'; }`],
  [
    'typescript(switch-exhaustiveness-check)',
    'domain/switch.ts',
    `export function run(kind: 'a' | 'b') { switch (kind) { case 'a': return 1; } return 2; }`,
  ],
  ['typescript(no-explicit-any)', 'domain/any.ts', 'export const loose = (value: any) => String(value);'],
  ['typescript(no-non-null-assertion)', 'domain/non-null.ts', 'export const first = (list: string[]) => list[0]!;'],
  ['typescript(consistent-type-imports)', 'domain/type-imports.ts', `import { One } from './one.ts';\nexport type Two = One;`],
  ['import(no-default-export)', 'domain/default-export.ts', 'export default 1;'],
  ['unicorn(filename-case)', 'domain/camelCase.ts', 'export const one = 1;'],
  ['eslint(no-console)', 'api/console.ts', `export const say = () => console.log('hello');`],
  ['node(no-process-env)', 'operations/env.ts', `export const url = () => process.env['DATABASE_URL'];`],
  ['eslint(no-restricted-properties)', 'domain/clock.ts', 'export const clock = () => Date.now();'],
  ['eslint(no-restricted-properties)', 'domain/dice.ts', 'export const dice = () => Math.random();'],
  ['eslint(no-restricted-globals)', 'domain/network.ts', `export const get = () => fetch('https://example.com');`],
  ['eslint(no-restricted-globals)', 'workflows/zones.ts', `export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;`],
  ['vitest(no-focused-tests)', 'tests/only.test.ts', `import { expect, test } from 'vitest';\ntest.only('one', () => expect(1).toBe(1));`],
  ['vitest(no-disabled-tests)', 'tests/skip.test.ts', `import { expect, test } from 'vitest';\ntest.skip('one', () => expect(1).toBe(1));`],
  ['vitest(valid-expect)', 'tests/expect.test.ts', `import { expect, test } from 'vitest';\ntest('one', () => { expect(1); });`],
  [
    'typescript(no-floating-promises)',
    'tests/floating.test.ts',
    `import { expect, test } from 'vitest';\ntest('one', () => { expect(Promise.resolve(1)).resolves.toBe(1); });`,
  ],
];

const fine: Record<string, string> = {
  'domain/one.ts': 'export type One = 1;',
  'operations/awaited.ts': 'async function load() {}\nexport async function run() { await load(); void load(); }',
  'workflows/awaited.ts': `${activity}export async function run() { await sleep(1); return await send('1'); }`,
  'local/console.ts': `export const say = () => console.log(process.env['PORT']);`,
  'config/env.ts': `export const url = () => process.env['DATABASE_URL'];`,
  'vitest.config.ts': 'export default {};',
};

describe('the lint rules', () => {
  let project: ScratchProject;
  let found: Set<string>;

  beforeAll(() => {
    project = scratchProject(['.oxlintrc.json'], { ...Object.fromEntries(broken.map(([, file, code]) => [file, code])), ...fine });
    const { stdout } = project.run('oxlint', ['--format', 'json']);
    found = new Set(report.parse(JSON.parse(stdout)).diagnostics.map(({ code, filename }) => `${code ?? '?'}: ${filename.replaceAll('\\', '/')}`));
  }, 60_000);
  afterAll(() => project.remove());

  test.each(broken)('%s catches %s', (rule, file) => {
    expect(found).toContain(`${rule}: ${file}`);
  });

  test.each(Object.keys(fine))('%s is as it should be', (file) => {
    expect([...found].filter((finding) => finding.endsWith(`: ${file}`))).toEqual([]);
  });
});
