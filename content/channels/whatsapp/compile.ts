import { z } from 'zod';
import { type CopySource, languageOfCopy, refuseProblems } from '../../copy-source.ts';
import { readFrontMatter } from '../../front-matter.ts';
import { faultsOfText, lintAddresses, lintLiquid } from '../../lint-liquid.ts';
import { textEngine } from '../../liquid.ts';
import { samplesOf } from '../../samples.ts';
import type { CopyPurpose } from '../channel-content.ts';
import type { CompiledWhatsapp } from './compiled.ts';
import { renderTemplate, renderText, type WhatsappFacts, whatsappView } from './render.ts';

const frontMatter = z.strictObject({
  /** BCP 47 language of the words. */
  language: z.string().trim().min(1).optional(),
  template: z
    .strictObject({
      name: z.string().regex(/^[a-z0-9_]{1,512}$/, 'is no name of a template: lower-case letters, digits and underscores'),
      /** As the template has it at the provider. */
      language: z.string().regex(/^[a-z]{2,3}(_[A-Z]{2})?$/, 'is no language of a template, such as en or en_US'),
      /** What stands for {{1}}, {{2}} … of its body, in Liquid. */
      parameters: z.array(z.string()).max(20).default([]),
    })
    .optional(),
});

// Source: developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
const mostCharacters = 4_096;
const mostOfParameters = 1_024;
/** As long as the short links of an installation with an address of ordinary length. */
const sampleUrl = 'https://mail.example.com/s/0123456789abcdefghijkl';

/**
 * Compile one copy file: free text in Liquid, before it YAML front matter (`language`, `template`). One of the two is needed.
 * @throws CopySourceError with every problem found: bad syntax, unknown variables, holes, a text or parameters that are too long or empty
 */
export function compileWhatsapp(source: CopySource, { kind, language: named }: CopyPurpose): CompiledWhatsapp {
  const { file } = source;
  const { fields, body, bodyLine: line, lineOf } = readFrontMatter(source, frontMatter, null);
  const language = languageOfCopy(source, lineOf('language'), fields.language, named);
  const free = body.trim() === '' ? null : body;
  const compiled: CompiledWhatsapp = { language, text: free, template: fields.template ?? null };
  if (free === null && compiled.template === null)
    refuseProblems([{ file, line: null, message: 'the file says nothing: write a text, or name a `template` before it' }]);
  const samples = samplesOf(kind).map(({ name, facts }) => ({ name, facts: { ...facts, shortUrl: sampleUrl } }));
  const views = samples.map(({ facts }) => whatsappView(facts, language));
  refuseProblems([
    ...lintLiquid(textEngine, file, { liquid: free ?? '', line }, views),
    ...(compiled.template?.parameters ?? []).flatMap((liquid, index) =>
      lintLiquid(textEngine, file, { liquid, line: lineOf('template', 'parameters', index) }, views),
    ),
    ...lintAddresses(source),
  ]);
  refuseProblems(
    samples.flatMap(({ name, facts }) => faultsOf(compiled, facts).map((fault) => ({ file, line: null, message: `${fault} (with ${name})` }))),
  );
  return compiled;
}

function faultsOf(compiled: CompiledWhatsapp, facts: WhatsappFacts): string[] {
  const faults: string[] = [];
  const text = renderText(compiled, facts);
  if (text?.form === 'text') {
    faults.push(...faultsOfText(text.text));
    if (text.text === '') faults.push('the text is empty');
    if (text.text.length > mostCharacters) faults.push(`the text has ${text.text.length} characters, at most ${mostCharacters} are allowed`);
    const links = text.text.match(/\bhttps?:\/\/\S+/g) ?? [];
    if (links.some((link) => !link.startsWith(facts.shortUrl))) faults.push('the text has a link that is not its own short one, {{ link.url }}');
  }
  const template = renderTemplate(compiled, facts);
  if (template?.form === 'template') {
    for (const [index, parameter] of template.parameters.entries()) {
      faults.push(...faultsOfText(parameter).map((fault) => `parameter ${index + 1}: ${fault}`));
      if (parameter === '') faults.push(`parameter ${index + 1} is empty, and WhatsApp refuses the message: give it a \`default\``);
    }
    const length = template.parameters.join('').length;
    if (length > mostOfParameters) faults.push(`the parameters have ${length} characters, at most ${mostOfParameters} are allowed`);
  }
  return faults;
}
