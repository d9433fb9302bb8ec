import type { Random } from '../chaos/random.ts';
import type { Store } from './stores.ts';

/** How a shop names somebody in an event. */
export interface Names {
  id?: string;
  email?: string;
}

/** What happens in the shop. Times in milliseconds since the run began. */
export type ShopEvent =
  /** `ageMs`: how long before the event the cart was created. */
  | { type: 'cart.updated'; cart: string; ageMs: number; revision: number; names: Names | null }
  | { type: 'order.placed'; order: string; cart: string | null; names: Names | null }
  | { type: 'message.received'; names: Names }
  | { type: 'contact.opted_out'; names: Names };

/** One webhook, delivered by the shop until it is answered 2xx. Times in milliseconds since the run began. */
export interface PlannedDelivery {
  /** The `webhook-id`; begins with the shopper's name. */
  id: string;
  shopper: string;
  store: Store;
  event: ShopEvent;
  /** What its `timestamp` says. */
  happenedAtMs: number;
  /** When it is sent first: deliveries may be late and overtake each other. */
  sentAtMs: number;
  /** Sent once more for no reason, so long after its 2xx; null: not. */
  againAfterMs: number | null;
}

/** Somebody who unsubscribes by the link of an email, so long after it arrived. */
export interface PlannedUnsubscribe {
  shopper: string;
  /** Of the emails to this shopper: 1 is the first. */
  mail: number;
  afterMs: number;
}

export interface ShopperPlan {
  name: string;
  /** Whoever shops in both is a shopper in each; only the address is the same. */
  store: Store;
  kind: ShopperKind;
  addresses: string[];
  deliveries: PlannedDelivery[];
  unsubscribe: PlannedUnsubscribe | null;
}

const kinds = [
  [34, 'leaves'],
  [16, 'buys'],
  [6, 'buys without naming the cart'],
  [9, 'replies'],
  [8, 'opts out'],
  [9, 'unsubscribes'],
  [8, 'has two carts'],
  [8, 'has two addresses'],
  [6, 'tells the address late'],
  [4, 'has an order that comes before its cart'],
] as const;
export type ShopperKind = (typeof kinds)[number][1];

/**
 * Draw what one shopper does. Half of all stops are aimed at the moment when an email is due.
 * @param hourMs - how long an hour of the sequence takes, wall clock
 * @param email - the address of somebody who shops in the other store too; null: an address of its own
 */
