import { and, desc, eq, inArray, isNull, or, sql, type SQL } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import {
  connections,
  contactIdentities,
  contacts,
  conversions,
  type EnrollmentFilter,
  enrollments,
  sequences,
  subjects,
  tenants,
} from '../../db/schema/index.ts';
import { normaliseEmail, normalisePhone } from '../../domain/people/identity.ts';
import type { EnrollmentStatus } from '../../domain/sequence/plan.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import type { NoSequence } from '../../domain/subjects/no-sequence.ts';
import { idAsKept } from '../../integrations/read/text.ts';
import type { BuiltDeps } from '../create-deps.ts';
import { decisionContext, readTenant } from '../intake/tenant.ts';
import { type EnrollmentView, loadEnrollments, type ReadDeps } from './enrollment.ts';
import { type ExternalId, readExternalIds } from './external-ids.ts';
import { before, type Page, type PageWanted, readList, readSorted, since } from './page.ts';
import { whyNoSequence } from './why-no-sequence.ts';

/** What a merchant may search by. Several fields narrow the search down. */
export interface Search {
  email?: string | undefined;
  phone?: string | undefined;
  /** What the sequence is about: Rekindle's id, or any that its source has for it. */
  subjectId?: string | undefined;
  /** Any id of the source's: of the subject, the customer or the order. */
  externalId?: string | undefined;
}

/** `unreadable`: the field cannot be an address or a number, so it can find nobody. */
export type Searched<T> = { kind: 'found'; found: T } | { kind: 'unreadable'; field: 'email' | 'phone' };

/** What a list of enrollments may be narrowed down by, besides a search. Absent: it is not. */
export interface Narrowing {
  status?: EnrollmentStatus | undefined;
  /** The slug of a sequence. */
  sequence?: string | undefined;
  campaignId?: string | undefined;
  /** Epoch milliseconds: taken in at that time or later, before that time. */
  enrolledFromMs?: number | undefined;
  enrolledUntilMs?: number | undefined;
}

/** `unknown_sequence`: the store has none of that name, so the list would be empty for a typing error. */
export type Filtered<T> = Searched<T> | { kind: 'unknown_sequence' };

/** Enrollments of the tenant that the search finds, or all; the newest first. */
export function findEnrollments(
  deps: ReadDeps,
  tenantId: string,
  search: Search & Narrowing,
  page: PageWanted,
): Promise<Filtered<Page<EnrollmentView>>> {
  return readList(deps, tenantId, async (tx) => {
    const filter = await readFilter(tx, tenantId, search);
    if (filter.kind !== 'found') return filter;
    const columns = { ended_at: enrollments.endedAt };
    const { items, next } = await readSorted(page, { usual: 'newest', id: enrollments.id, columns }, (part) =>
      tx
        .select({ id: enrollments.id, sortedBy: part.sortedBy })
        .from(enrollments)
        .where(and(meets(filter.found), part.where))
        .orderBy(...part.orderBy)
        .limit(part.limit),
    );
    const views = await loadEnrollments(
      tx,
      deps,
      items.map((row) => row.id),
    );
    return { kind: 'found', found: { items: views, next } };
  });
}

export type SearchDeps = ReadDeps & Pick<BuiltDeps, 'sealing' | 'timeScale' | 'interventionStores'>;

/** A subject that the search finds and about which nothing ever ran. */
export interface QuietSubject {
  id: string;
  kind: string;
  externalIds: ExternalId[];
  state: 'open' | 'converted' | 'gone';
  lastActivityAtMs: number;
  /** What was stored when it was last reported; null: nothing was. */
  noSequence: NoSequence | null;
  sentence: string;
}

/** Subjects that the search finds and that no sequence was begun about, the newest first. */
export async function findQuietSubjects(deps: SearchDeps, tenantId: string, search: Search, limit: number): Promise<QuietSubject[]> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const ids = await subjectsOf(tx, tenantId, search);
    if (ids.length === 0) return [];
    const rows = await tx
      .select()
      .from(subjects)
      .where(
        and(
          inArray(subjects.id, ids),
          sql`not exists (select 1 from enrollments e where e.tenant_id = subjects.tenant_id and e.subject_id = subjects.id)`,
        ),
      )
      .orderBy(desc(subjects.id))
      .limit(limit);
    const externalIds = await readExternalIds(
      tx,
      rows.map((subject) => subject.id),
    );
    const context = decisionContext(deps, { tenantId, connectionId: '', inboxId: null }, await readTenant(tx, tenantId));
    const quiet: QuietSubject[] = [];
    for (const subject of rows) {
      const { id, kind, state, lastActivityAt: lastActivityAtMs, noSequence } = subject;
      const sentence = await whyNoSequence({ tx, deps, context }, subject);
      quiet.push({ id, kind, externalIds: externalIds.get(id) ?? [], state, lastActivityAtMs, noSequence, sentence });
    }
    return quiet;
  });
}

