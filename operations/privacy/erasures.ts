import { and, count, desc, eq, inArray, or, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { contactIdentities, contacts, enrollments, erasures, messages, subjects } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readList } from '../read/page.ts';
import type { ErasureRow } from './receipts.ts';

interface ErasureWish {
  tenantId: string;
  /** Any contact of the person. */
  contactId: string;
  actor: string;
  origin: ErasureRow['origin'];
  /** When its workflow is started; default: at once. */
  startsInMs?: number;
}

/**
 * Have a person erased. The row is the request: a worker starts its workflow, whenever Temporal is there. A person is erased once; a repeat answers with
 * the same erasure, and begins one anew that was found to be incomplete.
 * @returns null: there is no such contact
 * Source: docs/rules.md#rule-74
 */
export function requestErasure(deps: Pick<Deps, 'db'>, wish: ErasureWish): Promise<ErasureRow | null> {
  return deps.db.withTenant(wish.tenantId, (tx) => requestErasureIn(tx, wish));
}

/** The same in a transaction of the caller's. */
export async function requestErasureIn(tx: Tx, { tenantId, contactId, actor, origin, startsInMs = 0 }: ErasureWish): Promise<ErasureRow | null> {
  const contactIds = await contactsOfPerson(tx, contactId);
  if (contactIds === null) return null;
  const nextStartAt = sql`clock_timestamp() + make_interval(secs => ${startsInMs / 1_000}::float8)`;
  const known = await tx.select().from(erasures).where(inArray(erasures.contactId, contactIds.all)).orderBy(desc(erasures.requestedAt)).limit(1);
  const [before] = known;
  if (before !== undefined) {
    // Something of theirs may have come since: an address that was typed into a page of before.
    const since = await tx.$count(contactIdentities, inArray(contactIdentities.contactId, contactIds.all));
    if (before.state === 'running' || (before.state === 'done' && since === 0)) return before;
    const [again] = await tx.update(erasures).set({ state: 'running', nextStartAt }).where(eq(erasures.id, before.id)).returning();
    return again ?? before;
  }
  await tx
    .insert(erasures)
    .values({ tenantId, id: uuidv7(), contactId: contactIds.person, origin, requestedBy: actor, nextStartAt })
    .onConflictDoNothing({ target: [erasures.tenantId, erasures.contactId] });
  const [row] = await tx.select().from(erasures).where(eq(erasures.contactId, contactIds.person));
  return row ?? null;
}

/** All contacts of the person that this one belongs to. */
export async function contactsOfPerson(tx: Tx, contactId: string): Promise<{ person: string; all: string[] } | null> {
  const [own] = await tx.select({ personId: contacts.personId }).from(contacts).where(eq(contacts.id, contactId));
  if (own === undefined) return null;
  const all = await tx.select({ id: contacts.id }).from(contacts).where(eq(contacts.personId, own.personId));
  return { person: own.personId, all: all.map(({ id }) => id) };
}

/** The latest first. */
export function listErasures(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  { state, ...page }: PageWanted & { state: ErasureRow['state'] | null },
): Promise<Page<ErasureRow>> {
  return readList(deps, tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(erasures)
      .where(and(state === null ? undefined : eq(erasures.state, state), beyond(erasures.id, 'newest', page)))
      .orderBy(byAge(erasures.id, 'newest', page))
      .limit(page.limit + 1);
    return pageOf(rows, page.limit, (row) => row.id);
  });
}

export function readErasure(deps: Pick<Deps, 'db'>, tenantId: string, id: string): Promise<ErasureRow | null> {
  return deps.db.withTenant(tenantId, async (tx) => (await tx.select().from(erasures).where(eq(erasures.id, id)))[0] ?? null);
}

/** What an erasure would reach, counted and nothing changed. */
export interface ErasurePreview {
  contacts: number;
  identities: number;
  subjects: number;
  enrollments: number;
  /** Of these, those that would end. */
  openEnrollments: number;
  messages: number;
}

/** @returns null: there is no such contact */
export function previewErasure(deps: Pick<Deps, 'db'>, tenantId: string, contactId: string): Promise<ErasurePreview | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const whose = await contactsOfPerson(tx, contactId);
    if (whose === null) return null;
    const theirs = tx.select({ id: enrollments.id }).from(enrollments).where(inArray(enrollments.contactId, whose.all));
    const [identities] = await tx.select({ n: count() }).from(contactIdentities).where(inArray(contactIdentities.contactId, whose.all));
    const [left] = await tx.select({ n: count() }).from(subjects).where(inArray(subjects.contactId, whose.all));
    const [enrolled] = await tx
      .select({ n: count(), open: sql<string>`count(*) filter (where ${enrollments.endedAt} is null)` })
      .from(enrollments)
      .where(inArray(enrollments.contactId, whose.all));
    const [sent] = await tx
      .select({ n: count() })
      .from(messages)
      .where(or(inArray(messages.contactId, whose.all), inArray(messages.enrollmentId, theirs)));
    return {
      contacts: whose.all.length,
      identities: identities?.n ?? 0,
      subjects: left?.n ?? 0,
      enrollments: enrolled?.n ?? 0,
      openEnrollments: Number(enrolled?.open ?? 0),
      messages: sent?.n ?? 0,
    };
  });
}
