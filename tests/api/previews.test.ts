import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { auditLog, contacts, enrollments, messages } from '../../db/schema/index.ts';
import { main } from '../../cli/main.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { mostTestsPerHour } from '../../operations/send-test.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';
import { ask } from './left-carts.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { storeName: 'Leaf & Kettle' } });
});
afterAll(() => shop.close());

interface Preview {
  subject: string;
  text: string;
  html: string;
  claims: { claim: string; shown: boolean; why: string }[];
}
const own = (url: string, method: 'GET' | 'POST' = 'GET', payload?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, url, method, payload);
const path = '/api/sequences/cart/steps/email_24h';

test('a step is shown to a sample and to a contact, in a language, with its claims and their reasons', async () => {
  const sample = await own(`${path}/preview?locale=de-AT`);
  expect(Object.keys(sample.body as object)).toEqual(['channel', 'locale', 'subject', 'preheader', 'html', 'text', 'cta', 'claims', 'script', 'arm']);
  expect(sample.body).toMatchObject({ channel: 'email', locale: 'de', subject: 'Was andere über Merino Crew Sweater sagen' });
  expect((sample.body as Preview).text).toContain('Leaf & Kettle');

  await shop.post(
    'cart.updated',
    aCart('shown', 'shown@example.com', { items: [{ title: 'Lamp', quantity: 1, price: '9.90', product_id: 'lamp', stock: 2 }] }),
  );
  await until('the enrollment', () => shop.enrollmentOf('shown'));
  const before = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(messages));
  const real = (await own(`${path}/preview?contact=shown@example.com`)).body as Preview;
  expect(real.text).toMatch(/Hi Ada,[\s\S]*there were just 2 left of Lamp/);
  expect(real.claims).toEqual([
    { claim: 'stock', shown: true, why: '2 left' },
    { claim: 'reviews', shown: false, why: 'no reviews of it are known' },
  ]);
  expect(real.html).not.toMatch(/\/(?:c|o|u)\/[\w-]{20,}/);
  expect(await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(messages))).toEqual(before);

  for (const [url, status, code] of [
    ['/api/sequences/nothing/steps/x/preview', 404, 'unknown_sequence'],
    ['/api/sequences/cart/steps/x/preview', 404, 'unknown_step'],
    [`${path}/preview?contact=nobody@example.com`, 404, 'unknown_contact'],
    [`${path}/preview?sample=unheard`, 400, 'invalid_request'],
  ] as const)
    expect(await own(url), url).toMatchObject({ status, body: { code } });
});

test('a test reaches the address given alone, is marked, and is in no figure, list or cap', async () => {
  const tables = () =>
    shop.deps.db.withTenant(shop.tenant.tenantId, async (tx) => ({
      messages: await tx.select().from(messages),
      contacts: await tx.select().from(contacts),
      enrollments: await tx.select().from(enrollments),
    }));
  const figures = async () => {
    const { from: _, to: __, ...analytics } = (await own('/recovery/analytics')).body as Record<string, unknown>;
    return [analytics, (await own('/api/variants')).body, (await own('/api/contacts?limit=500')).body];
  };
  const [before, sums] = [await tables(), await figures()];
  const sent = await own(`${path}/send-test`, 'POST', { to: 'Me@Example.com', contact: 'shown@example.com' });
  expect(sent).toMatchObject({ status: 200, body: { outcome: 'accepted', channel: 'email' } });
  const mail = await until('the test', async () => shop.smtp.accepted.find(({ envelope }) => envelope.to.includes('me@example.com')) ?? null);
  expect(mail.envelope.to).toEqual(['me@example.com']);
  expect(mail.raw.toString()).toMatch(/^Subject: \[Test\] /m);
  expect(mail.raw.toString()).not.toContain('shown@example.com');
  expect(await tables()).toEqual(before);
  expect(await figures()).toEqual(sums);
  const audit = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(auditLog).where(eq(auditLog.action, 'test.send')));
  expect(audit).toMatchObject([{ data: { sequence: 'cart', step: 'email_24h', channel: 'email' } }]);
  expect(JSON.stringify(audit)).not.toContain('example.com');
});

