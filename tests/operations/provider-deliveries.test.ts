import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { quarantine } from '../../db/schema/index.ts';
import { registryOf } from '../../integrations/index.ts';
import { smsHttp } from '../../integrations/sms-http/index.ts';
import type { Delivery, Normalised, Receiver } from '../../integrations/port.ts';
import { parseForm } from '../../integrations/read/form.ts';
import { nobody } from '../../integrations/read/person.ts';
import { acceptDelivery } from '../../operations/accept-delivery.ts';
import { createConnection } from '../../operations/connections.ts';
import type { Deps } from '../../operations/deps.ts';
import { replayQuarantined } from '../../operations/replay-quarantine.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

let shop: Shop;
let deps: Deps;
/** Until the receiver is corrected it cannot read a name. */
let corrected = false;
/** As the receiver was given them. */
let seen: Delivery[] = [];

const reply = { contentType: 'text/plain', body: 'thanks' };
function read(delivery: Delivery): Normalised {
  seen.push(delivery);
  const said = delivery.method === 'GET' ? Object.fromEntries(new URL(delivery.url).searchParams) : parseForm(delivery.raw);
  const { email, name } = said;
  if (typeof email !== 'string') return { kind: 'ignored', topic: 'other', reply };
  if (name !== undefined && !corrected) return { kind: 'unreadable', topic: 'contact', reason: 'name', fields: [], mayBeStop: false, reply };
  const person = { ...nobody, email, firstName: typeof name === 'string' ? name : null };
  return { kind: 'events', topic: 'contact', events: [{ type: 'contact.updated', occurredAtMs: delivery.receivedAtMs, person }], notes: [], reply };
}
/** A provider that delivers forms, or by GET, and begins with a ping. It stands under the name of the connection that the shop has. */
const courier: Receiver = {
  topics: ['contact'],
  methods: ['POST', 'GET'],
  readsHeaders: ['x-language'],
  readsQuery: ['email', 'name'],
  topicHeader: null,
  answersUnreadable: 'accept',
  receive(delivery, secrets) {
    if (delivery.raw.toString() === 'ping') return { kind: 'answer', status: 202, body: { contentType: 'text/plain', body: 'pong' } };
    const token = new URL(delivery.url).searchParams.get('token') ?? delivery.headers['x-token'];
    if (token === undefined) return { kind: 'refused', reason: 'missing_signature' };
    return secrets.some((secret) => secret === token) ? { ...read(delivery), dedupeKey: null } : { kind: 'refused', reason: 'bad_signature' };
  },
  reread: read,
};

let path: string;
let secret: string;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  Object.assign(shop.deps, { integrations: registryOf([{ name: 'generic', receiver: courier }, smsHttp]) });
  deps = shop.deps;
  ({ path, secret } = shop.tenant.webhooks.generic);
});
afterAll(() => shop.close());

const token = () => encodeURIComponent(secret);
const form = (fields: Record<string, string>) => ({
  method: 'POST' as const,
  url: path,
  headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-token': secret, 'x-language': 'de' },
  payload: new URLSearchParams(fields).toString(),
});
const kept = () => shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(quarantine));

test('a form is read, its repeat recognised, and both are answered as the provider wants it', async () => {
  const delivery = form({ email: `${randomUUID()}@example.com` });
  for (let time = 0; time < 2; time++) {
    const response = await shop.app.inject({ ...delivery, url: `${path}?shop=1`, headers: { ...delivery.headers, host: 'proxy.internal:8080' } });
    expect([response.statusCode, response.headers['content-type'], response.body]).toEqual([200, 'text/plain', 'thanks']);
  }
  // The address that the provider was given, whatever a proxy made of it.
  expect(seen.at(-1)).toMatchObject({ method: 'POST', url: `${deps.publicUrl}${path}?shop=1` });
});

test('a delivery by GET is read from its query, and two of them are two', async () => {
  const connectionId = path.split('/').at(-1) ?? '';
  const get = (email: string) =>
    acceptDelivery(deps, 'generic', connectionId, {
      method: 'GET',
      url: `${deps.publicUrl}${path}?email=${email}&token=${token()}`,
      raw: Buffer.alloc(0),
      headers: {},
      receivedAtMs: Date.now(),
    });
  expect(await get('one@example.com')).toMatchObject({ kind: 'accepted', result: 'applied' });
  expect(await get('one@example.com')).toMatchObject({ kind: 'accepted', result: 'repeated' });
  expect(await get('two@example.com')).toMatchObject({ kind: 'accepted', result: 'applied' });
  expect((await shop.app.inject({ url: `${path}?email=three@example.com&token=${token()}` })).body).toBe('thanks');
  expect((await shop.app.inject({ url: `${path}?email=three@example.com` })).statusCode).toBe(401);
});

test('a ping is answered without effect, also unsigned', async () => {
  const response = await shop.app.inject({ method: 'POST', url: path, headers: { 'content-type': 'text/plain' }, payload: 'ping' });
  expect([response.statusCode, response.body]).toEqual([202, 'pong']);
});

test('what could not be read is kept with what its receiver reads, never with the token, and read again', async () => {
  const email = `${randomUUID()}@example.com`;
  expect((await shop.app.inject(form({ email, name: 'Ada' }))).body).toBe('thanks');
  expect((await shop.app.inject({ url: `${path}?email=by-${email}&name=Ada&token=${token()}` })).statusCode).toBe(200);
  const rows = await kept();
  expect(JSON.stringify(rows)).not.toContain(secret);
  expect(rows.map(({ body, headers }) => ({ body, headers }))).toEqual([
    { body: new URLSearchParams({ email, name: 'Ada' }).toString(), headers: { 'x-language': 'de' } },
    { body: '', headers: { ':method': 'GET', ':query': new URLSearchParams({ email: `by-${email}`, name: 'Ada' }).toString() } },
  ]);
  corrected = true;
  for (const { id } of rows)
    expect(await replayQuarantined(deps, shop.tenant.tenantId, id)).toMatchObject({ kind: 'applied', events: ['contact.updated'] });
  expect(seen.at(-1)).toMatchObject({ method: 'GET' });
});

test('a gateway is read by the configuration of its connection, also from the quarantine, which never holds its token', async () => {
  const config = { profile: '23telecom', secrets: { username: 'shop', password: 'p' }, webhookToken: 'an-invented-token' };
  const created = await createConnection(deps, shop.tenant.tenantId, { integration: 'sms-http', name: 'Texts', config, secrets: [] }, 'a test');
  if (created.kind !== 'created') throw new Error(JSON.stringify(created));
  const url = `/api/webhooks/sms-http/${created.connection.id}?token=an-invented-token`;
  const before = await kept();
  expect((await shop.app.inject({ url: `${url}&command=mo&ani=436641234567&message=STOP` })).json()).toEqual({ status: 'applied' });
  expect((await shop.app.inject({ url: `${url}&command=mo&ani=Teahouse&message=STOP` })).json()).toEqual({ status: 'quarantined' });
  expect((await shop.app.inject({ url: `${url}x&command=mo&ani=436641234567&message=STOP` })).statusCode).toBe(401);
  const [row] = (await kept()).filter(({ id }) => !before.some((other) => other.id === id));
  expect(row?.headers).toEqual({ ':method': 'GET', ':query': 'command=mo&ani=Teahouse&message=STOP' });
  expect(await replayQuarantined(deps, shop.tenant.tenantId, row?.id ?? '')).toMatchObject({
    kind: 'still_unreadable',
    reason: 'from: names nobody',
  });
});
