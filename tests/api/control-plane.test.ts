import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { loadResources } from '../../api/resources/load.ts';
import { eq } from 'drizzle-orm';
import { main } from '../../cli/main.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { auditLog, connections } from '../../db/schema/index.ts';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import { startLocalModel } from '../../local/model/server.ts';
import { signTwilioForm } from '../../integrations/twilio/sign.ts';
import { aCart, openShop, type Shop, temporalClientOf } from '../helpers/shop.ts';
import { anotherStore } from './left-carts.ts';

const installationKey = 'an-installation-key-of-thirty-two-characters';

let shop: Shop;
let other: { tenantId: string; apiKey: string };
let app: Shop['app'];
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  other = await anotherStore(shop, 'other-store');
  app = await buildApp({
    deps: shop.deps,
    logger: pino({ level: 'silent' }),
    client: temporalClientOf(shop),
    registry: createPrometheus().registry,
    links: { temporalUi: null, mailbox: null },
    installationKey,
  });
  await app.ready();
});
afterAll(async () => {
  await app.close();
  await shop.close();
});

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
async function as(key: string | null, method: Method, url: string, payload?: Record<string, unknown>) {
  const headers = key === null ? {} : { authorization: `Bearer ${key}` };
  // Each from an address of its own: wrong keys are limited by address.
  const remoteAddress = `10.${Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}`;
  const response = await app.inject({ method, url, headers, remoteAddress, ...(payload === undefined ? {} : { payload }) });
  return { status: response.statusCode, body: response.body === '' ? null : response.json<Record<string, unknown>>() };
}
const own = (method: Method, url: string, payload?: Record<string, unknown>) => as(shop.tenant.apiKey, method, url, payload);
const installation = (method: Method, url: string, payload?: Record<string, unknown>) => as(installationKey, method, url, payload);

interface MadeConnection {
  id: string;
  webhook: { url: string; secret: string | null };
}

function deliver({ webhook }: MadeConnection, secret: string, cart: string) {
  const payload = JSON.stringify({ type: 'cart.updated', timestamp: new Date().toISOString(), data: aCart(cart, `${cart}@example.com`) });
  const [id, seconds] = [randomUUID(), Math.floor(Date.now() / 1_000)];
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signStandardWebhook(secret, id, seconds, payload),
  };
  return app.inject({ method: 'POST', url: new URL(webhook.url).pathname, headers, payload });
}

describe('every resource', () => {
  test('is found by itself, and no operation of it passes without its key', async () => {
    const resources = await loadResources();
    const folders = readdirSync(new URL('../../api/resources/', import.meta.url), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(resources.map((r) => r.tag.name).sort()).toEqual(folders.map(({ name }) => name.replaceAll('-', ' ')).sort());
    const document = (await app.inject({ url: '/openapi.json' })).json<{
      paths: Record<string, Record<string, { tags: string[]; security: Record<string, string[]>[] }>>;
    }>();
    for (const { tag, guard } of resources) {
      const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).flatMap(([method, operation]) => (operation.tags.includes(tag.name) ? [{ path, method, operation }] : [])),
      );
      expect(operations.length, tag.name).toBeGreaterThan(0);
      for (const { path, method, operation } of operations) {
        const asked = path.replaceAll(/\{\w+\}/g, randomUUID());
        const wrong = guard === 'tenant' ? installationKey : shop.tenant.apiKey;
        for (const key of [null, 'rk_nonsense_that_is_long_enough_for_a_key', wrong]) {
          expect((await as(key, method.toUpperCase() as Method, asked, method === 'get' ? undefined : {})).status, `${method} ${path}`).toBe(401);
        }
        expect(JSON.stringify(operation.security)).toContain(guard === 'tenant' ? 'apiKey' : 'installationKey');
      }
    }
  });
});

