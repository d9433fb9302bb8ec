import { eq } from 'drizzle-orm';
import { isModelLayout } from '../../content/channels/index.ts';
import { CopySourceError } from '../../content/copy-source.ts';
import { readTextForm, type TextForm } from '../../content/text-form.ts';
import { sampleNames } from '../../content/preview.ts';
import type { Tx } from '../../db/client.ts';
import { sequenceDrafts, sequences, tenants } from '../../db/schema/index.ts';
import type { Channel } from '../../domain/channels/index.ts';
import { lintWhileTyping } from '../../domain/lint/lint-sequence.ts';
import { readCopyName } from '../../domain/sequence/copy-name.ts';
import { fileSaying, saidIn } from '../../domain/sequence/edit-file.ts';
import { fileOfDefinition } from '../../domain/sequence/file-of-definition.ts';
import type { SequenceDefinition } from '../../domain/sequence/definition.ts';
import { readSequence } from '../../domain/sequence/parse-sequence.ts';
import { kindOfSequence } from '../../domain/sequence/triggers.ts';
import { attributeNamesFor } from '../../domain/subjects/attributes.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import { canonical } from '../../domain/versions/compare-versions.ts';
import type { Deps } from '../deps.ts';
import { type Previewed, previewStep } from '../preview-step.ts';
import { compileTexts, PresetError } from '../publish-sequence.ts';
import { freeSlug } from './edit-draft.ts';
import { compileDraft, contentInUse, type DraftStored, faultsOfScripts, loadDraft, settingsStated, storeDraft, storeEmptyDraft } from './draft.ts';
import { type InUse, readInUse } from './publish.ts';

/** What a sequence says, as its file does: spans are texts such as `2h`. */
export type Said = Readonly<Record<string, unknown>>;

/** A text as it was written. */
export interface FormText extends TextForm {
  name: string;
  source: string;
}

/** A sequence as a form edits it: its draft, else the version in use. */
export interface SequenceForm {
  slug: string;
  name: string;
  status: 'DRAFT' | 'ACTIVE' | 'ARCHIVED';
  /** The version in use; 0: none. */
  baseVersion: number;
  /** The draft that is shown; null: there is none. */
  draftHash: string | null;
  said: Said;
  /** What the draft brings besides the texts of the version in use. */
  texts: FormText[];
  /** Texts that the version in use has, and of which only the compiled form is kept. */
  unknownTexts: string[];
  /** What it is about, what its conditions may ask of that, and the samples that previews show; null: it does not say what it is about. */
  about: { kind: string; attributes: readonly string[]; samples: readonly string[] } | null;
}

/** Something that is wrong, or hardly what was meant: in a field of the sequence, or in a line of a text. */
export interface FormFault {
  /** Of the field; empty: the whole, or a text. */
  path: (string | number)[];
  /** The name of the text; null: it is in no text. */
  text: string | null;
  /** Of the text, counted from 1; null: all of it. */
  line: number | null;
  /** `format`: it cannot be read; `text`; `script`; else a rule of the linter. */
  rule: string;
  severity: 'error' | 'warning';
  message: string;
}

type FormDeps = Pick<Deps, 'db' | 'subjects' | 'presets'>;
type DraftRefused = Exclude<DraftStored, { kind: 'stored' }>;
interface Where {
  tenantId: string;
  slug: string;
}

/** @returns null where there is no such sequence */
export async function readForm(deps: FormDeps, { tenantId, slug }: Where): Promise<SequenceForm | null> {
  const known = await deps.db.withTenant(tenantId, async (tx) => ({ ...(await readInUse(tx, slug)), draft: await loadDraft(tx, slug) }));
  const { sequence, inUse, draft } = known;
  if (sequence === null || (inUse === null && draft === null)) return null;
  const said = draft !== null ? fieldsOf(saidIn(draft.yaml)) : inUse === null ? {} : fileOfDefinition(inUse.definition);
  const written = { ...(await writtenTexts(deps, slug, inUse)), ...draft?.copy };
  const [on, about] = [said['on'], said['about']];
  const kind = typeof on === 'string' ? kindOfSequence(deps.subjects, { on, about: typeof about === 'string' ? about : undefined }) : null;
  const ofVersion = Object.keys(inUse?.content ?? {}).filter((name) => !isModelLayout(name));
  return {
    ...{ slug, name: sequence.name, status: sequence.status, baseVersion: inUse?.version ?? 0, draftHash: draft?.sourceHash ?? null, said },
    texts: Object.entries(written)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, source]) => ({ name, source, ...readTextForm(source) })),
    unknownTexts: ofVersion.filter((name) => !Object.hasOwn(written, name)),
    about: kind === null ? null : { kind: kind.kind, attributes: attributeNamesFor(kind), samples: sampleNames(kind) },
  };
}

