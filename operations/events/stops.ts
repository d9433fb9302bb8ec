import type { Tx } from '../../db/client.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { contactsByIdentity, type EventSource, namedBy, subjectsByKey } from './identities.ts';

/** Events after whose 2xx no covered provider call may start or still be open (design, section 7, stop side). */
export function isStop(event: DomainEvent): boolean {
  return event.type === 'order.placed' || event.type === 'message.received' || event.type === 'contact.opted_out';
}

/**
 * Whether an event must be answered like a stop, because it is one or may turn out to bring one along: it makes one person of several,
 * tells a person's further address, moves a cart to somebody else, or makes one cart of two (design, section 7, merge and unmerge).
 * Read without locks.
 */
export async function mayCarryStop(tx: Tx, source: EventSource, event: DomainEvent): Promise<boolean> {
  if (isStop(event)) return true;
  if (event.type !== 'cart.updated' && event.type !== 'contact.updated' && event.type !== 'contact.opted_in') return false;
  const { identities, keys } = namedBy(source, event);
  const known = await contactsByIdentity(tx, identities);
  const matched = await subjectsByKey(tx, keys);
  const persons = new Set([...known, ...matched].flatMap((found) => found.personId ?? []));
  const tellsNews = persons.size > 0 && identities.some((i) => !known.some((k) => k.kind === i.kind && k.value === i.value));
  return matched.length > 1 || persons.size > 1 || tellsNews;
}
