import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { quarantine } from '../../db/schema/index.ts';
import { damaged, damagesOf } from '../fuzz/receivers/damage.ts';
import { castOf, validDelivery } from '../fuzz/receivers/valid-deliveries.ts';
import { deliver } from '../hostile/hostile-shop.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

// A few of tests/integrations/damaged-deliveries.test.ts, through the real API and Postgres: none is set aside, each takes effect.

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

// Where it was filled, whether it was bought, when, and what it is worth decide whether there is anything to bring back.
const decides =
  /(?:^|\.)(?:source_name|user_id|location_id|origin|completed(?:_at)?|timestamp|\w+_at|total(?:_price)?|price|quantity|items|line_items|items\.\d+|line_items\.\d+)$/;
const times = /(?:^|\.)(?:timestamp|\w+_at)$/;

const carts = [
  ['shopify', 'checkouts/create'],
  ['generic', 'cart.updated'],
] as const;
const stops = [
  ['shopify', 'orders/create'],
  ['shopify', 'orders/updated'],
  ['shopify', 'customers/update'],
  ['generic', 'order.placed'],
  ['generic', 'contact.opted_out'],
  ['generic', 'message.received'],
] as const;

test('a damaged cart still enrols and a damaged stop still stops; nothing lands in the quarantine', { timeout: 180_000 }, async () => {
  const run = randomUUID().slice(0, 6);
  let n = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...carts),
      fc.constantFrom(...stops),
      fc.infiniteStream(fc.nat()),
      async ([cartBy, cartTopic], [stopBy, stopTopic], seeds) => {
        const cast = castOf(++n, run);
        const send = async (by: 'shopify' | 'generic', topic: string, agoMs: number, untouched: RegExp) => {
          const seed = seeds.next().value;
          const [valid] = fc.sample(validDelivery(by, topic, cast, Date.now() - agoMs), { numRuns: 1, seed });
          if (valid === undefined) throw new Error('no delivery');
          const [damages = []] = fc.sample(
            damagesOf(valid, 3, (path) => !untouched.test(path)),
            { numRuns: 1, seed },
          );
          const body = JSON.stringify(damaged(valid, damages));
          const answer = await deliver(shop, by, { body, topic });
          expect([answer.status, answer.body['status']], `${topic} ${JSON.stringify(damages)}`).toEqual([200, 'applied']);
          return `${topic} ${JSON.stringify(damages)}`;
        };
        const cart = await send(cartBy, cartTopic, 60_000, decides);
        const enrollment = await shop.enrollmentOf(cast.cart);
        expect(enrollment, cart).toMatchObject({ endedAt: null });
        const stop = await send(stopBy, stopTopic, 1_000, times);
        expect((await shop.enrollmentOf(cast.cart))?.endedAt, `${cart}, then ${stop}`).not.toBeNull();
      },
    ),
    { numRuns: 40, endOnFailure: true },
  );
  expect(await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(quarantine))).toEqual([]);
});
