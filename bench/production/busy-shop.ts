import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pace } from '../measure.ts';
import type { BenchTenant } from '../recovery.ts';
import { cartUpdated, emailOf, optedOut, orderPlaced, replied, type ShopEvent, sign } from '../shop.ts';
import type { ShopCart } from './account.ts';
import type { Balancer } from './balancer.ts';
import { deliver, type Delivered } from './deliver.ts';

export interface Load {
  seconds: number;
  cartsPerSecond: number;
  log(line: string): void;
}

/**
 * The shop: a burst of carts every second, each delivered until it is answered, some delivered twice for no reason, and every second one
 * ended some time later.
 */
export async function runShop(
  balancer: Balancer,
  tenant: BenchTenant,
  { seconds, cartsPerSecond }: Load,
): Promise<{ carts: ShopCart[]; deliveries: Delivered[] }> {
  const carts: ShopCart[] = [];
  const deliveries: Delivered[] = [];
  const post = async (event: ShopEvent, copies: number): Promise<number | null> => {
    const signed = sign(tenant, event);
    const answered = await Promise.all(Array.from({ length: copies }, () => deliver(balancer, signed).catch(() => null)));
    const found = answered.filter((delivered) => delivered !== null);
    deliveries.push(...found);
    return found.length === 0 ? null : Math.min(...found.map(({ ackedAtMs }) => ackedAtMs));
  };
  const endsBy = [orderPlaced, replied, orderPlaced, optedOut];
  const visit = async (index: number) => {
    const id = randomUUID();
    const copies = index % 3 === 0 ? 2 : 1;
    const cart: ShopCart = { id, email: emailOf(id), postedAtMs: Date.now(), ackedAtMs: null, stop: null };
    carts.push(cart);
    cart.ackedAtMs = await post(cartUpdated(id, cart.postedAtMs), copies);
    if (index % 2 === 0 || cart.ackedAtMs === null) return;
    // Spread over the sequence, the same in every run.
    await sleep(((index * 0.618_034) % 1) * 75_000);
    cart.stop = { ackedAtMs: null };
    cart.stop.ackedAtMs = await post((endsBy[((index - 1) / 2) % endsBy.length] ?? orderPlaced)(id), copies);
  };
  await pace(Math.round(seconds), 1, async (second) => {
    await Promise.all(Array.from({ length: cartsPerSecond }, (_, i) => visit(second * cartsPerSecond + i)));
  });
  return { carts, deliveries };
}
