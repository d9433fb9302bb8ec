import { and, eq, inArray, ne, sql } from 'drizzle-orm';
import { callFunction, CommitUnclearError, isLockFailure, type Tx } from '../db/client.ts';
import {
  chats,
  compositions,
  contactIdentities,
  contacts,
  enrollments,
  importParts,
  personExports,
  subjectKeys,
  subjects,
} from '../db/schema/index.ts';
import { type PersonTraces, searchTerms } from '../domain/privacy/search-terms.ts';
import { settingsOf } from '../domain/tenant-settings.ts';
import { recordAudit } from './audit.ts';
import type { Deps } from './deps.ts';
import { suppress } from './effects/rules/suppressions.ts';
import { eraseFromInbox, eraseFromQuarantine, type Traces } from './erase-deliveries.ts';
import { lockNamed, MovedError } from './intake/found.ts';
import { readTenant } from './intake/tenant.ts';
import { readLiveClaims } from './lease-watch.ts';
import { requestErasure } from './privacy/erasures.ts';
import { noteErased, noteStopped } from './privacy/receipts.ts';
import { draftOf, nobody, stopAndWait, writeDraft } from './stop-one.ts';

/** What was erased, as counts: the receipt. */
export interface Erasure {
  contacts: number;
  subjects: number;
  enrollments: number;
  messages: number;
  consents: number;
  deliveries: number;
  quarantined: number;
}

/** `pending`: deliveries about the person wait to be applied, `importing`: so does a file of leads; both would bring the data back. */
export type Erased = { kind: 'erased'; erasure: Erasure } | { kind: 'not_found' | 'busy' | 'pending' | 'importing' };

/** `besides`: addresses and numbers of their carts, leads and chats that are not among their own. */
type FullTraces = Traces & PersonTraces & { besides: PersonTraces['identities'] };

interface Whom {
  tenantId: string;
  /** Any contact of the person. */
  contactId: string;
  actor: string;
  /** Its row, which has the receipt; absent: one is made. */
  erasureId: string;
}

const rounds = 3;
const beforeAll = '00000000-0000-0000-0000-000000000000';

/**
 * Erase a person: every sequence of theirs ends, and once no call is open their data goes out of everything that is stored. What stays are ids, times,
 * amounts and outcomes, the hashes by which their addresses stay closed, and a receipt in the audit log. A repeat does what is left.
 * Source: docs/rules.md#rule-32
 */
export async function erasePerson(deps: Deps, { erasureId: given, ...wish }: Omit<Whom, 'erasureId'> & { erasureId?: string }): Promise<Erased> {
  // Its workflow looks for what is left; it has no reason to come in between.
  const erasureId = given ?? (await requestErasure(deps, { ...wish, origin: 'request', startsInMs: 10_000 }))?.id;
  if (erasureId === undefined) return { kind: 'not_found' };
  const whom = { ...wish, erasureId };
  for (let round = 1; round <= rounds; round++) {
    const stopped = await stopAndWait(deps, whom.tenantId, (tx) => stopEverything(tx, deps, whom));
    if (stopped !== 'stopped') return { kind: stopped };
    await deps.checkpoints('erasure.stopped');
    const found = await eraseKept(deps, whom);
    if (found.pending > 0) return { kind: 'pending' };
    if (found.importing) return { kind: 'importing' };
    await deps.checkpoints('erasure.emptied');
    const erased = await eraseRows(deps, whom, found).catch((error: unknown) => {
      if (error instanceof MovedError || error instanceof CommitUnclearError || isLockFailure(error)) return null;
      throw error;
    });
    // Null: somebody became one with them meanwhile, or a call has begun before they did.
    if (erased === null) continue;
    await deps.checkpoints('erasure.erased');
    return erased;
  }
  return { kind: 'busy' };
}

