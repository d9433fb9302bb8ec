import type { Integrations } from '../../integrations/index.ts';
import type { Receiver } from '../../integrations/port.ts';

/** Who has placed more orders than Postgres's integers can count. */
export const beyondCounting = 'beyond-counting';

/**
 * The generic integration as an adapter would be that does not know the database's limits: of one contact it lets a number through that cannot be
 * stored. The product's own readers leave such a number out.
 */
export function withLenientReceiver(integrations: Integrations): Integrations {
  const generic = integrations['generic'];
  if (generic?.receiver === undefined) throw new Error('there is no generic receiver');
  return { ...integrations, generic: { ...generic, receiver: lenient(generic.receiver) } };
}

function lenient(receiver: Receiver): Receiver {
  return {
    ...receiver,
    receive(...delivery) {
      const received = receiver.receive(...delivery);
      if (received.kind !== 'events') return received;
      const events = received.events.map((event) =>
        event.type === 'contact.updated' && event.person.email?.startsWith(beyondCounting) === true
          ? { ...event, person: { ...event.person, orderCount: 3_000_000_000 } }
          : event,
      );
      return { ...received, events };
    },
  };
}