/** What a list was asked for, as ids: it stays the same list when addresses change hands. */
export async function readFilter(tx: Tx, tenantId: string, search: Search & Narrowing): Promise<Filtered<EnrollmentFilter>> {
  const filter: EnrollmentFilter = {
    status: search.status ?? null,
    sequenceId: null,
    campaignId: search.campaignId ?? null,
    enrolledFromMs: search.enrolledFromMs ?? null,
    enrolledUntilMs: search.enrolledUntilMs ?? null,
    anyOf: [],
  };
  const having = (ids: Partial<EnrollmentFilter['anyOf'][number]>) =>
    filter.anyOf.push({ contactIds: [], subjectIds: [], enrollmentIds: [], ...ids });
  if (search.sequence !== undefined) {
    const [sequence] = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, search.sequence));
    if (sequence === undefined) return { kind: 'unknown_sequence' };
    filter.sequenceId = sequence.id;
  }
  for (const field of ['email', 'phone'] as const) {
    const typed = search[field];
    if (typed === undefined) continue;
    const value = await normalised(tx, tenantId, field, typed);
    if (value === null) return { kind: 'unreadable', field };
    having({ contactIds: await contactsOfPersons(tx, [{ kind: field, value }]) });
  }
  if (search.subjectId !== undefined) having({ subjectIds: await subjectsByAnyId(tx, tenantId, search.subjectId) });
  if (search.externalId !== undefined) having(await byExternalId(tx, tenantId, search.externalId));
  return { kind: 'found', found: filter };
}

/** The enrollments that a filter shows. */
export function meets({ status, sequenceId, campaignId, enrolledFromMs, enrolledUntilMs, anyOf }: EnrollmentFilter): SQL | undefined {
  return and(
    statusIs(status),
    sequenceId === null ? undefined : eq(enrollments.sequenceId, sequenceId),
    campaignId === null ? undefined : eq(enrollments.campaignId, campaignId),
    enrolledFromMs === null ? undefined : since(enrollments.enrolledAt, enrollments.id, enrolledFromMs),
    enrolledUntilMs === null ? undefined : before(enrollments.enrolledAt, enrollments.id, enrolledUntilMs),
    ...anyOf.map(({ contactIds, subjectIds, enrollmentIds }) =>
      or(isOf(enrollments.contactId, contactIds), isOf(enrollments.subjectId, subjectIds), isOf(enrollments.id, enrollmentIds)),
    ),
  );
}

function statusIs(status: EnrollmentStatus | null): SQL | undefined {
  if (status === null) return undefined;
  // By the index over open enrollments, where there is one.
  return status === 'ACTIVE' || status === 'PAUSED'
    ? and(isNull(enrollments.endedAt), eq(enrollments.status, status))
    : eq(enrollments.status, status);
}

type Column = typeof enrollments.id | typeof enrollments.contactId | typeof enrollments.subjectId;
const isOf = (column: Column, ids: string[]): SQL => (ids.length === 0 ? sql`false` : inArray(column, ids));

/** The subject that a search means: of those that it finds, the one that was active last. @returns null: it finds none */
export function findSubject(deps: Pick<ReadDeps, 'db'>, tenantId: string, search: Search): Promise<Searched<string | null>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const searched = await subjectsFound(tx, tenantId, search);
    if (searched.kind === 'unreadable') return searched;
    const ids = searched.found;
    const [latest] =
      ids.length === 0
        ? []
        : await tx
            .select({ id: subjects.id })
            .from(subjects)
            .where(inArray(subjects.id, ids))
            .orderBy(desc(subjects.lastActivityAt), desc(subjects.id))
            .limit(1);
    return { kind: 'found', found: latest?.id ?? null };
  });
}

/** The subjects that a search finds, or the field that can find nobody. */
export async function subjectsFound(tx: Tx, tenantId: string, search: Search): Promise<Searched<string[]>> {
  for (const field of ['email', 'phone'] as const) {
    const typed = search[field];
    if (typed !== undefined && (await normalised(tx, tenantId, field, typed)) === null) return { kind: 'unreadable', field };
  }
  return { kind: 'found', found: await subjectsOf(tx, tenantId, search) };
}

async function subjectsOf(tx: Tx, tenantId: string, { email, phone, subjectId, externalId }: Search): Promise<string[]> {
  const byId = [
    ...(subjectId === undefined ? [] : await subjectsByAnyId(tx, tenantId, subjectId)),
    ...(externalId === undefined ? [] : (await byExternalId(tx, tenantId, externalId)).subjectIds),
  ];
  const identities = [];
  for (const [kind, typed] of [
    ['email', email],
    ['phone', phone],
  ] as const) {
    const value = typed === undefined ? null : await normalised(tx, tenantId, kind, typed);
    if (value !== null) identities.push({ kind, value });
  }
  const contactIds = await contactsOfPersons(tx, identities);
  if (contactIds.length === 0) return byId;
  const rows = await tx.select({ id: subjects.id }).from(subjects).where(inArray(subjects.contactId, contactIds));
  return [...byId, ...rows.map((r) => r.id)];
}

