import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { members } from '../../db/schema/index.ts';
import { lazyClient } from '../../temporal/connect.ts';
import { createWorkflowEngine } from '../../temporal/engine.ts';
import { failureConverterPath } from '../../temporal/data-converter.ts';
import { type RecoveryView, recoveryWorkflowId } from '../../workflows/contract.ts';
import { ask } from '../api/left-carts.ts';
import { temporalCommand } from '../chaos/own-temporal.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';

// What Temporal stores, encrypted: docs/rules.md#rule-110. On real Temporal, read through its own interface, past the SDK's codec.

const installationKey = 'an installation key of 32 characters';
const password = 'correct horse battery';
const secretWord = 'Zebulon Quill, zebulon@example.com';
const silent = () => undefined;

let shop: Shop;
let folder: string;
let url: string;
let failed = false;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekindle-encrypted-'));
  const { code } = await bundleWorkflowCode({
    workflowsPath: resolve(import.meta.dirname, '../../workflows/index.ts'),
    failureConverterPath,
    logger: { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent },
  });
  const workflowBundle = join(folder, 'workflow-bundle.js');
  writeFileSync(workflowBundle, code);
  shop = await openShop({
    payloadKeys: { current: randomBytes(32), others: [] },
    installationKey,
    // The first attempt of a step fails with a message that names a person.
    checkpoints: async (at) => {
      if (at !== 'dispatch.locked' || failed) return;
      failed = true;
      throw new Error(`the mail server refused ${secretWord}`);
    },
  });
  // Begun before there was a key: its history is in plain text until then.
  await shop.deliver('cart.updated', aCart('before', 'before@example.com'));
  const begun = await until('the enrollment', () => shop.enrollmentOf('before'));
  const plain = lazyClient({ ...shop.temporal, payloadKeys: null });
  const { relayOutbox } = await import('../../operations/relay-outbox.ts');
  await relayOutbox({ ...shop.deps, engine: createWorkflowEngine(plain, shop.temporal.taskQueue) });
  expect(await unencrypted(recoveryWorkflowId(shop.tenant.slug, 'cart', begun.id))).not.toEqual([]);
  await shop.startWorker({ prepared: { presets: inject('presets'), workflowBundle } });
  await shop.app.listen({ port: 0, host: '127.0.0.1' });
  url = `http://127.0.0.1:${(shop.app.server.address() as AddressInfo).port}/codec`;
});
afterAll(async () => {
  await shop.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Stored {
  metadata?: Record<string, Uint8Array>;
  data?: Uint8Array;
}
const isPayload = (value: object): value is Stored => 'metadata' in value && 'data' in value && !('events' in value);

async function rawHistory(workflowId: string): Promise<unknown> {
  const { history } = await temporalClientOf(shop).workflowService.getWorkflowExecutionHistory({
    namespace: 'default',
    execution: { workflowId },
  });
  return history?.events ?? [];
}

/** Every payload of a history that is not encrypted, by where it stands; what is meant to be found by is left out. */
async function unencrypted(workflowId: string): Promise<string[]> {
  const found: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array || path.endsWith('searchAttributes')) return;
    if (isPayload(value)) {
      const encoding = Buffer.from(value.metadata?.['encoding'] ?? []).toString();
      if (encoding !== 'binary/encrypted')
        found.push(
          `${path} ${encoding} ${Buffer.from(value.data ?? [])
            .toString()
            .slice(0, 80)}`,
        );
      return;
    }
    for (const [name, below] of Object.entries(value)) walk(below, `${path}.${name}`);
  };
  walk(await rawHistory(workflowId), '');
  return found;
}

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) =>
    one instanceof Uint8Array ? Buffer.from(one).toString('latin1') : typeof one === 'bigint' ? String(one) : one,
  );

const ended = async (cart: string) => {
  const { id } = await until('the enrollment', () => shop.enrollmentOf(cart));
  const workflowId = recoveryWorkflowId(shop.tenant.slug, 'cart', id);
  const handle = temporalClientOf(shop).workflow.getHandle(workflowId);
  return { id, workflowId, handle };
};

