import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSequence } from '../domain/sequence/parse-sequence.ts';
import type { SequenceDefinition } from '../domain/sequence/definition.ts';
import { sequenceFileOf } from '../domain/sequence/edit-file.ts';
import { fileOfDefinition } from '../domain/sequence/file-of-definition.ts';
import { compareVersions, isSame } from '../domain/versions/compare-versions.ts';
import { unwrap } from '../sdk/index.ts';
import { type Answer, asGiven, type Context, NotPossibleError, shown, UsageError } from './command.ts';
import { lint } from './lint.ts';
import { readText, textsBeside } from './sequence-file.ts';

// Sequences as code: a folder of YAML under version control is checked, compared with a store, and stored there.

/** The sequence files that are meant: files as they are named, and every YAML file of a folder. @throws UsageError where there is none */
export function sequenceFiles(wanted: readonly string[]): string[] {
  if (wanted.length === 0) throw new UsageError('The folder, or the files, are missing.');
  const files = wanted.flatMap((path) => {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
    const names = readdirSync(path).filter((name) => /\.ya?ml$/.test(name));
    return names.toSorted().map((name) => join(path, name));
  });
  if (files.length === 0) throw new UsageError(`There is no YAML file in ${wanted.join(', ')}.`);
  return files;
}

/** Check all files, and then store each that says something new as the draft of its sequence. With --dry-run only say what that would change. */
export async function push(context: Context, wanted: readonly string[]): Promise<Answer> {
  const { store, options } = context;
  const files = sequenceFiles(wanted);
  const checked = await lint.run({ ...context, args: files, options: {} });
  if (checked.failed === true) return { ...checked, lines: [...checked.lines, 'Nothing was stored: a mistake in one file keeps all of them back.'] };
  const results: PushedFile[] = [];
  for (const file of files) {
    const result = await compareFile(store, file);
    if (options['dry-run'] !== true && result.change !== 'same') {
      const { slug, texts: copy } = textsBeside(file, readText(file));
      unwrap(await store.sequences.storeDraft(slug, { yaml: readText(file), copy }));
    }
    results.push(result);
  }
  const changed = results.filter(({ change }) => change !== 'same');
  const last =
    changed.length === 0
      ? []
      : [options['dry-run'] === true ? 'Nothing was stored.' : 'Stored as drafts: rekindle sequences publish SLUG takes one into use.'];
  return {
    data: results.map(({ file, slug, change, openEnrollments, diff }) => ({ file, slug, change, openEnrollments, diff })),
    lines: [...results.flatMap(({ lines }) => lines), ...last],
  };
}

interface PushedFile {
  file: string;
  slug: string;
  /** `same`: the store has exactly this, in use or as its draft. */
  change: 'same' | 'new' | 'changed';
  /** Those who are in it: they stay on their version unless publishing says otherwise. */
  openEnrollments: number;
  diff: { steps: unknown[]; settings: unknown[] } | null;
  lines: string[];
}

async function compareFile(store: Context['store'], file: string): Promise<PushedFile> {
  const yaml = readText(file);
  const { slug, texts } = textsBeside(file, yaml);
  const parsed = parseSequence(yaml);
  if (!parsed.ok) throw new NotPossibleError(`${file} cannot be read.`);
  const [found, draft] = [await store.sequences.get(slug), await store.sequences.draft(slug)];
  for (const { error } of [found, draft]) if (error !== null && error.status !== 404) throw error;
  const openEnrollments = found.data?.open_enrollments ?? 0;
  const base = { file, slug, openEnrollments };
  if (draft.data !== null && draft.data.yaml === yaml && sameTexts(draft.data.copy, texts))
    return { ...base, change: 'same', diff: null, lines: [`${file}: the draft of ${slug} says exactly this.`] };
  const version = found.data?.version ?? null;
  if (version === null) {
    const steps = parsed.definition.steps.length;
    return { ...base, change: 'new', diff: null, lines: [`${file}: ${slug} is new, with ${steps} steps.`] };
  }
  // The API answers with a definition as it is compiled.
  const inUse = unwrap(await store.sequences.version(slug, String(version))).definition as unknown as SequenceDefinition;
  const diff = compareVersions({ definition: inUse, content: {} }, { definition: parsed.definition, content: {} });
  const { steps, settings } = diff;
  const lines = isSame(diff)
    ? [`${file}: ${slug} has the steps of version ${version}; its texts are compared when it is stored (rekindle sequences diff ${slug}).`]
    : [
        `${file}: ${slug} over version ${version}; ${openEnrollments} are in it:`,
        ...steps.flatMap(({ step, change, fields }) => [
          `  ${change} step ${step}`,
          ...fields.map(({ field, before, after }) => `    ${field}: ${shown(before)} → ${shown(after)}`),
        ]),
        ...settings.map(({ field, before, after }) => `  ${field}: ${shown(before)} → ${shown(after)}`),
      ];
  return { ...base, change: 'changed', diff: { steps, settings }, lines };
}

const sameTexts = (stored: Readonly<Record<string, string>>, own: Readonly<Record<string, string>>) =>
  Object.keys(stored).length === Object.keys(own).length && Object.entries(own).every(([name, text]) => stored[name] === text);

/** Write the store's sequences as files: their drafts with their texts, else what the version in use says. */
export async function pull({ store, options }: Context, folder: string, slugs: readonly string[]): Promise<Answer> {
  const written: string[] = [];
  const [kept, lines]: [string[], string[]] = [[], []];
  const write = (file: string, text: string) => {
    if (existsSync(file) && readText(file) === text) return;
    if (existsSync(file) && options['overwrite'] !== true) return void kept.push(file);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    written.push(file);
  };
  for await (const { slug, version } of store.sequences.all({ limit: 500 })) {
    if (slugs.length > 0 && !slugs.includes(slug)) continue;
    const draft = await store.sequences.draft(slug);
    if (draft.error !== null && draft.error.status !== 404) throw draft.error;
    if (draft.data !== null) {
      write(join(folder, `${slug}.yaml`), draft.data.yaml);
      for (const [name, text] of Object.entries(draft.data.copy)) {
        // A name is a path below the folder, and nothing else may become one.
        if (!/^[\w-]+\/[\w.-]+$/.test(name)) throw new NotPossibleError(`The text "${name}" of ${slug} cannot be a file.`);
        write(join(folder, `${name}.${name.endsWith('.brief') ? 'yaml' : 'liquid'}`), text);
      }
    } else if (version !== null) {
      const { definition } = unwrap(await store.sequences.version(slug, String(version)));
      write(join(folder, `${slug}.yaml`), sequenceFileOf(fileOfDefinition(asGiven<SequenceDefinition>(definition))));
      lines.push(`${slug} has no draft: its file is made of version ${version}, and its texts stay in the store as they were published.`);
    }
  }
  const missing = kept.map((file) => `${file} differs and was kept: --overwrite replaces it.`);
  return { data: { written, kept }, lines: [...written.map((file) => `${file} written.`), ...lines, ...missing], failed: kept.length > 0 };
}
