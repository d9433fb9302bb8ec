import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asc } from 'drizzle-orm';
import { alarmStandings, tasks, webhookEvents } from '../../../db/schema/index.ts';
import { alarmsPass, checkAlarms } from '../../../operations/alarms/check-alarms.ts';
import { recordForReaders } from '../../../operations/live/readers.ts';
import { anotherStore, ask, askAll } from '../../api/left-carts.ts';
import { clientOf } from '../../helpers/client-of.ts';
import { openShop, type Shop } from '../../helpers/shop.ts';

// A store's figures are compared with its thresholds once a minute, whoever looks, and what changes is told in the same transaction.

let shop: Shop;
let nowMs = Date.now();
beforeAll(async () => {
  shop = await openShop({
    timeScale: 1,
    clock: { nowMs: () => nowMs, monotonicMs: () => performance.now() },
    settings: { alarms: { ...none, backlog: 2, minutes: 5 } },
  });
});
afterAll(() => shop.close());
const none = { latencySeconds: null, successShare: null, escalationShare: null, failuresPerHour: null, backlog: null };
const later = (minutes: number) => {
  nowMs += minutes * 60_000;
  return checkAlarms(shop.deps, shop.tenant.tenantId);
};
const own = async (path: string) => (await ask(shop, shop.tenant.apiKey, path, 'GET')).body;

test('overdue tasks are a backlog: raised after five minutes, told, listed, and cleared once they are done', async () => {
  const { tenantId } = shop.tenant;
  await recordForReaders(shop.deps, tenantId);
  expect(await later(1)).toEqual([]);
  const overdue = Array.from({ length: 3 }, () => ({ tenantId, id: randomUUID(), kind: 'question', dueAt: 0 }));
  await shop.deps.db.withTenant(tenantId, (tx) => tx.insert(tasks).values(overdue));
  expect(await later(1)).toEqual([]);
  // Within the minute nobody looks again.
  nowMs += 30_000;
  expect(await checkAlarms(shop.deps, tenantId)).toBeNull();
  expect(await later(3)).toEqual([]);
  // Many workers look at once: one of them finds it.
  nowMs += 120_000;
  const looked = await Promise.all([1, 2, 3, 4].map(() => checkAlarms(shop.deps, tenantId)));
  expect(looked.filter((one) => one !== null)).toEqual([[{ kind: 'backlog', change: 'raised' }]]);
  expect(await own('/api/alarms')).toMatchObject({
    alarms: expect.arrayContaining([
      expect.objectContaining({ kind: 'backlog', raised: true, figure: 3, threshold: 2, trouble: 'above' }),
    ]) as unknown,
  });
  expect(await askAll(shop, shop.tenant.apiKey, '/api/alarms/history')).toMatchObject([
    { kind: 'backlog', figure: 3, threshold: 2, cleared_at: null },
  ]);

  // Whoever looks says the same about all stores, also who finds that another has just looked.
  const said: Record<string, number> = {};
  const telemetry = { ...shop.deps.telemetry, storesInAlarm: (figure: string, stores: number) => void (said[figure] = stores) };
  await alarmsPass({ ...shop.deps, telemetry });
  expect(said).toEqual({ latency: 0, success: 0, escalation_share: 0, failures: 0, backlog: 1 });

  await shop.deps.db.withTenant(tenantId, (tx) => tx.update(tasks).set({ state: 'done' }));
  expect(await later(1)).toEqual([]);
  expect(await later(6)).toEqual([{ kind: 'backlog', change: 'cleared' }]);
  expect(await askAll(shop, shop.tenant.apiKey, '/api/alarms/history')).toMatchObject([{ kind: 'backlog', cleared_at: expect.any(String) }]);
  const told = await shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(webhookEvents).orderBy(asc(webhookEvents.seq)));
  expect(told.map(({ source }) => source).filter((source) => source.startsWith('alarm.'))).toEqual(['alarm.raised', 'alarm.cleared']);
});

test('a threshold of null warns of nothing, and another store has alarms of its own', async () => {
  const other = await anotherStore(shop, 'other-store');
  expect((await clientOf(shop, other.apiKey).alarms.get()).data?.alarms).toMatchObject([
    { kind: 'latency', threshold: 30, checked_at: null },
    { kind: 'success', threshold: 0.95, trouble: 'below' },
    { kind: 'escalation_share', threshold: 0.05 },
    { kind: 'failures', threshold: 20 },
    { kind: 'backlog', threshold: 100 },
  ]);
  const standings = await shop.deps.db.withTenant(other.tenantId, (tx) => tx.select().from(alarmStandings));
  expect(standings).toEqual([]);
  const { data } = await clientOf(shop).alarms.get();
  expect(data?.alarms.find(({ kind }) => kind === 'latency')).toMatchObject({ threshold: null, raised: false });
});
