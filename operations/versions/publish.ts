import { and, eq, ne, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { enrollments, sequenceDrafts, sequences, sequenceVersions, versionMoves } from '../../db/schema/index.ts';
import { sequenceFileOf } from '../../domain/sequence/edit-file.ts';
import { fileOfDefinition } from '../../domain/sequence/file-of-definition.ts';
import type { StopReason } from '../../domain/sequence/plan.ts';
import { canonical, compareVersions, isSame, type VersionDiff, type VersionSource } from '../../domain/versions/compare-versions.ts';
import { type Affected, headCounts } from '../../domain/versions/head-counts.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { addVersion, type CompiledPreset, type SequenceRow } from '../publish-sequence.ts';
import { compileDraft, type Draft, faultAt, faultsOfScripts, lintDraft, loadDraft, type SourceFault } from './draft.ts';
import { assignWaiting } from './edit-draft.ts';
import { readStandings } from './standings.ts';
import { wakeRunning } from '../wake-running.ts';

/** What becomes of those who are in the sequence already: they stay on their version, move to the new one at their next decision, or exit. */
export const runningChoices = ['stay', 'move', 'exit'] as const;
export type RunningChoice = (typeof runningChoices)[number];

/** What publishing would change, and who is affected. */
export interface Preview {
  /** The version in use, which publishing must name; 0: none. */
  baseVersion: number;
  diff: VersionDiff;
  affected: Affected;
  /** Removed steps that somebody waits for: publishing needs a choice. */
  waitedFor: { step: string; waiting: number }[];
}

export interface DraftPreview extends Preview {
  draft: Draft;
}

export type PublishRefused =
  | { kind: 'unknown' }
  | { kind: 'no_draft' }
  | { kind: 'archived' }
  | { kind: 'invalid'; faults: SourceFault[] }
  /** Another version is in use than the one that the publisher has seen, or the draft was changed. */
  | { kind: 'stale'; version: number }
  | { kind: 'unchanged'; version: number }
  | { kind: 'choice_needed'; waitedFor: Preview['waitedFor'] };

export type Published = { kind: 'published'; version: number; affected: Affected } | PublishRefused;

type PublishDeps = Pick<Deps, 'db' | 'subjects' | 'kickRelay'>;

/** What publishing the draft would change, and for how many. */
export async function previewDraft(
  deps: PublishDeps,
  tenantId: string,
  slug: string,
): Promise<DraftPreview | Extract<PublishRefused, { kind: 'unknown' | 'no_draft' | 'invalid' }>> {
  const known = await deps.db.withTenant(tenantId, async (tx) => ({ ...(await readInUse(tx, slug)), draft: await loadDraft(tx, slug) }));
  if (known.sequence === null) return { kind: 'unknown' };
  if (known.draft === null) return { kind: 'no_draft' };
  const compiled = await compileDraft(deps, slug, known.draft, known.inUse?.content ?? {});
  if ('faults' in compiled) return { kind: 'invalid', faults: compiled.faults };
  const { sequence, inUse } = known;
  return { draft: lintDraft(deps, known.draft), ...(await deps.db.withTenant(tenantId, (tx) => previewOf(tx, sequence, inUse, compiled))) };
}

export interface PublishInput {
  tenantId: string;
  slug: string;
  /** The version that the publisher has seen in use; 0: none. */
  baseVersion: number;
  /** Null: the publisher made no choice, and those who run stay. */
  running: RunningChoice | null;
  actor: string;
}

/**
 * Make the draft the version that new enrollments get. Everything is one transaction: it is published with what follows for those who are running, or
 * not at all. A draft with an error of the linter is refused.
 * @param input.draftHash - the draft that the publisher has seen; null: whichever it is
 */
export async function publishDraft(deps: PublishDeps, input: PublishInput & { draftHash: string | null }): Promise<Published> {
  const { tenantId, slug } = input;
  const known = await deps.db.withTenant(tenantId, async (tx) => ({ ...(await readInUse(tx, slug)), draft: await loadDraft(tx, slug) }));
  const { draft } = known;
  if (known.sequence === null) return { kind: 'unknown' };
  if (draft === null) return { kind: 'no_draft' };
  if (input.draftHash !== null && input.draftHash !== draft.sourceHash) return { kind: 'stale', version: known.inUse?.version ?? 0 };
  const errors = lintDraft(deps, draft).findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) return { kind: 'invalid', faults: errors.map((error) => faultAt(slug, error)) };
  const compiled = await compileDraft(deps, slug, draft, known.inUse?.content ?? {});
  if ('faults' in compiled) return { kind: 'invalid', faults: compiled.faults };
  const faults = await deps.db.withTenant(tenantId, (tx) => faultsOfScripts(tx, deps, slug, compiled.definition));
  if (faults.length > 0) return { kind: 'invalid', faults };
  let waiting: string | null = null;
  const isUnchanged = async (tx: Tx, sequence: SequenceRow): Promise<boolean> => {
    const deleted = await tx
      .delete(sequenceDrafts)
      .where(and(eq(sequenceDrafts.sequenceId, sequence.id), eq(sequenceDrafts.sourceHash, draft.sourceHash)))
      .returning({ campaignId: sequenceDrafts.campaignId });
    waiting = deleted[0]?.campaignId ?? null;
    return deleted.length > 0;
  };
  const published = async (tx: Tx) => {
    if (waiting !== null) await assignWaiting(tx, { tenantId, slug, actor: input.actor, campaignId: waiting });
  };
  return publish(deps, input, compiled, isUnchanged, {}, published);
}

