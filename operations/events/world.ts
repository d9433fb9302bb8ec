import type { DomainEvent } from '../../domain/events.ts';
import { type CartWorld, parseCartWorld, type StoredCartWorld } from './cart-world.ts';
import { type OrderWorld, parseOrderWorld, type StoredOrderWorld } from './order-world.ts';

/** What a delivery of one event is about, as it is read together with its locks. */
export type World = ({ kind: 'cart' } & CartWorld) | ({ kind: 'order' } & OrderWorld);
/** The same as the database's `open_delivery_3` writes it. */
export type StoredWorld = ({ kind: 'cart' } & StoredCartWorld) | ({ kind: 'order' } & StoredOrderWorld);

/** Which world a delivery asks for; null: none, or each of its events reads its own. */
export function worldOf(events: readonly DomainEvent[]): World['kind'] | null {
  const [event, another] = events;
  if (another !== undefined) return null;
  if (event?.type === 'cart.updated') return 'cart';
  return event?.type === 'order.placed' ? 'order' : null;
}

export function parseWorld(stored: StoredWorld): World {
  return stored.kind === 'cart' ? { kind: 'cart', ...parseCartWorld(stored) } : { kind: 'order', ...parseOrderWorld(stored) };
}
