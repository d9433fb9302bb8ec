import { createHash } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { CopySourceError } from '../../content/copy-source.ts';
import type { Tx } from '../../db/client.ts';
import { sequenceDrafts, sequences, sequenceVersions, settingsVersions, tenants } from '../../db/schema/index.ts';
import { type LintedLine, lintSequence } from '../../domain/lint/lint-sequence.ts';
import { parseSequence } from '../../domain/sequence/parse-sequence.ts';
import { kindOfSequence } from '../../domain/sequence/triggers.ts';
import { settingsOf, type TenantSettings } from '../../domain/tenant-settings.ts';
import { type ScriptFault, scriptFaults } from '../scripts/scripts.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { type CompiledPreset, compilePreset, lockSequence, PresetError, statedIn } from '../publish-sequence.ts';

/** A draft as its author wrote it. */
export interface DraftSource {
  yaml: string;
  /** Texts by content name, as in `content/preset-copy.ts`. What is missing here is taken from the version in use. */
  copy: Record<string, string>;
}

export interface Draft extends DraftSource {
  slug: string;
  sourceHash: string;
  changedBy: string;
  changedAtMs: number;
  /** What `rekindle lint` says about it in this store. With an error among them it cannot be published. */
  findings: LintedLine[];
}

/** What is wrong where; `path` is the file with the line and column. */
export interface SourceFault {
  path: string;
  message: string;
}

export type DraftStored =
  | { kind: 'stored'; draft: Draft }
  | { kind: 'invalid'; faults: SourceFault[] }
  /** It was changed since the caller has read it. */
  | { kind: 'stale' };

type DraftDeps = Pick<Deps, 'db' | 'subjects'>;

/**
 * Store what will be the next version of a sequence, instead of the draft before. A sequence that nothing was published of begins here.
 * @param over - the hash of the draft that it is to replace, null: there is none; absent: whichever there is
 */
export async function storeDraft(
  deps: DraftDeps,
  { tenantId, slug, source, actor, over }: { tenantId: string; slug: string; source: DraftSource; actor: string; over?: string | null },
): Promise<DraftStored> {
  const compiled = await compileDraft(deps, slug, source, await deps.db.withTenant(tenantId, (tx) => contentInUse(tx, slug)));
  if ('faults' in compiled) return { kind: 'invalid', faults: compiled.faults };
  const faults = await deps.db.withTenant(tenantId, (tx) => faultsOfScripts(tx, deps, slug, compiled.definition, ['wrong']));
  if (faults.length > 0) return { kind: 'invalid', faults };
  const draft = await deps.db.withTenant(tenantId, async (tx) => {
    const sequence = await lockSequence(tx, tenantId, compiled.definition, 'DRAFT');
    if (over !== undefined && (await hashOfDraft(tx, sequence.id)) !== over) return null;
    await writeDraft(tx, { tenantId, sequenceId: sequence.id, source, actor });
    return loadDraft(tx, slug);
  });
  if (draft === null && over !== undefined) return { kind: 'stale' };
  if (draft === null) throw new Error('a draft vanished in its transaction');
  return { kind: 'stored', draft: lintDraft(deps, draft) };
}

/**
 * Store a draft that has no steps yet, which cannot be published.
 * @param name - of a new sequence; null: it exists
 * @param over - as for `storeDraft`
 * @returns false: it was changed since the caller has read it
 */
export async function storeEmptyDraft(
  tx: Tx,
  {
    tenantId,
    slug,
    name,
    source,
    actor,
    over,
  }: { tenantId: string; slug: string; name: string | null; source: DraftSource; actor: string; over?: string | null },
): Promise<boolean> {
  const sequence = await lockSequence(tx, tenantId, { sequence: slug, name: name ?? slug }, 'DRAFT');
  if (over !== undefined && (await hashOfDraft(tx, sequence.id)) !== over) return false;
  // The row may be that of a draft that was deleted.
  if (name !== null && sequence.currentVersionId === null && sequence.name !== name)
    await tx.update(sequences).set({ name }).where(eq(sequences.id, sequence.id));
  await writeDraft(tx, { tenantId, sequenceId: sequence.id, source, actor });
  return true;
}

async function hashOfDraft(tx: Tx, sequenceId: string): Promise<string | null> {
  const [row] = await tx.select({ hash: sequenceDrafts.sourceHash }).from(sequenceDrafts).where(eq(sequenceDrafts.sequenceId, sequenceId));
  return row?.hash ?? null;
}

async function writeDraft(
  tx: Tx,
  { tenantId, sequenceId, source, actor }: { tenantId: string; sequenceId: string; source: DraftSource; actor: string },
): Promise<void> {
  const values = { ...source, sourceHash: hashOf(source), changedBy: actor };
  await tx
    .insert(sequenceDrafts)
    .values({ tenantId, sequenceId, ...values })
    .onConflictDoUpdate({ target: [sequenceDrafts.tenantId, sequenceDrafts.sequenceId], set: { ...values, changedAt: Date.now() } });
  await recordAudit(tx, { tenantId, actor, action: 'sequence.draft', subject: sequenceId, data: { source_hash: values.sourceHash } });
}

/** @returns null where the sequence has none */
export async function readDraft(deps: DraftDeps, tenantId: string, slug: string): Promise<Draft | null> {
  const stored = await deps.db.withTenant(tenantId, (tx) => loadDraft(tx, slug));
  return stored === null ? null : lintDraft(deps, stored);
}

