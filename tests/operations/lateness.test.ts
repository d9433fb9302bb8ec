import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import type { Checkpoints } from '../../operations/deps.ts';
import { createLatenessLog } from '../../operations/lateness-log.ts';
import { storeLateness } from '../../operations/lateness.ts';
import { leaveCart } from '../api/left-carts.ts';
import { letTimePass, openShop, type Shop } from '../helpers/shop.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const dispatch = (enrollmentId: string, more: { resumedAtMs?: number } = {}) =>
  dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'email_2h', ...more });
const noted = () => shop.deps.lateness.take().get(shop.tenant.tenantId) ?? null;
/** A cart whose first email was due so long ago. */
async function overdue(name: string, lateMs: number): Promise<string> {
  const id = await leaveCart(shop, name, `${name}@example.com`);
  noted();
  await letTimePass(shop, hourMs - 1_000 + lateMs);
  return id;
}

describe('a step that is dispatched late', () => {
  test('is noted with how late it is', async () => {
    const id = await overdue('late', 10 * minuteMs);
    const result = await dispatch(id);
    expect(result).toMatchObject({ kind: 'done', progress: { settled: { email_2h: { outcome: 'sent' } } } });
    const late = noted();
    expect(late?.steps).toBe(1);
    expect((late?.worstMs ?? 0) / minuteMs).toBeGreaterThanOrEqual(9.9);
    expect((late?.worstMs ?? 0) / minuteMs).toBeLessThan(12);
  });

  test('is noted once, and only when what was decided is stored', async () => {
    const id = await overdue('rolled-back', 10 * minuteMs);
    const lost: Checkpoints = async (name) => {
      if (name === 'dispatch.before_commit') throw new Error('the transaction is rolled back');
    };
    const input = { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId: 'email_2h' };
    await expect(dispatchStep({ ...shop.deps, checkpoints: lost }, input)).rejects.toThrow('rolled back');
    expect(noted()).toBeNull();
    await dispatch(id);
    expect(noted()?.steps).toBe(1);
  });

  test('does not count as late when it was held until now', async () => {
    const id = await overdue('held', 10 * minuteMs);
    await dispatch(id, { resumedAtMs: Date.now() });
    expect(noted()).toBeNull();
  });

  test('ends nothing: later than the sequence’s maximum age, its steps are left out, one by one, with their reason', async () => {
    const id = await overdue('very-late', 8 * 24 * hourMs);
    expect(await dispatch(id)).toMatchObject({ kind: 'done', ended: null, note: 'skipped: too_old' });
    expect(noted()?.steps).toBe(1);
    expect((await shop.enrollmentOf('very-late'))?.stopReason).toBeNull();
  });
});

test('a punctual step leaves nothing to store', async () => {
  const id = await overdue('punctual', 1_000);
  await dispatch(id);
  expect(noted()).toBeNull();
  expect(await storeLateness(shop.deps)).toBe(0);
});

test('what several processes stored is added up for a minute', async () => {
  const { tenantId } = shop.tenant;
  const asProcess = (...lateMs: number[]) => {
    const log = createLatenessLog();
    for (const ms of lateMs) log.note(tenantId, ms);
    return storeLateness({ ...shop.deps, lateness: log });
  };
  await letTimePass(shop, 2 * minuteMs);
  expect(await shop.deps.db.lateSteps(minuteMs)).toEqual({ steps: 0, worstMs: 0 });
  await asProcess(40_000, 6_000, 1_000);
  await asProcess(90_000);
  expect(await shop.deps.db.lateSteps(minuteMs)).toEqual({ steps: 3, worstMs: 90_000 });
  await letTimePass(shop, 2 * minuteMs);
  expect(await shop.deps.db.lateSteps(minuteMs)).toEqual({ steps: 0, worstMs: 0 });
  // The slot of a minute ago is written over, not added to.
  await asProcess(7_000);
  expect(await shop.deps.db.lateSteps(minuteMs)).toEqual({ steps: 1, worstMs: 7_000 });
});

test('a dispatch reports what it did itself, and what it found settled', async () => {
  const id = await overdue('noted', 1_000);
  expect(await dispatch(id)).toMatchObject({ note: 'sent' });
  expect(await dispatch(id)).toMatchObject({ note: 'it had been sent before' });
});
