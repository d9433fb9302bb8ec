import { dirname, join } from 'node:path';
import { type LintedLine, lintSequence } from '../domain/lint/lint-sequence.ts';
import { lintTranslations } from '../domain/lint/translations.ts';
import { tenantSettings } from '../domain/tenant-settings.ts';
import { type Command, jsonOption, UsageError } from './command.ts';
import { presetOrFile, readText, textsBeside } from './sequence-file.ts';

export const lint: Command = {
  summary: 'what is wrong with sequence files, or hardly what was meant',
  usage: `rekindle lint <sequence | file.yaml …> [--settings '{"country":"AT"}']

Errors: mistakes of format, and what a law or a provider forbids. Warnings: steps that never go out, or are lost at some hours, by their conditions, the quiet hours and
the time between messages. Where the texts beside the file have translations, one that is missing is an error. Each is named with file, line and remedy. The exit status is 1 where there is an error. No server is asked.

--settings    of the store for which they are meant, as rekindle settings shows them: its country, postal address, time zone, quiet hours`,
  takes: Number.POSITIVE_INFINITY,
  options: { settings: { type: 'string' } },
  run({ args, options }) {
    if (args.length === 0) throw new UsageError('The sequence to check is missing.');
    const settings = tenantSettings.partial().safeParse(jsonOption(options, 'settings') ?? {});
    if (!settings.success)
      throw new UsageError(`--settings: ${settings.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`);
    // A field that is left out is not known, though it has a default.
    const given = Object.keys(jsonOption(options, 'settings') ?? {});
    const known = Object.fromEntries(Object.entries(settings.data).filter(([name]) => given.includes(name)));
    const files = args.flatMap((wanted) => {
      const file = presetOrFile(wanted);
      const yaml = readText(file);
      return [{ file, findings: lintSequence(yaml, known) }, ...textFindings(file, yaml)];
    });
    const lines = files.flatMap(({ file, findings }) => findings.map((finding) => lineOf(file, finding)));
    const failed = files.some(({ findings }) => findings.some(({ severity }) => severity === 'error'));
    return Promise.resolve({ data: files, lines: lines.length === 0 ? ['Nothing to say about it.'] : lines, failed });
  },
};

/** What is wrong with the texts that lie beside it. */
function textFindings(file: string, yaml: string): { file: string; findings: LintedLine[] }[] {
  const { folder, texts } = textsBeside(file, yaml);
  const problems = lintTranslations(yaml, texts, (name) => join(dirname(folder), `${name}.liquid`));
  return problems.map(({ file: of, message }) => ({
    file: of,
    findings: [{ line: 1, column: 1, message, rule: 'translations', severity: 'error' }],
  }));
}

const lineOf = (file: string, { line, column, severity, rule, message }: LintedLine) =>
  `${file}:${line}:${column}: ${severity}: ${message}${/[.!?]$/.test(message) ? '' : '.'} [${rule}]`;