async function lockPerson(tx: Tx, deps: Deps, { tenantId, contactId }: Whom) {
  const traces = await tracesOf(tx, contactId);
  if (traces === null) return null;
  const found = await lockNamed(tx, { identities: traces.identities, keys: [], stops: true, contactIds: [contactId] });
  const [{ personId } = { personId: '' }] = await tx.select({ personId: contacts.personId }).from(contacts).where(eq(contacts.id, contactId));
  const again = await tracesOf(tx, contactId);
  if (again?.identities.length !== traces.identities.length) throw new MovedError();
  const { draft, context } = await draftOf(tx, deps, tenantId, { ...nobody, named: [personId], reached: found.reached });
  return { draft, context, personId, traces };
}

/** End everything and close the addresses, as an opt-out does: who wants to be forgotten is not written to when the shop names them again. */
async function stopEverything(tx: Tx, deps: Deps, whom: Whom) {
  const locked = await lockPerson(tx, deps, whom);
  if (locked === null) return null;
  const { draft, context, personId, traces } = locked;
  await noteStopped(tx, deps.sealing, whom.erasureId, withBesides(traces));
  draft.coverPersons([personId]);
  suppress(draft, draft.identitiesOf([personId]), { channel: 'all', reason: 'opted_out', basis: 'person', sinceMs: context.nowMs });
  draft.end(
    draft.openEnrollmentsOf([personId]).map((e) => e.id),
    'erased',
  );
  return { covered: [...draft.changes.covered], outboxWritten: writeDraft(tx, draft) };
}

interface Kept {
  startedAtMs: number;
  deliveries: number;
  pending: number;
  quarantined: number;
  /** A file that is being taken in names them. */
  importing: boolean;
}

/** The deliveries, before their identities are gone: they are found by them. No lock is held meanwhile. */
async function eraseKept(deps: Deps, { tenantId, contactId, actor }: Whom): Promise<Kept> {
  const kept: Kept = { startedAtMs: deps.clock.nowMs(), deliveries: 0, pending: 0, quarantined: 0, importing: false };
  let after: string | null = beforeAll;
  while (after !== null) {
    const from: string = after;
    const looked = await deps.db.withTenant(tenantId, async (tx) => {
      const traces = await tracesOf(tx, contactId);
      if (traces === null) return { after: null, erased: 0, pending: 0 };
      if (from === beforeAll) {
        kept.importing = await isBeingImported(tx, traces);
        kept.quarantined = await eraseFromQuarantine(tx, traces, actor);
      }
      const settings = settingsOf(await readTenant(tx, tenantId));
      return eraseFromInbox(tx, traces, { tenantId, settings, after: from });
    });
    kept.deliveries += looked.erased;
    kept.pending += looked.pending;
    after = looked.after;
  }
  return kept;
}

function eraseRows(deps: Deps, whom: Whom, kept: Kept): Promise<Erased | null> {
  const { tenantId, contactId, actor } = whom;
  return deps.db.withTenant(tenantId, async (tx) => {
    const locked = await lockPerson(tx, deps, whom);
    if (locked === null) return { kind: 'not_found' as const };
    const { draft, personId, traces } = locked;
    const contactIds = draft.contactsOf([personId]).map((c) => c.id);
    if (draft.openEnrollmentsOf([personId]).length > 0 || (await readLiveClaims(tx, contactIds)).length > 0) return null;
    // What has come since they were searched.
    const settings = settingsOf(await readTenant(tx, tenantId));
    const since = await eraseFromInbox(tx, traces, { tenantId, settings, after: idBefore(kept.startedAtMs) });
    if (since.pending > 0) return { kind: 'pending' as const };
    const empty = Object.fromEntries(deps.subjects.all.map(({ kind, details }) => [kind, details.safeParse({}).data ?? null]));
    const { tables, ...counts } = await callFunction<Omit<Erasure, 'deliveries' | 'quarantined'> & { tables: Record<string, number> }>(
      tx,
      'erase_person($1, $2)',
      [contactIds, JSON.stringify(empty)],
    );
    // A model's texts greet the person and name what they left.
    const theirEnrollments = tx.select({ id: enrollments.id }).from(enrollments).where(inArray(enrollments.contactId, contactIds));
    const texts = await tx
      .update(compositions)
      .set({ subject: null, body: '', cta: null, detail: null, unedited: null, decisionNote: null })
      .where(inArray(compositions.enrollmentId, theirEnrollments))
      .returning({ id: compositions.id });
    const exported = await tx
      .update(personExports)
      .set({ state: 'expired', sealedDocument: null })
      .where(and(inArray(personExports.contactId, contactIds), ne(personExports.state, 'expired')))
      .returning({ id: personExports.id });
    const erasure = { ...counts, deliveries: kept.deliveries + since.erased, quarantined: kept.quarantined };
    await noteErased(tx, deps.sealing, whom.erasureId, withBesides(traces), {
      ...tables,
      compositions: texts.length,
      person_exports: exported.length,
      inbox: erasure.deliveries,
      quarantine: erasure.quarantined,
    });
    await recordAudit(tx, { tenantId, actor, action: 'contact.erase', subject: contactId, data: { ...erasure } });
    return { kind: 'erased' as const, erasure };
  });
}

