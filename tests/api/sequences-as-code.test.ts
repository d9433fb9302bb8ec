import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { main } from '../../cli/main.ts';
import { clientOf } from '../helpers/client-of.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { leaveCart } from './left-carts.ts';

// Sequences as code: a folder of files and a store (rekindle sequences lint, push and pull).

let shop: Shop;
let url: string;
let folder: string;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  url = await shop.app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => shop.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekindle-sequences-'));
  vi.stubEnv('REKINDLE_API_URL', url).stubEnv('REKINDLE_API_KEY', shop.tenant.apiKey);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]) {
  const [said, complained]: [string[], string[]] = [[], []];
  const code = await main(
    ['sequences', ...args],
    (line) => said.push(line),
    (line) => complained.push(line),
    null,
  );
  return { code, said: said.join('\n'), complained: complained.join('\n') };
}

function file(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
const thanks = (at: string) => `sequence: thanks\nname: Thanks\non: manual\nabout: cart\nsteps:\n  - { id: mark, at: ${at}, channel: none }\n`;

test('a folder is pushed: first as a dry run that stores nothing, then as drafts, and a second time there is nothing to do', async () => {
  const client = clientOf(shop);
  file('thanks.yaml', thanks('1h'));
  expect(await run('push', folder, '--dry-run')).toMatchObject({
    code: 0,
    said: expect.stringMatching(/thanks is new, with 1 steps.*Nothing was stored/s) as unknown,
  });
  expect((await client.sequences.draft('thanks')).error?.status).toBe(404);
  expect(await run('push', folder)).toMatchObject({ code: 0, said: expect.stringContaining('Stored as drafts') as unknown });
  expect((await client.sequences.draft('thanks')).data?.yaml).toBe(thanks('1h'));
  expect((await run('push', folder)).said).toContain('says exactly this');
  expect((await run('publish', 'thanks')).code).toBe(0);
  file('thanks.yaml', thanks('2h'));
  expect((await run('push', folder, '--dry-run')).said).toMatch(/over version 1; 0 are in it:\n {2}changed step mark\n {4}at: .*1h.* → .*2h/);
});

test('a dry run says how many are in a sequence', async () => {
  await leaveCart(shop, 'c1', 'ada@example.com');
  expect((await run('pull', folder, 'cart')).code).toBe(0);
  const yaml = readFileSync(join(folder, 'cart.yaml'), 'utf8');
  file('cart.yaml', yaml.replace(/maxAge: .*/, 'maxAge: 6d'));
  const { said, code } = await run('push', folder, '--dry-run', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(said)).toMatchObject([
    { slug: 'cart', change: 'changed', openEnrollments: 1, diff: { steps: [], settings: [{ field: 'maxAge' }] } },
  ]);
});

test('a mistake in one file keeps all of them back', async () => {
  file('fine.yaml', thanks('3h'));
  file('wrong.yaml', thanks('1h').replace('channel: none', 'channel: pigeon'));
  expect((await run('lint', folder)).code).toBe(1);
  const { code, said } = await run('push', folder);
  expect(code).toBe(1);
  expect(said).toMatch(/wrong\.yaml:6:.*Nothing was stored/s);
  expect((await clientOf(shop).sequences.draft('thanks')).data?.yaml).not.toBe(thanks('3h'));
  expect((await run('push', join(folder, 'nothing'))).code).toBe(2);
});

test('what is pulled is what was pushed, and a file that differs is kept', async () => {
  const text = '{{ store.name }} thanks you. {{ link.url }} {{ optOut }}\n';
  const yaml = 'sequence: texted\nname: Texted\non: manual\nabout: lead\nsteps:\n  - { id: first, at: 1h, channel: sms, content: texted/first }\n';
  file('texted.yaml', yaml);
  file('texted/first.sms.liquid', text);
  expect(await run('push', folder)).toMatchObject({ code: 0 });
  const there = join(folder, 'elsewhere');
  expect(await run('pull', there, 'texted')).toMatchObject({ code: 0 });
  expect(readFileSync(join(there, 'texted.yaml'), 'utf8')).toBe(yaml);
  expect(readFileSync(join(there, 'texted/first.sms.liquid'), 'utf8')).toBe(text);
  writeFileSync(join(there, 'texted.yaml'), '# mine\n');
  expect(await run('pull', there, 'texted')).toMatchObject({ code: 1, said: expect.stringContaining('differs and was kept') as unknown });
  expect(readFileSync(join(there, 'texted.yaml'), 'utf8')).toBe('# mine\n');
  expect((await run('pull', there, 'texted', '--overwrite')).code).toBe(0);
  expect(readFileSync(join(there, 'texted.yaml'), 'utf8')).toBe(yaml);
  expect(existsSync(join(there, 'cart.yaml'))).toBe(false);
});
