import { z } from 'zod';
import { type CopySource, languageOfCopy, refuseProblems } from '../../copy-source.ts';
import { readFrontMatter } from '../../front-matter.ts';
import { faultsOfText, lintAddresses, lintLiquid } from '../../lint-liquid.ts';
import { textEngine } from '../../liquid.ts';
import { samplesOf } from '../../samples.ts';
import type { CopyPurpose } from '../channel-content.ts';
import type { CompiledCall } from './compiled.ts';
import { callView, renderCall } from './render.ts';

const id = z.string().trim().min(1).max(100);
const frontMatter = z.strictObject({
  /** BCP 47 language of the words. */
  language: z.string().trim().min(1).optional(),
  /** How this call is made, before its campaign and its connection are asked. */
  assistant: id.optional(),
  phoneNumber: id.optional(),
  maxSeconds: z.int().min(10).max(3_600).optional(),
});

/** Nobody listens to more before they may answer. */
const mostCharacters = 600;

/**
 * Compile one script: what the assistant says first, in Liquid, before it optional YAML front matter (`language`, `assistant`, `phoneNumber`,
 * `maxSeconds`).
 * @throws CopySourceError with every problem found: bad syntax, unknown variables, holes, an opening that is too long or has an address in it
 */
export function compileCall(source: CopySource, { kind, language: named }: CopyPurpose): CompiledCall {
  const { file } = source;
  const { fields, body, bodyLine: line, lineOf } = readFrontMatter(source, frontMatter, null);
  const { assistant = null, phoneNumber = null, maxSeconds = null } = fields;
  const language = languageOfCopy(source, lineOf('language'), fields.language, named);
  const compiled: CompiledCall = { text: body, language, assistant, phoneNumber, maxSeconds };
  const samples = samplesOf(kind);
  const views = samples.map(({ facts }) => callView(facts, language));
  refuseProblems([...lintLiquid(textEngine, file, { liquid: compiled.text, line }, views), ...lintAddresses(source)]);
  refuseProblems(
    samples.flatMap(({ name, facts }) => faultsOf(renderCall(compiled, facts)).map((fault) => ({ file, line, message: `${fault} (with ${name})` }))),
  );
  return compiled;
}

function faultsOf(said: string): string[] {
  const faults = faultsOfText(said);
  if (said === '') faults.push('the assistant says nothing');
  if (said.length > mostCharacters) faults.push(`the assistant begins with ${said.length} characters, at most ${mostCharacters} are allowed`);
  if (/https?:\/\//i.test(said)) faults.push('an address cannot be spoken: leave it out');
  return faults;
}
