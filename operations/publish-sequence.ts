import { createHash } from 'node:crypto';
import { desc, eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { channelContentOf, languageOfText, modelLayoutName } from '../content/channels/index.ts';
import { type CopySource, refuseProblems } from '../content/copy-source.ts';
import { briefNameOf, generalBrief, parseBrief } from '../content/model/brief.ts';
import { isTranslation, isTranslationOf, textsOf, withoutOffer } from '../content/texts-of-sequence.ts';
import type { Tx } from '../db/client.ts';
import { sequences, sequenceVersions, tenants } from '../db/schema/index.ts';
import type { Channel } from '../domain/channels/index.ts';
import { languageTag } from '../domain/languages.ts';
import { missingTranslations, type SequenceText, unknownLanguages } from '../domain/lint/translations.ts';
import { readCopyName } from '../domain/sequence/copy-name.ts';
import type { SequenceDefinition } from '../domain/sequence/definition.ts';
import { formsOf } from '../domain/sequence/step-of-variant.ts';
import { parseSequence } from '../domain/sequence/parse-sequence.ts';
import { type LintedLine, lintSequence } from '../domain/lint/lint-sequence.ts';
import { tenantSettings, type TenantSettings } from '../domain/tenant-settings.ts';
import { kindOfSequence } from '../domain/sequence/triggers.ts';
import { canonical } from '../domain/versions/compare-versions.ts';
import { describeFileErrors } from '../domain/yaml-file.ts';
import { type AnySubjectKind, subjectKinds, type SubjectKinds } from '../domain/subjects/index.ts';
import type { CompiledPreset } from './compiled-preset.ts';
import type { Deps } from './deps.ts';

export type { CompiledPreset } from './compiled-preset.ts';

/** A sequence as it lies in files: the YAML and its copy. */
export interface PresetSource {
  /** For messages, e.g. `sequences/cart.yaml`. */
  file: string;
  yaml: string;
  /** Texts by name: emails under the bare name that a step gives, other channels' with their suffix. */
  copy: Record<string, CopySource>;
}

/** Thrown when a sequence file cannot be used. The message names every mistake with its line. */
export class PresetError extends Error {
  readonly code = 'preset_invalid';
  constructor(message: string) {
    super(message);
    this.name = 'PresetError';
  }
}

/**
 * @param inUse - compiled texts by content name, for those that the source does not bring
 * @throws PresetError, or the content's error that names file and line
 */
export async function compilePreset(
  source: PresetSource,
  kinds: SubjectKinds = subjectKinds,
  inUse: Readonly<Record<string, unknown>> = {},
): Promise<CompiledPreset> {
  const parsed = parseSequence(source.yaml, kinds);
  if (!parsed.ok) throw new PresetError(describeFileErrors(source.file, parsed.errors));
  const { definition } = parsed;
  const kind = kindOfSequence(kinds, definition);
  if (kind === null) throw new PresetError(`${source.file}: nothing is known about what ${definition.on} starts`);
  const content = { ...(await compileTexts(source, definition, kind, inUse)), ...(await compileForModel(source, definition, kind, inUse)) };
  const sourceHash = createHash('sha256').update(JSON.stringify({ definition, content })).digest('hex');
  return { definition, content, sourceHash, copy: writtenTexts(source, content), source: { file: source.file, yaml: source.yaml } };
}

/** Of the texts that a source brings, those that its sequence uses. */
const writtenTexts = ({ copy }: PresetSource, content: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(copy).flatMap(([name, { text }]) => (Object.hasOwn(content, name) ? [[name, text]] : [])));

/**
 * Each text of a sequence with its translations, in the order of its steps.
 * @param only - the id of the one step whose texts are wanted; null: those of all
 */
export async function compileTexts(
  { file, copy: given }: PresetSource,
  definition: SequenceDefinition,
  kind: AnySubjectKind,
  inUse: Readonly<Record<string, unknown>>,
  only: string | null = null,
): Promise<Record<string, unknown>> {
  const content: Record<string, unknown> = {};
  const begunBy = new Map<Channel, string>();
  const names = [...new Set([...Object.keys(given), ...Object.keys(inUse)])];
  const texts: SequenceText[] = [];
  const isChanged = (original: string) => canonical(content[original]) !== canonical(inUse[original]);
  for (const { step, channel, original } of textsOf(definition)) {
    const channelContent = channelContentOf(channel);
    const isFirst = (begunBy.get(channel) ?? step) === step;
    begunBy.set(channel, begunBy.get(channel) ?? step);
    // A text that several steps share is compiled for the first of them, which has the strictest requirements.
    if (channelContent === null || Object.hasOwn(content, original) || (only !== null && step !== only)) continue;
    for (const name of [original, ...names.filter((other) => isTranslationOf(other, original))]) {
      const copy = given[name];
      if (copy === undefined && !Object.hasOwn(inUse, name)) {
        const known = names.filter((other) => !isTranslation(other)).join(', ') || 'none';
        throw new PresetError(`${file}: step ${step} needs the copy "${name}" for ${channel}, which does not exist. Known are: ${known}.`);
      }
      // A draft takes a translation away by an empty text, and by another text in the place of what it was translated from.
      if (name !== original && (copy === undefined ? isChanged(original) : copy.text.trim() === '')) continue;
      const language = readCopyName(name)?.language ?? null;
      content[name] = copy === undefined ? inUse[name] : await channelContent.compile(copy, { kind, isFirst, language });
      texts.push({ original, language: languageTag(language ?? languageOfText(content[name])) ?? 'en', isTranslation: language !== null });
    }
  }
  const fileOf = (name: string) => given[name]?.file ?? besides(given, name);
  if (only !== null) return content;
  refuseProblems(
    [...unknownLanguages(Object.keys(content), fileOf), ...missingTranslations(texts, fileOf), ...withoutOffer(definition, content, fileOf)].map(
      (problem) => ({ ...problem, line: null }),
    ),
  );
  return content;
}

/** Where a text would lie that does not exist: beside the others. */
function besides(copy: PresetSource['copy'], name: string): string {
  const [example] = Object.entries(copy);
  const folder =
    example === undefined || !example[1].file.endsWith(`${example[0]}.liquid`) ? '' : example[1].file.slice(0, -`${example[0]}.liquid`.length);
  return `${folder}${name}.liquid`;
}

/** What the steps need that a model writes: their briefs, and what its words are put into. */
async function compileForModel(
  { copy }: PresetSource,
  { steps }: SequenceDefinition,
  kind: AnySubjectKind,
  inUse: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const content: Record<string, unknown> = {};
  for (const { model, content: text, channels } of steps.flatMap(formsOf)) {
    if (model === undefined || text === null) continue;
    const name = briefNameOf(model.brief);
    const brief = copy[name];
    // A step without a brief of its own is written from the general one of its kind of subject.
    content[name] ??= brief === undefined ? (inUse[name] ?? generalBrief(kind.kind)) : parseBrief(brief);
    for (const channel of channels) {
      const layouts = await channelContentOf(channel)?.forModel?.(kind);
      for (const [language, layout] of Object.entries(layouts ?? {})) content[modelLayoutName(text, channel, language)] = layout;
    }
  }
  return content;
}

/**
 * Make a preset the tenant's current version. Unchanged, or replaced by a version that somebody published: nothing happens. Running enrollments stay on the version they
 * started with. What `rekindle lint` says about a new version is logged: it is in use all the same.
 * @param how.beginsPaused - where the store does not have it yet: it takes nobody in until somebody resumes it
 * @param how.by - who adapted the preset to this tenant, whose own versions it replaces too; null: it came with the installation
 * @returns the version that new enrollments get from now on
 */
export async function publishPreset(
  deps: PublishDeps,
  tenantId: string,
  preset: CompiledPreset,
  how: { beginsPaused?: boolean; by?: string | null } = {},
): Promise<number> {
  const { version, isNew } = await storeVersion(deps, tenantId, preset, how);
  if (isNew) await logFindings(deps, tenantId, preset);
  return version;
}

type PublishDeps = Pick<Deps, 'db' | 'log' | 'subjects'>;

async function logFindings({ db, log, subjects }: PublishDeps, tenantId: string, { source }: CompiledPreset): Promise<void> {
  if (source === undefined) return;
  const [tenant] = await db.withTenant(tenantId, (tx) => tx.select().from(tenants).where(eq(tenants.id, tenantId)));
  if (tenant === undefined || tenant.synthetic) return;
  for (const { line, column, severity, rule, message } of lintOnce(source.yaml, statedIn(tenantSettings.parse(tenant.settings)), subjects)) {
    log.warn({ tenant: tenant.slug, severity, rule }, `${source.file}:${line}:${column}: ${message}`);
  }
}

const alreadyFound = new WeakMap<SubjectKinds, Map<string, LintedLine[]>>();
const keptAtMost = 200;

/** New stores get the same presets and mostly have the same settings, and the rehearsals of the linter take a second for all presets. */
function lintOnce(yaml: string, stated: Partial<TenantSettings>, kinds: SubjectKinds): LintedLine[] {
  const found = alreadyFound.get(kinds) ?? new Map<string, LintedLine[]>();
  alreadyFound.set(kinds, found);
  const key = createHash('sha256')
    .update(JSON.stringify([yaml, stated]))
    .digest('hex');
  const known = found.get(key);
  if (known !== undefined) return known;
  const lines = lintSequence(yaml, stated, kinds);
  if (found.size >= keptAtMost) found.clear();
  found.set(key, lines);
  return lines;
}

/** The settings that differ from their defaults, which nobody has stated. The postal address counts as it stands: it is in every email. */
export function statedIn(settings: TenantSettings): Partial<TenantSettings> {
  const defaults = new Map<string, unknown>(Object.entries(tenantSettings.parse({})));
  const stated = Object.entries(settings).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults.get(name)));
  return { ...Object.fromEntries(stated), postalAddress: settings.postalAddress };
}