/** The texts of the version in use as they were written: stored with it, or files of the installation that say the same. */
export async function writtenTexts(deps: Pick<Deps, 'presets'>, slug: string, inUse: InUse | null): Promise<Record<string, string>> {
  if (inUse === null) return {};
  const preset = (await deps.presets()).find(({ definition }) => definition.sequence === slug);
  const texts = Object.keys(inUse.content).flatMap((name): [string, string][] => {
    const isSame = preset !== undefined && canonical(preset.content[name]) === canonical(inUse.content[name]);
    const text = inUse.copy?.[name] ?? (isSame ? preset.copy?.[name] : undefined);
    return text === undefined ? [] : [[name, text]];
  });
  return Object.fromEntries(texts);
}

export interface FormInput extends Where {
  said: Said;
  /** Those that were written anew, by name; the others are those of the draft so far, else of the version in use. */
  copy: Readonly<Record<string, string>>;
}

/** What is wrong with a form, while somebody fills it in. Stores nothing. @returns null where there is no such sequence */
export async function checkForm(deps: FormDeps, { tenantId, slug, said, copy }: FormInput): Promise<FormFault[] | null> {
  const known = await deps.db.withTenant(tenantId, async (tx) => {
    const [found] = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, slug));
    if (found === undefined) return null;
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    return tenant === undefined
      ? null
      : { stated: await settingsStated(tx, settingsOf(tenant)), content: await contentInUse(tx, slug), before: await copyOfDraft(tx, slug) };
  });
  if (known === null) return null;
  const findings = lintWhileTyping(said, known.stated, deps.subjects).map(({ path, rule, severity, message }): FormFault => {
    return { path, text: null, line: null, rule, severity, message };
  });
  const read = readSequence(said, deps.subjects);
  const kind = read.ok ? kindOfSequence(deps.subjects, read.definition) : null;
  if (!read.ok || kind === null) return findings;
  const { definition } = read;
  if (definition.sequence !== slug)
    return [
      { path: ['sequence'], text: null, line: null, rule: 'format', severity: 'error', message: `must stay ${slug}: it is part of its address` },
      ...findings,
    ];
  const scripts = await deps.db.withTenant(tenantId, (tx) => faultsOfScripts(tx, deps, slug, definition));
  const ofScripts = scripts.map(({ path, message }): FormFault => {
    const step = definition.steps.findIndex(({ id }) => path.includes(`steps.${id}.`));
    return { path: ['steps', step, 'script'], text: null, line: null, rule: 'script', severity: 'error', message };
  });
  const compiled = await compileDraft(deps, slug, { yaml: fileSaying(null, said), copy: { ...known.before, ...copy } }, known.content);
  const ofTexts = 'faults' in compiled ? compiled.faults.map((fault) => faultOfText(slug, fault)) : [];
  return [...findings, ...ofScripts, ...ofTexts.map((fault) => ofItsStep(fault, definition))];
}

/** A text that is missing is a fault of the step that names it. */
function ofItsStep(fault: FormFault, { steps }: SequenceDefinition): FormFault {
  const [, id] = /^step (\w+) /.exec(fault.message) ?? [];
  const step = steps.findIndex((one) => one.id === id);
  return fault.text !== null || step < 0 ? fault : { ...fault, path: ['steps', step, 'content'] };
}

/** `cart/email_2h.liquid:3` → the text and its line. */
function faultOfText(slug: string, { path, message }: { path: string; message: string }): FormFault {
  const [, text = null, line = null] = /^(.+?)[.](?:liquid|yaml)(?::(\d+))?$/.exec(path) ?? [];
  const isText = text !== null && text !== slug;
  return { path: [], text: isText ? text : null, line: isText && line !== null ? Number(line) : null, rule: 'text', severity: 'error', message };
}

/**
 * Store a form as the draft. Comments in the file of the draft stay.
 * @param input.draftHash - the draft that was seen; null: there was none
 * @param input.baseVersion - the version in use that was seen; 0: none
 * @returns `stale`: somebody has stored a draft or published a version meanwhile
 */
export async function storeForm(
  deps: FormDeps,
  { tenantId, slug, said, copy, draftHash, baseVersion, actor }: FormInput & { draftHash: string | null; baseVersion: number; actor: string },
): Promise<{ kind: 'stored' } | DraftRefused | { kind: 'unknown' } | { kind: 'mistakes'; faults: FormFault[] }> {
  const known = await deps.db.withTenant(tenantId, async (tx) => ({ ...(await readInUse(tx, slug)), draft: await loadDraft(tx, slug) }));
  if (known.sequence === null) return { kind: 'unknown' };
  if ((known.inUse?.version ?? 0) !== baseVersion || (known.draft?.sourceHash ?? null) !== draftHash) return { kind: 'stale' };
  const yaml = fileSaying(known.draft?.yaml ?? null, said);
  const source = { yaml, copy: { ...known.draft?.copy, ...copy } };
  const isEmpty = Array.isArray(said['steps']) && said['steps'].length === 0;
  const faults = (await checkForm(deps, { tenantId, slug, said, copy }))?.filter(
    ({ severity, path }) => severity === 'error' && !(isEmpty && path[0] === 'steps'),
  );
  const broken = readSequence(said, deps.subjects).ok ? [] : (faults ?? []);
  const texts = (faults ?? []).filter(({ text }) => text !== null);
  if (broken.length + texts.length > 0) return { kind: 'mistakes', faults: [...broken, ...texts] };
  if (isEmpty) {
    const stored = await deps.db.withTenant(tenantId, (tx) => storeEmptyDraft(tx, { tenantId, slug, name: null, source, actor, over: draftHash }));
    return { kind: stored ? 'stored' : 'stale' };
  }
  const stored = await storeDraft(deps, { tenantId, slug, source, actor, over: draftHash });
  return stored.kind === 'stored' ? { kind: 'stored' } : stored;
}

