import { z } from 'zod';
import { type CopySource, languageOfCopy, refuseProblems, type SourceProblem } from '../../copy-source.ts';
import { readFrontMatter } from '../../front-matter.ts';
import { faultsOfText, lintAddresses, lintLiquid } from '../../lint-liquid.ts';
import { textEngine } from '../../liquid.ts';
import { samplesOf } from '../../samples.ts';
import type { CopyPurpose } from '../channel-content.ts';
import type { CompiledSms } from './compiled.ts';
import { renderSms, type SmsFacts, smsView } from './render.ts';
import { countSegments, isGsm7 } from './segments.ts';

const frontMatter = z.strictObject({
  /** BCP 47 language of the words: the opt-out hint is in it. */
  language: z.string().trim().min(1).optional(),
  /** How many parts the text may be sent and billed as. */
  segments: z.int().min(1).max(10).default(3),
});

/** As long as the short links of an installation with an address of ordinary length. */
const sampleUrl = 'https://mail.example.com/s/0123456789abcdefghijkl';

/**
 * Compile one copy file: the text in Liquid, before it optional YAML front matter (`language`, `segments`).
 * @throws CopySourceError with every problem found: bad syntax, unknown variables, holes, a text that is too long, one that does not lead
 * anywhere, and a first text without the hint how to opt out
 */
export function compileSms(source: CopySource, purpose: CopyPurpose): CompiledSms {
  const { kind, isFirst } = purpose;
  const { fields, body, bodyLine, lineOf } = readFrontMatter(source, frontMatter, null);
  const language = languageOfCopy(source, lineOf('language'), fields.language, purpose.language);
  const compiled: CompiledSms = { text: body, language };
  const samples = samplesOf(kind).map(({ name, facts }) => ({ name, facts: { ...facts, shortUrl: sampleUrl, optOut: null, isFirst } }));
  refuseProblems([
    ...lintLiquid(
      textEngine,
      source.file,
      { liquid: body, line: bodyLine },
      samples.map(({ facts }) => smsView(facts, language)),
    ),
    ...lintAddresses(source),
  ]);
  refuseProblems(samples.flatMap(({ name, facts }) => problemsOf(source.file, name, compiled, facts, fields.segments)));
  return compiled;
}

function problemsOf(file: string, state: string, compiled: CompiledSms, facts: SmsFacts, mostSegments: number): SourceProblem[] {
  // What the copy itself says, without the hint that is added where it is missing.
  const own = renderSms(compiled, { ...facts, isFirst: false });
  const sent = renderSms(compiled, facts);
  const { segments, encoding } = countSegments(sent);
  const { optOut } = smsView(facts, compiled.language);
  const faults = faultsOfText(own);
  if (own === '') faults.push('the text is empty');
  if (segments > mostSegments) {
    const costly = encoding === 'UCS-2' ? ` (${[...new Set(sent)].filter((c) => !isGsm7(c)).join(' ')} make each of them shorter)` : '';
    faults.push(
      `the text is sent in ${segments} parts${costly}, at most ${mostSegments} are allowed: shorten it, or say \`segments: ${segments}\` before it`,
    );
  }
  const links = own.match(/\bhttps?:\/\/\S+/g) ?? [];
  if (links.length === 0) faults.push('the text leads nowhere: it needs its link once, as {{ link.url }}');
  if (links.length > 1 || links.some((link) => !link.startsWith(facts.shortUrl)))
    faults.push('the text has more links than its own short one, {{ link.url }}');
  if (facts.isFirst && !own.includes(optOut))
    faults.push(`the first text of a sequence says how to opt out: write {{ optOut }}, which is "${optOut}"`);
  return faults.map((fault) => ({ file, line: null, message: `${fault} (with ${state})` }));
}
