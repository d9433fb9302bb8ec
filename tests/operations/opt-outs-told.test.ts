import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lookups } from '../../db/schema/index.ts';
import { switchesFor } from '../../integrations/gohighlevel/switches.ts';
import { createConnection } from '../../operations/connections.ts';
import { createLookupWorker } from '../../operations/lookups.ts';
import { tellOptOuts } from '../../operations/tell-opt-outs.ts';
import { faultsBy, providerSpec } from '../helpers/provider-spec.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';
import { aContact, locationId, signGoHighLevel, webhookPublicKey } from '../integrations/gohighlevel/conformance.ts';

// What somebody says elsewhere is told to the CRM: docs/rules.md#rule-64

let shop: Shop;
let server: Server;
let told: { method: string | undefined; url: string | undefined; body: unknown }[];
let status: number;
let connection: string;
beforeAll(async () => {
  told = [];
  status = 200;
  server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      told.push({ method: req.method, url: req.url, body: JSON.parse(Buffer.concat(chunks).toString()) });
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ succeeded: status === 200 }));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  shop = await openShop({ timeScale: 1 });
  const config = {
    locationId,
    token: 'pit-an-invented-token',
    webhookPublicKey,
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
  const made = await createConnection(shop.deps, shop.tenant.tenantId, { integration: 'gohighlevel', name: 'x', config, secrets: [] }, 'test');
  if (made.kind !== 'created') throw new Error(JSON.stringify(made));
  connection = made.connection.id;
});
afterAll(async () => {
  await shop.close();
  server.closeAllConnections();
  server.close();
});

/** A contact of the location, as it reports them. */
async function contact(id: string, email: string, more: object = {}) {
  const fields = { id, email, phone: null, webhookId: `${id} ${JSON.stringify(more)}`, timestamp: new Date().toISOString(), ...more };
  const payload = JSON.stringify({ ...(JSON.parse(aContact('ContactUpdate').toString()) as object), ...fields });
  const headers = { 'content-type': 'application/json', 'x-ghl-signature': signGoHighLevel(Buffer.from(payload)) };
  expect((await shop.app.inject({ method: 'POST', url: `/api/webhooks/gohighlevel/${connection}`, headers, payload })).statusCode).toBe(200);
}
const said = (email: string, text: string) => shop.post('message.received', { contact: { email }, channel: 'email', text });
const waiting = async () =>
  (await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(lookups))).filter((one) => one.state === 'waiting');

/** One pass of each job. */
async function pass() {
  await tellOptOuts(shop.deps);
  const worker = createLookupWorker(shop.deps);
  // What is due at this very moment is stored rounded to a millisecond, which may be the next one: then it is taken by the next pass.
  await until('what is due was asked', async () => {
    await worker.pass();
    return (await waiting()).every(({ lastError }) => lastError !== null);
  });
  await worker.stop();
}

test('an opt-out is told to the location once, by the contact’s id, and its end as well', async () => {
  await contact('con_1', 'ada@example.com');
  await said('ada@example.com', 'STOP');
  await pass();
  expect(told).toEqual([{ method: 'PUT', url: '/contacts/con_1', body: { dnd: true } }]);
  await pass();
  expect(told).toHaveLength(1);
  await said('ada@example.com', 'START');
  await pass();
  expect(told).toHaveLength(2);
  expect(told[1]).toMatchObject({
    url: '/contacts/con_1',
    body: {
      dnd: false,
      dndSettings: { email: { status: 'inactive' }, sms: { status: 'active' }, call: { status: 'active' }, whatsApp: { status: 'active' } },
    },
  });
});

test('what the location says itself does not come back to it, nor what is said by somebody whom it does not have', async () => {
  told.length = 0;
  await contact('con_2', 'grace@example.com', { dnd: true });
  await said('nobody-there@example.com', 'STOP');
  await pass();
  expect(told).toEqual([]);
});

test('a location that is away is told later, and a contact that is gone is left alone', async () => {
  told.length = 0;
  await contact('con_3', 'joan@example.com');
  await said('joan@example.com', 'STOP');
  status = 503;
  await pass();
  expect(await waiting()).toMatchObject([{ topic: 'dnd', lastError: expect.stringContaining('503') as string }]);
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.update(lookups).set({ nextAt: Date.now() - 1, lastError: null }));
  status = 404;
  await pass();
  expect(await waiting()).toEqual([]);
  expect(told.map(({ url }) => url)).toEqual(['/contacts/con_3', '/contacts/con_3']);
  status = 200;
});

const spec = providerSpec('gohighlevel/openapi-v3.json');
test.skipIf(spec === null)('each is a request as the provider’s own specification has it', () => {
  const schema = '/paths/~1contacts~1{contactId}/put/requestBody/content/application~1json/schema';
  for (const channel of ['all', 'sms', 'email', 'whatsapp', 'call'])
    for (const isOn of [true, false])
      for (const wasAll of [true, false]) expect(faultsBy(spec, schema, switchesFor(channel, isOn, wasAll))).toEqual([]);
  expect(faultsBy(spec, schema, { dndSettings: { sms: { status: 'on' } } })).not.toEqual([]);
});
