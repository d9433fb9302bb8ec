import { z } from 'zod';
import { samplePushAddress } from '../../../domain/people/push-subscription.ts';
import { type CopySource, languageOfCopy, refuseProblems, type SourceProblem } from '../../copy-source.ts';
import { missingFrontMatter, oneLine, readFrontMatter } from '../../front-matter.ts';
import { countCharacters, faultsOfText, lintAddresses, lintLiquid } from '../../lint-liquid.ts';
import { textEngine } from '../../liquid.ts';
import { samplesOf } from '../../samples.ts';
import type { CopyPurpose } from '../channel-content.ts';
import type { CompiledPush } from './compiled.ts';
import { pushView, renderPush } from './render.ts';

/** What a phone shows of a notification before it is opened, in characters as a reader counts them. */
const limits = { title: 50, text: 150 };
type Part = keyof typeof limits;

const frontMatter = z.strictObject({
  title: oneLine,
  /** BCP 47 language of the words. */
  language: oneLine.optional(),
});

/** As long as the short links of an installation with an address of ordinary length. */
const sampleUrl = 'https://mail.example.com/s/0123456789abcdefghijkl';
/** Of nobody: the samples go to a subscription of the person's own, and to one of a browser that holds the subject alone. */
const addresses = [samplePushAddress, `${samplePushAddress} 00000000-0000-4000-8000-000000000000`];

/**
 * Compile one copy file: YAML front matter (`title`, optional `language`), then the text in Liquid.
 * @throws CopySourceError with every problem found: bad syntax, unknown variables, holes, and parts that are too long for a notification
 */
export function compilePush(source: CopySource, purpose: CopyPurpose): CompiledPush {
  const { file } = source;
  const { fields, body, bodyLine, lineOf } = readFrontMatter(source, frontMatter, missingFrontMatter);
  const language = languageOfCopy(source, lineOf('language'), fields.language, purpose.language);
  const compiled: CompiledPush = { language, title: fields.title, text: body };
  const samples = samplesOf(purpose.kind).map(({ name, facts }) => ({ name, facts: { ...facts, shortUrl: sampleUrl } }));
  const views = samples.flatMap(({ facts }) => [true, false].map((knowsPerson) => pushView(facts, language, knowsPerson)));
  const parts = { title: { liquid: fields.title, line: lineOf('title') }, text: { liquid: body, line: bodyLine } };
  refuseProblems([...Object.values(parts).flatMap((part) => lintLiquid(textEngine, file, part, views)), ...lintAddresses(source)]);
  refuseProblems(
    samples.flatMap(({ name, facts }) =>
      addresses.flatMap((to) => {
        const made = renderPush(compiled, facts, to);
        return (Object.keys(limits) as Part[]).flatMap((part): SourceProblem[] =>
          faultsOf(part, made[part]).map((fault) => ({ file, line: parts[part].line, message: `${fault} (with ${name})` })),
        );
      }),
    ),
  );
  return compiled;
}

function faultsOf(part: Part, text: string): string[] {
  const faults = faultsOfText(text);
  const length = countCharacters(text);
  if (text === '') faults.push(`the notification’s ${part} is empty`);
  if (length > limits[part]) faults.push(`the notification’s ${part} has ${length} characters, at most ${limits[part]} are allowed`);
  if (/https?:\/\//i.test(text)) faults.push(`the notification’s ${part} has an address in it: a tap leads there by itself`);
  return faults;
}
