import type { Random } from '../chaos/random.ts';
import type { PlacedCall } from './provider-record.ts';
import { leadPace, type Store } from './stores.ts';

/** How a shop names somebody in an event. */
export interface Names {
  id?: string;
  email?: string;
  /** E.164. */
  phone?: string;
}

/** What happens in the shop. Times in milliseconds since the run began. */
export type ShopEvent =
  /** `ageMs`: how long before the event the cart was created. */
  | { type: 'cart.updated'; cart: string; ageMs: number; revision: number; names: Names | null }
  | { type: 'order.placed'; order: string; cart: string | null; names: Names | null }
  | { type: 'message.received'; names: Names }
  | { type: 'contact.opted_out'; names: Names }
  | { type: 'lead.created'; lead: string; names: Names }
  /** A colleague has spoken with the lead. */
  | { type: 'lead.contacted'; lead: string }
  /** The tracker reports that the lead bought. */
  | { type: 'sale.reported'; lead: string }
  /** A text to the store's number. */
  | { type: 'text.received'; names: Names; text: string }
  /** How a call to the lead ended, as its provider reports it. */
  | { type: 'call.reported'; call: PlacedCall; to: string };

/** What a webhook opens: a cart or a lead. */
type Opening = Extract<ShopEvent, { type: 'cart.updated' | 'lead.created' }>;
/** What ends something. */
export type Stopping = Exclude<ShopEvent, Opening | { type: 'call.reported' }>;

export const isOpening = (event: ShopEvent): event is Opening => event.type === 'cart.updated' || event.type === 'lead.created';
export const isStopping = (event: ShopEvent): event is Stopping => !isOpening(event) && event.type !== 'call.reported';

/** The cart or lead that it names; null: none. */
export function subjectOf(event: ShopEvent): string | null {
  if ('cart' in event) return event.cart;
  return 'lead' in event ? event.lead : null;
}

/** How it names its person; null: not at all. */
export const namesOf = (event: ShopEvent): Names | null => ('names' in event ? event.names : null);

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
const leadKinds = [
  [30, 'asks and is silent'],
  [16, 'asks and buys'],
  [14, 'asks, and the tracker reports the sale'],
  [10, 'asks and replies'],
  [8, 'asks and texts back'],
  [6, 'asks and texts STOP'],
  [6, 'asks and opts out'],
  [6, 'asks and unsubscribes'],
  [8, 'asks and is called by a colleague'],
] as const;
export type ShopperKind = (typeof kinds | typeof leadKinds)[number][1];

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
  const isLead = store === 'leads';
  const kind = isLead ? random.weighted(leadKinds) : random.weighted(kinds);
  const known = kind === 'has two addresses' || random.chance(0.7);
  const email = shared ?? `${name}@example.com`;
  // The numbers are of a range that nobody has.
  const phone = `+1202555${String(index).padStart(4, '0')}`;
  const who = (address = email): Names => ({ ...(known ? { id: name } : {}), email: address, ...(isLead ? { phone } : {}) });
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
  const leadHourMs = hourMs / leadPace;
  const ask = (): void => tell({ type: 'lead.created', lead, names: who() }, arrivesAtMs);
  /** Half of them when the lead is written to, texted or called. */
  const someTimeAfterAsking = () =>
    arrivesAtMs +
    Math.round(
      random.chance(0.5)
        ? random.pick([12, 24, 48, 120, 168]) * leadHourMs + random.whole(-200, 400)
        : random.whole(300, Math.round(170 * leadHourMs)),
    );
  const someTimeAfter = (fromMs: number) =>
    fromMs + (random.chance(0.5) ? random.pick([2, 24, 48, 72]) * hourMs + random.whole(-200, 400) : random.whole(200, Math.round(75 * hourMs)));
  const order = (cart: string | null, names: Names | null): ShopEvent => ({ type: 'order.placed', order: `order-${name}`, cart, names });
  const first = `cart-${name.slice(-4)}-a`;
  const second = `cart-${name.slice(-4)}-b`;
  const lead = `lead-${name.slice(-4)}-a`;

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
    case 'asks and is silent':
      ask();
      break;
    case 'asks and buys':
      ask();
      tell(order(null, random.chance(0.5) ? { email } : { phone }), someTimeAfterAsking());
      break;
    case 'asks, and the tracker reports the sale':
      ask();
      tell({ type: 'sale.reported', lead }, someTimeAfterAsking());
      break;
    case 'asks and replies':
      ask();
      tell({ type: 'message.received', names: { email } }, someTimeAfterAsking());
      break;
    case 'asks and texts back':
    case 'asks and texts STOP':
      ask();
      tell({ type: 'text.received', names: { phone }, text: kind === 'asks and texts back' ? 'Tuesday at ten?' : 'STOP' }, someTimeAfterAsking());
      break;
    case 'asks and opts out':
      ask();
      tell({ type: 'contact.opted_out', names: { email } }, someTimeAfterAsking());
      break;
    case 'asks and unsubscribes':
      ask();
      unsubscribe = { shopper: name, mail: random.whole(1, 3), afterMs: random.whole(0, random.chance(0.5) ? 500 : 5_000) };
      break;
    case 'asks and is called by a colleague':
      ask();
      tell({ type: 'lead.contacted', lead }, someTimeAfterAsking());
      break;
  }
  return { name, store, kind, addresses: [email], deliveries, unsubscribe };
}
