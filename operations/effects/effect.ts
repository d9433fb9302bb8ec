import type { DomainEvent, MessageRef } from '../../domain/events.ts';
import type { Draft } from '../intake/draft.ts';
import type { WorldPart } from '../intake/world.ts';

/** One kind of event, e.g. `EventOf<'cart.updated'>`. */
export type EventOf<T extends DomainEvent['type']> = OfType<DomainEvent, T>;
type OfType<E extends DomainEvent, T> = E extends DomainEvent ? (T extends E['type'] ? E & { type: T } : never) : never;

/** What one kind of event leads to. */
export interface Effect<E extends DomainEvent> {
  /**
   * Whether its 2xx must wait for the running calls that it covers (guarantee G2).
   * `always`: it is a purchase, a reply, an opt-out or a colleague's call. `when_it_merges`: it may merge persons or subjects, add an address to a
   * person or move a subject to another person, and so bring a known stop to further enrollments. `never`: it covers nobody.
   */
  stops: 'always' | 'when_it_merges' | 'never';
  /** What `decide` needs besides the people and subjects that the event names. */
  reads: readonly WorldPart[];
  /** The order that `reads: ['order']` is about. */
  orderNumber?(event: E): string | null;
  /** The message that `reads: ['message']` is about. */
  message?(event: E): MessageRef | null;
  /** The ids of trackers that `reads: ['conversions']` is about. */
  trackerIds?(event: E): readonly string[];
  /** Decide by the draft's rules. Reads nothing else and writes nothing: the same event, world and context give the same changes. */
  decide(event: E, draft: Draft): void;
}
