import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import type { DomainEvent } from '../../domain/events.ts';
import { foldCart } from '../../domain/fold-cart.ts';
import type { ChosenContact } from '../../domain/people/choose-contact.ts';
import { newStatements } from '../../domain/people/consent.ts';
import { foldDetails, noDetails } from '../../domain/people/fold-details.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import type { CartWorld } from './cart-world.ts';
import { type ActiveSequence, sequencesToBegin } from './enroll.ts';
import type { Identity } from './identities.ts';
import type { KnownContact } from './known-people.ts';
import type { CartWrites } from './write-cart.ts';

type CartUpdated = Extract<DomainEvent, { type: 'cart.updated' }>;

/** What is known when a cart is decided about. Its keys find one cart at most, its identities one person at most. */
export interface CartFacts {
  identities: Identity[];
  world: CartWorld;
  chosen: ChosenContact | null;
  /** All marketing to the owner is closed. */
  suppressed: boolean;
  active: ActiveSequence[];
  tenant: { settings: TenantSettings; timeScale: number };
  nowMs: number;
}

/** The contact that the cart belongs to, and its person; null: somebody new. */
export function ownerOf(facts: Pick<CartFacts, 'identities' | 'world' | 'chosen'>): { contact: KnownContact; person: KnownContact } | null {
  const { identities, world, chosen } = facts;
  // A cart without address stays whose it is; one that is nobody's belongs to a visitor without a name.
  const id = chosen?.contactId ?? (identities.length === 0 ? world.subjects[0]?.contactId : null);
  const contact = world.contacts.find((c) => c.id === id);
  if (contact === undefined) return null;
  return { contact, person: world.contacts.find((c) => c.id === contact.personId) ?? contact };
}

/** Fold an event into its cart and its owner, and decide which sequences begin. Nothing is read and nothing written here. */
export function decideCart(event: CartUpdated, facts: CartFacts): CartWrites {
  const { identities, world } = facts;
  const owner = ownerOf(facts);
  const known = world.subjects[0] ?? null;
  const contactId = owner?.contact.id ?? uuidv7();
  const subject = { ...foldCart(known, event), id: known?.id ?? uuidv7(), state: known?.state ?? ('open' as const), contactId };
  const told = owner?.contact.details ?? noDetails;
  const details = identities.length === 0 ? told : foldDetails(told, event.person, event.occurredAtMs);
  const emptied = subject.state === 'open' && subject.items.length === 0 && subject.totalMinor === 0;
  const runs = world.enrollments.filter((run) => run.subjectId === subject.id);
  const candidate = {
    subject,
    owner: details,
    person: owner?.person ?? { lifecycle: 'NEW', lastOrderAt: null },
    identityKinds: (owner === null ? identities : world.identities.filter((i) => i.personId === owner.person.id)).map((i) => i.kind),
    suppressed: facts.suppressed,
    nowMs: facts.nowMs,
  };
  const enrollments = subject.state === 'open' && !emptied ? sequencesToBegin(candidate, facts.active, runs, facts.tenant) : [];
  const open = runs.find((run) => run.endedAt === null);
  const lifecycle = owner?.contact.lifecycle ?? 'NEW';
  const newLifecycle = enrollments.length > 0 && lifecycle === 'NEW' ? 'IN_PROGRESS' : lifecycle;
  const unchanged = owner !== null && newLifecycle === lifecycle && isDeepStrictEqual(details, told);
  const fresh = owner === null ? { identities, lastSeenAt: event.occurredAtMs, lastOrderAt: null } : null;
  const seen = owner !== null && (owner.person.lastSeenAt ?? Number.NEGATIVE_INFINITY) < event.occurredAtMs;
  // A contact that is written anyway, and is its person's root, carries the sign of life along.
  const along = seen && !unchanged && owner.person.id === contactId;
  return {
    owner: unchanged ? null : { id: contactId, details, lifecycle: newLifecycle, fresh, ...(along ? { lastSeenAt: event.occurredAtMs } : {}) },
    seen: seen && !along ? { personId: owner.person.id, atMs: event.occurredAtMs } : null,
    consents:
      identities.length === 0
        ? []
        : newStatements(
            event.person.consents,
            event.occurredAtMs,
            world.consents.filter((c) => c.contactId === contactId),
          ).map((statement) => ({ contactId, ...statement })),
    subject,
    freshSubject: known === null,
    keys: event.keys,
    enrollments,
    // The shopper emptied the cart: there is nothing to bring back.
    emptied: emptied && open !== undefined,
    story: emptied || (open === undefined && enrollments.length === 0) ? null : { enrollmentId: open?.id ?? null, data: storyOf(event) },
  };
}

const storyOf = ({ occurredAtMs, cart }: CartUpdated) => ({
  occurred_at_ms: occurredAtMs,
  value_minor: cart.totalMinor,
  currency: cart.currency,
  items: cart.items.length,
});
