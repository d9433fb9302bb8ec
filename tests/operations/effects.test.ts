import { expect, test } from 'vitest';
import type { DomainEvent } from '../../domain/events.ts';
import { effectOf } from '../../operations/effects/index.ts';

/** What guarantee G2 says of each event. A new one is added here with the reason that it has. */
const stops: Record<DomainEvent['type'], 'always' | 'when_it_merges' | 'never'> = {
  'order.placed': 'always',
  'call.ended': 'always',
  'message.received': 'always',
  'contact.opted_out': 'always',
  'lead.contacted': 'always',
  'viewing.reported': 'always',
  'conversion.reported': 'always',
  // Each may make one person of two, and so bring a known stop to further enrollments.
  'cart.updated': 'when_it_merges',
  'lead.created': 'when_it_merges',
  'subject.reported': 'when_it_merges',
  'behaviour.reported': 'when_it_merges',
  'contact.updated': 'when_it_merges',
  'contact.opted_in': 'when_it_merges',
  // They name an order, a message, a request or a connection, and cover no calls.
  'cart.deleted': 'never',
  'order.updated': 'never',
  'order.cancelled': 'never',
  'message.delivered': 'never',
  'message.failed': 'never',
  'privacy.requested': 'never',
  'facts.reported': 'never',
  'app.uninstalled': 'never',
};

test('every event waits for the calls that it covers as guarantee G2 says', () => {
  const types = Object.keys(stops) as DomainEvent['type'][];
  // Only the type matters.
  const found = types.map((type) => [type, effectOf({ type } as DomainEvent).stops]);
  expect(Object.fromEntries(found)).toEqual(stops);
});

test('whoever is a stop also reads the calls that may be running', () => {
  for (const type of Object.keys(stops) as DomainEvent['type'][]) {
    const { stops: declared, reads } = effectOf({ type } as DomainEvent);
    if (declared === 'always') expect(reads, type).toContain('claims');
  }
});
