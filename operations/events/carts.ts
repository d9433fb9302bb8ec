import { isDeepStrictEqual } from 'node:util';
import { and, eq, inArray, isNull } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { callFunction } from '../../db/client.ts';
import { contactIdentities, contacts, enrollments, subjects } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { foldCart } from '../../domain/fold-cart.ts';
import { chooseContact, type ChosenContact } from '../../domain/people/choose-contact.ts';
import { foldDetails, noDetails } from '../../domain/people/fold-details.ts';
import { carryStops } from './carry-stops.ts';
import { type CartWorld, type KnownContact, parseWorld, type StoredWorld } from './cart-world.ts';
import type { EventContext } from './context.ts';
import { type ActiveSequence, sequencesToBegin } from './enroll.ts';
import { identitiesOf, type Identity, namedBy, subjectsByKey } from './identities.ts';
import { findNamed, type Found } from './lock-named.ts';
import { mergePersons, personOf, resolveContact } from './persons.ts';
import { stopEnrollmentsAbout } from './stop-enrollments.ts';
import { createSubject, foldSubject, type Subject } from './subjects.ts';
import { identityHash, suppressedEverywhere } from './suppressions.ts';
import { writeCart } from './write-cart.ts';

type CartUpdated = Extract<DomainEvent, { type: 'cart.updated' }>;

/**
 * Fold a cart by the provider's clock, find out whose it is, and begin its sequence where that is possible.
 * Carts or persons that become one, and carts that change hands, are settled first, statement by statement; what is left is the same
 * for every cart: one look at the world, one decision, one write.
 */
export async function applyCartUpdated(ctx: EventContext, event: CartUpdated): Promise<void> {
  const identities = identitiesOf(ctx.source, event.person);
  let world = ctx.cart ?? (await readWorld(ctx, ctx.found, identities));
  let chosen = chooseContact(identities, world.identities);
  if (!isSettled(world, identities, chosen)) {
    await settleWhose(ctx, event, identities);
    world = await readWorld(ctx, await findNamed(ctx.tx, ctx.source, { ...namedBy(ctx.source, event), stops: false }), identities);
    chosen = chooseContact(identities, world.identities);
  }
  await foldAndBegin(ctx, event, { identities, world, chosen });
}

/** Read the world anew: the event before this one, in the same delivery, or a merge may have changed it. */
async function readWorld(ctx: EventContext, found: Found, identities: Identity[]): Promise<CartWorld> {
  const hashes = identities.map((i) => identityHash(ctx, i));
  return parseWorld(await callFunction<StoredWorld>(ctx.tx, 'read_cart($1, $2, $3)', [found.named, found.subjects, hashes]));
}

/** One cart at most, one person at most who has all these identities, and a cart that is this person's already or nobody's. */
function isSettled(world: CartWorld, identities: Identity[], chosen: ChosenContact | null): boolean {
  const [cart, another] = world.subjects;
  if (another !== undefined) return false;
  if (chosen !== null && (chosen.together.length > 1 || chosen.missing.length > 0)) return false;
  if (identities.length === 0 || cart === undefined || cart.contactId === null) return true;
  return chosen !== null && world.contacts.some((c) => c.id === cart.contactId && c.personId === chosen.personId);
}

/** Carts become one, persons become one, the cart moves to whom the event names; each may carry a stop along. */
async function settleWhose(ctx: EventContext, event: CartUpdated, identities: Identity[]): Promise<void> {
  const subject = await foldSubject(ctx, event);
  const named = await resolveContact(ctx, identities);
  if (named !== null) await moveTo(ctx, subject, named);
}

