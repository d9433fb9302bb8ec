import { afterAll, beforeAll, expect, test } from 'vitest';
import { listExperiments, readExperimentHistory } from '../../operations/experiments/standing.ts';
import { compareTexts } from '../api/dashboard-data.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

test('a test is told day by day, and its last day is how it stands', async () => {
  const { tenantId } = shop.tenant;
  // Of three days, the oldest first. The window of three days is over for all of them.
  for (const [index, daysAgo] of [14, 13, 12].entries()) await compareTexts(shop, 'days', { a: [200, 10 + index], b: [200, 12 + index], daysAgo });
  const { items } = await listExperiments(shop.deps, tenantId, {}, { limit: 10, after: null });
  const [view] = items;
  const days = await readExperimentHistory(shop.deps, tenantId, view?.experiment.id ?? '');
  expect(days).toHaveLength(3);
  expect(days?.map(({ atMs }) => atMs)).toEqual(days?.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
  const [now] = view?.comparisons ?? [];
  const [last] = days?.at(-1)?.comparisons ?? [];
  expect(last).toMatchObject({ id: 'b', against: 'a', difference: now?.difference, alwaysWithin: now?.alwaysWithin });
  const widths = days?.map(({ comparisons: [one] }) => (one?.alwaysWithin?.high ?? 0) - (one?.alwaysWithin?.low ?? 0)) ?? [];
  expect(widths).toEqual(widths.toSorted((a, b) => b - a));
});

test('nobody’s test has no history', async () => {
  expect(await readExperimentHistory(shop.deps, shop.tenant.tenantId, '00000000-0000-7000-8000-000000000000')).toBeNull();
});
