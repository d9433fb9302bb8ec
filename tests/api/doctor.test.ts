import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { judgeDkim, judgeDmarc, judgeMx, judgeSpf } from '../../cli/dns-records.ts';
import { main } from '../../cli/main.ts';
import { startDnsServer } from '../helpers/dns-server.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { ask } from './left-carts.ts';

let shop: Shop;
let dns: Awaited<ReturnType<typeof startDnsServer>>;
const domain = 'leaf-and-kettle.shop';
beforeAll(async () => {
  dns = await startDnsServer({
    [domain]: { txt: ['v=spf1 include:spf.provider.shop -all', 'something else'], mx: [`mail.${domain}`] },
    [`_dmarc.${domain}`]: { txt: ['v=DMARC1; p=none'] },
    [`s1._domainkey.news.${domain}`]: { txt: [`v=DKIM1; k=rsa; p=${Buffer.alloc(294, 7).toString('base64')}`] },
    [`news.${domain}`]: { txt: ['v=spf1 +all'], a: ['192.0.2.1'] },
  });
  shop = await openShop({ timeScale: 1 });
  const url = await shop.app.listen({ host: '127.0.0.1', port: 0 });
  vi.stubEnv('REKINDLE_API_URL', url).stubEnv('REKINDLE_API_KEY', shop.tenant.apiKey);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await dns.stop();
  await shop.close();
});

const own = (url: string, method: 'POST' | 'PATCH', body: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, url, method, body);
const set = async (settings: Record<string, unknown>) => expect((await own('/api/settings', 'PATCH', { settings })).status).toBe(200);
async function run(...more: string[]) {
  const said: string[] = [];
  const code = await main(
    ['doctor', '--dns', dns.address, ...more],
    (line) => said.push(line),
    (line) => said.push(line),
  );
  return { code, said: said.join('\n') };
}
const found = async (...more: string[]) =>
  JSON.parse((await run('--json', ...more)).said) as { area: string; name: string; state: string; detail: string }[];

test('says of a store that nobody has set up what is missing and how to set it', async () => {
  const { code, said } = await run();
  expect(code).toBe(1);
  expect(said).toMatch(/PROBLEM {2}store +storeUrl: is the example’s/);
  expect(said).toMatch(/warning {2}store +consentLaw: is off/);
  expect(said).toMatch(/PROBLEM {2}store +senderAddress: is the example’s\n +→ npx rekindle settings set senderAddress=/);
  expect(said).toMatch(/PROBLEM {2}store +postalAddress: is missing/);
  expect(said).toMatch(/warning {2}dns +shop\.example\.com: is a domain for examples/);
  expect(said).toMatch(/ok +clock/);
});

test('asks every provider whether it lets us in, and DNS about the sender’s domain', async () => {
  await set({ senderAddress: `hello@${domain}`, postalAddress: 'Leaf & Kettle, 1 Example Street', storeUrl: 'https://leaf-kettle.example' });
  const login = { url: `smtp://someone:wrong@127.0.0.1:1` };
  await own('/api/connections', 'POST', { integration: 'smtp', name: 'Our relay', config: login });
  const all = await found();
  expect(all).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ area: 'store', state: 'ok' }),
      expect.objectContaining({ area: 'connections', name: 'smtp “Our relay”', state: 'problem' }),
      expect.objectContaining({ area: 'dns', name: 'SPF', state: 'ok', detail: 'v=spf1 include:spf.provider.shop -all' }),
      expect.objectContaining({ area: 'dns', name: 'DMARC', state: 'ok', detail: 'v=DMARC1; p=none' }),
      expect.objectContaining({ area: 'dns', name: 'MX', state: 'ok', detail: `mail.${domain}` }),
    ]),
  );
  expect(JSON.stringify(all)).not.toContain('wrong');
});

test('says of a connection by which nothing has ever come that nothing has', async () => {
  const ofGeneric = async () => (await found()).find(({ name }) => name.startsWith('generic '));
  expect(await ofGeneric()).toMatchObject({ state: 'warning', detail: 'receives only; nothing has arrived yet' });
  await shop.post('cart.updated', aCart('cart-doctor', 'doctor@example.com'));
  expect(await ofGeneric()).toMatchObject({ state: 'ok', detail: expect.stringMatching(/^receives only; last delivery 20/) as string });
});

test('a domain below another has its DMARC record, and faults of its own', async () => {
  await set({ senderAddress: `hello@news.${domain}` });
  const all = (await found('--selector', 's1')).filter(({ area }) => area === 'dns');
  expect(all).toMatchObject([
    { name: 'SPF', state: 'problem', detail: `news.${domain} lets everybody send (+all)` },
    { name: 'DMARC', state: 'ok' },
    { name: 'MX', state: 'ok', detail: `news.${domain} is its own mail server` },
    { name: 'DKIM', state: 'ok', detail: `s1._domainkey.news.${domain} has a key of 2048 bits` },
  ]);
});

test('a DNS server that does not answer is no answer', async () => {
  await set({ senderAddress: `hello@${domain}` });
  const silent = await startDnsServer({});
  await silent.stop();
  const all = await found('--dns', silent.address);
  expect(all.find(({ area }) => area === 'dns')).toMatchObject({
    state: 'warning',
    detail: expect.stringContaining('could not be asked for') as string,
  });
  expect(await run('--dns', 'no address')).toMatchObject({ code: 2 });
});

describe('records', () => {
  test.each([
    [judgeSpf('x.shop', []), 'warning', /no SPF record/],
    [judgeSpf('x.shop', ['v=spf1 -all', 'v=spf1 ~all']), 'problem', /2 SPF records/],
    [judgeSpf('x.shop', [`v=spf1 ${'include:a.shop '.repeat(11)}-all`]), 'problem', /11 look-ups/],
    [judgeSpf('x.shop', ['v=spf10 -all']), 'warning', /no SPF record/],
    [judgeDmarc('x.shop', ['v=DMARC1']), 'problem', /policy/],
    [judgeDmarc('x.shop', []), 'problem', /Gmail and Yahoo/],
    [judgeDkim('s._domainkey.x.shop', ['v=DKIM1; p=']), 'problem', /revoked/],
    [judgeDkim('s._domainkey.x.shop', [`p=${Buffer.alloc(94, 7).toString('base64')}`]), 'problem', /512 bits/],
    [judgeDkim('s._domainkey.x.shop', []), 'problem', /no key/],
    [judgeMx('x.shop', [''], true), 'problem', /null MX/],
    [judgeMx('x.shop', [], false), 'problem', /no mail server/],
  ] as const)('%j is a %s', ({ state, detail }, expected, said) => {
    expect(state).toBe(expected);
    expect(detail).toMatch(said);
  });
});
