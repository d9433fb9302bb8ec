import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Tx } from '../../db/client.ts';
import { connections, contacts, enrollments, messages, sequenceVersions, subjectKeys, subjects, tenants } from '../../db/schema/index.ts';
import { isClosed, unitedLifecycle } from '../../domain/people/lifecycle.ts';
import { isAboutSilentLead, lastContactOf } from '../../domain/people/silence.ts';
import { type ReachedStage, type SilenceStage, silenceStageAt } from '../../domain/people/silence-stage.ts';
import type { BotType } from '../../domain/subjects/lead/bot-type.ts';
import { lead } from '../../domain/subjects/lead/index.ts';
import { type NoSequenceReason, noSequenceReasons } from '../../domain/subjects/no-sequence.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { beginSequences } from '../effects/rules/begin.ts';
import { readDraft } from '../enroll-by-hand.ts';
import { opened } from '../store-context.ts';
import { readSubject } from '../subject-row.ts';

// For code that may not import `domain/`.
export { reachedStages, silenceStages } from '../../domain/people/silence-stage.ts';
export { botTypes } from '../../domain/subjects/lead/bot-type.ts';

/**
 * Whether recovery may write to a lead, in one word. Reaches the API: renaming one is a breaking change. `recovering`: a sequence has it and goes on;
 * `missed`: none has, and the next sweep begins one. The others say why not: what keeps a sequence from beginning about it, where none has begun.
 */
export const recoveryStates = ['recovering', 'missed', 'not_silent', 'completed', 'ended', 'closed', ...noSequenceReasons] as const;
export type RecoveryState = (typeof recoveryStates)[number];

/** What is known of a lead's silence: a view over the conversation, the enrollments and the ledger. Personal data. Times in epoch milliseconds. */
export interface Abandonment {
  leadId: string;
  lastContactAt: number;
  stage: SilenceStage;
  /** Whether a message of a stage that was not attempted may still come, and why (not). */
  eligible: boolean;
  state: RecoveryState;
  /** null: the lead is not silent. A response clears it. */
  record: AbandonmentRecord | null;
}

export interface AbandonmentRecord {
  /** The id that the lead's source has for the person, else for the lead, else Rekindle's for the contact. */
  contactId: string;
  /** The account that reported the lead, as its provider names it (a location in HighLevel), else the id of the connection. */
  locationId: string;
  botType: BotType;
  stage: ReachedStage;
  /** Calls to providers in this silence, failed ones included. */
  attempts: number;
  metadata: {
    name: string | null;
    interest_area: string | null;
    interest: string | null;
    budget: { amount_minor: number; currency: string } | null;
    preferences: string | null;
  };
  enrollmentId: string | null;
  /** When the lead became known, and when anything in this record changed last. */
  createdAt: number;
  updatedAt: number;
}

const persons = alias(contacts, 'persons');

/** @returns null where the tenant has no such lead */
export function readAbandonment(deps: Deps, tenantId: string, leadId: string): Promise<Abandonment | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select({ subject: subjects, contact: contacts, person: persons, tenant: tenants })
      .from(subjects)
      .innerJoin(tenants, eq(tenants.id, subjects.tenantId))
      .leftJoin(contacts, eq(contacts.id, subjects.contactId))
      .leftJoin(persons, eq(persons.id, contacts.personId))
      .where(and(eq(subjects.id, leadId), eq(subjects.kind, lead.kind)));
    if (row === undefined) return null;
    const { subject, contact, person, tenant } = row;
    const nowMs = deps.clock.nowMs();
    const lastContactAt = Math.min(lastContactOf(subject, person === null ? [] : [person]), nowMs);
    const stage = silenceStageAt(lastContactAt, nowMs, tenant.timeScale, settingsOf(tenant).silenceHours);
    const known = await silencesOf(tx, leadId);
    const current = known.find(({ endedAt, anchorAt }) => endedAt === null || anchorAt >= lastContactAt) ?? null;
    const isOpen = subject.state === 'open';
    const reached = stage === 'none' || !isOpen ? null : stage;
    const lifecycle = unitedLifecycle([contact?.lifecycle ?? 'NEW', person?.lifecycle ?? 'NEW']);
    const standing = stateOf({ reached, isOpen, isClosed: isClosed(lifecycle), declined: hasDeclined(subject), current });
    const state = standing === 'missed' ? ((await keptFromRecovery(tx, deps, { tenantId, subjectId: leadId })) ?? standing) : standing;
    const base = { leadId, lastContactAt, stage: reached ?? ('none' as const), eligible: state === 'recovering' || state === 'missed', state };
    if (reached === null) return { ...base, record: null };
    const { subject: read } = readSubject(deps.subjects, subject);
    const details = lead.details.parse(read.details);
    const attempts = current === null ? { count: 0, lastAt: null } : await attemptsOf(tx, current.id);
    const key = await sourceOf(tx, deps, leadId);
    return {
      ...base,
      record: {
        contactId: (key?.externalId ?? contact?.id ?? leadId).slice(0, 100),
        locationId: (key?.location ?? '').slice(0, 100),
        botType: details.botType ?? 'lead',
        stage: reached,
        attempts: attempts.count,
        metadata: {
          name: contact?.firstName ?? person?.firstName ?? null,
          interest_area: details.area ?? null,
          interest: details.interest,
          budget: read.valueMinor === null || read.currency === null ? null : { amount_minor: read.valueMinor, currency: read.currency },
          preferences: details.preferences ?? null,
        },
        enrollmentId: current?.id ?? null,
        createdAt: subject.createdAt,
        updatedAt: Math.max(subject.createdAt, lastContactAt, attempts.lastAt ?? 0),
      },
    };
  });
}

