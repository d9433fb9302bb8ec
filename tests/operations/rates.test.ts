import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decisions, enrollments, messages, sendRates } from '../../db/schema/index.ts';
import type { Sender } from '../../integrations/port.ts';
import { makeRoom } from '../../operations/dispatch/pace.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { changeSettings } from '../../operations/settings.ts';
import { eq, inArray } from 'drizzle-orm';
import { ask } from '../api/left-carts.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// Messages leave at a bounded rate (docs/rules.md#rule-34).

const minuteMs = 60_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { catchUpPerMinute: null } });
});
afterAll(() => shop.close());

const yaml = (more = '') =>
  `sequence: cart\nname: Rates\non: cart.abandoned\nquietFor: 1m\n${more}steps:\n  - { id: first, at: 2h, channel: email, content: cart/first }\n`;
let connected: string | null = null;
/** The only one that sends emails. */
async function theConnection(): Promise<string> {
  if (connected !== null) return connected;
  const made = await ask(shop, shop.tenant.apiKey, '/api/connections', 'POST', { integration: 'smtp', name: 'Mail', config: { url: shop.smtp.url } });
  expect(made.status).toBe(201);
  connected = (made.body as { id: string }).id;
  return connected;
}
let counter = 0;
/** People whose first email is due now, and later than `lateMs` ago. */
async function due(count: number, lateMs = 1_000): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const cart = `rate-${++counter}`;
    await shop.post('cart.updated', aCart(cart, `${cart}@example.com`), { at: Date.now() - 120 * minuteMs - lateMs });
    ids.push((await shop.enrollmentOf(cart))?.id ?? '');
  }
  return ids;
}
const dispatch = (enrollmentId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'first' });
/** As the activity is retried: after the time that it names. */
async function dispatchPatiently(enrollmentId: string) {
  for (;;) {
    const result = await dispatch(enrollmentId);
    if (result.kind !== 'again') return result;
    await new Promise((done) => setTimeout(done, Math.max(10, result.inMs)));
  }
}
const own = <T>(look: (tx: Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0]) => Promise<T>) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, look);
const statesOf = async (ids: string[]) =>
  (await own((tx) => tx.select().from(messages).where(inArray(messages.enrollmentId, ids)))).map((m) => m.skipReason ?? m.state);
const untilOf = async (id: string) => {
  const [last] = (await own((tx) => tx.select().from(decisions).where(eq(decisions.enrollmentId, id)))).toSorted((a, b) => b.at - a.at);
  return last?.verdict === 'defer' ? { reason: last.reason, until: last.until } : null;
};

test('of a connection: no two messages leave closer than it allows, however many are dispatched at once', async () => {
  await publishYaml(shop, yaml());
  const path = `/api/connections/${await theConnection()}`;
  expect(await ask(shop, shop.tenant.apiKey, path, 'PATCH', { rate: { most: 5, within_seconds: 1 } })).toMatchObject({
    status: 200,
    body: { rate: { most: 5, within_seconds: 1 } },
  });
  const ids = await due(8);
  const startedMs = Date.now();
  expect((await Promise.all(ids.map(dispatchPatiently))).map((r) => r.kind)).toEqual(ids.map(() => 'done'));
  const rows = await own((tx) => tx.select().from(messages).where(inArray(messages.enrollmentId, ids)));
  expect(rows.map((m) => m.state)).toEqual(ids.map(() => 'sent'));
  const claimed = rows.map((m) => m.claimedAt ?? 0).sort((a, b) => a - b);
  // None leaves before its moment. On a busy machine some leave later, and then closer to the next.
  for (const [index, at] of claimed.entries()) expect(at).toBeGreaterThanOrEqual(startedMs + index * 200 - 10);
  expect(await ask(shop, shop.tenant.apiKey, path, 'PATCH', { rate: { most: 0, within_seconds: 1 } })).toMatchObject({ status: 400 });
  expect((await ask(shop, shop.tenant.apiKey, path, 'PATCH', { rate: null })).body).toMatchObject({ rate: null });
  const receiving = await ask(shop, shop.tenant.apiKey, '/api/connections', 'POST', { integration: 'generic', name: 'Till' });
  const refused = await ask(shop, shop.tenant.apiKey, `/api/connections/${(receiving.body as { id: string }).id}`, 'PATCH', {
    rate: { most: 5, within_seconds: 1 },
  });
  expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: 'rate' }] } });
});

test('answers in chats leave at once: beyond those that the provider has room for, messages that have a moment already wait for longer', async () => {
  await publishYaml(shop, yaml());
  const connectionId = await theConnection();
  expect(await ask(shop, shop.tenant.apiKey, `/api/connections/${connectionId}`, 'PATCH', { rate: { most: 1, within_seconds: 1 } })).toMatchObject({
    status: 200,
  });
  const ids = await due(4);
  // What left just now counts no more.
  await own((tx) => tx.execute('update send_rates set free_at = clock_timestamp()'));
  const first = await Promise.all(ids.map(dispatch));
  expect(first.map((r) => r.kind).sort()).toEqual(['again', 'again', 'again', 'done']);
  const waiting = ids.filter((_, n) => first[n]?.kind === 'again');
  const rates = { account: { most: 1, withinMs: 1_000 }, answers: { most: 1, withinMs: 600_000 } };
  const outlet = { connectionId, rate: null, sender: { rates } as Sender };
  const answered = async (count: number) => {
    for (let n = 0; n < count; n++) await own((tx) => makeRoom(tx, outlet));
  };
  const pushed = async () =>
    (
      await own((tx) =>
        tx
          .select()
          .from(sendRates)
          .where(eq(sendRates.scope, `connection ${connectionId}`)),
      )
    )[0]?.pushedMs;
  // For the first there is room beside the rate.
  await answered(1);
  expect(await pushed()).toBe(0);
  await answered(60);
  // While moments are reserved that have not come, each answer pushes them by one place.
  expect(await pushed()).toBe(60_000);
  for (const id of waiting) expect(await dispatch(id)).toMatchObject({ kind: 'done', ended: null });
  const waits = await Promise.all(waiting.map(untilOf));
  for (const wait of waits) expect(wait).toMatchObject({ reason: 'rate' });
  const moments = waits.map((wait) => wait?.until ?? 0).sort((a, b) => a - b);
  expect(moments.map((at) => Math.round((at - (moments[0] ?? 0)) / 100))).toEqual([0, 10, 20]);
  expect(await statesOf(ids)).toEqual(['sent']);
  await letTimePass(shop, 5 * minuteMs);
  await ask(shop, shop.tenant.apiKey, `/api/connections/${connectionId}`, 'PATCH', { rate: null });
});