/** Publish the content of an earlier version again, as a new version: what a number stands for never changes (ADR 28). */
export async function rollBack(deps: PublishDeps, input: PublishInput & { to: number }): Promise<Published> {
  const older = await deps.db.withTenant(input.tenantId, async (tx) => {
    const { sequence } = await readInUse(tx, input.slug);
    if (sequence === null) return null;
    const { definition, content, sourceHash, copy } = sequenceVersions;
    const wanted = and(eq(sequenceVersions.sequenceId, sequence.id), eq(sequenceVersions.version, input.to));
    return (await tx.select({ definition, content, sourceHash, copy }).from(sequenceVersions).where(wanted))[0] ?? null;
  });
  if (older === null) return { kind: 'unknown' };
  return publish(deps, input, { ...older, copy: older.copy ?? {} }, () => Promise.resolve(true), { rolled_back_to: input.to });
}

/**
 * Publish a changed definition of the version in use, with its texts, for new enrollments.
 * @param apply - `stillWanted` is asked and `published` called in the transaction that publishes
 */
export async function publishChange(
  deps: PublishDeps,
  input: PublishInput,
  change: (definition: CompiledPreset['definition']) => CompiledPreset['definition'] | null,
  { stillWanted, published, noted, texts }: PublishApply,
): Promise<Published> {
  const { sequence, inUse } = await deps.db.withTenant(input.tenantId, (tx) => readInUse(tx, input.slug));
  const definition = inUse === null ? null : change(inUse.definition);
  if (sequence === null || inUse === null) return { kind: 'unknown' };
  if (definition === null || inUse.version !== input.baseVersion) return { kind: 'stale', version: inUse.version };
  const source = { yaml: sequenceFileOf(fileOfDefinition(definition)), copy: texts?.copy ?? {} };
  const compiled = await compileDraft(deps, input.slug, source, { ...inUse.content, ...texts?.content });
  if ('faults' in compiled) return { kind: 'invalid', faults: compiled.faults };
  return publish(deps, input, compiled, stillWanted, noted, published);
}

/** What happens in the transaction that publishes. */
export interface PublishApply {
  stillWanted: (tx: Tx) => Promise<boolean>;
  published: (tx: Tx, version: number) => Promise<void>;
  noted: Record<string, unknown>;
  /** Texts beside those of the version in use, by name: as they are written, and compiled for those of which nothing else is known. */
  texts?: { copy: Record<string, string>; content: Record<string, unknown> };
}

/** @param stillWanted - asked under the sequence's lock; false: what is to be published was changed meanwhile */
async function publish(
  deps: PublishDeps,
  { tenantId, slug, baseVersion, running, actor }: PublishInput,
  compiled: Pick<CompiledPreset, 'definition' | 'content' | 'sourceHash' | 'copy'>,
  stillWanted: (tx: Tx, sequence: SequenceRow) => Promise<boolean>,
  noted: Record<string, unknown> = {},
  madeIt: (tx: Tx, version: number) => Promise<void> = () => Promise.resolve(),
): Promise<Published> {
  const published = await deps.db.withTenant(tenantId, async (tx): Promise<Published> => {
    await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, slug)).for('no key update');
    const { sequence, inUse } = await readInUse(tx, slug);
    if (sequence === null) return { kind: 'unknown' };
    if (sequence.status === 'ARCHIVED') return { kind: 'archived' };
    const version = inUse?.version ?? 0;
    if (version !== baseVersion) return { kind: 'stale', version };
    const { diff, affected, waitedFor } = await previewOf(tx, sequence, inUse, compiled);
    if (inUse !== null && isSame(diff)) return { kind: 'unchanged', version };
    if (running === null && waitedFor.length > 0) return { kind: 'choice_needed', waitedFor };
    if (!(await stillWanted(tx, sequence))) return { kind: 'stale', version };
    const made = await addVersion(tx, sequence, { ...compiled, copy: writtenCopy(compiled, inUse) }, actor);
    await madeIt(tx, made.version);
    if (running === 'move') await decideRunning(tx, sequence, made.id, { toVersionId: made.id, reason: null });
    if (running === 'exit') await decideRunning(tx, sequence, made.id, { toVersionId: null, reason: 'version_replaced' });
    const data = { version: made.version, running: running ?? 'stay', open: affected.open, ...noted };
    await recordAudit(tx, { tenantId, actor, action: 'sequence.publish', subject: sequence.id, data });
    return { kind: 'published', version: made.version, affected };
  });
  if (published.kind === 'published') deps.kickRelay();
  return published;
}

