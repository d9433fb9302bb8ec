import type { DeliveryRecord, UnsubscribeRecord } from './shop.ts';
import { isOpening, isStopping, type Names, namesOf, type Stopping, subjectOf } from './shopper.ts';
import type { Store } from './stores.ts';

/*
 * Whom an answered stop covers, worked out from the log of answered webhooks alone. Where it is not certain (the cart's own webhook and
 * the stop were under way at the same time; the shopper went on after the order), the stop is not judged for that cart. What is said of carts
 * here holds for leads as well.
 *
 * The instant is the arrival of the status of the first 2xx. A message that the stop covers is a violation when its far end read it to its end
 * (of an email the final dot) after that instant: no tolerance. docs/fence.md answers a stop only when each covered call is settled or its lease is over:
 *   - settled: the worker had the server's answer, or had destroyed the connection; the dot was read before either;
 *   - lease over (8.5 s after the locks): a living worker destroyed its connection at its deadline of 8 s, and a killed one lost it when
 *     it died. Here the server reads without pause on the same machine, so what was handed over before was read within milliseconds.
 * A worker that is stopped for half a second or more is beyond assumption (a): `--pauses` counts what it does apart.
 */

/** A stop that was answered. Times on the run's clock. */
export interface Stop {
  what: string;
  shopper: string;
  by: 'order' | 'reply' | 'opt-out' | 'colleague';
  sentMs: number;
  answeredMs: number;
  /** Before this, by the shop's clock. */
  happenedMs: number;
  /** The cart or lead that it names. */
  subject: string | null;
  names: Names | null;
}

/** What has been said about one cart or lead. */
export interface SubjectHistory {
  id: string;
  shopper: string;
  store: Store;
  /** Its own webhooks, in the order in which they were sent. */
  deliveries: DeliveryRecord[];
}

/** Whether the shopper has left another cart too, by their webhooks. */
export function hasOther(subject: SubjectHistory, told: readonly DeliveryRecord[]): boolean {
  return told.some(({ planned: { event }, sentMs }) => isOpening(event) && subjectOf(event) !== subject.id && sentMs !== null);
}

export function subjectsOf(deliveries: readonly DeliveryRecord[]): SubjectHistory[] {
  const subjects = new Map<string, SubjectHistory>();
  for (const delivery of deliveries) {
    const { event, shopper, store } = delivery.planned;
    const id = subjectOf(event);
    if (!isOpening(event) || id === null) continue;
    const known = subjects.get(id) ?? { id, shopper, store, deliveries: [] };
    known.deliveries.push(delivery);
    subjects.set(id, known);
  }
  return [...subjects.values()];
}

const kindOf: Record<Stopping['type'], Stop['by']> = {
  'order.placed': 'order',
  'sale.reported': 'order',
  'message.received': 'reply',
  // STOP is an opt-out. Either way everything that runs for the person ends.
  'text.received': 'reply',
  'contact.opted_out': 'opt-out',
  'lead.contacted': 'colleague',
};

export function stopsOf(deliveries: readonly DeliveryRecord[], unsubscribes: readonly UnsubscribeRecord[]): Stop[] {
  const byWebhook = deliveries.flatMap(({ planned, sentMs, answeredMs }): Stop[] => {
    const { event } = planned;
    if (!isStopping(event) || sentMs === null || answeredMs === null) return [];
    return [
      {
        what: `${event.type} ${planned.id}`,
        shopper: planned.shopper,
        by: kindOf[event.type],
        sentMs,
        answeredMs,
        happenedMs: planned.happenedAtMs,
        subject: subjectOf(event),
        names: namesOf(event),
      },
    ];
  });
  const byLink = unsubscribes.flatMap(({ shopper, email, sentMs, answeredMs }): Stop[] =>
    answeredMs === null
      ? []
      : [{ what: `unsubscribe by ${email}`, shopper, by: 'opt-out', sentMs, answeredMs, happenedMs: sentMs, subject: null, names: { email } }],
  );
  return [...byWebhook, ...byLink];
}

/**
 * From when on a stop covers a cart for certain.
 * @param told - every delivery of the cart's shopper
 * @returns on the run's clock; null: not certainly
 */
export function coveredFrom(stop: Stop, cart: SubjectHistory, told: readonly DeliveryRecord[]): number | null {
  if (stop.subject === cart.id) {
    // By its own id a cart is converted for good, whatever is said of it later.
    if (stop.by === 'order' && cart.store !== 'leads') return stop.answeredMs;
    // A lead has to be known when it is said.
    const known = cart.deliveries.some(({ appliedMs }) => appliedMs !== null && appliedMs <= stop.sentMs);
    return known ? stop.answeredMs : null;
  }
  if (stop.names === null) return null;
  const connectedMs = connectedFrom(stop.names, cart, told);
  if (connectedMs === null) return null;
  if (stop.by === 'opt-out') return Math.max(stop.answeredMs, connectedMs);
  if (connectedMs > stop.sentMs) return null;
  // A reply ends what is running. A cart that had already given way to another one may start again on later activity.
  if (stop.by === 'reply' && hasOther(cart, told) && cart.deliveries.some((d) => d.planned.happenedAtMs >= stop.happenedMs)) return null;
  // By identity an order covers what is older; a cart that the shopper went on with afterwards may begin again.
  if (stop.by === 'order' && cart.deliveries.some((d) => d.planned.happenedAtMs >= stop.happenedMs)) return null;
  return stop.answeredMs;
}

/** From when on the product knows that the cart is of the person who is named so, by the answers it gave. */
function connectedFrom(names: Names, cart: SubjectHistory, told: readonly DeliveryRecord[]): number | null {
  const reached = new Map(namesIn(names).map((name) => [name, 0]));
  const links = told.flatMap(({ planned, appliedMs }) => {
    const names = namesOf(planned.event);
    return appliedMs === null || names === null ? [] : [{ names: namesIn(names), atMs: appliedMs }];
  });
  // The least over all ways of the latest answer on the way.
  for (let grew = true; grew; ) {
    grew = false;
    for (const link of links) {
      const fromMs = Math.max(link.atMs, Math.min(...link.names.map((name) => reached.get(name) ?? Infinity)));
      for (const name of link.names) {
        if (fromMs >= (reached.get(name) ?? Infinity)) continue;
        reached.set(name, fromMs);
        grew = true;
      }
    }
  }
  const ways = cart.deliveries.flatMap(({ planned, appliedMs }) => {
    const of = namesOf(planned.event);
    return appliedMs === null || of === null ? [] : [Math.max(appliedMs, Math.min(...namesIn(of).map((name) => reached.get(name) ?? Infinity)))];
  });
  const earliest = Math.min(...ways);
  return earliest === Infinity ? null : earliest;
}

const namesIn = (names: Names) => [names.id, names.email, names.phone].filter((name) => name !== undefined);
