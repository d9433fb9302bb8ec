import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { behaviours } from '../../db/schema/index.ts';
import { writeWorld } from '../../operations/intake/writes.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask } from './left-carts.ts';

// Behaviour of accounts, by the API and by webhook: docs/rules.md#rule-81

const dayMs = 86_400_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

interface Stored {
  account: string;
  repeated: boolean;
  notes: { field: string; reason: string }[];
}
interface Account {
  id: string;
  contact: string | null;
  name: string | null;
  externalId: string | null;
  behaviour: { kind: string; at: string; data: Record<string, unknown> }[];
  features: Record<string, unknown>;
  rank: { by: string; score: number; factors: { features: string[]; weight: number }[] };
}
const own = (url: string, method: 'GET' | 'POST' | 'DELETE' = 'GET', payload?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, url, method, payload);
const ago = (days: number) => new Date(Date.now() - days * dayMs).toISOString();
const report = async (payload: Record<string, unknown>) => (await own('/api/behaviour', 'POST', payload)).body as Stored;
const shown = async (id: string, query = '') => (await own(`/api/accounts/${id}${query}`)).body as Account;
const rowsOf = (id: string) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(behaviours).where(eq(behaviours.subjectId, id)));

test('behaviour is stored once, and shown as it was known at any moment', async () => {
  const account = { id: 'bakery', name: 'Lakeside Bakery' };
  const behaviour = [
    { kind: 'visit', at: ago(40), pages: 3 },
    { kind: 'order', id: 'o-1', at: ago(100), amount: '42.00', currency: 'EUR' },
    { kind: 'own', code: 'report_exported', at: ago(5) },
  ];
  const stored = await report({ account, contact: { email: 'bea@example.com' }, behaviour });
  expect(stored).toMatchObject({ repeated: false, notes: [] });
  expect(await report({ account: { id: 'bakery' }, behaviour: [...behaviour, { kind: 'support', at: ago(2), severity: 'high' }] })).toMatchObject({
    account: stored.account,
  });
  const now = await shown(stored.account);
  expect(now).toMatchObject({ name: 'Lakeside Bakery', externalId: 'bakery' });
  expect(now.behaviour.map(({ kind }) => kind)).toEqual(['support', 'own', 'visit', 'order']);
  expect(now.behaviour[3]?.data).toEqual({ amount: '42.00', currency: 'EUR' });
  expect(now.features).toMatchObject({ severeSupportIn90Days: 1, 'own.report_exported': 1, ordersIn90Days: 0 });
  expect(now.rank).toMatchObject({ by: 'rules' });
  expect(now.rank.factors.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(now.rank.score, 12);

  const then = await shown(stored.account, `?at=${ago(30)}`);
  expect(then.behaviour.map(({ kind }) => kind)).toEqual(['visit', 'order']);
  expect(then.features).toMatchObject({ severeSupportIn90Days: 0, ordersIn90Days: 1 });
  expect(then.features).not.toHaveProperty(['own.report_exported']);

  const other = await anotherStore(shop, 'another-store');
  expect((await ask(shop, other.apiKey, `/api/accounts/${stored.account}`)).status).toBe(404);
});

test.each(['\u00a0spaced\u008a', 'a\u008ab'])('an id that is not kept as it was written finds its account: %j', async (id) => {
  const contact = { email: `${id.replaceAll(/\W/g, '')}@example.com` };
  const one = await own('/api/behaviour', 'POST', { account: { id }, contact, behaviour: [{ kind: 'visit', at: ago(1) }] });
  expect(one.status).toBe(200);
  const again = await own('/api/behaviour', 'POST', { account: { id }, contact, behaviour: [{ kind: 'visit', at: ago(2) }] });
  expect(again.body).toMatchObject({ account: (one.body as Stored).account });
});

test('what is wrong is named, and then nothing is stored', async () => {
  const errorsOf = async (payload: Record<string, unknown>) => {
    const { status, body } = await own('/api/behaviour', 'POST', payload);
    expect(status).toBe(400);
    return (body as { errors: { path: string; message: string }[] }).errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  };
  const account = { id: 'wrong' };
  expect(await errorsOf({ account, behaviour: [{ kind: 'visit' }, { kind: 'nap' }] })).toContain('body/behaviour/1/kind: names no kind of behaviour');
  expect(await errorsOf({ account, behaviour: [{ kind: 'own', code: 'No!' }] })).toContain('body/behaviour/0/code: is no code');
  expect(await errorsOf({ account, behaviour: [{ kind: 'visit', at: '2099-01-01T00:00:00Z' }] })).toBe('body/behaviour/0/at: lies in the future');
  expect(await errorsOf({ account, behaviour: [] })).toContain('is empty');
  expect(await errorsOf({ behaviour: [{ kind: 'visit' }] })).toContain('it cannot be told whose behaviour this is');
  const { account: first } = await report({ account, behaviour: [{ kind: 'visit', at: ago(1) }] });
  expect((await rowsOf(first)).length).toBe(1);
});

test('an order or a message among it stops what runs for the person, older behaviour does not, and it begins no sequence', async () => {
  const leave = async (n: number) => {
    await shop.post('cart.updated', aCart(`stopped-${n}`, `stopped-${n}@example.com`), { at: Date.now() - 3_600_000 });
    return async () => (await shop.enrollmentOf(`stopped-${n}`))?.stopReason;
  };
  const [ordered, replied, neither] = [await leave(1), await leave(2), await leave(3)];
  const contact = (n: number) => ({ email: `stopped-${n}@example.com` });
  await report({ contact: contact(1), behaviour: [{ kind: 'order' }] });
  await report({ contact: contact(2), behaviour: [{ kind: 'message', channel: 'email' }] });
  await report({ contact: contact(3), behaviour: [{ kind: 'visit' }, { kind: 'order', at: ago(90) }, { kind: 'message', at: ago(90) }] });
  expect(await ordered()).toBe('purchased_elsewhere');
  expect(await replied()).toBe('replied');
  expect(await neither()).toBeNull();
});

test('of two accounts that turn out to be one the behaviour comes together, each once; with the person it is erased', async () => {
  const visit = { kind: 'visit', at: ago(3) };
  const one = await report({ contact: { email: 'ada@example.com' }, behaviour: [visit, { kind: 'open', at: ago(4) }] });
  const other = await report({
    account: { id: 'ada-2' },
    contact: { email: 'ada@example.com' },
    behaviour: [visit, { kind: 'message', at: ago(50) }],
  });
  expect(other.account).not.toBe(one.account);
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => {
    writeWorld(tx, { united: [{ id: other.account, kept: one.account }] });
    return Promise.resolve();
  });
  expect((await rowsOf(one.account)).map(({ kind }) => kind).toSorted()).toEqual(['message', 'open', 'visit']);
  expect(await rowsOf(other.account)).toEqual([]);

  const { contact } = await shown(one.account);
  expect((await own(`/api/contacts/${contact}`, 'DELETE')).status).toBe(200);
  expect(await rowsOf(one.account)).toEqual([]);
});

