import { and, asc, eq, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { decisions, enrollmentEvents, inbox, messages, sequenceVersions } from '../../db/schema/index.ts';
import type { FieldNote } from '../../domain/field-note.ts';
import type { Words } from '../../domain/subjects/kind.ts';
import type { GateCheck } from '../../domain/gates/verdict.ts';
import type { MessageRow } from '../dispatch/progress.ts';
import { type EnrollmentView, loadEnrollment, type ReadDeps, readLedger } from './enrollment.ts';
import { findEnrollments, findQuietSubjects, type QuietSubject, type Search, type SearchDeps, type Searched } from './find-enrollments.ts';
import { decideNext, type NextDecision, type NextDecisionDeps } from './next-decision.ts';
import { decisionSentence, eventSentence, messageSentence, notesSentence, providerEventSentence } from './sentences.ts';

/** One line of an enrollment's record. `sentence` is for people, the rest for programs. No personal data, save what a provider wrote into its answer. */
export type Entry = { atMs: number; stepId: string | null; sentence: string } & (
  | {
      kind: 'decision';
      verdict: 'send' | 'defer' | 'hold' | 'skip' | 'stop';
      reason: string;
      untilMs: number | null;
      version: number;
      checks: GateCheck[];
    }
  | { kind: 'message'; row: MessageRow }
  | {
      kind: 'event';
      type: string;
      data: Record<string, unknown>;
      /** Fields of the delivery that reported it which were left out or read with a guess. */
      notes: FieldNote[];
    }
  | { kind: 'provider_event'; type: string; machine: boolean; data: Record<string, unknown> }
);

export interface Explanation {
  enrollment: EnrollmentView;
  entries: Entry[];
  /** null: it has ended, or no step is left. */
  next: NextDecision | null;
  /** More was recorded than is shown: the oldest of each kind are. */
  truncated: boolean;
}

export type ExplainDeps = ReadDeps & NextDecisionDeps;

/** Of each kind. A person who is busy with one subject for days leaves a few hundred lines. */
const most = 2_000;
// Of the same millisecond: first decisions, then messages, then events.
const rank: Record<Entry['kind'], number> = { decision: 0, message: 1, event: 2, provider_event: 3 };

/**
 * Everything that is recorded of an enrollment, in order of time: guarantee G4.
 * @returns null when the tenant has no such enrollment
 */
export function explainEnrollment(deps: ExplainDeps, tenantId: string, enrollmentId: string): Promise<Explanation | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const enrollment = await loadEnrollment(tx, deps, enrollmentId);
    if (enrollment === null) return null;
    const { words } = deps.subjects.of(enrollment.subject.kind);
    const kinds = [
      await readDecisions(tx, words, enrollmentId),
      await readMessages(tx, words, enrollmentId),
      await readEvents(tx, words, enrollmentId),
      await readProviderEvents(tx, words, enrollmentId),
    ];
    const next = await decideNext(tx, deps, enrollment.row, await readLedger(tx, [enrollmentId]));
    // Each list is in order already, and sorting is stable.
    const entries = kinds.flatMap((k) => k.slice(0, most)).sort((a, b) => a.atMs - b.atMs || rank[a.kind] - rank[b.kind]);
    return { enrollment, entries, next, truncated: kinds.some((k) => k.length > most) };
  });
}

/** What a search finds, explained: the newest sequences, and the subjects about which none was begun. */
export interface FoundExplanations {
  explanations: Explanation[];
  quiet: QuietSubject[];
  /** There are older ones. */
  more: boolean;
}

const mostExplained = 5;

/** The same where an address or the source's id of a subject is known, and not the enrollment. */
export async function explainFound(deps: SearchDeps & ExplainDeps, tenantId: string, search: Search): Promise<Searched<FoundExplanations>> {
  const page = await findEnrollments(deps, tenantId, search, { limit: mostExplained, after: null });
  if (page.kind === 'unreadable') return page;
  if (page.kind !== 'found') throw new Error('a search without a sequence met an unknown one');
  const explanations: Explanation[] = [];
  for (const { row } of page.found.items) {
    const explanation = await explainEnrollment(deps, tenantId, row.id);
    if (explanation !== null) explanations.push(explanation);
  }
  const quiet = await findQuietSubjects(deps, tenantId, search, mostExplained);
  return { kind: 'found', found: { explanations, quiet, more: page.found.next !== null } };
}

async function readDecisions(tx: Tx, words: Words, enrollmentId: string): Promise<Entry[]> {
  const rows = await tx
    .select({ decision: decisions, version: sequenceVersions.version })
    .from(decisions)
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, decisions.versionId))
    .where(eq(decisions.enrollmentId, enrollmentId))
    .orderBy(asc(decisions.at), asc(decisions.id))
    .limit(most + 1);
  return rows.map(({ decision: { at, stepId, verdict, reason, until, checks }, version }) => {
    const facts = { stepId, verdict, reason, untilMs: until, checks };
    return { kind: 'decision', atMs: at, ...facts, version, sentence: decisionSentence(words, facts) };
  });
}

async function readMessages(tx: Tx, words: Words, enrollmentId: string): Promise<Entry[]> {
  const rows = await tx.select().from(messages).where(eq(messages.enrollmentId, enrollmentId)).orderBy(asc(messages.id));
  return rows
    .map((row) => ({
      kind: 'message' as const,
      atMs: row.settledAt ?? row.claimedAt ?? row.createdAt,
      stepId: row.stepId,
      row,
      sentence: messageSentence(words, row),
    }))
    .sort((a, b) => a.atMs - b.atMs);
}

async function readEvents(tx: Tx, words: Words, enrollmentId: string): Promise<Entry[]> {
  const rows = await tx
    .select({ at: enrollmentEvents.at, type: enrollmentEvents.type, data: enrollmentEvents.data, notes: inbox.notes })
    .from(enrollmentEvents)
    .leftJoin(inbox, and(eq(inbox.tenantId, enrollmentEvents.tenantId), eq(inbox.id, enrollmentEvents.inboxId)))
    .where(eq(enrollmentEvents.enrollmentId, enrollmentId))
    .orderBy(asc(enrollmentEvents.at), asc(enrollmentEvents.id))
    .limit(most + 1);
  return rows.map(({ at, type, data, notes: noted }) => {
    const stepId = typeof data['step'] === 'string' ? data['step'] : null;
    const notes = noted ?? [];
    return { kind: 'event', atMs: at, stepId, type, data, notes, sentence: eventSentence(words, type, data) + notesSentence(notes) };
  });
}

async function readProviderEvents(tx: Tx, words: Words, enrollmentId: string): Promise<Entry[]> {
  // Not in Drizzle's schema, because the table is partitioned (db/functions/make_message_event_partitions.sql).
  const { rows } = await tx.execute<{ at_ms: number; step_id: string; type: string; machine: boolean; data: Record<string, unknown> }>(sql`
    select (extract(epoch from e.occurred_at) * 1000)::double precision as at_ms, m.step_id, e.type, e.machine, e.data
    from message_events e join messages m on m.tenant_id = e.tenant_id and m.id = e.message_id
    where e.enrollment_id = ${enrollmentId} order by e.occurred_at, e.id limit ${most + 1}`);
  return rows.map((r) => ({
    kind: 'provider_event',
    atMs: r.at_ms,
    stepId: r.step_id,
    type: r.type,
    machine: r.machine,
    data: r.data,
    sentence: providerEventSentence(words, r.step_id, r.type, r.machine, r.data),
  }));
}