export function drawShopper(
  random: Random,
  { index, store, email: shared }: { index: number; store: Store; email: string | null },
  arrivesAtMs: number,
  hourMs: number,
): ShopperPlan {
  const name = `shopper-${String(index).padStart(4, '0')}`;
  const kind = random.weighted(kinds);
  const known = kind === 'has two addresses' || random.chance(0.7);
  const email = shared ?? `${name}@example.com`;
  const who = (address = email): Names => ({ ...(known ? { id: name } : {}), email: address });
  const deliveries: PlannedDelivery[] = [];

  const tell = (event: ShopEvent, happenedAtMs: number, lateMs = random.chance(0.1) ? random.whole(1_000, 12_000) : random.whole(0, 300)) => {
    deliveries.push({
      id: `${name}.${deliveries.length + 1}`,
      shopper: name,
      store,
      event,
      happenedAtMs,
      sentAtMs: happenedAtMs + lateMs,
      againAfterMs: random.chance(0.12) ? random.whole(50, 15_000) : null,
    });
  };
  const fillCart = (cart: string, fromMs: number, names: Names | null) => {
    tell({ type: 'cart.updated', cart, ageMs: 0, revision: 1, names }, fromMs);
    const returns = random.weighted([
      [6, 0],
      [3, 1],
      [2, 2],
    ]);
    for (let i = 1; i <= returns; i++) {
      const atMs = fromMs + random.whole(0, random.chance(0.6) ? 3 * hourMs : 70 * hourMs);
      tell({ type: 'cart.updated', cart, ageMs: atMs - fromMs, revision: i + 1, names }, atMs);
    }
  };
  const someTimeAfter = (fromMs: number) =>
    fromMs + (random.chance(0.5) ? random.pick([2, 24, 48, 72]) * hourMs + random.whole(-200, 400) : random.whole(200, Math.round(75 * hourMs)));
  const order = (cart: string | null, names: Names | null): ShopEvent => ({ type: 'order.placed', order: `order-${name}`, cart, names });
  const first = `cart-${name.slice(-4)}-a`;
  const second = `cart-${name.slice(-4)}-b`;

  let unsubscribe: PlannedUnsubscribe | null = null;
  switch (kind) {
    case 'leaves':
      fillCart(first, arrivesAtMs, who());
      break;
    case 'buys':
      fillCart(first, arrivesAtMs, who());
      tell(order(first, random.chance(0.5) ? who() : null), someTimeAfter(arrivesAtMs));
      break;
    case 'buys without naming the cart':
      fillCart(first, arrivesAtMs, who());
      tell(order(null, { email }), someTimeAfter(arrivesAtMs));
      break;
    case 'replies':
      fillCart(first, arrivesAtMs, who());
      tell({ type: 'message.received', names: { email } }, someTimeAfter(arrivesAtMs));
      break;
    case 'opts out':
      fillCart(first, arrivesAtMs, who());
      tell({ type: 'contact.opted_out', names: { email } }, someTimeAfter(arrivesAtMs));
      // Somebody who has said no comes back: nothing may begin.
      if (random.chance(0.4)) fillCart(second, arrivesAtMs + random.whole(5, 60) * hourMs, who());
      break;
    case 'unsubscribes':
      fillCart(first, arrivesAtMs, who());
      unsubscribe = { shopper: name, mail: random.whole(1, 3), afterMs: random.chance(0.5) ? random.whole(0, 500) : random.whole(500, 10_000) };
      break;
    case 'has two carts':
      fillCart(first, arrivesAtMs, who());
      fillCart(second, arrivesAtMs + random.whole(0, 12) * hourMs, who());
      if (random.chance(0.4)) tell(order(first, who()), someTimeAfter(arrivesAtMs));
      else if (random.chance(0.5)) tell({ type: 'message.received', names: { email } }, someTimeAfter(arrivesAtMs));
      break;
    case 'has two addresses': {
      const other = `${name}.other@example.com`;
      fillCart(first, arrivesAtMs, who());
      fillCart(second, arrivesAtMs + random.whole(0, 12) * hourMs, who(other));
      const by = random.pick([email, other]);
      const what = random.pick(['none', 'reply', 'opt-out'] as const);
      if (what === 'reply') tell({ type: 'message.received', names: { email: by } }, someTimeAfter(arrivesAtMs));
      if (what === 'opt-out') tell({ type: 'contact.opted_out', names: { email: by } }, someTimeAfter(arrivesAtMs));
      return { name, store, kind, addresses: [email, other], deliveries, unsubscribe };
    }
    case 'tells the address late': {
      const toldAfterMs = random.whole(0, 6) * hourMs + 50;
      fillCart(first, arrivesAtMs, null);
      tell({ type: 'cart.updated', cart: first, ageMs: toldAfterMs, revision: 9, names: who() }, arrivesAtMs + toldAfterMs);
      if (random.chance(0.5)) tell(order(first, null), someTimeAfter(arrivesAtMs));
      break;
    }
    case 'has an order that comes before its cart':
      tell({ type: 'cart.updated', cart: first, ageMs: 0, revision: 1, names: who() }, arrivesAtMs, random.whole(3_000, 9_000));
      tell(order(first, who()), arrivesAtMs + 1_000, 0);
      break;
  }
  return { name, store, kind, addresses: [email], deliveries, unsubscribe };
}