/** @returns false where there was none */
export function deleteDraft(deps: DraftDeps, { tenantId, slug, actor }: { tenantId: string; slug: string; actor: string }): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [sequence] = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, slug)).for('no key update');
    if (sequence === undefined) return false;
    const deleted = await tx.delete(sequenceDrafts).where(eq(sequenceDrafts.sequenceId, sequence.id)).returning({ hash: sequenceDrafts.sourceHash });
    if (deleted.length === 0) return false;
    await recordAudit(tx, { tenantId, actor, action: 'sequence.draft_deleted', subject: sequence.id });
    return true;
  });
}

/** A draft as it is stored, with the settings that the linter asks about. */
interface StoredDraft extends Omit<Draft, 'findings'> {
  stated: Partial<TenantSettings>;
}

/** Outside of a transaction: the linter rehearses a week hour by hour, for longer than Postgres lets a transaction wait. */
export function lintDraft({ subjects }: Pick<Deps, 'subjects'>, { stated, ...draft }: StoredDraft): Draft {
  return { ...draft, findings: lintSequence(draft.yaml, stated, subjects) };
}

export async function loadDraft(tx: Tx, slug: string): Promise<StoredDraft | null> {
  const [found] = await tx
    .select({ draft: sequenceDrafts, tenant: tenants })
    .from(sequenceDrafts)
    .innerJoin(sequences, eq(sequences.id, sequenceDrafts.sequenceId))
    .innerJoin(tenants, eq(tenants.id, sequenceDrafts.tenantId))
    .where(eq(sequences.slug, slug));
  if (found === undefined) return null;
  const { yaml, copy, sourceHash, changedBy, changedAt } = found.draft;
  const stated = await settingsStated(tx, settingsOf(found.tenant));
  return { slug, yaml, copy, sourceHash, changedBy, changedAtMs: changedAt, stated };
}

/** The settings that the store has set itself, also to what is the default: a law that depends on one is certain then. */
export async function settingsStated(tx: Tx, settings: TenantSettings): Promise<Partial<TenantSettings>> {
  const rows = await tx.selectDistinct({ name: sql<string>`jsonb_object_keys(${settingsVersions.changes})` }).from(settingsVersions);
  const set = Object.entries(settings).filter(([name]) => rows.some((row) => row.name === name));
  return { ...statedIn(settings), ...Object.fromEntries(set) };
}

/** Read, check and compile a draft. @param inUse - the compiled texts of the version in use */
export async function compileDraft(
  { subjects }: Pick<Deps, 'subjects'>,
  slug: string,
  { yaml, copy }: DraftSource,
  inUse: Readonly<Record<string, unknown>>,
): Promise<CompiledPreset | { faults: SourceFault[] }> {
  const file = fileOf(slug);
  const parsed = parseSequence(yaml, subjects);
  const faults = parsed.ok ? [] : parsed.errors;
  if (faults.length > 0) return { faults: faults.map((fault) => faultAt(slug, fault)) };
  const texts = Object.fromEntries(
    Object.entries(copy).map(([name, text]) => [name, { file: `${name}.${name.endsWith('.brief') ? 'yaml' : 'liquid'}`, text }]),
  );
  try {
    const compiled = await compilePreset({ file, yaml, copy: texts }, subjects, inUse);
    const { sequence } = compiled.definition;
    if (sequence !== slug)
      return { faults: [{ path: file, message: `is the sequence "${sequence}": give it to that one, or write sequence: ${slug}` }] };
    return compiled;
  } catch (error) {
    if (error instanceof PresetError) return { faults: [{ path: file, message: error.message.replace(`${file}: `, '') }] };
    if (!(error instanceof CopySourceError)) throw error;
    return { faults: error.problems.map((p) => ({ path: p.line === null ? p.file : `${p.file}:${p.line}`, message: p.message })) };
  }
}

/** What is wrong with the scripts that its steps name. @param kinds - those that count */
export async function faultsOfScripts(
  tx: Tx,
  { subjects }: Pick<Deps, 'subjects'>,
  slug: string,
  definition: CompiledPreset['definition'],
  kinds: readonly ScriptFault['kind'][] = ['wrong', 'none_yet'],
): Promise<SourceFault[]> {
  const about = kindOfSequence(subjects, definition)?.kind ?? '';
  const faults = (await scriptFaults(tx, definition, about)).filter(({ kind }) => kinds.includes(kind));
  return faults.map(({ step, message }) => ({ path: `${fileOf(slug)}: steps.${step}.script`, message }));
}

const fileOf = (slug: string) => `${slug}.yaml`;

export const faultAt = (slug: string, { line, column, message }: Pick<LintedLine, 'line' | 'column' | 'message'>): SourceFault => ({
  path: `${fileOf(slug)}:${line}:${column}`,
  message,
});

/** The compiled texts of the version in use; none where nothing was published. */
export async function contentInUse(tx: Tx, slug: string): Promise<Record<string, unknown>> {
  const [found] = await tx
    .select({ content: sequenceVersions.content })
    .from(sequences)
    .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
    .where(eq(sequences.slug, slug));
  return found?.content ?? {};
}

const hashOf = ({ yaml, copy }: DraftSource) =>
  createHash('sha256')
    .update(JSON.stringify([yaml, Object.entries(copy).toSorted(([a], [b]) => (a < b ? -1 : 1))]))
    .digest('hex');