async function foldAndBegin(
  ctx: EventContext,
  event: CartUpdated,
  { identities, world, chosen }: { identities: Identity[]; world: CartWorld; chosen: ChosenContact | null },
): Promise<void> {
  const known = world.subjects[0] ?? null;
  const atMs = event.occurredAtMs;
  // A cart without address stays whose it is; one that is nobody's belongs to a visitor without a name.
  const ownerId = chosen?.contactId ?? (identities.length === 0 ? (known?.contactId ?? null) : null);
  const owner = world.contacts.find((c) => c.id === ownerId) ?? null;
  const person = owner === null ? null : (world.contacts.find((c) => c.id === owner.personId) ?? null);
  const contactId = owner?.id ?? uuidv7();
  const told = owner?.details ?? noDetails;
  const details = identities.length === 0 ? told : foldDetails(told, event.person, atMs);
  const subject = { ...foldCart(known, event), id: known?.id ?? uuidv7(), state: known?.state ?? ('open' as const), contactId };
  const runs = world.enrollments.filter((run) => run.subjectId === subject.id);
  const open = runs.filter((run) => run.endedAt === null);
  // The shopper emptied the cart: there is nothing to bring back.
  const emptied = subject.state === 'open' && subject.items.length === 0 && subject.totalMinor === 0;
  const starts =
    subject.state !== 'open' || emptied
      ? []
      : sequencesToBegin(
          {
            subject,
            owner: details,
            person: person ?? { lifecycle: 'NEW', lastOrderAt: null },
            identityKinds: person === null ? identities.map((i) => i.kind) : kindsOf(world, person),
            suppressed: await isSuppressed(ctx, world, person, identities),
            nowMs: ctx.nowMs,
          },
          await currentVersions(ctx, world),
          runs,
          ctx.tenant,
        );
  if (emptied && open.length > 0) await stopEnrollmentsAbout(ctx, subject.id, 'expired');
  const lifecycle = owner?.lifecycle ?? 'NEW';
  const begins = starts.length > 0 && lifecycle === 'NEW';
  await writeCart(ctx, {
    owner:
      owner !== null && !begins && isDeepStrictEqual(details, told)
        ? null
        : {
            id: contactId,
            details,
            lifecycle: begins ? 'IN_PROGRESS' : lifecycle,
            fresh: owner === null ? { identities, lastSeenAt: atMs } : null,
          },
    seen: person !== null && (person.lastSeenAt ?? -Infinity) < atMs ? { personId: person.id, atMs } : null,
    consents:
      identities.length === 0
        ? []
        : event.person.consents
            // A repeat that is newer counts: what lies between the two may still be on its way.
            .filter(
              (said) =>
                !world.consents.some(
                  (c) => c.contactId === contactId && c.channel === said.channel && c.state === said.state && c.latestAtMs >= atMs,
                ),
            )
            .map((said) => ({ ...said, contactId, atMs })),
    subject,
    freshSubject: known === null,
    keys: event.keys,
    enrollments: starts,
    story:
      emptied || (open.length === 0 && starts.length === 0)
        ? null
        : {
            enrollmentId: open[0]?.id ?? null,
            data: { occurred_at_ms: atMs, value_minor: event.cart.totalMinor, currency: event.cart.currency, items: event.cart.items.length },
          },
  });
}

const kindsOf = (world: CartWorld, person: KnownContact) => world.identities.filter((i) => i.personId === person.personId).map((i) => i.kind);

/** Whether all marketing to the person is closed. The world tells it of the event's own identities; about others the list is asked. */
async function isSuppressed(ctx: EventContext, world: CartWorld, person: KnownContact | null, identities: Identity[]): Promise<boolean> {
  if (world.suppressed.length > 0) return true;
  if (person === null) return false;
  const others = world.identities.some((h) => h.personId === person.personId && !identities.some((i) => i.kind === h.kind && i.value === h.value));
  return others && suppressedEverywhere(ctx, person.id);
}

function currentVersions(ctx: EventContext, world: CartWorld): Promise<ActiveSequence[]> {
  return Promise.all(world.sequences.map(async ({ id, versionId }) => ({ id, versionId, version: await ctx.deps.versions.load(ctx.tx, versionId) })));
}

/** The checkout is gone: its link no longer restores anything. */
export async function applyCartDeleted(ctx: EventContext, event: Extract<DomainEvent, { type: 'cart.deleted' }>): Promise<void> {
  const found = await subjectsByKey(ctx.tx, ctx.source, event.keys);
  if (found.length === 0) {
    await createSubject(ctx, event.keys, { state: 'gone', startedAt: event.occurredAtMs, lastActivityAt: event.occurredAtMs });
    return;
  }
  const ids = found.map((s) => s.id);
  await ctx.tx
    .update(subjects)
    .set({ state: 'gone' })
    .where(and(inArray(subjects.id, ids), eq(subjects.state, 'open')));
  for (const id of ids) await stopEnrollmentsAbout(ctx, id, 'expired');
}

/** The cart is this contact's from now on. When an address arrives, cart and enrollment move. */
async function moveTo(ctx: EventContext, subject: Subject, named: { contactId: string; personId: string }): Promise<void> {
  if (subject.contactId === named.contactId) return;
  const oldPersonId = subject.contactId === null ? null : await personOf(ctx, subject.contactId);
  await ctx.tx.update(subjects).set({ contactId: named.contactId }).where(eq(subjects.id, subject.id));
  if (oldPersonId === null || oldPersonId === named.personId) return;
  await ctx.tx
    .update(enrollments)
    .set({ contactId: named.contactId })
    .where(and(eq(enrollments.subjectId, subject.id), isNull(enrollments.endedAt)));
  // The nameless visitor was this person all along.
  if (await isAnonymous(ctx, oldPersonId)) await mergePersons(ctx, [named.personId, oldPersonId]);
  else await carryStops(ctx, named.personId);
}

async function isAnonymous(ctx: EventContext, personId: string): Promise<boolean> {
  const rows = await ctx.tx
    .select({ id: contactIdentities.id })
    .from(contactIdentities)
    .innerJoin(contacts, and(eq(contacts.tenantId, contactIdentities.tenantId), eq(contacts.id, contactIdentities.contactId)))
    .where(eq(contacts.personId, personId))
    .limit(1);
  return rows.length === 0;
}