describe('connections', () => {
  test('one is made with a secret that is shown once, delivers, is rotated without losing a delivery, and removed', async () => {
    const { status, body } = await own('POST', '/api/connections', { integration: 'generic', name: 'Our own system' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ integration: 'generic', name: 'Our own system', state: 'connected', receives: true, sends: false, live_secrets: 1 });
    const made = body as unknown as MadeConnection;
    const first = made.webhook.secret ?? '';
    expect(first).toMatch(/^whsec_/);
    expect((await deliver(made, first, 'made-1')).statusCode).toBe(200);
    expect((await own('GET', `/api/connections/${made.id}`)).body).toMatchObject({ webhook: { url: made.webhook.url, secret: null } });

    const rotated = await own('POST', `/api/connections/${made.id}/rotate`, {});
    const second = (rotated.body as unknown as MadeConnection).webhook.secret ?? '';
    expect(second).not.toBe(first);
    expect(rotated.body).toMatchObject({ live_secrets: 2 });
    for (const secret of [first, second]) expect((await deliver(made, secret, `made-${randomUUID()}`)).statusCode).toBe(200);
    expect((await own('POST', `/api/connections/${made.id}/rotate`, { retire_old: true })).body).toMatchObject({ live_secrets: 1 });
    expect((await deliver(made, first, 'made-old')).statusCode).toBe(401);
    expect((await deliver(made, second, 'made-new')).statusCode).toBe(200);

    expect((await own('POST', `/api/connections/${made.id}/check`)).body).toMatchObject({
      sends: null,
      last_delivery_at: expect.any(String) as unknown,
    });
    expect((await own('DELETE', `/api/connections/${made.id}`)).status).toBe(204);
    expect((await deliver(made, second, 'made-late')).statusCode).toBeGreaterThanOrEqual(400);
    expect((await own('GET', `/api/connections/${made.id}`)).status).toBe(404);
    expect((await own('DELETE', `/api/connections/${made.id}`)).status).toBe(404);
  });

  test('a secret that could never verify a webhook is refused, when it is entered and when it is rotated', async () => {
    const message = expect.stringContaining('whsec_') as unknown;
    const request = { integration: 'generic', name: 'Our own system', secrets: ['not a secret of this kind'] };
    expect(await own('POST', '/api/connections', request)).toMatchObject({ status: 400, body: { errors: [{ path: 'secrets.0', message }] } });
    const key = {
      integration: 'sendgrid',
      name: 'Emails',
      config: { apiKey: `SG.${'x'.repeat(40)}` },
      secrets: ['not-a-key'],
    };
    expect(await own('POST', '/api/connections', key)).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'secrets.0', message: expect.stringContaining('verification key') as unknown }] },
    });
    const { body } = await own('POST', '/api/connections', { integration: 'generic', name: 'Our own system' });
    const path = `/api/connections/${String(body?.['id'])}`;
    expect(await own('POST', `${path}/rotate`, { secret: 'not a secret of this kind' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'secret', message }] },
    });
    // One that an earlier release took: nothing can be signed with it, and that is said.
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx
        .update(connections)
        .set({ secrets: [shop.deps.sealing.seal('of an earlier release')] })
        .where(eq(connections.id, String(body?.['id']))),
    );
    expect(await own('POST', `${path}/send`, { type: 'enrolled', data: {} })).toMatchObject({ status: 409, body: { code: 'unusable_secret' } });
    expect((await own('DELETE', path)).status).toBe(204);
  });

  test('secrets that stand in the configuration change with it, and the one before stays valid', async () => {
    const config = { accountSid: `AC${'0'.repeat(32)}`, authToken: 'the-first-invented-token', from: '+12025550100' };
    const made = (await own('POST', '/api/connections', { integration: 'twilio', name: 'Texts', config })).body as unknown as MadeConnection;
    const answers = async (authToken: string) => {
      const payload = String(
        new URLSearchParams({ MessageSid: `SM${randomUUID().replaceAll('-', '')}`, AccountSid: config.accountSid, MessageStatus: 'sent' }),
      );
      const signature = signTwilioForm(authToken, made.webhook.url, payload);
      const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature };
      return (await app.inject({ method: 'POST', url: new URL(made.webhook.url).pathname, headers, payload })).statusCode;
    };
    expect(await answers('the-first-invented-token')).toBe(200);
    expect(await answers('the-second-invented-token')).toBe(401);
    const change = { config: { ...config, authToken: 'the-second-invented-token' } };
    expect((await own('PATCH', `/api/connections/${made.id}`, change)).body).toMatchObject({ live_secrets: 2 });
    expect((await own('PATCH', `/api/connections/${made.id}`, change)).body).toMatchObject({ live_secrets: 2 });
    for (const token of ['the-first-invented-token', 'the-second-invented-token']) expect(await answers(token)).toBe(200);
    expect(await own('POST', `/api/connections/${made.id}/rotate`, {})).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'secret', message: expect.stringContaining('configuration') as unknown }] },
    });
    expect((await own('DELETE', `/api/connections/${made.id}`)).status).toBe(204);
  });

  test('say beforehand what they have to be told: each integration by its own schema, by which the API checks it', async () => {
    const { status, body } = await own('GET', '/api/integrations');
    expect(status).toBe(200);
    const known = body?.['data'] as {
      name: string;
      title: string;
      secret: string;
      receives: boolean;
      guide: { before: string[]; secret: string | null; after: string[] };
      config: { required?: string[]; properties: object } | null;
    }[];
    expect(known.map(({ name }) => name)).toEqual(Object.keys(shop.deps.integrations));
    expect(known.filter(({ title, name }) => title === name)).toEqual([]);
    // What to do at the provider stands beside it: steps before or after, and where the secret is shown where it is entered.
    expect(known.filter(({ guide }) => guide.before.length + guide.after.length === 0)).toEqual([]);
    expect(known.filter(({ guide, secret }) => (guide.secret !== null) !== (secret === 'entered'))).toEqual([]);
    // Whatever delivers has to be told where to.
    expect(known.filter(({ guide, receives }) => receives && guide.after.length === 0)).toEqual([]);
    const of = (name: string) => known.find((one) => one.name === name);
    expect(of('shopify')).toMatchObject({ purpose: 'shop', receives: true, sends: false, secret: 'entered', config: null });
    expect(of('generic')).toMatchObject({ secret: 'made_here', config: null });
    expect(of('twilio')).toMatchObject({ purpose: 'texts_and_calls', receives: true, sends: true, secret: 'in_config' });
    expect(of('twilio')?.config?.required).toEqual(['accountSid', 'authToken']);
    // What it calls needed is what the API misses.
    for (const { name, config } of known.filter((one) => (one.config?.required ?? []).length > 0)) {
      const { status: refused, body: problem } = await own('POST', '/api/connections', { integration: name, name: 'Empty', config: {} });
      const missing = ((problem?.['errors'] ?? []) as { path: string }[]).map(({ path }) => path.split(/[./]/).at(-1));
      for (const field of config?.required ?? []) expect([name, refused, missing]).toEqual([name, 400, expect.arrayContaining([field])]);
    }
  });

  test('a sender is checked by its own schema and against its provider, and a changed one is used at once', async () => {
    const wrong = await own('POST', '/api/connections', { integration: 'smtp', name: 'Relay', config: { url: 'ftp://nowhere' } });
    expect(wrong.status).toBe(400);
    expect(wrong.body).toMatchObject({ errors: [{ path: expect.stringMatching(/^config/) as unknown }] });
    const made = await own('POST', '/api/connections', { integration: 'smtp', name: 'Relay', config: { url: shop.smtp.url } });
    expect(made).toMatchObject({ status: 201, body: { sends: true, receives: false, webhook: null } });
    const id = String(made.body?.['id']);
    expect((await own('POST', `/api/connections/${id}/check`)).body).toMatchObject({
      sends: { ok: true, detail: `smtp:127.0.0.1:${shop.smtp.port} lets us in` },
    });
    // Nobody listens on port 1.
    await own('PATCH', `/api/connections/${id}`, { config: { url: 'smtp://127.0.0.1:1' } });
    expect((await own('POST', `/api/connections/${id}/check`)).body).toMatchObject({ sends: { ok: false } });
    expect(JSON.stringify((await own('GET', '/api/connections')).body)).not.toContain('127.0.0.1:1');
  });

  test('a model is checked by its key, which no answer repeats; a check that succeeds ends the fault', async () => {
    const model = await startLocalModel({ apiKey: 'the-right-key' });
    try {
      const config = { apiKey: 'a-wrong-key', baseUrl: model.url };
      const id = String((await own('POST', '/api/connections', { integration: 'openai', name: 'Texts', config })).body?.['id']);
      const check = async () => (await own('POST', `/api/connections/${id}/check`)).body?.['sends'];
      expect(await check()).toEqual({ ok: false, detail: 'HTTP 401 invalid_api_key invalid_api_key' });
      await own('PATCH', `/api/connections/${id}`, { config: { ...config, apiKey: 'the-right-key' } });
      await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.update(connections).set({ fault: 'HTTP 401' }).where(eq(connections.id, id)));
      expect((await own('GET', `/api/connections/${id}`)).body).toMatchObject({ fault: 'HTTP 401' });
      expect(await check()).toEqual({ ok: true, detail: expect.stringContaining('lets us in') });
      expect((await own('GET', `/api/connections/${id}`)).body).toMatchObject({ fault: null });
      await own('PATCH', `/api/connections/${id}`, { config: { ...config, baseUrl: 'http://127.0.0.1:1/v1' } });
      expect(await check()).toEqual({ ok: false, detail: 'no connection' });
      await own('DELETE', `/api/connections/${id}`);
    } finally {
      await model.close();
    }
  });

  test('what cannot be used is refused with the field and what to do', async () => {
    expect(await own('POST', '/api/connections', { integration: 'nosuch', name: 'x' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'integration', message: expect.stringContaining('shopify') as unknown }] },
    });
    expect(await own('POST', '/api/connections', { integration: 'shopify', name: 'Shop' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'secrets' }] },
    });
    expect(await own('POST', '/api/connections', { integration: 'constructor', name: 'x' })).toMatchObject({ status: 400 });
    expect(
      await own('POST', '/api/connections', { integration: 'smtp', name: 'x', secrets: ['12345678'], config: { url: shop.smtp.url } }),
    ).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'secrets' }] },
    });
  });

  test('of another store do not exist, whatever is asked of them', async () => {
    const { body } = await own('POST', '/api/connections', { integration: 'generic', name: 'Mine' });
    const url = `/api/connections/${String(body?.['id'])}`;
    const asOther = (method: Method, path: string, payload?: Record<string, unknown>) => as(other.apiKey, method, path, payload);
    for (const answer of [
      await asOther('GET', url),
      await asOther('PATCH', url, { name: 'Stolen' }),
      await asOther('DELETE', url),
      await asOther('POST', `${url}/rotate`, {}),
      await asOther('POST', `${url}/check`),
    ])
      expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_connection' } });
    expect(JSON.stringify((await asOther('GET', '/api/connections')).body)).not.toContain(String(body?.['id']));
    expect((await own('GET', url)).body).toMatchObject({ name: 'Mine', live_secrets: 1 });
  });

  test('are listed page by page', async () => {
    const found: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await own('GET', `/api/connections?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      const page = body as unknown as { data: { id: string }[]; nextCursor: string | null };
      found.push(...page.data.map((c) => c.id));
      cursor = page.nextCursor;
    }
    expect(new Set(found).size).toBe(found.length);
    expect(found.length).toBeGreaterThan(2);
  });
});

describe('npx rekindle', () => {
  const run = async (...argv: string[]) => {
    const said: string[] = [];
    const complained: string[] = [];
    const before = { ...process.env };
    const address = app.server.address();
    Object.assign(process.env, {
      REKINDLE_API_URL: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
      REKINDLE_API_KEY: shop.tenant.apiKey,
      REKINDLE_INSTALLATION_KEY: installationKey,
    });
    const code = await main(
      argv,
      (line) => said.push(line),
      (line) => complained.push(line),
    );
    process.env = before;
    return { code, said: said.join('\n'), complained: complained.join('\n') };
  };
  beforeAll(async () => void (await app.listen({ host: '127.0.0.1', port: 0 })));

  test('prints how cart recovery is configured, and takes it back changed from a file', async () => {
    expect(await run('settings', 'recovery')).toMatchObject({ code: 0, said: expect.stringMatching(/^thresholds = .*high_value/m) as unknown });
    const config = JSON.parse((await run('settings', 'recovery', '--json')).said) as { version: number; thresholds: object };
    const folder = mkdtempSync(join(tmpdir(), 'recovery-'));
    try {
      const file = join(folder, 'recovery.json');
      writeFileSync(file, JSON.stringify({ ...config, tone: 'Calm', thresholds: { ...config.thresholds, low_stock: 7 } }));
      expect(await run('settings', 'recovery', file)).toMatchObject({ code: 0, said: expect.stringContaining('tone = Calm') as unknown });
      expect(JSON.parse((await run('settings', 'recovery', '--json')).said)).toMatchObject({ tone: 'Calm', thresholds: { low_stock: 7 } });
      // It was changed since the file was printed.
      expect(await run('settings', 'recovery', file)).toMatchObject({ code: 1, complained: expect.stringContaining('read them again') as unknown });
      writeFileSync(file, '{ no JSON');
      expect(await run('settings', 'recovery', file)).toMatchObject({ code: 2, complained: expect.stringContaining('is no JSON') as unknown });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('connects a provider, changes a setting, makes a store, and says it in JSON too', async () => {
    const made = await run('connections', 'create', 'generic', '--name', 'Till');
    expect(made).toMatchObject({ code: 0, said: expect.stringMatching(/Till .*\/api\/webhooks\/generic\/[\s\S]*secret whsec_/) as unknown });
    const listed = JSON.parse((await run('connections', '--json')).said) as { name: string; id: string }[];
    const id = listed.find((c) => c.name === 'Till')?.id ?? '';
    expect(await run('connections', 'rotate', id)).toMatchObject({ code: 0, said: expect.stringContaining('secret whsec_') as unknown });
    expect(await run('connections', 'check', id)).toMatchObject({ code: 0, said: expect.stringContaining('receives only') as unknown });
    expect(await run('connections', 'remove', id, '--yes')).toMatchObject({ code: 0 });
    expect(await run('settings', 'set', 'lowStockAt=4', 'shippingNote=Free shipping')).toMatchObject({
      code: 0,
      // Those alone, of sixty.
      said: expect.stringMatching(/^version \d+\nshippingNote = Free shipping\nlowStockAt = 4$/) as unknown,
    });
    expect(await run('compositions')).toMatchObject({ code: 0, said: 'No text waits for a person.' });
    expect(await run('compositions', 'approve', randomUUID())).toMatchObject({
      code: 1,
      complained: expect.stringContaining('No text of yours') as unknown,
    });
    expect(await run('settings', 'history')).toMatchObject({ code: 0, said: expect.stringContaining('"lowStockAt":4') as unknown });
    expect(await run('tenants', 'create', `cli-${randomUUID().slice(0, 6)}`, '--name', 'By hand')).toMatchObject({
      code: 0,
      said: expect.stringMatching(/api key rk_/) as unknown,
    });
    await shop.post('cart.updated', aCart('cli-cart', 'cli@example.com'));
    const running = await shop.enrollmentOf('cli-cart');
    expect(await run('stop', running?.id ?? '', '--reason', 'asked by phone & by letter')).toMatchObject({
      code: 0,
      said: expect.stringContaining('status stopped') as unknown,
    });
    expect(await shop.enrollmentOf('cli-cart')).toMatchObject({ stopReason: 'manual', stopNote: 'asked by phone & by letter' });
    expect(await run('quarantine')).toMatchObject({ code: 0, said: 'Nothing waits in the quarantine.' });
    expect(await run('status')).toMatchObject({ said: expect.stringContaining('status:') as unknown });
  });

  test('sends an event through a connection, says what it did, and an order finds the cart', async () => {
    const left = await run('send', 'cart.updated', '--email', 'sent@example.com', '--value', '80.00', '--json');
    expect(left.code).toBe(0);
    const sent = JSON.parse(left.said) as { state: string; cart: string; began: string[]; delivery_id: string };
    expect(sent).toMatchObject({ state: 'applied', began: [expect.any(String) as unknown] });
    expect((await own('GET', `/api/deliveries?delivery_id=${sent.delivery_id}`)).body).toMatchObject({
      data: [{ topic: 'cart.updated', state: 'applied' }],
    });
    expect(await run('send', 'order.placed', '--email', 'sent@example.com')).toMatchObject({
      code: 0,
      said: expect.stringContaining(`It ended a sequence (${sent.began[0]})`) as unknown,
    });
    expect(await shop.enrollmentOf(sent.cart)).toMatchObject({ endedAt: expect.any(Number) as unknown });
    expect(await run('send', 'lead.created', '--email', 'asked@example.com', '--interest', 'a workshop')).toMatchObject({ code: 0 });
    expect((await run('send', 'cart.updated', '--email', 'dry@example.com', '--dry-run')).said).toContain('"dry@example.com"');
    expect((await own('GET', '/api/enrollments?email=dry@example.com')).body).toMatchObject({ data: [] });
  });

  test('what it sends and cannot be read, or has no effect, ends with 1 and says why', async () => {
    expect(await run('send', 'order.placed', '--data', '{"order":{}}')).toMatchObject({
      code: 1,
      complained: expect.stringContaining('no effect') as unknown,
    });
    expect(await run('send', 'nosuch.event', '--data', '{}')).toMatchObject({ code: 1 });
    expect(await run('send', 'nosuch.event')).toMatchObject({ code: 2, complained: expect.stringContaining('--data') as unknown });
    expect(await run('send')).toMatchObject({ code: 2, complained: expect.stringContaining('Which event?') as unknown });
    expect(await run('send', 'cart.updated', '--email', 'x@example.com', '--connection', randomUUID())).toMatchObject({
      code: 1,
      complained: expect.stringContaining('no such connection') as unknown,
    });
    const smtp = (await own('POST', '/api/connections', { integration: 'smtp', name: 'Relay', config: { url: shop.smtp.url } })).body?.['id'];
    expect(await own('POST', `/api/connections/${String(smtp)}/send`, { type: 'cart.updated', data: {} })).toMatchObject({
      status: 409,
      body: { code: 'no_test_events' },
    });
    expect(await as(other.apiKey, 'POST', `/api/connections/${String(smtp)}/send`, { type: 'cart.updated', data: {} })).toMatchObject({
      status: 404,
    });
  });

  test('starts a sequence again, and dismisses what is not to be read', async () => {
    await run('send', 'cart.updated', '--email', 'again@example.com', '--cart', 'cart-cli-again');
    const first = (await shop.enrollmentOf('cart-cli-again'))?.id ?? '';
    expect(await run('re-enroll', first)).toMatchObject({
      code: 1,
      complained: expect.stringContaining('running about this cart already') as unknown,
    });
    await run('stop', first);
    expect(await run('enroll', 'nosuch', '--email', 'again@example.com')).toMatchObject({
      code: 1,
      complained: expect.stringContaining('There is no sequence nosuch.') as unknown,
    });
    expect(await run('enroll', 'cart')).toMatchObject({ code: 2, complained: expect.stringContaining('--email') as unknown });
    expect(await run('enroll', '--email', 'again@example.com')).toMatchObject({
      code: 2,
      complained: expect.stringContaining('sequence') as unknown,
    });
    const taken = await run('enroll', 'cart', '--email', 'again@example.com', '--note', 'asked for it', '--key', 'cli-enroll', '--json');
    const begun = JSON.parse(taken.said) as { id: string };
    expect(begun).toMatchObject({ status: 'ACTIVE', cart: { external_ids: [{ value: 'cart-cli-again' }] } });
    const repeated = await run('enroll', 'cart', '--email', 'again@example.com', '--note', 'asked for it', '--key', 'cli-enroll', '--json');
    expect(JSON.parse(repeated.said)).toMatchObject({ id: begun.id });
    await run('stop', begun.id);
    const started = await run('re-enroll', '--email', 'again@example.com', '--json');
    expect(JSON.parse(started.said)).toMatchObject({ status: 'ACTIVE', cart: { external_ids: [{ value: 'cart-cli-again' }] } });
    expect(await run('re-enroll')).toMatchObject({ code: 2 });
    expect(await run('re-enroll', first, '--email', 'again@example.com')).toMatchObject({ code: 2 });
    await run('send', 'order.placed', '--data', '{"order":{}}');
    const [open] = JSON.parse((await run('quarantine', '--json')).said) as { id: string }[];
    expect(await run('quarantine', 'replay')).toMatchObject({ code: 1 });
    expect(await run('quarantine', 'dismiss', open?.id ?? '')).toMatchObject({ code: 2, complained: expect.stringContaining('--reason') as unknown });
    expect(await run('quarantine', 'dismiss', open?.id ?? '', '--reason', 'a test')).toMatchObject({
      code: 0,
      said: expect.stringContaining('a test') as unknown,
    });
    expect(await run('quarantine', '--state', 'dismissed')).toMatchObject({ code: 0, said: expect.stringContaining(open?.id ?? '?') as unknown });
    expect(await run('quarantine', '--state', 'nosuch')).toMatchObject({ code: 1, complained: expect.stringContaining('state') as unknown });
  });

  test.each([
    ['connections list', ['connections', 'list', 'extra']],
    ['connections rotate', ['connections', 'rotate', 'id', 'extra']],
    ['settings show', ['settings', 'show', 'extra']],
    ['settings history', ['settings', 'history', 'extra']],
    ['tenants revoke', ['tenants', 'revoke', 'slug', 'id', 'extra']],
    ['quarantine replay', ['quarantine', 'replay', 'id', 'extra']],
    ['status', ['status', 'extra']],
    ['send', ['send', 'cart.updated', 'extra', '--email', 'x@example.com']],
    ['stop', ['stop', 'id', 'extra']],
    ['enroll', ['enroll', 'cart', 'extra', '--email', 'x@example.com']],
    ['re-enroll', ['re-enroll', 'id', 'extra']],
    ['sequences publish', ['sequences', 'publish', 'slug', 'extra']],
    ['sequences pause', ['sequences', 'pause', 'slug', 'extra']],
  ])('%s refuses an argument too many, with its usage', async (command, argv) => {
    expect(await run(...argv)).toMatchObject({
      code: 2,
      said: '',
      complained: expect.stringMatching(
        new RegExp(`^"extra" is too much for rekindle ${command}[.]\n\nrekindle ${command.split(' ')[0] ?? ''}`),
      ) as unknown,
    });
  });

  test('every command has help, and says JSON where it is asked for it', async () => {
    for (const command of ['connections', 'settings', 'tenants', 'quarantine', 'status', 'send', 'stop', 're-enroll', 'sequences']) {
      expect(await run(command, '--help'), command).toMatchObject({ code: 0, said: expect.stringContaining(`rekindle ${command}`) as unknown });
    }
    for (const argv of [['connections'], ['settings'], ['settings', 'history'], ['tenants'], ['quarantine'], ['status'], ['sequences']]) {
      JSON.parse((await run(...argv, '--json')).said);
    }
  });

  test('says what is wrong and what to do, and ends with 1 or 2', async () => {
    const inJson = await run('connections', 'create', 'nosuch', '--json');
    expect(inJson).toMatchObject({ code: 1, said: '' });
    expect(JSON.parse(inJson.complained)).toMatchObject({ code: 'invalid_request', errors: [{ path: 'integration' }] });
    expect(await run('connections', 'create', 'nosuch')).toMatchObject({ code: 1, complained: expect.stringContaining('Known are:') as unknown });
    expect(await run('settings', 'set', 'timeZone=Mars')).toMatchObject({ code: 1, complained: expect.stringContaining('timeZone') as unknown });
    expect(await run('settings', 'set')).toMatchObject({ code: 2, complained: expect.stringContaining('rekindle settings set') as unknown });
    expect(await run('connections', '--nosuch')).toMatchObject({ code: 2, complained: expect.stringContaining('--nosuch') as unknown });
    expect(await run('stop', randomUUID())).toMatchObject({ code: 1, complained: expect.stringContaining('There is no such sequence') as unknown });
  });
});

describe('settings', () => {
  test('are changed by field, versioned with who and when, and a stale change is refused', async () => {
    const before = (await own('GET', '/api/settings')).body ?? {};
    const version = Number(before['version']);
    const changed = await own('PATCH', '/api/settings', { version, settings: { storeName: 'Hearth & Moss', timeZone: 'Europe/Vienna' } });
    expect(changed).toMatchObject({
      status: 200,
      body: {
        version: version + 1,
        settings: { storeName: 'Hearth & Moss', timeZone: 'Europe/Vienna' },
        changed_by: expect.stringMatching(/^api_key:/) as unknown,
      },
    });
    const stale = await own('PATCH', '/api/settings', { version, settings: { storeName: 'Too late' } });
    expect(stale).toMatchObject({ status: 409, body: { code: 'stale_version' } });
    await own('PATCH', '/api/settings', { settings: { lowStockAt: 3 } });
    const history = (await own('GET', '/api/settings/history?limit=2')).body as { data: unknown[] } | null;
    expect(history?.data).toMatchObject([
      { version: version + 2, changes: { lowStockAt: 3 } },
      { version: version + 1, changes: { storeName: 'Hearth & Moss', timeZone: 'Europe/Vienna' } },
    ]);
    expect((await as(other.apiKey, 'GET', '/api/settings')).body).not.toMatchObject({ settings: { storeName: 'Hearth & Moss' } });
  });

  test.each([
    ['storeNmae', 'x'],
    ['timeZone', 'Mars/Olympus'],
    ['country', 'Austria'],
    ['senderAddress', 'nobody'],
    ['quietHours', { fromMinute: -1, toMinute: 480 }],
    ['caps', [{ channel: null, most: 0, withinHours: 24 }]],
    ['caps', [{ channel: null, most: 5, withinHours: 745 }]],
    ['caps', [{ channel: 'pigeon', most: 5, withinHours: 24 }]],
    ['blackoutDates', [{ from: '24.12.2026', to: '2026-12-26' }]],
    ['quietHoursOn', { pigeon: null }],
    ['requireConsent', ['pigeon']],
    ['brandColor', 'red'],
    ['lowStockAt', 1.5],
  ])('%s: %j is refused, and the answer names it', async (field, value) => {
    const { status, body } = await own('PATCH', '/api/settings', { settings: { [field]: value } });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(field);
  });

  const cartOf = (id: string) => ({
    id,
    currency: 'EUR',
    total: '129.90',
    origin: 'web',
    items: [{ title: 'Walnut desk lamp', quantity: 1, price: '129.90' }],
  });

  test('the next webhook is read by the new ones', async () => {
    await own('PATCH', '/api/settings', { settings: { recoverFrom: ['marketplace'] } });
    await shop.post('cart.updated', { ...aCart('settings-1', 'settings-1@example.com'), cart: cartOf('settings-1') });
    expect(await shop.enrollmentOf('settings-1')).toBeNull();
    await own('PATCH', '/api/settings', { settings: { recoverFrom: ['web'] } });
    await shop.post('cart.updated', { ...aCart('settings-2', 'settings-2@example.com'), cart: cartOf('settings-2') });
    expect(await shop.enrollmentOf('settings-2')).not.toBeNull();
  });
});

describe('tenants', () => {
  test('one that is made while processes run has its sequences at once: its first cart begins one', async () => {
    const slug = `made-${randomUUID().slice(0, 8)}`;
    const made = await installation('POST', '/api/tenants', { slug, name: 'A new store', settings: { country: 'AT' } });
    expect(made).toMatchObject({ status: 201, body: { slug, name: 'A new store', synthetic: false } });
    const key = String(made.body?.['api_key']);
    const connection = (await as(key, 'POST', '/api/connections', { integration: 'generic', name: 'Own system' })).body as unknown as MadeConnection;
    expect((await deliver(connection, connection.webhook.secret ?? '', 'first-cart')).statusCode).toBe(200);
    const listed = await as(key, 'GET', '/api/enrollments');
    expect(JSON.stringify(listed.body)).toContain('first-cart');
    expect(await installation('POST', '/api/tenants', { slug, name: 'Again' })).toMatchObject({ status: 409, body: { code: 'slug_taken' } });
    expect((await installation('GET', `/api/tenants/${slug}`)).body).toMatchObject({ name: 'A new store' });
    expect((await installation('PATCH', `/api/tenants/${slug}`, { name: 'Renamed' })).body).toMatchObject({ name: 'Renamed' });
    expect(JSON.stringify((await installation('GET', '/api/tenants')).body)).toContain(slug);
  });

  test('keys are issued, and open nothing once they are revoked', async () => {
    const issued = await installation('POST', '/api/tenants/other-store/keys', { name: 'for the till' });
    const key = String(issued.body?.['api_key']);
    expect((await as(key, 'GET', '/api/settings')).status).toBe(200);
    expect(JSON.stringify((await installation('GET', '/api/tenants/other-store/keys')).body)).not.toContain(key);
    const url = `/api/tenants/other-store/keys/${String(issued.body?.['id'])}`;
    expect((await installation('DELETE', url)).status).toBe(204);
    expect((await as(key, 'GET', '/api/settings')).status).toBe(401);
    expect((await installation('DELETE', url)).status).toBe(404);
    const entries = await shop.deps.db.withTenant(other.tenantId, (tx) =>
      tx
        .select()
        .from(auditLog)
        .where(eq(auditLog.subject, String(issued.body?.['id']))),
    );
    expect(entries.map(({ actor, action }) => [actor, action])).toEqual([
      ['installation_key', 'api_key.issue'],
      ['installation_key', 'api_key.revoke'],
    ]);
  });

  test('whoever makes one, or its keys and connections, is in the audit log', async () => {
    const entries = await shop.deps.db.withTenant(other.tenantId, (tx) => tx.select().from(auditLog));
    const actions = entries.filter(({ actor }) => actor === 'provisioning').map(({ action }) => action);
    expect(actions).toEqual(['tenant.create', 'api_key.issue', 'connection.create', 'connection.create']);
  });

  test('without an installation key nobody may', async () => {
    const response = await shop.app.inject({ url: '/api/tenants', headers: { authorization: `Bearer ${installationKey}` } });
    expect(response.statusCode).toBe(401);
    expect(response.json()).toMatchObject({
      code: 'missing_installation_key',
      detail: expect.stringContaining('REKINDLE_INSTALLATION_KEY') as unknown,
    });
  });
});