/**
 * Write what becomes of everybody who runs on another version than this one, and wake their workflows. Their rows are not touched: whoever decides the next
 * step of an enrollment reads it, under the lock of its person, so that it holds for those too who are being taken in at this moment.
 * @param exceptVersionId - null: it is decided for all versions
 */
export async function decideRunning(
  tx: Tx,
  { id: sequenceId, tenantId }: Pick<SequenceRow, 'id' | 'tenantId'>,
  exceptVersionId: string | null,
  decided: { toVersionId: string; reason: null } | { toVersionId: null; reason: StopReason },
): Promise<void> {
  const others = await tx
    .select({ id: sequenceVersions.id })
    .from(sequenceVersions)
    .where(and(eq(sequenceVersions.sequenceId, sequenceId), exceptVersionId === null ? undefined : ne(sequenceVersions.id, exceptVersionId)));
  if (others.length === 0) return;
  await tx
    .insert(versionMoves)
    .values(others.map(({ id }) => ({ tenantId, versionId: id, ...decided })))
    .onConflictDoUpdate({ target: [versionMoves.tenantId, versionMoves.versionId], set: { ...decided, decidedAt: sql`clock_timestamp()` } });
  await wakeRunning(
    tx,
    and(eq(enrollments.sequenceId, sequenceId), exceptVersionId === null ? undefined : ne(enrollments.versionId, exceptVersionId)),
  );
}

/** The version in use. `copy`: those of its texts that are stored as they were written; null: none is. */
export interface InUse extends VersionSource {
  version: number;
  sourceHash: string;
  copy: Record<string, string> | null;
}

/** The texts of a version as they were written: what its draft brings, else what is known of the version before, as long as it is the same text. */
function writtenCopy({ content, copy }: Pick<CompiledPreset, 'content' | 'copy'>, before: InUse | null): Record<string, string> {
  const written = Object.keys(content).flatMap((name): [string, string][] => {
    const text = copy?.[name] ?? (canonical(before?.content[name]) === canonical(content[name]) ? before?.copy?.[name] : undefined);
    return text === undefined ? [] : [[name, text]];
  });
  return Object.fromEntries(written);
}

export async function readInUse(tx: Tx, slug: string): Promise<{ sequence: SequenceRow | null; inUse: InUse | null }> {
  const { version: number, sourceHash: hash, copy: written, definition: says, content: texts } = sequenceVersions;
  const [found] = await tx
    .select({ sequence: sequences, version: number, definition: says, content: texts, sourceHash: hash, copy: written })
    .from(sequences)
    .leftJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .where(eq(sequences.slug, slug));
  if (found === undefined) return { sequence: null, inUse: null };
  const { sequence, version, definition, content, sourceHash, copy } = found;
  const isPublished = version !== null && definition !== null && content !== null && sourceHash !== null;
  return { sequence, inUse: isPublished ? { version, definition, content, sourceHash, copy } : null };
}

async function previewOf(tx: Tx, sequence: SequenceRow, inUse: (VersionSource & { version: number }) | null, after: VersionSource): Promise<Preview> {
  const diff = compareVersions(inUse, after);
  const standings = await readStandings(tx, sequence.id);
  // Somebody may run on an older version, with a step that the one in use had removed already: that choice was made then.
  const affected = headCounts(diff.steps, after.definition, standings);
  const waitedFor = affected.steps.filter(({ change, at }) => change === 'removed' && at > 0).map(({ step, at }) => ({ step, waiting: at }));
  return { baseVersion: inUse?.version ?? 0, diff, affected, waitedFor };
}