type Silence = Pick<typeof enrollments.$inferSelect, 'id' | 'status' | 'anchorAt' | 'activatedAt' | 'endedAt'>;

/** The enrollments about a lead's silences, the latest first. */
async function silencesOf(tx: Tx, leadId: string): Promise<Silence[]> {
  const rows = await tx
    .select({ row: enrollments, definition: sequenceVersions.definition })
    .from(enrollments)
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, enrollments.versionId))
    .where(eq(enrollments.subjectId, leadId))
    .orderBy(sql`${enrollments.id} desc`);
  return rows.filter(({ definition }) => isAboutSilentLead(definition)).map(({ row }) => row);
}

const hasDeclined = ({ noSequence }: Pick<typeof subjects.$inferSelect, 'noSequence'>) =>
  noSequence?.keptFrom.some(({ reason }) => reason === 'declined') === true;

interface Standing {
  reached: ReachedStage | null;
  isOpen: boolean;
  isClosed: boolean;
  declined: boolean;
  current: Silence | null;
}

function stateOf({ reached, isOpen, isClosed: closed, declined, current }: Standing): RecoveryState {
  if (closed) return 'do_not_contact';
  if (!isOpen) return 'closed';
  if (reached === null) return 'not_silent';
  if (declined) return 'declined';
  if (current === null) return 'missed';
  if (current.endedAt === null) return 'recovering';
  return current.status === 'COMPLETED' ? 'completed' : 'ended';
}

/** What keeps every sequence about silences from beginning now, by the rules of the sweep. @returns null: one would begin */
async function keptFromRecovery(tx: Tx, deps: Deps, lead: { tenantId: string; subjectId: string }): Promise<NoSequenceReason | null> {
  const draft = await readDraft(tx, deps, lead);
  const subject = draft?.findSubject(lead.subjectId) ?? null;
  const owner = draft?.findContact(subject?.contactId ?? null) ?? null;
  if (draft === null || subject === null || owner === null) return 'unknown_person';
  const { begun, keptFrom } = beginSequences(draft, { subject, owner }, isAboutSilentLead);
  return begun.length > 0 ? null : (keptFrom[0]?.reason ?? 'no_sequence');
}

/** How often a provider was called for one enrollment, whatever it answered, and when the last call ended. */
async function attemptsOf(tx: Tx, enrollmentId: string): Promise<{ count: number; lastAt: number | null }> {
  const rows = await tx
    .select({ state: messages.state, failures: messages.failures, claimedAt: messages.claimedAt, settledAt: messages.settledAt })
    .from(messages)
    .where(and(eq(messages.enrollmentId, enrollmentId), inArray(messages.state, ['claimed', 'sent', 'unknown', 'failed'])));
  const count = rows.reduce((sum, { state, failures }) => sum + failures + (state === 'failed' ? 0 : 1), 0);
  const times = rows.flatMap(({ claimedAt, settledAt }) => settledAt ?? claimedAt ?? []);
  return { count, lastAt: times.length === 0 ? null : Math.max(...times) };
}

/** What the source that reported a lead first calls it (null: it has no id of its own), and where that was. */
async function sourceOf(tx: Tx, deps: Deps, leadId: string): Promise<{ externalId: string | null; location: string } | null> {
  const [key] = await tx
    .select({
      ...{ kind: subjectKeys.kind, value: subjectKeys.value },
      ...{ connection: connections.id, integration: connections.integration, sealed: connections.sealedConfig },
    })
    .from(subjectKeys)
    .innerJoin(connections, and(eq(connections.tenantId, subjectKeys.tenantId), eq(connections.id, subjectKeys.connectionId)))
    .where(eq(subjectKeys.subjectId, leadId))
    .orderBy(asc(subjectKeys.id))
    .limit(1);
  if (key === undefined) return null;
  const account = key.sealed === null ? null : deps.integrations[key.integration]?.accountOf?.(opened(deps, key.integration, key.sealed));
  return { externalId: key.kind === 'lead_of' ? null : key.value, location: account ?? key.connection };
}
