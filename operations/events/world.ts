import type { DomainEvent } from '../../domain/events.ts';
import { type CartWorld, parseCartWorld, type StoredCartWorld } from './cart-world.ts';
import { type OrderWorld, parseOrderWorld, type StoredOrderWorld } from './order-world.ts';

/** What a delivery of one event is about, as it is read together with its locks. */
export type WorldKind = 'cart' | 'order';
export interface World {
  cart?: CartWorld;
  order?: OrderWorld;
}

/** Which world a delivery asks for; null: none, or each of its events reads its own. */
export function worldOf(events: readonly DomainEvent[]): WorldKind | null {
  const [event, another] = events;
  if (another !== undefined) return null;
  if (event?.type === 'cart.updated') return 'cart';
  return event?.type === 'order.placed' ? 'order' : null;
}

export function parseWorld(kind: WorldKind, stored: StoredCartWorld & StoredOrderWorld): World {
  return kind === 'cart' ? { cart: parseCartWorld(stored) } : { order: parseOrderWorld(stored) };
}
