import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { isNewEpisode } from '../../domain/episodes.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { type CartContent, foldCart } from '../../domain/fold-cart.ts';
import type { ChosenContact } from '../../domain/people/choose-contact.ts';
import { deniesEverything, newStatements } from '../../domain/people/consent.ts';
import { foldDetails, noDetails } from '../../domain/people/fold-details.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import type { CartWorld } from './cart-world.ts';
import { type ActiveSequence, type Beginning, sequencesToBegin } from './enroll.ts';
import type { Identity, ScopedKey } from './identities.ts';
import type { KnownContact } from './known-people.ts';
import type { CartWrites } from './write-cart.ts';

type CartUpdated = Extract<DomainEvent, { type: 'cart.updated' }>;

/** What is known when a cart is decided about. Its keys find one cart at most, its identities one person at most. */
export interface CartFacts {
  /** Those that name somebody: without the ones that too many are said to have. */
  identities: Identity[];
  keys: ScopedKey[];
  world: CartWorld;
  chosen: ChosenContact | null;
  /** All marketing to the owner is closed. */
  suppressed: boolean;
  active: ActiveSequence[];
  tenant: { settings: TenantSettings; timeScale: number };
  nowMs: number;
}

interface Owner {
  contact: KnownContact;
  person: KnownContact;
}

/** The contact that the cart belongs to, and its person; null: somebody new. */
export function ownerOf(facts: Pick<CartFacts, 'identities' | 'world' | 'chosen'>): Owner | null {
  const { identities, world, chosen } = facts;
  // Without an address the cart keeps its owner; an ownerless cart gets an anonymous contact.
  const id = chosen?.contactId ?? (identities.length === 0 ? world.subjects[0]?.contactId : null);
  const contact = world.contacts.find((c) => c.id === id);
  if (contact === undefined) return null;
  return { contact, person: world.contacts.find((c) => c.id === contact.personId) ?? contact };
}

/**
 * Fold an event into its cart and its owner, and decide which sequences begin and which give way. Nothing is read and nothing written here.
 * @returns null: a late echo of a cart that was bought under the same key before; it changes nothing
 */
export function decideCart(event: CartUpdated, facts: CartFacts): CartWrites | null {
  const { world, identities } = facts;
  const owner = ownerOf(facts);
  const found = world.subjects[0] ?? null;
  if (found !== null && found.previousBoughtAt !== null && event.occurredAtMs <= found.previousBoughtAt) return null;
  const previousId = found !== null && found.state === 'converted' && isNewEpisode(found, event) ? found.id : null;
  const known = previousId === null ? found : null;
  const contactId = owner?.contact.id ?? uuidv7();
  const subject = {
    ...foldCart(known, previousId === null ? event : beginningNow(event), addressIn(identities)),
    id: known?.id ?? uuidv7(),
    state: known?.state ?? ('open' as const),
    contactId,
  };
  const emptied = subject.state === 'open' && subject.items.length === 0 && subject.totalMinor === 0;
  const runs = world.enrollments.filter((run) => run.subjectId === subject.id);
  const open = runs.find((run) => run.endedAt === null);
  const told = owner?.contact.details ?? noDetails;
  const details = identities.length === 0 ? told : foldDetails(told, event.person, event.occurredAtMs);
  const { begin, ends } =
    subject.state === 'open' && !emptied && !event.cart.completed
      ? sequencesToBegin(
          {
            subject,
            owner: details,
            person: owner?.person ?? { id: contactId, lifecycle: 'NEW', lastOrderAt: null },
            identityKinds: (owner === null ? identities : world.identities.filter((i) => i.personId === owner.person.id)).map((i) => i.kind),
            suppressed: facts.suppressed || (owner !== null && deniesEverything(saidBy(world, owner.person.id))),
            nowMs: facts.nowMs,
          },
          facts.active,
          { runs, rivals: owner === null ? [] : world.rivals.filter((r) => r.personId === owner.person.id) },
          facts.tenant,
        )
      : { begin: [], ends: [] };
  return {
    ...peopleWrites(event, { facts, owner, contactId, details, told, begins: begin.length > 0 }),
    subject,
    fresh: known === null ? { previousId } : null,
    keys: facts.keys,
    enrollments: begin,
    ends,
    // The shopper emptied the cart: there is nothing to bring back.
    emptied: emptied && open !== undefined,
    story: storyOf(event, { emptied, openId: open?.id ?? null, begin }),
  };
}

/** A new cart under an old key began no earlier than its first event: the shop's date of creation is the key's. */
function beginningNow(event: CartUpdated): CartUpdated {
  return { ...event, cart: { ...event.cart, createdAtMs: event.occurredAtMs } };
}

/** How the event names the shopper, as the cart keeps it. */
export function addressIn(identities: readonly Identity[]): Pick<CartContent, 'email' | 'phone'> {
  const of = (kind: string) => identities.find((i) => i.kind === kind)?.value ?? null;
  return { email: of('email'), phone: of('phone') };
}

function saidBy(world: CartWorld, personId: string) {
  const contacts = new Set(world.contacts.filter((c) => c.personId === personId).map((c) => c.id));
  return world.consents.filter((c) => contacts.has(c.contactId));
}

interface Telling {
  facts: CartFacts;
  owner: Owner | null;
  contactId: string;
  details: KnownContact['details'];
  told: KnownContact['details'];
  begins: boolean;
}

/** What the event says about the shopper, as far as it is new. */
function peopleWrites(event: CartUpdated, t: Telling): Pick<CartWrites, 'owner' | 'seen' | 'consents'> {
  const { facts, owner, contactId, details } = t;
  const { identities, world } = facts;
  const lifecycle = owner?.contact.lifecycle ?? 'NEW';
  const newLifecycle = t.begins && lifecycle === 'NEW' ? 'IN_PROGRESS' : lifecycle;
  const unchanged = owner !== null && newLifecycle === lifecycle && isDeepStrictEqual(details, t.told);
  const fresh = owner === null ? { identities, lastSeenAt: event.occurredAtMs, lastOrderAt: null } : null;
  const seen = owner !== null && (owner.person.lastSeenAt ?? Number.NEGATIVE_INFINITY) < event.occurredAtMs;
  // A contact that is written anyway, and is its person's root, carries the sign of life along.
  const along = seen && !unchanged && owner.person.id === contactId;
  const known = world.consents.filter((c) => c.contactId === contactId);
  return {
    owner: unchanged ? null : { id: contactId, details, lifecycle: newLifecycle, fresh, ...(along ? { lastSeenAt: event.occurredAtMs } : {}) },
    seen: seen && !along ? { personId: owner.person.id, atMs: event.occurredAtMs } : null,
    consents:
      identities.length === 0
        ? []
        : newStatements(event.person.consents, event.occurredAtMs, known).map((statement) => ({ contactId, ...statement })),
  };
}

function storyOf(
  event: CartUpdated,
  { emptied, openId, begin }: { emptied: boolean; openId: string | null; begin: Beginning[] },
): CartWrites['story'] {
  if (openId === null && begin.length === 0) return null;
  const { occurredAtMs, cart } = event;
  const data = { occurred_at_ms: occurredAtMs, value_minor: cart.totalMinor, currency: cart.currency, items: cart.items.length };
  return { enrollmentId: openId, data: emptied ? { ...data, emptied: true } : data };
}