test('a test respects suppressions and is bounded', async () => {
  await shop.post('contact.opted_out', { contact: { email: 'out@example.com' } });
  expect(await own(`${path}/send-test`, 'POST', { to: 'out@example.com' })).toMatchObject({ status: 409, body: { code: 'suppressed' } });
  expect(await own(`${path}/send-test`, 'POST', { to: 'nobody' })).toMatchObject({ status: 409 });
  expect(await own(`${path}/send-test`, 'POST', { to: 'no body@' })).toMatchObject({ status: 400 });
  const answers: number[] = [];
  while (answers.at(-1) !== 429 && answers.length <= mostTestsPerHour)
    answers.push((await own(`${path}/send-test`, 'POST', { to: 'me@example.com' })).status);
  expect(answers).toEqual([...Array.from({ length: mostTestsPerHour - 1 }, () => 200), 429]);
});

test('the command shows the variant that is asked for, of a file and of a person of the store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'preview-'));
  const text = (name: string) => `---\nsubject: Subject ${name}\npreheader: It waits\nheading: Hello\ncta: Go on\n---\nHello.\n\n[cart]\n`;
  try {
    const file = join(folder, 'compared.yaml');
    const yaml = `sequence: compared\nname: Compared\non: cart.abandoned\nquietFor: 1h\nsteps:\n  - id: mail\n    at: 2h\n    channel: email\n    variants: [{ id: a, content: compared/a }, { id: b, content: compared/b }]\n`;
    writeFileSync(file, yaml);
    mkdirSync(join(folder, 'compared'));
    for (const name of ['a', 'b']) writeFileSync(join(folder, 'compared', `${name}.liquid`), text(name));
    const subjectOf = async (...args: string[]) => {
      const lines: string[] = [];
      const status = await main(
        ['preview', ...args, '--json'],
        (line) => lines.push(line),
        (line) => lines.push(line),
      );
      return status === 0 ? (JSON.parse(lines.join('\n')) as Preview).subject : [status, lines.join('\n')];
    };
    expect(await subjectOf(file, 'mail'), 'the first').toBe('Subject a');
    expect(await subjectOf(file, 'mail', '--variant', 'a')).toBe('Subject a');
    expect(await subjectOf(file, 'mail', '--variant', 'b')).toBe('Subject b');
    expect(await subjectOf(file, 'mail', '--variant', 'z')).toEqual([2, expect.stringContaining('z is no variant of mail: it has a, b.')]);
    expect(await subjectOf('cart', 'email_24h', '--variant', 'z')).toEqual([2, expect.stringContaining('it has none')]);

    const copy = Object.fromEntries(['a', 'b'].map((name) => [`compared/${name}`, { file: `${name}.liquid`, text: text(name) }]));
    await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'compared.yaml', yaml, copy }));
    vi.stubEnv('REKINDLE_API_URL', await shop.app.listen({ port: 0, host: '127.0.0.1' }));
    vi.stubEnv('REKINDLE_API_KEY', shop.tenant.apiKey);
    for (const variant of ['a', 'b'])
      expect(await subjectOf('compared', 'mail', '--contact', 'shown@example.com', '--variant', variant)).toBe(`Subject ${variant}`);
  } finally {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  }
});

test('the command shows a sample without a server', async () => {
  const lines: string[] = [];
  const wrong: string[] = [];
  const status = await main(
    ['preview', 'cart', 'email_24h', '--locale', 'fa', '--json'],
    (line) => lines.push(line),
    (line) => wrong.push(line),
  );
  expect([status, wrong]).toEqual([0, []]);
  expect(JSON.parse(lines.join('\n'))).toMatchObject({
    channel: 'email',
    locale: 'fa',
    claims: [
      { claim: 'stock', shown: true },
      { claim: 'reviews', shown: true },
    ],
  });
  expect(
    await main(
      ['preview', 'cart', 'nothing'],
      () => {},
      (line) => wrong.push(line),
    ),
  ).toBe(2);
  expect(wrong.join('\n')).toContain('it has popup_1h, email_2h');
});
