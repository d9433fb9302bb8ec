import { type AnyColumn, and, eq, gte, isNotNull, lt, ne, or, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import {
  assignments,
  consents,
  contactIdentities,
  contacts,
  enrollments,
  inbox,
  messages,
  sequences,
  subjectKeys,
  subjects,
  suppressions,
} from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import type { Arm } from '../../domain/experiments/arm.ts';
import type { Identity } from '../../domain/people/choose-contact.ts';
import type { OwnOrders } from '../../domain/people/purchases.ts';
import type { ConsentStatement } from '../../domain/people/consent.ts';
import type { ScopedKey } from '../intake/source.ts';
import type { KnownSuppression } from '../intake/world.ts';

/** What history has about one person, as they are known today. */
export interface PersonHistory {
  personId: string;
  contacts: (typeof contacts.$inferSelect)[];
  identities: (typeof contactIdentities.$inferSelect)[];
  consents: (ConsentStatement & { contactId: string; channel: string })[];
  /** Suppressions of their identities, also those that were lifted. */
  suppressions: (KnownSuppression & { identity: Identity; liftedMs: number | null })[];
  /** Subjects of theirs that had been bought before the history begins, with their keys. */
  bought: { subject: typeof subjects.$inferSelect; keys: ScopedKey[] }[];
  /** What other sequences sent them, and the times in which they were in these. */
  sends: { channel: string | null; atMs: number; step: string }[];
  runs: { slug: string; fromMs: number; untilMs: number }[];
  /** What really happened to the messages of this very sequence. */
  engagement: (ScopedKey & { stepId: string; openedMs: number | null; clickedMs: number | null; fromMs: number })[];
  arm: Arm | null;
  /** Their orders, with the time at which the store heard of each. */
  orders: (OwnOrders & { knownMs: number })[];
  events: HistoricEvent[];
}

export interface HistoricEvent {
  event: DomainEvent;
  connectionId: string;
  receivedMs: number;
}

export interface PeopleQuestion {
  slug: string;
  /** null: the store has no such sequence yet. */
  sequenceId: string | null;
  fromMs: number;
  hashOf(identity: Identity): string;
}

/** One parameter, whatever their number: a list of a thousand would be a statement of its own, built and planned each time. */
const isOneOf = (column: AnyColumn, ids: readonly string[]) => sql`${column} = any(${sql.param(ids)}::uuid[])`;

const capsReachBackMs = 31 * 86_400_000;

/** Everything about some people, in a dozen queries whatever their number. */
export async function readPeople(tx: Tx, wanted: ReadonlyMap<string, readonly string[]>, ask: PeopleQuestion): Promise<PersonHistory[]> {
  const personIds = [...wanted.keys()];
  if (personIds.length === 0) return [];
  const everyone = await tx.select().from(contacts).where(isOneOf(contacts.personId, personIds)).orderBy(contacts.id);
  const contactIds = everyone.map((c) => c.id);
  const identities = await tx
    .select()
    .from(contactIdentities)
    .where(isOneOf(contactIdentities.contactId, contactIds))
    .orderBy(contactIdentities.createdAt, contactIdentities.id);
  const identityOf = new Map(identities.map((i) => [ask.hashOf(i), i]));
  const personOf = new Map(everyone.map((c) => [c.id, c.personId]));
  const [said, blocked, bought, sends, runs, engagement, arms, orders, events] = await Promise.all([
    readConsents(tx, contactIds),
    tx
      .select()
      .from(suppressions)
      .where(sql`${suppressions.addressHash} = any(${sql.param([...identityOf.keys()])}::text[])`),
    readBought(tx, contactIds, ask.fromMs),
    readSends(tx, contactIds, ask),
    readRuns(tx, contactIds, ask),
    readEngagement(tx, contactIds, ask),
    readArms(tx, contactIds, ask.sequenceId),
    readOrders(tx, contactIds),
    readEvents(tx, [...wanted.values()].flat()),
  ]);
  const ofPerson = <T extends { contactId: string | null }>(rows: readonly T[]) =>
    grouped(rows, ({ contactId }) => personOf.get(contactId ?? '') ?? '');
  const [identitiesOf, saidOf, boughtOf, sendsOf, runsOf, engagementOf, armsOf, ordersOf] = [
    ofPerson(identities),
    ofPerson(said),
    ofPerson(bought.map((b) => ({ ...b, contactId: b.subject.contactId }))),
    ofPerson(sends),
    ofPerson(runs),
    ofPerson(engagement),
    ofPerson(arms),
    ofPerson(orders),
  ];
  const blockedOf = grouped(
    blocked.flatMap((row) => {
      const identity = identityOf.get(row.addressHash);
      return identity === undefined ? [] : [{ ...suppressionOf(row), identity, liftedMs: row.liftedAt, contactId: identity.contactId }];
    }),
    ({ contactId }) => personOf.get(contactId) ?? '',
  );
  const contactsOf = grouped(everyone, (c) => c.personId);
  return [...wanted].map(([personId, refs]) => ({
    personId,
    contacts: contactsOf.get(personId) ?? [],
    identities: identitiesOf.get(personId) ?? [],
    consents: saidOf.get(personId) ?? [],
    suppressions: blockedOf.get(personId) ?? [],
    bought: boughtOf.get(personId) ?? [],
    sends: sendsOf.get(personId) ?? [],
    runs: runsOf.get(personId) ?? [],
    engagement: engagementOf.get(personId) ?? [],
    arm: armsOf.get(personId)?.[0]?.arm ?? null,
    orders: ordersOf.get(personId) ?? [],
    events: refs.flatMap((ref) => events.get(ref) ?? []),
  }));
}

function readConsents(tx: Tx, contactIds: string[]) {
  return tx
    .select({
      contactId: consents.contactId,
      channel: consents.channel,
      state: consents.state,
      basis: sql<ConsentStatement['basis']>`consent_basis(${consents.basis}, ${consents.source})`,
      atMs: consents.occurredAt,
    })
    .from(consents)
    .where(isOneOf(consents.contactId, contactIds))
    .orderBy(consents.occurredAt);
}

async function readBought(tx: Tx, contactIds: string[], fromMs: number) {
  const rows = await tx
    .select()
    .from(subjects)
    .where(and(isOneOf(subjects.contactId, contactIds), eq(subjects.state, 'converted'), lt(subjects.convertedAt, fromMs)));
  if (rows.length === 0) return [];
  const keys = await tx
    .select()
    .from(subjectKeys)
    .where(
      isOneOf(
        subjectKeys.subjectId,
        rows.map((r) => r.id),
      ),
    );
  const keysOf = grouped(keys, (k) => k.subjectId);
  return rows.map((subject) => ({ subject, keys: keysOf.get(subject.id) ?? [] }));
}

const sentAt = sql<number>`coalesce(${messages.settledAt}, ${messages.claimedAt}, ${messages.createdAt})`.mapWith(messages.createdAt);

async function readSends(tx: Tx, contactIds: string[], { slug, fromMs }: PeopleQuestion) {
  const rows = await tx
    .select({ contactId: messages.contactId, channel: messages.channel, atMs: sentAt, slug: sequences.slug, stepId: messages.stepId })
    .from(messages)
    .innerJoin(enrollments, eq(enrollments.id, messages.enrollmentId))
    .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
    .where(
      and(
        isOneOf(messages.contactId, contactIds),
        sql`${messages.state} in ('sent', 'unknown', 'claimed')`,
        ne(sequences.slug, slug),
        gte(messages.createdAt, fromMs - capsReachBackMs),
      ),
    );
  return rows.map(({ slug: of, stepId, ...row }) => ({ ...row, step: `${of}/${stepId}` }));
}

async function readRuns(tx: Tx, contactIds: string[], { slug, fromMs }: PeopleQuestion) {
  const rows = await tx
    .select({ contactId: enrollments.contactId, slug: sequences.slug, fromMs: enrollments.enrolledAt, untilMs: enrollments.endedAt })
    .from(enrollments)
    .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
    .where(
      and(
        isOneOf(enrollments.contactId, contactIds),
        ne(sequences.slug, slug),
        isNotNull(enrollments.activatedAt),
        or(sql`${enrollments.endedAt} is null`, gte(enrollments.endedAt, fromMs)),
      ),
    );
  return rows.map((row) => ({ ...row, untilMs: row.untilMs ?? Number.POSITIVE_INFINITY }));
}

function readEngagement(tx: Tx, contactIds: string[], { sequenceId }: PeopleQuestion) {
  if (sequenceId === null) return [];
  return tx
    .select({
      contactId: enrollments.contactId,
      connectionId: subjectKeys.connectionId,
      kind: subjectKeys.kind,
      value: subjectKeys.value,
      stepId: messages.stepId,
      openedMs: messages.openedAt,
      clickedMs: messages.clickedAt,
      fromMs: enrollments.enrolledAt,
    })
    .from(enrollments)
    .innerJoin(messages, eq(messages.enrollmentId, enrollments.id))
    .innerJoin(subjectKeys, eq(subjectKeys.subjectId, enrollments.subjectId))
    .where(
      and(
        isOneOf(enrollments.contactId, contactIds),
        eq(enrollments.sequenceId, sequenceId),
        or(isNotNull(messages.openedAt), isNotNull(messages.clickedAt)),
      ),
    );
}

function readArms(tx: Tx, contactIds: string[], sequenceId: string | null) {
  if (sequenceId === null) return [];
  return tx
    .select({ contactId: assignments.contactId, arm: assignments.arm })
    .from(assignments)
    .where(and(isOneOf(assignments.contactId, contactIds), eq(assignments.sequenceId, sequenceId)))
    .orderBy(assignments.assignedAt, assignments.id);
}

/** @param refs - `<id of the delivery>/<index of the event>` */
async function readEvents(tx: Tx, refs: readonly string[]): Promise<Map<string, HistoricEvent[]>> {
  const ids = [...new Set(refs.map((ref) => ref.slice(0, ref.indexOf('/'))))];
  const rows = await tx
    .select({ id: inbox.id, connectionId: inbox.connectionId, events: inbox.events, receivedMs: inbox.receivedAt })
    .from(inbox)
    .where(isOneOf(inbox.id, ids));
  return new Map(
    rows.flatMap(({ id, connectionId, events, receivedMs }) =>
      events.map((event, index): [string, HistoricEvent[]] => [`${id}/${index}`, [{ event, connectionId, receivedMs }]]),
    ),
  );
}

function suppressionOf(row: typeof suppressions.$inferSelect): KnownSuppression {
  return { id: row.id, addressHash: row.addressHash, channel: row.channel, reason: row.reason, basis: row.basis, sinceMs: row.since };
}

function grouped<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

/** As the dispatch counts them, but for when they came. What was cancelled or refunded since counts as it does today. */
async function readOrders(tx: Tx, contactIds: readonly string[]): Promise<(OwnOrders & { knownMs: number; contactId: string })[]> {
  const { rows } = await tx.$client.query<{ contactId: string; currency: string; orders: number; netMinor: string; knownAt: Date }>({
    text: `select o.contact_id as "contactId", f.currency, f.orders + f.unknown_orders as orders, f.net_minor as "netMinor", o.created_at as "knownAt"
      from conversions o cross join lateral figures_of_order(o) f where o.contact_id = any($1::uuid[])`,
    values: [contactIds],
  });
  return rows.map(({ contactId, currency, orders, netMinor, knownAt }) => ({
    ...{ contactId, currency, orders: Number(orders), netMinor: Number(netMinor), knownMs: new Date(knownAt).getTime() },
  }));
}
