import { parseDocument } from 'yaml';
import { z } from 'zod';
import { type CopySource, CopySourceError, languageOfCopy, refuseProblems, type SourceProblem } from '../../copy-source.ts';
import { faultsOfText, lintAddresses, lintLiquid } from '../../lint-liquid.ts';
import { textEngine } from '../../liquid.ts';
import { samplesOf } from '../../samples.ts';
import type { CopyPurpose } from '../channel-content.ts';
import type { CompiledPopup } from './compiled.ts';
import { popupView, renderPopup } from './render.ts';

/** The most characters of each part with every sample: what fits a telephone of 320 pixels without scrolling. */
const limits = { heading: 80, text: 280, cta: 40, close: 30 };
type Part = keyof typeof limits;

const oneLine = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .regex(/^[^\n]*$/, 'must be one line');
const frontMatter = z.strictObject({
  heading: oneLine,
  cta: oneLine,
  close: oneLine,
  /** BCP 47 language of the words. */
  language: oneLine.optional(),
});

/**
 * Compile one copy file: YAML front matter (`heading`, `cta`, `close`, optional `language`), then the text in Liquid.
 * @throws CopySourceError with every problem found: bad syntax, unknown variables, holes, and parts that are too long for a pop-up
 */
export function compilePopup(source: CopySource, purpose: CopyPurpose): CompiledPopup {
  const { kind } = purpose;
  const { fields, body, bodyLine, lineOf } = parse(source);
  const language = languageOfCopy(source, lineOf('language'), fields.language, purpose.language);
  const compiled: CompiledPopup = { ...fields, language, text: body };
  const samples = samplesOf(kind).map(({ name, facts }) => ({ name, facts: { ...facts, clickUrl: 'https://mail.example.com/c/sample-token' } }));
  const views = samples.map(({ facts }) => popupView(facts, language));
  const parts = [
    ...(['heading', 'cta', 'close'] as const).map((part) => ({ liquid: fields[part], line: lineOf(part) })),
    { liquid: body, line: bodyLine },
  ];
  refuseProblems([...parts.flatMap((part) => lintLiquid(textEngine, source.file, part, views)), ...lintAddresses(source)]);
  refuseProblems(
    samples.flatMap(({ name, facts }) => {
      const popup = renderPopup(compiled, facts);
      return (Object.keys(limits) as Part[]).flatMap((part): SourceProblem[] =>
        faultsOf(part, popup[part]).map((fault) => ({
          file: source.file,
          line: part === 'text' ? bodyLine : lineOf(part),
          message: `${fault} (with ${name})`,
        })),
      );
    }),
  );
  return compiled;
}

function faultsOf(part: Part, text: string): string[] {
  const faults = faultsOfText(text);
  // As a reader counts them: an emoji family is one character.
  const length = [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)].length;
  if (text === '') faults.push(`the pop-up’s ${part} is empty`);
  if (length > limits[part]) faults.push(`the pop-up’s ${part} has ${length} characters, at most ${limits[part]} are allowed`);
  if (/https?:\/\//i.test(text)) faults.push(`the pop-up’s ${part} has an address in it: its one link is the button`);
  return faults;
}

function parse({ file, text }: CopySource) {
  const match = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)([\s\S]*)$/.exec(text);
  if (match === null) throw new CopySourceError([{ file, line: 1, message: 'must start with front matter between two lines of ---' }]);
  const [, yaml = '', rest = ''] = match;
  const document = parseDocument(yaml);
  const [broken] = document.errors;
  if (broken !== undefined) throw new CopySourceError([{ file, line: 2, message: broken.message.split('\n')[0] ?? '' }]);
  const lines = yaml.split('\n');
  // The YAML begins on the file's second line.
  const lineOf = (key: string) =>
    Math.max(
      0,
      lines.findIndex((line) => line.startsWith(`${key}:`)),
    ) + 2;
  const fields = frontMatter.safeParse(document.toJS() ?? {});
  if (!fields.success)
    throw new CopySourceError(
      fields.error.issues.map(({ path, message }) => ({
        file,
        line: lineOf(String(path[0])),
        message: `${path.join('.')} ${message}`.trim(),
      })),
    );
  const bodyLine = text.slice(0, text.length - rest.length).split('\n').length;
  return { fields: fields.data, body: rest.replaceAll('\r', ''), bodyLine, lineOf };
}
