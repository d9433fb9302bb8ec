import { eq } from 'drizzle-orm';
import { CommitUnclearError, isLockFailure, postgresCode, type Tx } from '../db/client.ts';
import { enrollmentRequests, sequences, subjectKeys, subjects } from '../db/schema/index.ts';
import { allAnswered } from './all-answered.ts';
import { boundLockWaits, startAnswerBudget } from './answer-budget.ts';
import { recordAudit } from './audit.ts';
import type { Deps } from './deps.ts';
import { beginByHand, type Refused } from './effects/rules/begin-by-hand.ts';
import { Draft } from './intake/draft.ts';
import { findNamed, lockNamed, MovedError } from './intake/found.ts';
import { nothingBesides, readSuppressions, readWorld } from './intake/read-world.ts';
import { decisionContext, readTenant } from './intake/tenant.ts';
import { isOneOf } from './is-one-of.ts';
import { startsByItself } from '../domain/sequence/triggers.ts';
import { triggersOf } from '../domain/subjects/kind.ts';
import type { ActiveSequence } from './intake/world.ts';
import { writesOf, writeWorld } from './intake/writes.ts';

export interface HandStart {
  tenantId: string;
  subjectId: string;
  /** By id or slug; null: the one that such a subject starts. */
  sequence: { id: string } | { slug: string } | null;
  /** Why, for the audit log. */
  note: string | null;
  /** Who. */
  actor: string;
  /** The caller's `Idempotency-Key`; null: none. */
  key: string | null;
}

export type HandStarted =
  /** `repeated`: by an earlier request with the same key. */
  | { kind: 'enrolled'; enrollmentId: string; repeated: boolean }
  | ({ kind: 'refused' } & Refused)
  | { kind: 'unknown_subject' }
  /** No active sequence is about such a subject, or the one that was named is not active or about something else: `detail` says which. */
  | { kind: 'no_sequence'; detail: string }
  /** Several are: the request must name one. */
  | { kind: 'several_sequences'; slugs: string[] }
  /** The key was used for something else. */
  | { kind: 'key_reused' }
  /** Another transaction holds the person's lock: try again. */
  | { kind: 'busy' };

/**
 * Start a sequence about a subject by hand, whether or not it has been through it. The enrollment is new and sends all its steps, also those that an
 * earlier one has sent. A repeated request starts nothing twice: by its key, and because a subject is in a sequence only once at a time.
 */
export async function enrollByHand(deps: Deps, start: HandStart): Promise<HandStarted> {
  const budget = startAnswerBudget(deps.clock);
  // Begun by an attempt of which it is not known whether COMMIT took effect.
  const attempted = new Set<string>();
  for (let attempt = 1; budget.leftMs() > 0; attempt++) {
    try {
      const started = await deps.db.withTenant(start.tenantId, async (tx) => {
        if (attempt > 1) await boundLockWaits(tx, budget.leftMs());
        const made = await startLocked(tx, deps, start);
        if (made.kind === 'enrolled') attempted.add(made.enrollmentId);
        return made;
      });
      if (started.kind === 'enrolled' && !started.repeated) deps.kickRelay();
      if (started.kind === 'refused' && started.enrollmentId !== null && attempted.has(started.enrollmentId)) {
        return { kind: 'enrolled', enrollmentId: started.enrollmentId, repeated: false };
      }
      return started;
    } catch (error) {
      // unique_violation: another request with the same key was first; the next attempt finds it.
      const again = error instanceof MovedError || error instanceof CommitUnclearError || isLockFailure(error) || postgresCode(error) === '23505';
      if (!again) throw error;
    }
  }
  return { kind: 'busy' };
}

async function startLocked(tx: Tx, deps: Deps, start: HandStart): Promise<HandStarted> {
  const wanted = start.sequence === null ? '' : 'id' in start.sequence ? start.sequence.id : start.sequence.slug;
  const request = `${start.subjectId} ${wanted}`;
  const draft = await draftOf(tx, deps, start);
  if (draft === null) return { kind: 'unknown_subject' };
  // Under the locks: the request that had the key first has committed by now.
  const before = start.key === null ? null : await readRequest(tx, start.key);
  if (before !== null)
    return before.request === request ? { kind: 'enrolled', enrollmentId: before.enrollmentId, repeated: true } : { kind: 'key_reused' };
  const subject = draft.subject(start.subjectId);
  const owner = draft.findContact(subject.contactId);
  if (owner === null) return { kind: 'refused', reason: 'no_address', detail: 'Nobody is known whose it is.', enrollmentId: null };
  const fitting = sequencesFor(draft, subject.kind, start.sequence);
  const [sequence, another] = fitting;
  if (sequence === undefined) return { kind: 'no_sequence', detail: await whyNone(tx, draft, subject.kind, start.sequence) };
  if (another !== undefined) return { kind: 'several_sequences', slugs: fitting.map((s) => s.version.slug) };

  const begun = beginByHand(draft, { subject, owner }, sequence, start.actor);
  if (!('begun' in begun)) return { kind: 'refused', ...begun };
  writeWorld(tx, writesOf(draft));
  const { tenantId, key, actor, note } = start;
  if (key !== null) await tx.insert(enrollmentRequests).values({ tenantId, key, request, enrollmentId: begun.begun });
  await recordAudit(tx, {
    tenantId,
    actor,
    action: 'enrollment.start',
    subject: begun.begun,
    data: { about: subject.id, sequence: sequence.version.slug, ...(note === null ? {} : { note }) },
  });
  return { kind: 'enrolled', enrollmentId: begun.begun, repeated: false };
}

