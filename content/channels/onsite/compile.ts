import { z } from 'zod';
import { type CopySource, languageOfCopy, refuseProblems, type SourceProblem } from '../../copy-source.ts';
import { missingFrontMatter, oneLine, readFrontMatter } from '../../front-matter.ts';
import { countCharacters, faultsOfText, lintAddresses, lintLiquid } from '../../lint-liquid.ts';
import { textEngine } from '../../liquid.ts';
import { samplesOf } from '../../samples.ts';
import type { CopyPurpose } from '../channel-content.ts';
import type { CompiledPopup } from './compiled.ts';
import { popupView, renderPopup } from './render.ts';

/** The most characters of each part with every sample: what fits a telephone of 320 pixels without scrolling. */
const limits = { heading: 80, text: 280, cta: 40, close: 30 };
type Part = keyof typeof limits;

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
  const { fields, body, bodyLine, lineOf } = readFrontMatter(source, frontMatter, missingFrontMatter);
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
  const length = countCharacters(text);
  if (text === '') faults.push(`the pop-up’s ${part} is empty`);
  if (length > limits[part]) faults.push(`the pop-up’s ${part} has ${length} characters, at most ${limits[part]} are allowed`);
  if (/https?:\/\//i.test(text)) faults.push(`the pop-up’s ${part} has an address in it: its one link is the button`);
  return faults;
}