/**
 * Make a sequence that says what another one says, with texts of its own. Nothing of it is published.
 * @param wish.slug - null: it is made from the name
 */
export async function createLike(
  deps: FormDeps,
  { tenantId, actor, like, slug: wanted, name }: { tenantId: string; actor: string; like: string; slug: string | null; name: string },
): Promise<{ kind: 'created'; slug: string } | { kind: 'unknown' | 'slug_taken' } | { kind: 'texts_unknown'; texts: string[] } | DraftRefused> {
  const form = await readForm(deps, { tenantId, slug: like });
  if (form === null) return { kind: 'unknown' };
  if (form.unknownTexts.length > 0) return { kind: 'texts_unknown', texts: form.unknownTexts };
  const slug = await deps.db.withTenant(tenantId, (tx) => freeSlug(tx, wanted, name));
  if (slug === null) return { kind: 'slug_taken' };
  const own = (text: string) => (text.startsWith(`${like}/`) ? `${slug}/${text.slice(like.length + 1)}` : text);
  const named = new Set(form.texts.flatMap(({ name: text }) => readCopyName(text.replace(/[.]brief$/, ''))?.content ?? []));
  const said = renamed({ ...form.said, sequence: slug, name }, (text) => (named.has(text) ? own(text) : text));
  const copy = Object.fromEntries(form.texts.map((text) => [own(text.name), text.source]));
  const stored = await storeDraft(deps, { tenantId, slug, source: { yaml: fileSaying(null, fieldsOf(said)), copy }, actor, over: null });
  return stored.kind === 'stored' ? { kind: 'created', slug } : stored;
}

/** The same data with other texts in it. */
function renamed(value: unknown, rename: (text: string) => string): unknown {
  if (typeof value === 'string') return rename(value);
  if (Array.isArray(value)) return value.map((one) => renamed(one, rename));
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, renamed(v, rename)])) : value;
}

/** What a step of a form says to a sample or a contact. The texts of other steps are not looked at. */
export async function previewForm(
  deps: Deps,
  input: FormInput & { stepId: string; channel: Channel | null; sample: string | null; contact: string | null; locale: string | null },
): Promise<Previewed | { kind: 'mistakes'; faults: FormFault[] }> {
  const { tenantId, slug, said, copy, stepId, channel, sample, contact, locale } = input;
  const read = readSequence(said, deps.subjects);
  const kind = read.ok ? kindOfSequence(deps.subjects, read.definition) : null;
  if (!read.ok)
    return { kind: 'mistakes', faults: read.mistakes.map((mistake) => ({ ...mistake, text: null, line: null, rule: 'format', severity: 'error' })) };
  if (kind === null) return { kind: 'unknown_sequence' };
  const { inUse, before } = await deps.db.withTenant(tenantId, async (tx) => ({
    inUse: await contentInUse(tx, slug),
    before: await copyOfDraft(tx, slug),
  }));
  const given = Object.fromEntries(Object.entries({ ...before, ...copy }).map(([name, text]) => [name, { file: `${name}.liquid`, text }]));
  try {
    const texts = await compileTexts({ file: `${slug}.yaml`, yaml: '', copy: given }, read.definition, kind, inUse, stepId);
    const version = { slug, version: 0, definition: read.definition, content: { ...inUse, ...texts } };
    return await previewStep(deps, { tenantId, slug, stepId, contact, sample, locale }, channel, version);
  } catch (error) {
    if (error instanceof PresetError) return { kind: 'no_text' };
    if (!(error instanceof CopySourceError)) throw error;
    const faults = error.problems.map(({ file, line, message }) => faultOfText(slug, { path: line === null ? file : `${file}:${line}`, message }));
    return { kind: 'mistakes', faults };
  }
}

async function copyOfDraft(tx: Tx, slug: string): Promise<Record<string, string>> {
  const [draft] = await tx
    .select({ copy: sequenceDrafts.copy })
    .from(sequenceDrafts)
    .innerJoin(sequences, eq(sequences.id, sequenceDrafts.sequenceId))
    .where(eq(sequences.slug, slug));
  return draft?.copy ?? {};
}

const fieldsOf = (said: unknown): Said =>
  typeof said === 'object' && said !== null && !Array.isArray(said) ? Object.fromEntries(Object.entries(said)) : {};