/** Read like a webhook's fields. */
async function normalised(tx: Tx, tenantId: string, kind: 'email' | 'phone', typed: string): Promise<string | null> {
  if (kind === 'email') return normaliseEmail(typed);
  const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
  // A plus sign that nobody escaped arrives as a space.
  return normalisePhone(typed.replace(/^ (?=\d)/, '+'), tenantSettings.parse(tenant?.settings ?? {}).country);
}

/** An address and a number as they are stored. */
export async function identitiesNamed(
  tx: Tx,
  tenantId: string,
  search: Pick<Search, 'email' | 'phone'>,
): Promise<Searched<{ kind: string; value: string }[]>> {
  const identities = [];
  for (const kind of ['email', 'phone'] as const) {
    const typed = search[kind];
    if (typed === undefined) continue;
    const value = await normalised(tx, tenantId, kind, typed);
    if (value === null) return { kind: 'unreadable', field: kind };
    identities.push({ kind, value });
  }
  return { kind: 'found', found: identities };
}

/** Every contact of the persons whom an address, a number or an id of the source's names. */
export async function contactsNamed(tx: Tx, tenantId: string, search: Pick<Search, 'email' | 'phone' | 'externalId'>): Promise<Searched<string[]>> {
  const identities = await identitiesNamed(tx, tenantId, search);
  if (identities.kind === 'unreadable') return identities;
  const named = await contactsOfPersons(tx, identities.found);
  if (search.externalId === undefined) return { kind: 'found', found: named };
  const { contactIds, subjectIds } = await byExternalId(tx, tenantId, search.externalId);
  const owners = subjectIds.length === 0 ? [] : await tx.select({ id: subjects.contactId }).from(subjects).where(inArray(subjects.id, subjectIds));
  const having = [...new Set([...contactIds, ...owners.flatMap(({ id }) => id ?? [])])];
  return { kind: 'found', found: identities.found.length === 0 ? having : having.filter((id) => named.includes(id)) };
}

/** Every contact of the persons who have one of these identities. */
async function contactsOfPersons(tx: Tx, identities: { kind: string; value: string }[]): Promise<string[]> {
  if (identities.length === 0) return [];
  const persons = tx
    .select({ personId: contacts.personId })
    .from(contactIdentities)
    .innerJoin(contacts, and(eq(contacts.tenantId, contactIdentities.tenantId), eq(contacts.id, contactIdentities.contactId)))
    .where(or(...identities.map((i) => and(eq(contactIdentities.kind, i.kind), eq(contactIdentities.value, i.value)))));
  const rows = await tx.select({ id: contacts.id }).from(contacts).where(inArray(contacts.personId, persons));
  return rows.map((r) => r.id);
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** As ids are kept. They are case-sensitive in the shop; people are not. */
function spellings(typed: string): string[] {
  const id = idAsKept(typed) ?? typed.trim();
  return [...new Set([id, id.toLowerCase(), id.toUpperCase()])];
}

async function subjectsByAnyId(tx: Tx, tenantId: string, typed: string): Promise<string[]> {
  const own = uuid.test(typed.trim()) ? [typed.trim().toLowerCase()] : [];
  return [...own, ...(await subjectsByKey(tx, tenantId, typed))];
}

/**
 * Subjects by a key of any kind, of any connection. The index begins with connection and kind, of which a store has a few: they are walked
 * one after the other, and each is asked.
 */
async function subjectsByKey(tx: Tx, tenantId: string, typed: string): Promise<string[]> {
  const { rows } = await tx.execute<{ subject_id: string }>(sql`
    with recursive kinds as (
      (select connection_id, kind from subject_keys where tenant_id = ${tenantId} order by connection_id, kind limit 1)
      union all
      select n.connection_id, n.kind from kinds k cross join lateral (
        select connection_id, kind from subject_keys
        where tenant_id = ${tenantId} and (connection_id, kind) > (k.connection_id, k.kind) order by connection_id, kind limit 1) n)
    select distinct s.subject_id from kinds k
    join subject_keys s on s.tenant_id = ${tenantId} and s.connection_id = k.connection_id and s.kind = k.kind
    where s.value in ${spellings(typed)}`);
  return rows.map((r) => r.subject_id);
}

async function byExternalId(tx: Tx, tenantId: string, typed: string) {
  const stores = await tx.select({ id: connections.id }).from(connections);
  const values = spellings(typed);
  const customers = stores.flatMap(({ id }) => values.map((value) => ({ kind: `external:${id}`, value })));
  const orders =
    stores.length === 0
      ? []
      : await tx
          .select({ subjectId: conversions.subjectId, enrollmentId: conversions.enrollmentId })
          .from(conversions)
          .where(
            and(
              inArray(
                conversions.connectionId,
                stores.map((s) => s.id),
              ),
              inArray(conversions.orderId, values),
            ),
          );
  return {
    contactIds: await contactsOfPersons(tx, customers),
    subjectIds: [...(await subjectsByKey(tx, tenantId, typed)), ...orders.flatMap((o) => o.subjectId ?? [])],
    enrollmentIds: orders.flatMap((o) => o.enrollmentId ?? []),
  };
}
