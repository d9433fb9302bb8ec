import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShop, type Shop } from '../helpers/shop.ts';
import { leaveCart } from './left-carts.ts';

// The package as others install it: packed by npm, its examples compiled against its types and run against an API that listens.

const root = resolve(import.meta.dirname, '../..');
const bin = (name: string) => join(root, 'node_modules/.bin', name);
const readme = readFileSync(join(root, 'sdk/README.md'), 'utf8');
const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);

let shop: Shop;
let url: string;
let project: string;

function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}` },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  url = await shop.app.listen({ port: 0, host: '127.0.0.1' });
  await leaveCart(shop, 'c1', 'ada@example.com');
  project = mkdtempSync(join(tmpdir(), 'rekindle-client-'));
  // A copy, so that nothing is built among the sources while other tests read them.
  const source = join(project, 'source/sdk');
  cpSync(join(root, 'sdk'), source, { recursive: true, filter: (path) => !path.endsWith('/dist') });
  cpSync(join(root, 'tsconfig.json'), join(project, 'source/tsconfig.json'));
  symlinkSync(join(root, 'node_modules'), join(project, 'source/node_modules'));
  const packed = run('npm', ['pack', '--silent', '--pack-destination', project], source).trim().split('\n').at(-1) ?? '';
  const place = join(project, 'node_modules/@rekindle/client');
  mkdirSync(place, { recursive: true });
  run('tar', ['-xzf', join(project, packed), '--strip-components=1', '-C', place], project);
});
afterAll(async () => {
  rmSync(project, { recursive: true, force: true });
  await shop.close();
});

/** Compile files of a project that has installed the package. @returns what the compiler says */
function compile(files: Record<string, string>, options: Record<string, unknown>): string {
  for (const [name, code] of Object.entries(files)) writeFileSync(join(project, name), code);
  const compilerOptions = {
    ...{ target: 'es2022', module: 'nodenext', moduleResolution: 'nodenext', strict: true, exactOptionalPropertyTypes: true },
    // Its own declarations are checked too.
    ...{ skipLibCheck: false, outDir: 'out', typeRoots: [join(root, 'node_modules/@types')] },
    ...options,
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  const { stdout, stderr } = spawnSync(bin('tsc'), ['-p', project], { cwd: project, encoding: 'utf8' });
  return stdout + stderr;
}

test('every example of its documentation compiles, runs, and has ten lines', { timeout: 120_000 }, async () => {
  expect(examples.length).toBeGreaterThan(7);
  const files = Object.fromEntries(examples.map((code, at) => [`example-${at}.ts`, code]));
  expect(compile(files, { types: ['node'], lib: ['es2023'] })).toBe('');
  const printed: string[] = [];
  for (const [at, code] of examples.entries()) {
    expect(code.trim().split('\n').length, code).toBeLessThanOrEqual(11);
    const child = spawn(process.execPath, [join(project, `out/example-${at}.js`)], {
      env: { ...process.env, REKINDLE_API_URL: url, REKINDLE_API_KEY: shop.tenant.apiKey },
    });
    const [out, err, status] = await Promise.all([text(child.stdout), text(child.stderr), new Promise((done) => child.on('close', done))]);
    expect({ at, err, status }).toEqual({ at, err: '', status: 0 });
    printed.push(out);
  }
  expect(printed[0]).toMatch(/^cart /);
  expect(printed[1]).toContain('{ cart: 1 }');
  expect(printed[2]).toMatch(/^\S.*\n\d{4}-/);
  expect(printed[3]).toBe('version 1 is in use\n');
  expect(printed[4]).toMatch(/^[0-9a-f-]{36}\n$/);
  expect(printed[5]).toMatch(/^not now: /);
  expect(printed[6]).toBe('aborted\n');
});

test('it needs nothing of Node: it compiles with the types of browsers alone', () => {
  const code = `import { createClient, verifyWebhook } from '@rekindle/client';
export const client = createClient({ baseUrl: 'https://rekindle.example.com', apiKey: '' });
export const verified = verifyWebhook('', new Headers(), 'whsec_AA==');
`;
  expect(compile({ 'page.ts': code }, { types: [], lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'] })).toBe('');
});

test('a wrong name, a wrong value and a missing field do not compile', () => {
  const code = `import { createClient } from '@rekindle/client';
const client = createClient({ baseUrl: 'https://rekindle.example.com', apiKey: '' });
void client.enrollments.list({ status: 'ASLEEP' });
void client.enrollments.list({ statuss: 'ACTIVE' });
void client.sequences.publish('cart');
void client.sequences.publish({ base_version: 1 });
void client.request('GET /api/nothing');
client.enrollments.get('x').then(({ data }) => data.summary);
`;
  const lines = [...compile({ 'wrong.ts': code }, { types: [], lib: ['es2023', 'dom'] }).matchAll(/^wrong\.ts\((\d+),/gm)].map(([, line]) =>
    Number(line),
  );
  expect([...new Set(lines)]).toEqual([3, 4, 5, 6, 7, 8]);
});