/** A UUIDv7 of a minute before: ids of processes whose clocks differ are after it. */
function idBefore(atMs: number): string {
  const hex = (atMs - 60_000).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

const withBesides = ({ identities, besides, keys, names }: FullTraces): PersonTraces => ({ identities: [...identities, ...besides], keys, names });

/** Whether a file whose rows are still being taken in has something of theirs in it. */
async function isBeingImported(tx: Tx, traces: PersonTraces): Promise<boolean> {
  const { like, regex } = searchTerms(traces);
  const [found] = await tx
    .select({ id: importParts.importId })
    .from(importParts)
    .where(
      sql`lower(encode(${importParts.data}, 'escape')) like any(${sql.param(like)}::text[])
        or lower(encode(${importParts.data}, 'escape')) ~ any(${sql.param(regex)}::text[])`,
    )
    .limit(1);
  return found !== undefined;
}

/** What deliveries are searched for, and names; null: there is no such contact. */
async function tracesOf(tx: Tx, contactId: string): Promise<FullTraces | null> {
  const [own] = await tx.select({ personId: contacts.personId }).from(contacts).where(eq(contacts.id, contactId));
  if (own === undefined) return null;
  const theirs = tx.select({ id: contacts.id }).from(contacts).where(eq(contacts.personId, own.personId));
  const identities = await tx
    .selectDistinct({ kind: contactIdentities.kind, value: contactIdentities.value })
    .from(contactIdentities)
    .where(inArray(contactIdentities.contactId, theirs));
  const keys = await tx
    .select({ connectionId: subjectKeys.connectionId, kind: subjectKeys.kind, value: subjectKeys.value })
    .from(subjectKeys)
    .innerJoin(subjects, and(eq(subjects.tenantId, subjectKeys.tenantId), eq(subjects.id, subjectKeys.subjectId)))
    .where(inArray(subjects.contactId, theirs));
  const names = await tx
    .selectDistinct({ first: contacts.firstName, last: contacts.lastName })
    .from(contacts)
    .where(eq(contacts.personId, own.personId));
  // With what a cart, a lead or a chat was left with: it need not be among the person's own addresses.
  const left = await tx.selectDistinct({ email: subjects.email, phone: subjects.phone }).from(subjects).where(inArray(subjects.contactId, theirs));
  const chatIds = identities.filter(({ kind }) => kind === 'telegram').map(({ value }) => value);
  const ofChats = chatIds.length === 0 ? [] : await tx.select({ phone: chats.phone }).from(chats).where(inArray(chats.chatId, chatIds));
  const besides = [...left, ...ofChats.map(({ phone }) => ({ email: null, phone }))].flatMap(({ email, phone }) => [
    ...(email === null ? [] : [{ kind: 'email', value: email }]),
    ...(phone === null ? [] : [{ kind: 'phone', value: phone }]),
  ]);
  return { identities, keys, names, besides: besides.filter((one) => !identities.some((i) => i.kind === one.kind && i.value === one.value)) };
}
