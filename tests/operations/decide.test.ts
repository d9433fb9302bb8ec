import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DomainEvent } from '../../domain/events.ts';
import { subjectKinds } from '../../domain/subjects/index.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import { decide } from '../../operations/intake/decide.ts';
import type { DecisionContext } from '../../operations/intake/draft.ts';
import { sourceOf } from '../../operations/intake/source.ts';
import type { World } from '../../operations/intake/world.ts';

const settings = tenantSettings.parse({});
const hour = 3_600_000;
const startMs = Date.parse('2026-03-02T10:00:00Z');

function context(): DecisionContext {
  let ids = 0;
  return {
    source: sourceOf({ tenantId: 't', connectionId: 'shop' }, settings),
    tenant: { slug: 't', settings, timeScale: 1, isIntervening: true },
    inboxId: 'delivery',
    nowMs: startMs,
    kinds: subjectKinds,
    newId: () => `new-${String(++ids).padStart(3, '0')}`,
    addressHash: ({ kind, value }) => `hash of ${kind} ${value}`,
  };
}

const nobody: World = {
  found: { named: [], reached: [], near: [], crowded: [], subjects: [] },
  contacts: [],
  identities: [],
  consents: [],
  suppressions: [],
  subjects: [],
  enrollments: [],
  sequences: [],
  order: null,
  orders: [],
  message: null,
  claims: [],
};

const person = (email: string | null, phone: string | null = null) => ({
  email,
  phone,
  externalId: null,
  firstName: 'Ada',
  lastName: null,
  locale: null,
  timeZone: null,
  country: null,
  region: null,
  orderCount: null,
  lifetimeValueMinor: null,
  consents: [],
});
const aContact = (id: string, personId = id): World['contacts'][number] => ({
  id,
  personId,
  lifecycle: 'NEW',
  details: {
    firstName: null,
    lastName: null,
    locale: null,
    timeZone: null,
    country: null,
    region: null,
    orderCount: null,
    lifetimeValueMinor: null,
    detailsAt: null,
  },
  lastSeenAt: null,
  lastOrderAt: null,
  lastReplyAt: null,
  lastContactedAt: null,
  lastWhatsappAt: null,
  takenOverAt: null,
  takenOverUntil: null,
  apart: {},
});
const lead = (email: string | null, phone: string | null = null): DomainEvent => ({
  type: 'lead.created',
  occurredAtMs: startMs,
  keys: [{ kind: 'lead', value: 'l-1' }],
  person: person(email, phone),
  lead: { createdAtMs: startMs, source: 'website', interest: 'a flat', message: null, url: null, currency: null, valueMinor: null },
});

const anEvent: fc.Arbitrary<DomainEvent> = fc.oneof(
  fc.constant(lead('ada@example.com')),
  fc.constant(lead('ada@example.com', '+43 660 1234567')),
  fc.constant(lead(null, '+43 660 1234567')),
  fc.constant<DomainEvent>({ type: 'message.received', occurredAtMs: startMs, person: person('ada@example.com'), channel: 'email', text: 'Hello' }),
  fc.constant<DomainEvent>({ type: 'message.received', occurredAtMs: startMs, person: person(null, '+436601234567'), channel: 'sms', text: 'STOP' }),
  fc.constant<DomainEvent>({
    type: 'contact.opted_out',
    occurredAtMs: startMs,
    person: person('ada@example.com'),
    channel: null,
    final: true,
    source: 'operator',
    basis: 'person',
  }),
  fc.constant<DomainEvent>({ type: 'privacy.requested', occurredAtMs: startMs, topic: 'redact', person: person('ada@example.com') }),
);

const aWorld: fc.Arbitrary<World> = fc.constantFrom<World>(
  nobody,
  {
    ...nobody,
    found: { ...nobody.found, named: ['a'], reached: ['a'] },
    contacts: [aContact('a')],
    identities: [{ contactId: 'a', kind: 'email', value: 'ada@example.com' }],
  },
  {
    ...nobody,
    found: { ...nobody.found, named: ['a'], reached: ['a'], near: ['b'] },
    contacts: [aContact('a'), aContact('b')],
    identities: [
      { contactId: 'a', kind: 'email', value: 'ada@example.com' },
      { contactId: 'b', kind: 'phone', value: '+436601234567' },
    ],
  },
);

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

describe('a decision', () => {
  test('is the same for the same event and world, and changes neither', () => {
    fc.assert(
      fc.property(anEvent, aWorld, (event, world) => {
        frozen(event);
        frozen(world);
        expect(decide(event, world, context())).toEqual(decide(event, world, context()));
      }),
    );
  });

  test('a lead that names an address and a number of two people makes one person of them', () => {
    const world = {
      ...nobody,
      found: { ...nobody.found, named: ['a'], reached: ['a'], near: ['b'] },
      contacts: [{ ...aContact('a'), lastReplyAt: startMs - hour }, aContact('b')],
      identities: [
        { contactId: 'a', kind: 'email', value: 'ada@example.com' },
        { contactId: 'b', kind: 'phone', value: '+436601234567' },
      ],
    };
    const { writes, covered } = decide(lead('ada@example.com', '+436601234567'), world, context());
    expect(writes['contacts']).toContainEqual(expect.objectContaining({ id: 'b', person_id: 'a' }));
    // The merge may bring a known stop to what runs for the other: the answer waits for both.
    expect(covered).toEqual(['a', 'b']);
  });

  test('an operator’s final opt-out of somebody unknown is kept for the address, whoever has it later', () => {
    const { writes } = decide(
      {
        type: 'contact.opted_out',
        occurredAtMs: startMs,
        person: person('ada@example.com'),
        channel: null,
        final: true,
        source: 'operator',
        basis: 'person',
      },
      nobody,
      context(),
    );
    expect(writes['new_suppressions']).toEqual([
      expect.objectContaining({ address_hash: 'hash of email ada@example.com', channel: 'all', reason: 'complaint' }),
    ]);
    expect(writes['new_contacts']).toEqual([expect.objectContaining({ lifecycle: 'DO_NOT_CONTACT' })]);
  });
});