async function storeVersion(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  preset: CompiledPreset,
  { beginsPaused = false, by = null }: { beginsPaused?: boolean; by?: string | null },
): Promise<{ version: number; isNew: boolean }> {
  const { definition, sourceHash } = preset;
  return deps.db.withTenant(tenantId, async (tx) => {
    const sequence = await lockSequence(tx, tenantId, definition, 'ACTIVE', beginsPaused);
    const inUse = await readVersion(tx, sequence.currentVersionId);
    const isOthers = inUse !== undefined && inUse.publishedBy !== null && inUse.publishedBy !== by;
    if (inUse !== undefined && (inUse.sourceHash === sourceHash || isOthers)) return { version: inUse.version, isNew: false };
    // Every process has the files of its presets: their texts are not stored with each store.
    const copy = by === null ? null : (preset.copy ?? null);
    return { version: (await addVersion(tx, sequence, { ...preset, copy }, by)).version, isNew: true };
  });
}

/** Lock a sequence against other publishers, and make it where there is none. */
export async function lockSequence(
  tx: Tx,
  tenantId: string,
  { sequence: slug, name }: Pick<SequenceDefinition, 'sequence' | 'name'>,
  status: 'ACTIVE' | 'DRAFT',
  paused = false,
): Promise<SequenceRow> {
  await tx.insert(sequences).values({ tenantId, id: uuidv7(), slug, name, status, paused }).onConflictDoNothing();
  const [sequence] = await tx.select().from(sequences).where(eq(sequences.slug, slug)).for('no key update');
  if (sequence === undefined) throw new Error('a sequence vanished under its lock');
  return sequence;
}