describe('with a key for what Temporal stores', () => {
  let cart: Awaited<ReturnType<typeof ended>>;
  beforeAll(async () => {
    await shop.deliver('cart.updated', aCart('cart-1', 'ada@example.com'));
    cart = await ended('cart-1');
    await until('the first mail', () => shop.smtp.accepted.some(({ envelope }) => envelope.to.includes('ada@example.com')));
    await until('the workflow to know', async () => (await cart.handle.query<RecoveryView>('view')).settled['email_2h'] === 'sent');
    await shop.deliver('order.placed', { cart_id: 'cart-1', order: { id: 'order-1' }, contact: { email: 'ada@example.com' } });
    await until('the end of the workflow', async () => (await cart.handle.describe()).status.name === 'COMPLETED');
  });

  test('a cart goes all the way, and its history has no payload in plain text; nor has a failure', async () => {
    expect(failed).toBe(true);
    expect(await unencrypted(cart.workflowId)).toEqual([]);
    const { id } = (await shop.enrollmentOf('before')) ?? { id: '' };
    const older = recoveryWorkflowId(shop.tenant.slug, 'cart', id);
    await until('the mail of the cart from before', () => shop.smtp.accepted.some(({ envelope }) => envelope.to.includes('before@example.com')));
    const histories = textOf([await rawHistory(cart.workflowId), await rawHistory(older)]);
    expect(histories).not.toMatch(/zebulon|ada@|before@/i);
    expect(histories).toContain('Encoded failure');
    // Of the one that began before, only what was there then is in plain text.
    expect((await unencrypted(older)).every((one) => one.startsWith('.0.'))).toBe(true);
  });

  test('the command of Temporal shows it with the codec, and nothing without it', async () => {
    const show = ['workflow', 'show', '--workflow-id', cart.workflowId, '-o', 'json'];
    const encrypted = await temporalCommand(shop.temporal.address, show);
    expect(encrypted).not.toContain('"enrollmentId"');
    const shown = await temporalCommand(shop.temporal.address, [...show, '--codec-endpoint', url, '--codec-auth', `Bearer ${installationKey}`]);
    expect(shown).toContain(cart.id);
    expect(shown).toContain(Buffer.from('{"reason":"purchased"}').toString('base64'));
  });

  test('who administers the store reads its payloads from the Web UI, and nobody else does', async () => {
    const history = (await rawHistory(cart.workflowId)) as { workflowExecutionStartedEventAttributes?: { input?: { payloads?: Stored[] } } }[];
    const [input = {}] = history[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const payload = {
      metadata: Object.fromEntries(Object.entries(input.metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')])),
      data: Buffer.from(input.data ?? []).toString('base64'),
    };
    const signIn = async (email: string, role: 'admin' | 'viewer' | null) => {
      const person = await shop.deps.identity.createPerson(email, email, password);
      if (person === null || person === 'unusable_password') throw new Error('no account');
      const { tenantId } = shop.tenant;
      if (role !== null)
        await shop.deps.db.withTenant(tenantId, (tx) => tx.insert(members).values({ tenantId, userId: person.id, role, invitedBy: 'test' }));
      const headers = { origin: 'http://rekindle.example.com', 'sec-fetch-site': 'same-origin' };
      const { cookies } = await shop.app.inject({ method: 'POST', url: '/api/session', headers, payload: { email, password } });
      return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    };
    const decode = async (headers: Record<string, string>, payloads: unknown[] = [payload]) => {
      const answer = await shop.app.inject({ method: 'POST', url: '/codec/decode', headers, payload: { payloads } });
      return { status: answer.statusCode, headers: answer.headers, body: answer.json<{ payloads?: { data: string }[]; code?: string }>() };
    };
    const origin = 'http://temporal.example.com';
    const admin = await signIn('admin@example.com', 'admin');
    const read = await decode({ cookie: admin, origin });
    expect(read).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' } });
    expect(Buffer.from(read.body.payloads?.[0]?.data ?? '', 'base64').toString()).toContain(cart.id);
    expect(await decode({ cookie: admin, origin: 'https://elsewhere.example' })).toMatchObject({ status: 403, body: { code: 'foreign_page' } });
    expect(await decode({ cookie: await signIn('viewer@example.com', 'viewer'), origin })).toMatchObject({ status: 403 });
    expect(await decode({ cookie: await signIn('nobody@example.com', null), origin })).toMatchObject({ status: 403 });
    expect(await decode({})).toMatchObject({ status: 401 });
    expect(await decode({ authorization: `Bearer ${shop.tenant.apiKey}` })).toMatchObject({ status: 401 });
    // Of another store: it comes back as it is.
    const theirs = { ...payload, metadata: { ...payload.metadata, 'rekindle-store': Buffer.from('another').toString('base64') } };
    expect((await decode({ cookie: admin, origin }, [theirs])).body).toEqual({ payloads: [theirs] });
    expect(await decode({ authorization: `Bearer ${installationKey}` }, [theirs])).toMatchObject({ status: 409, body: { code: 'payload_altered' } });
    const asked = await shop.app.inject({
      method: 'OPTIONS',
      url: '/codec/decode',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,x-namespace' },
    });
    expect(asked).toMatchObject({ statusCode: 204 });
    expect(asked.headers['access-control-allow-headers']).toContain('x-namespace');
  });

  test('an erasure deletes the histories, and finds nothing afterwards', async () => {
    const { contactId } = (await shop.enrollmentOf('cart-1')) ?? { contactId: '' };
    const own = (path: string, method: 'GET' | 'POST' = 'GET') => ask(shop, shop.tenant.apiKey, path, method, method === 'POST' ? {} : undefined);
    const { id } = (await own(`/api/contacts/${contactId}/erase`, 'POST')).body as { id: string };
    const receipt = await until('the receipt', async () => {
      const { body } = await own(`/api/erasures/${id}`);
      return (body as { state: string }).state === 'running' ? null : body;
    });
    expect(receipt).toMatchObject({ state: 'done', found: [], histories: 1 });
  });

  test('what is encrypted by the address is read by a worker', async () => {
    const plain = { metadata: { encoding: Buffer.from('json/plain').toString('base64') }, data: Buffer.from('"manual"').toString('base64') };
    const headers = { authorization: `Bearer ${installationKey}` };
    const encoded = await shop.app.inject({ method: 'POST', url: '/codec/encode', headers, payload: { payloads: [plain] } });
    expect(encoded.body).not.toContain(plain.data);
    const decoded = await shop.app.inject({ method: 'POST', url: '/codec/decode', headers, payload: encoded.json<{ payloads: object[] }>() });
    expect(decoded.json()).toEqual({ payloads: [plain] });
  });
});
