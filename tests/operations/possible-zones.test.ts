import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decisions } from '../../db/schema/index.ts';
import { offsetMsAt } from '../../domain/time/zones.ts';
import { dispatch } from '../api/left-carts.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// Quiet hours that hold for an hour around this minute in New York, and nowhere else in the United States.
const minuteInNewYork = Math.floor((Date.now() + offsetMsAt('America/New_York', Date.now())) / 60_000) % 1_440;
const window = { fromMinute: (minuteInNewYork + 1_410) % 1_440, toMinute: (minuteInNewYork + 30) % 1_440 };

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { quietHours: window, timeZone: 'America/Los_Angeles' } });
});
afterAll(() => shop.close());

test.each([
  ['in California', { country: 'US', region: 'CA' }, 'send', { zoneBasis: 'region', country: 'US', utcOffsetMinutes: expect.any(Number) as unknown }],
  ['in New York, by name', { country: 'us', region: 'New York' }, 'defer', { zoneBasis: 'region', country: 'US' }],
  ['in no state that is known', { country: 'US' }, 'defer', { zoneBasis: 'country', country: 'US', clocks: expect.any(Number) as unknown }],
  ['with a number from New York alone', { phone: '+12125550123' }, 'defer', { zoneBasis: 'phone', country: 'US' }],
  ['nowhere that is known', {}, 'send', { zoneBasis: 'store' }],
  ['where the shop says', { country: 'US', time_zone: 'America/Los_Angeles' }, 'send', { zoneBasis: 'stated' }],
])('a shopper %s', async (who, place, verdict, input) => {
  const email = `${who.replaceAll(/\W+/g, '-')}@example.com`;
  await shop.post('cart.updated', { ...aCart(who, email), contact: { email, ...place } });
  const enrollment = await shop.enrollmentOf(who);
  await letTimePass(shop, 2 * 3_600_000 + 1_000);
  const enrollmentId = enrollment?.id ?? '';
  await dispatch(shop, enrollmentId, 'email_2h');
  const [decision] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select().from(decisions).where(eq(decisions.enrollmentId, enrollmentId)),
  );
  expect(decision?.verdict).toBe(verdict);
  expect(decision?.checks.find(({ gate }) => gate === 'quiet_hours')?.input).toMatchObject(input);
});