async function readRequest(tx: Tx, key: string) {
  const [known] = await tx.select().from(enrollmentRequests).where(eq(enrollmentRequests.key, key));
  return known ?? null;
}

/** A draft of the subject's world, under the locks of its owner. @returns null where the tenant has no such subject */
export async function draftOf(tx: Tx, deps: Deps, { tenantId, subjectId }: Pick<HandStart, 'tenantId' | 'subjectId'>): Promise<Draft | null> {
  const draft = await draftOfAll(tx, deps, tenantId, [subjectId]);
  return draft.findSubject(subjectId) === null ? null : draft;
}

/** The same without locks, for reading alone: what is decided on it may be stale at once. */
export async function readDraft(tx: Tx, deps: Deps, { tenantId, subjectId }: Pick<HandStart, 'tenantId' | 'subjectId'>): Promise<Draft | null> {
  const draft = await draftOfAll(tx, deps, tenantId, [subjectId], findNamed);
  return draft.findSubject(subjectId) === null ? null : draft;
}

/**
 * One draft of the worlds of several subjects, under the locks of all their owners. A subject that the tenant does not have is not in it.
 * @param find - `findNamed`: without locks
 * @throws MovedError where one of them has another owner by the time the locks are held
 */
export async function draftOfAll(
  tx: Tx,
  deps: Deps,
  tenantId: string,
  subjectIds: readonly string[],
  find: typeof lockNamed | typeof findNamed = lockNamed,
): Promise<Draft> {
  const [known, keys] = await allAnswered([readOwners(tx, subjectIds), readKeys(tx, subjectIds)]);
  const contactIds = [...new Set([...known.values()].filter((id) => id !== null))];
  const locked = await find(tx, { identities: [], keys, stops: false, contactIds });
  const [now, tenant] = await allAnswered([readOwners(tx, subjectIds), readTenant(tx, tenantId)]);
  for (const [id, contactId] of known) if (now.get(id) !== contactId) throw new MovedError();
  const context = decisionContext(deps, { tenantId, connectionId: '', inboxId: null }, tenant);
  const found = { ...locked, subjects: [...new Set([...locked.subjects, ...known.keys()])].sort() };
  const world = await readWorld(tx, deps.versions, found, { ...nothingBesides, parts: ['earlier', 'runs', 'sequences'] });
  return new Draft({ ...world, suppressions: await readSuppressions(tx, context, world.identities) }, context);
}

async function readOwners(tx: Tx, subjectIds: readonly string[]): Promise<Map<string, string | null>> {
  const rows = await tx.select({ id: subjects.id, contactId: subjects.contactId }).from(subjects).where(isOneOf(subjects.id, subjectIds));
  return new Map(rows.map(({ id, contactId }) => [id, contactId]));
}

async function readKeys(tx: Tx, subjectIds: readonly string[]) {
  return tx
    .select({ connectionId: subjectKeys.connectionId, kind: subjectKeys.kind, value: subjectKeys.value })
    .from(subjectKeys)
    .where(isOneOf(subjectKeys.subjectId, subjectIds));
}

async function whyNone(tx: Tx, draft: Draft, kind: string, wanted: HandStart['sequence']): Promise<string> {
  const { noun } = draft.kindOf(kind).words;
  if (wanted === null) return `No active sequence is about any ${noun}.`;
  const [named] = await tx
    .select({ slug: sequences.slug, status: sequences.status })
    .from(sequences)
    .where('id' in wanted ? eq(sequences.id, wanted.id) : eq(sequences.slug, wanted.slug));
  if (named === undefined) return 'slug' in wanted ? `There is no sequence ${wanted.slug}.` : 'There is no such sequence.';
  if (named.status === 'DRAFT') return `The sequence ${named.slug} is a draft: publish it first.`;
  if (named.status === 'ARCHIVED') return `The sequence ${named.slug} is archived: it takes nobody in.`;
  return `The sequence ${named.slug} is about something else than the ${noun}.`;
}

function sequencesFor(draft: Draft, kind: string, wanted: HandStart['sequence']): ActiveSequence[] {
  const { trigger } = draft.kindOf(kind);
  const triggers = triggersOf(draft.kindOf(kind));
  if (wanted === null) return draft.world.sequences.filter(({ version }) => version.definition.on === trigger);
  const fitting = draft.world.sequences.filter(
    ({ version: { definition } }) => triggers.includes(definition.on) || (!startsByItself(definition.on) && definition.about === kind),
  );
  return fitting.filter(({ id, version }) => ('id' in wanted ? id === wanted.id : version.slug === wanted.slug));
}