describe('of a sequence', () => {
  test('each that waits has a moment of its own, goes out then, and says why it waited', async () => {
    await publishYaml(shop, yaml('rate: { most: 2, within: 1h }\n'));
    const ids = await due(4);
    for (const id of ids) await dispatch(id);
    expect(await statesOf(ids)).toEqual(['sent']);
    const waits = await Promise.all(ids.slice(1).map(untilOf));
    expect(waits.map((w) => w?.reason)).toEqual(['rate', 'rate', 'rate']);
    const [first] = await own((tx) => tx.select().from(messages).where(inArray(messages.enrollmentId, ids)));
    const moments = waits.map((w) => Math.round(((w?.until ?? 0) - (first?.claimedAt ?? 0)) / minuteMs));
    expect(moments).toEqual([30, 60, 90]);
    const explanation = await explainEnrollment(shop.deps, shop.tenant.tenantId, ids[1] ?? '');
    expect(explanation?.entries.map((e) => e.sentence)).toContainEqual(expect.stringContaining('messages leave at a bounded rate'));
    // Asked before its moment, it keeps that moment.
    await dispatch(ids[1] ?? '');
    expect(await untilOf(ids[1] ?? '')).toEqual({ reason: 'due', until: waits[0]?.until });
    await letTimePass(shop, 30 * minuteMs + 2_000);
    for (const id of ids) await dispatch(id);
    expect(await statesOf(ids)).toEqual(['sent', 'sent']);
    for (const sent of [3, 4]) {
      await letTimePass(shop, 30 * minuteMs);
      for (const id of ids) await dispatchPatiently(id);
      expect(await statesOf(ids)).toEqual(Array.from({ length: sent }, () => 'sent'));
    }
    // Whoever misses the moment asks for another one.
    await letTimePass(shop, 60 * minuteMs);
  });

  test('whose moment would come after its expiry is skipped, and takes no moment from others', async () => {
    await publishYaml(shop, yaml('rate: { most: 1, within: 20h }\n'));
    const ids = await due(3);
    for (const id of ids) await dispatch(id);
    // The last step of a sequence may go out for a day: the second has room, the third has not.
    expect((await statesOf(ids)).sort()).toEqual(['rate', 'sent']);
    const [skipped] = await own((tx) =>
      tx
        .select()
        .from(decisions)
        .where(eq(decisions.enrollmentId, ids[2] ?? '')),
    );
    expect(skipped).toMatchObject({ verdict: 'skip', reason: 'rate' });
    expect(skipped?.checks.at(-1)).toMatchObject({ gate: 'rate', result: 'skip' });
  });
});

test('after an outage: what is punctual goes out at once, what is overdue at the rate of the store', async () => {
  await publishYaml(shop, yaml());
  await changeSettings(shop.deps, shop.tenant.tenantId, { changes: { catchUpPerMinute: 1 }, expectedVersion: null, by: 'test' });
  const overdue = await due(3);
  await letTimePass(shop, 2 * 60 * minuteMs);
  const punctual = await due(2);
  for (const id of [...overdue, ...punctual]) await dispatchPatiently(id);
  expect(await statesOf(overdue)).toEqual(['sent']);
  expect(await statesOf(punctual)).toEqual(['sent', 'sent']);
  const waits = await Promise.all(overdue.slice(1).map(untilOf));
  expect(waits.map((w) => w?.reason)).toEqual(['rate', 'rate']);
  expect((waits[1]?.until ?? 0) - (waits[0]?.until ?? 0)).toBeGreaterThan(minuteMs - 5_000);
});

test('holds, and skips nobody, for a step that waits for a cap beyond its usual expiry', async () => {
  await changeSettings(shop.deps, shop.tenant.tenantId, { changes: { catchUpPerMinute: null }, expectedVersion: null, by: 'test' });
  await publishYaml(shop, yaml('whenCapped: wait\nrate: { most: 1, within: 1h }\n'));
  await letTimePass(shop, 48 * 60 * minuteMs);
  const ids = await due(2);
  const laterMs = Date.now() + 25 * 60 * minuteMs;
  await own((tx) =>
    tx
      .update(enrollments)
      .set({ notBefore: { first: laterMs } })
      .where(inArray(enrollments.id, ids)),
  );
  await letTimePass(shop, 25 * 60 * minuteMs + 1_000);
  for (const id of ids) await dispatch(id);
  expect(await statesOf(ids)).toEqual(['sent']);
  expect(await untilOf(ids[1] ?? '')).toMatchObject({ reason: 'rate' });
});
