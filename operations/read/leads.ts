import { and, asc, desc, eq, inArray, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Tx } from '../../db/client.ts';
import { campaignLeads, campaigns, contactIdentities, contacts, enrollments, messages, subjects } from '../../db/schema/index.ts';
import { isClosed, type Lifecycle, lifecycleAfter, unitedLifecycle } from '../../domain/people/lifecycle.ts';
import { leadSourceOf } from '../../domain/campaigns/campaign.ts';
import { lead } from '../../domain/subjects/lead/index.ts';
import { readSubject } from '../subject-row.ts';
import { type LeadChat, readChatOfLead } from '../chat/chat-of-lead.ts';
import { attemptsOf, type AttemptView } from './attempts.ts';
import { type EnrollmentView, loadEnrollments, type ReadDeps } from './enrollment.ts';
import { type ExternalId, readExternalIds } from './external-ids.ts';
import { type Search, type Searched, subjectsFound } from './find-enrollments.ts';
import { type Page, type PageWanted, readList, readSorted } from './page.ts';

// For code that may not import `domain/`.
export { lifecycles } from '../../domain/people/lifecycle.ts';

/** A lead as a retention center knows it. Personal data. */
export interface LeadView {
  id: string;
  contactId: string | null;
  firstName: string | null;
  lastName: string | null;
  email: string | null;
  phone: string | null;
  externalIds: ExternalId[];
  subId: string | null;
  clickId: string | null;
  /** `META`, `API`, `MANUAL` or `BULK`, and what its source states. */
  source: string;
  statedSource: string | null;
  interest: string | null;
  /** How far the store has come with the person. */
  status: Lifecycle;
  campaigns: { id: string; name: string }[];
  /** The first lead of the same person, by email, number or id, where this one came later: it is routed to no campaign. null: this is the first. */
  duplicateOf: string | null;
  createdAtMs: number;
  updatedAtMs: number;
}

/** What was begun about a lead, and every try to reach them. */
export interface LeadWork {
  enrollments: EnrollmentView[];
  attempts: AttemptView[];
}

export interface LeadDetail extends LeadWork {
  lead: LeadView;
  /** Their chat with the store's bot; null: they have none. */
  chat: LeadChat | null;
}

/** `work` is null where the whole list was asked for. */
export interface ListedLead {
  lead: LeadView;
  work: LeadWork | null;
}

/** Leads, the newest first: those that the search finds, with what was begun about each; or all. */
export function listLeads(deps: ReadDeps, tenantId: string, search: Search, page: PageWanted): Promise<Searched<Page<ListedLead>>> {
  return readList(deps, tenantId, async (tx) => {
    const everybody = Object.values(search).every((value) => value === undefined);
    const found = everybody ? { kind: 'found' as const, found: null } : await subjectsFound(tx, tenantId, search);
    if (found.kind === 'unreadable') return found;
    const columns = { updatedAt: subjects.lastActivityAt };
    const { items, next } = await readSorted(page, { usual: 'newest', id: subjects.id, columns }, (part) =>
      tx
        .select({ id: subjects.id, sortedBy: part.sortedBy })
        .from(subjects)
        .where(and(eq(subjects.kind, lead.kind), found.found === null ? undefined : inArray(subjects.id, found.found), part.where))
        .orderBy(...part.orderBy)
        .limit(part.limit),
    );
    const views = await loadLeads(
      tx,
      deps,
      items.map(({ id }) => id),
    );
    const work = everybody
      ? null
      : await loadWork(
          tx,
          deps,
          views.map(({ id }) => id),
        );
    return { kind: 'found', found: { items: views.map((view) => ({ lead: view, work: work?.get(view.id) ?? null })), next } };
  });
}

/** @returns null where the tenant has no such lead */
export function readLead(deps: ReadDeps, tenantId: string, id: string): Promise<LeadDetail | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [view] = await loadLeads(tx, deps, [id]);
    if (view === undefined) return null;
    const work = (await loadWork(tx, deps, [id])).get(id) ?? { enrollments: [], attempts: [] };
    return { lead: view, chat: await readChatOfLead(tx, id), ...work };
  });
}

/** Each of `ids` has an entry. */
async function loadWork(tx: Tx, deps: ReadDeps, ids: readonly string[]): Promise<Map<string, LeadWork>> {
  const nowMs = deps.clock.nowMs();
  const own = await tx
    .select({ id: enrollments.id })
    .from(enrollments)
    .where(inArray(enrollments.subjectId, [...ids]))
    .orderBy(asc(enrollments.id));
  const begun = own.map((row) => row.id);
  const views = await loadEnrollments(tx, deps, begun);
  const made = await attemptsOf(tx, begun, nowMs);
  const planned = views.flatMap((enrollment) => plannedOf(enrollment, made, nowMs));
  return new Map(
    ids.map((id) => [
      id,
      { enrollments: views.filter(({ row }) => row.subjectId === id), attempts: [...made, ...planned].filter(({ subjectId }) => subjectId === id) },
    ]),
  );
}