test('without an id of its own, a person has one account, whichever way they are named', async () => {
  const visit = (days: number) => ({ kind: 'visit', at: ago(days) });
  const byId = await report({ contact: { id: 'crm-9' }, behaviour: [visit(1)] });
  const again = await report({ contact: { id: 'crm-9', email: 'cleo@example.com' }, behaviour: [visit(2)] });
  expect(again.account).toBe(byId.account);
  expect((await rowsOf(byId.account)).length).toBe(2);
  const other = await report({ contact: { phone: '+436641234568' }, behaviour: [visit(1)] });
  expect(other.account).not.toBe(byId.account);
  expect((await report({ contact: { phone: '+43 664 1234568' }, behaviour: [visit(1)] })).account).toBe(other.account);
});

test('a webhook leaves out what is wrong, and keeps the rest', async () => {
  const answer = await shop.post('behaviour.reported', {
    account: { id: 'by-webhook' },
    behaviour: [{ kind: 'visit', at: ago(1) }, { kind: 'nap' }, { kind: 'visit', at: '2099-01-01T00:00:00Z' }],
  });
  expect(answer.status).toBe(200);
  const { account } = await report({ account: { id: 'by-webhook' }, behaviour: [{ kind: 'open', at: ago(2) }] });
  expect((await rowsOf(account)).map(({ kind }) => kind).toSorted()).toEqual(['open', 'visit']);
});
