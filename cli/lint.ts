import { dirname, join } from 'node:path';
import type { SourceProblem } from '../content/copy-source.ts';
import type { lintTexts } from '../content/lint-texts.ts';
import { type LintedLine, lintSequence } from '../domain/lint/lint-sequence.ts';
import { lintTranslations } from '../domain/lint/translations.ts';
import { parseSequence } from '../domain/sequence/parse-sequence.ts';
import { kindOfSequence } from '../domain/sequence/triggers.ts';
import { subjectKinds } from '../domain/subjects/index.ts';
import { tenantSettings } from '../domain/tenant-settings.ts';
import { type Command, jsonOption, UsageError } from './command.ts';
import { presetOrFile, readText, textsBeside } from './sequence-file.ts';

export const lint: Command = {
  summary: 'what is wrong with sequence files, or hardly what was meant',
  usage: `rekindle lint <sequence | file.yaml …> [--settings '{"country":"AT"}']

Errors: mistakes of format, and what a law or a provider forbids. Warnings: steps that never go out, or are lost at some hours, by their conditions, the quiet hours and
the time between messages. The texts in the folder beside the file are compiled as they are when they are published: a misspelt variable is an error, as is a missing translation where there are some. Each is named with file, line and remedy.
The exit status is 1 where there is an error. No server is asked.

--settings    of the store for which they are meant, as rekindle settings shows them: its country, postal address, time zone, quiet hours`,
  example: 'rekindle lint sequences/cart.yaml --settings \'{"country":"AT"}\'',
  takes: Number.POSITIVE_INFINITY,
  options: { settings: { type: 'string' } },
  async run({ args, options }) {
    if (args.length === 0) throw new UsageError('The sequence to check is missing.');
    const settings = tenantSettings.partial().safeParse(jsonOption(options, 'settings') ?? {});
    if (!settings.success)
      throw new UsageError(`--settings: ${settings.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`);
    // A field that is left out is not known, though it has a default.
    const given = Object.keys(jsonOption(options, 'settings') ?? {});
    const known = Object.fromEntries(Object.entries(settings.data).filter(([name]) => given.includes(name)));
    const files: { file: string; findings: LintedLine[] }[] = [];
    for (const wanted of args) {
      const file = presetOrFile(wanted);
      const yaml = readText(file);
      files.push({ file, findings: lintSequence(yaml, known) }, ...(await textFindings(file, yaml)));
    }
    const lines = files.flatMap(({ file, findings }) => findings.map((finding) => lineOf(file, finding)));
    const failed = files.some(({ findings }) => findings.some(({ severity }) => severity === 'error'));
    return { data: files, lines: lines.length === 0 ? ['Nothing to say about it.'] : lines, failed };
  },
};

/** What is wrong with the texts that lie beside it. */
async function textFindings(file: string, yaml: string): Promise<{ file: string; findings: LintedLine[] }[]> {
  const { folder, texts } = textsBeside(file, yaml);
  const fileOf = (name: string) => join(dirname(folder), `${name}.${name.endsWith('.brief') ? 'yaml' : 'liquid'}`);
  const translations = lintTranslations(yaml, texts, fileOf).map((problem) => ({ ...problem, line: null, rule: 'translations' }));
  const parsed = parseSequence(yaml);
  const kind = parsed.ok ? kindOfSequence(subjectKinds, parsed.definition) : null;
  const compiled = parsed.ok && kind !== null && Object.keys(texts).length > 0 ? await compiledTexts(parsed.definition, kind, texts, fileOf) : [];
  return [...translations, ...compiled].map(({ file: of, line, message, rule }) => ({
    file: of,
    findings: [{ line: line ?? 1, column: 1, message, rule, severity: 'error' as const }],
  }));
}

async function compiledTexts(...asked: Parameters<typeof lintTexts>): Promise<(SourceProblem & { rule: string })[]> {
  // Loaded where there are texts alone: it brings the compiler of emails.
  const compiler = await import('../content/lint-texts.ts');
  return (await compiler.lintTexts(...asked)).map((problem) => ({ ...problem, rule: 'texts' }));
}

const lineOf = (file: string, { line, column, severity, rule, message }: LintedLine) =>
  `${file}:${line}:${column}: ${severity}: ${message}${/[.!?]$/.test(message) ? '' : '.'} [${rule}]`;