const persons = alias(contacts, 'persons');

/** In the order of `ids`; unknown ones, and what is no lead, are left out. */
async function loadLeads(tx: Tx, deps: Pick<ReadDeps, 'subjects'>, ids: readonly string[]): Promise<LeadView[]> {
  if (ids.length === 0) return [];
  const found = await tx
    .select({ subject: subjects, contact: contacts, person: persons })
    .from(subjects)
    .leftJoin(contacts, eq(contacts.id, subjects.contactId))
    .leftJoin(persons, eq(persons.id, contacts.personId))
    .where(and(inArray(subjects.id, [...ids]), eq(subjects.kind, lead.kind)));
  const externalIds = await readExternalIds(tx, ids);
  const contactIds = found.flatMap(({ contact }) => contact?.id ?? []);
  const known =
    contactIds.length === 0
      ? []
      : await tx.select().from(contactIdentities).where(inArray(contactIdentities.contactId, contactIds)).orderBy(desc(contactIdentities.id));
  const into = await tx
    .select({ subjectId: campaignLeads.subjectId, id: campaigns.id, name: campaigns.name })
    .from(campaignLeads)
    .innerJoin(campaigns, eq(campaigns.id, campaignLeads.campaignId))
    .where(inArray(campaignLeads.subjectId, [...ids]))
    .orderBy(asc(campaigns.id));
  const earlier = await firstLeads(tx, ids);
  const reached = new Set(
    (
      await tx
        .selectDistinct({ id: enrollments.subjectId })
        .from(messages)
        .innerJoin(enrollments, eq(enrollments.id, messages.enrollmentId))
        .where(and(inArray(enrollments.subjectId, [...ids]), inArray(messages.state, ['sent', 'unknown'])))
    ).map(({ id }) => id),
  );
  return ids.flatMap((id): LeadView[] => {
    const row = found.find(({ subject }) => subject.id === id);
    if (row === undefined) return [];
    const { subject, contact, person } = row;
    const details = lead.details.parse(readSubject(deps.subjects, subject).subject.details);
    const ofContact = (kind: string) => known.find((i) => i.contactId === contact?.id && i.kind === kind)?.value ?? null;
    const lifecycle = unitedLifecycle([contact?.lifecycle ?? 'NEW', person?.lifecycle ?? 'NEW']);
    return [
      {
        id,
        contactId: contact?.id ?? null,
        firstName: contact?.firstName ?? null,
        lastName: contact?.lastName ?? null,
        email: subject.email ?? ofContact('email'),
        phone: subject.phone ?? ofContact('phone'),
        externalIds: externalIds.get(id) ?? [],
        subId: details.subId ?? null,
        clickId: details.clickId ?? null,
        source: leadSourceOf(details),
        statedSource: details.source,
        interest: details.interest,
        // A message has reached its provider: somebody was contacted, though the sequence goes on.
        status: reached.has(id) && !isClosed(lifecycle) ? lifecycleAfter(lifecycle, 'contacted') : lifecycle,
        duplicateOf: earlier.get(id) ?? null,
        campaigns: into.filter(({ subjectId }) => subjectId === id).map(({ id: campaign, name }) => ({ id: campaign, name })),
        createdAtMs: subject.startedAt,
        updatedAtMs: subject.lastActivityAt,
      },
    ];
  });
}

/** The first lead of the person of each, where that is another: as the routing finds them. Source: docs/rules.md#rule-49 */
async function firstLeads(tx: Tx, ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await tx.execute<{ id: string; first: string }>(sql`
    select s.id, f.id as first
    from subjects s join contacts c on c.id = s.contact_id
      cross join lateral (
        select o.id from contacts t join subjects o on o.contact_id = t.id
        where t.person_id = c.person_id and o.kind = s.kind order by o.id limit 1) f
    where s.id = any(${sql.param(ids)}::uuid[]) and f.id <> s.id`);
  return new Map(rows.map(({ id, first }) => [id, first]));
}

/** The step that comes next, which may have failed before. */
function plannedOf({ row, next, steps }: EnrollmentView, made: readonly AttemptView[], nowMs: number): AttemptView[] {
  if (next === null || made.some(({ enrollmentId, step }) => enrollmentId === row.id && step === next.stepId)) return [];
  const step = steps.find(({ id }) => id === next.stepId);
  return [
    {
      ...{ id: null, enrollmentId: row.id, subjectId: row.subjectId, campaignId: row.campaignId, step: next.stepId },
      ...{ channel: step?.channels[0] ?? null, script: null, status: 'SCHEDULED', startedAtMs: Math.max(next.atMs, nowMs) },
      ...{ variant: null, experimentId: null, providerId: null, notes: null, transcript: null, keywords: [] },
    },
  ];
}