export type SequenceRow = typeof sequences.$inferSelect;

async function readVersion(tx: Tx, versionId: string | null) {
  if (versionId === null) return undefined;
  const { version, sourceHash, publishedBy } = sequenceVersions;
  return (await tx.select({ version, sourceHash, publishedBy }).from(sequenceVersions).where(eq(sequenceVersions.id, versionId)))[0];
}

/** What a version consists of. `copy`: its texts as they were written; null: they are files of the installation, or not known. */
export type VersionContent = Pick<CompiledPreset, 'definition' | 'content' | 'sourceHash'> & { copy?: Record<string, string> | null | undefined };

/** Add a version that new enrollments get from now on. The sequence is locked. @param publishedBy - null: it came with the installation */
export async function addVersion(
  tx: Tx,
  sequence: SequenceRow,
  { definition, content, sourceHash, copy = null }: VersionContent,
  publishedBy: string | null,
): Promise<{ id: string; version: number }> {
  const made = await storeVersionOf(tx, sequence, { definition, content, sourceHash, copy }, publishedBy);
  const status = sequence.status === 'DRAFT' ? 'ACTIVE' : sequence.status;
  await tx.update(sequences).set({ currentVersionId: made.id, name: definition.name, status }).where(eq(sequences.id, sequence.id));
  return made;
}

/** Add a version that nobody is taken into. The sequence is locked. */
export async function storeVersionOf(
  tx: Tx,
  { tenantId, id: sequenceId }: SequenceRow,
  { definition, content, sourceHash, copy = null }: VersionContent,
  publishedBy: string | null,
): Promise<{ id: string; version: number }> {
  const ofSequence = tx.select({ version: sequenceVersions.version }).from(sequenceVersions).where(eq(sequenceVersions.sequenceId, sequenceId));
  const [latest] = await ofSequence.orderBy(desc(sequenceVersions.version)).limit(1);
  const version = (latest?.version ?? 0) + 1;
  const id = uuidv7();
  await tx.insert(sequenceVersions).values({ tenantId, id, sequenceId, version, definition, content, sourceHash, copy, publishedBy });
  return { id, version };
}
