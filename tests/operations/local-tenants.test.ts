import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connections, tenants } from '../../db/schema/index.ts';
import { readCredentials } from '../../local/credentials.ts';
import { type Providers, startProviders } from '../../local/providers/providers.ts';
import { type DemoWorld, provisionTenants } from '../../local/tenants.ts';
import { changeConnection, createConnection } from '../../operations/connections.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

// What `npm start` makes of its tenants, on real Postgres.

let shop: Shop;
let dir: string;
let providers: Providers;
const masterKey = randomBytes(32);
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, masterKey });
  dir = mkdtempSync(join(tmpdir(), 'rekindle-tenants-'));
  providers = await startProviders({ port: 0, host: '127.0.0.1', seed: 's', smtpUrl: `smtp://127.0.0.1:${shop.smtp.port}` });
});
afterAll(async () => {
  await providers.stop();
  rmSync(dir, { recursive: true });
  await shop.close();
});

const worldAt = (phoneUrl: string): DemoWorld => ({
  ...{ shopUrl: 'http://localhost:3030', timeScale: 3_600, phoneUrl, modelUrl: 'http://127.0.0.1:8027', providers },
});
const provision = (world: DemoWorld | null) =>
  provisionTenants({ databaseUrl: shop.database.url, masterKey: masterKey.toString('base64'), apiUrl: 'http://localhost:3000', dir, world });
async function connectionsOf(slug: string) {
  const tenantId = (await shop.deps.db.listTenants()).find((one) => one.slug === slug)?.id ?? '';
  const rows = await shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(connections).orderBy(connections.id));
  return {
    tenantId,
    rows: rows.map(({ id, integration, name, state, sealedConfig }) => ({
      id,
      integration,
      name,
      state,
      config: sealedConfig === null ? '' : shop.deps.sealing.open(sealedConfig),
    })),
  };
}

test('the stand-ins are connected once, follow a start on other ports, and make way for the store’s own', async () => {
  const first = await provision(worldAt('http://127.0.0.1:8026'));
  const credentials = readCredentials(dir);
  expect(Object.keys(credentials?.webhooks ?? {}).toSorted()).toEqual([
    'generic',
    'gohighlevel',
    'instantly',
    'keitaro',
    'meta',
    'shopify',
    'twilio',
    'vapi',
  ]);
  expect(first.leads).toMatchObject({ slug: 'leads', tracker: { url: expect.stringContaining('/api/webhooks/keitaro/') } });
  const [leads] = await shop.deps.db.withTenant((await connectionsOf('leads')).tenantId, (tx) => tx.select().from(tenants));
  expect(leads).toMatchObject({ name: 'Leads of ads (synthetic)', synthetic: true });

  // Another start has the same accounts and addresses, and the ports of that start.
  await provision(worldAt('http://127.0.0.1:9999'));
  expect(readCredentials(dir)).toEqual(credentials);
  const { tenantId, rows } = await connectionsOf('store');
  expect(rows.filter(({ integration }) => integration === 'twilio')).toMatchObject([
    { state: 'connected', config: expect.stringContaining(':9999') },
  ]);

  // Without the demo nothing listens there.
  await provision(null);
  const standIns = async () => (await connectionsOf('store')).rows.filter(({ name }) => name.startsWith('Stand-in for ')).map(({ state }) => state);
  expect(new Set(await standIns())).toEqual(new Set(['disconnected']));
  expect(Object.keys(readCredentials(dir)?.webhooks ?? {}).toSorted()).toEqual(['generic', 'keitaro', 'meta', 'shopify']);
  await provision(worldAt('http://127.0.0.1:8026'));
  expect(new Set(await standIns())).toEqual(new Set(['connected']));

  // The store sends by itself: its texts must not end on this machine.
  const own = { accountSid: `AC${'1'.repeat(32)}`, authToken: 'an-own-token', from: '+12025550100' };
  const made = await createConnection(shop.deps, tenantId, { integration: 'twilio', name: 'Texts', config: own, secrets: [] }, 'a test');
  expect(made.kind).toBe('created');
  await provision(worldAt('http://127.0.0.1:8026'));
  expect(new Set(await standIns())).toEqual(new Set(['disconnected']));
  expect((await connectionsOf('store')).rows.find(({ name }) => name === 'Texts')?.state).toBe('connected');
});

test('a page that the store has connected by itself is left alone', async () => {
  const { tenantId, rows } = await connectionsOf('store');
  const ads = rows.find(({ integration }) => integration === 'meta');
  const { baseUrl: _, ...before } = { baseUrl: '', ...(JSON.parse(ads?.config ?? '{}') as object) };
  const config = { ...before, pageAccessToken: 'an-own-token' };
  await changeConnection(shop.deps, tenantId, ads?.id ?? '', { config }, 'a test');
  await provision(worldAt('http://127.0.0.1:8026'));
  expect((await connectionsOf('store')).rows.find(({ integration }) => integration === 'meta')?.config).toBe(JSON.stringify(config));
  expect(readCredentials(dir)?.webhooks.meta?.url).toContain(ads?.id);
});
