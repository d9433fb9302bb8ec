import { z } from 'zod';
import { type CopySource, languageOfCopy, refuseProblems } from '../../copy-source.ts';
import { readFrontMatter } from '../../front-matter.ts';
import { faultsOfText, lintAddresses, lintLiquid } from '../../lint-liquid.ts';
import { textEngine } from '../../liquid.ts';
import { samplesOf } from '../../samples.ts';
import type { CopyPurpose } from '../channel-content.ts';
import type { CompiledTelegram } from './compiled.ts';
import { renderButtons, renderTelegram, type TelegramFacts, telegramView } from './render.ts';

const mostButtons = 8;
/** Of what a button reports, in bytes of UTF-8. Source: core.telegram.org/bots/api#inlinekeyboardbutton */
const mostBytes = 64;
/** Source: core.telegram.org/bots/api#sendmessage */
const mostCharacters = 4_096;
/** Of a caption: what a phone shows in one line. */
const mostOfCaption = 40;
/** As long as the short links of an installation with an address of ordinary length. */
const sampleUrl = 'https://mail.example.com/s/0123456789abcdefghijkl';

const frontMatter = z.strictObject({
  /** BCP 47 language of the words. */
  language: z.string().trim().min(1).optional(),
  buttons: z
    .array(
      z.strictObject({
        text: z.string().trim().min(1),
        /** What the bot hears when it is pressed; left out: it opens the message's link. */
        value: z
          .string()
          .regex(/^[\x21-\x7e]+$/, 'is no value of a button: letters, digits and signs of ASCII without spaces')
          .max(mostBytes)
          .optional(),
      }),
    )
    .max(mostButtons)
    .default([]),
});

/**
 * Compile one copy file: the text in Liquid, before it YAML front matter (`language`, `buttons`).
 * @throws CopySourceError with every problem found: bad syntax, unknown variables, holes, a text or a caption that is too long or empty
 */
export function compileTelegram(source: CopySource, { kind, language: named }: CopyPurpose): CompiledTelegram {
  const { file } = source;
  const { fields, body, bodyLine: line, lineOf } = readFrontMatter(source, frontMatter, null);
  const language = languageOfCopy(source, lineOf('language'), fields.language, named);
  const buttons = fields.buttons.map(({ text: caption, value }) => ({ text: caption, value: value ?? null }));
  const compiled: CompiledTelegram = { language, text: body, buttons };
  const samples = samplesOf(kind).map(({ name, facts }) => ({ name, facts: { ...facts, shortUrl: sampleUrl } }));
  const views = samples.map(({ facts }) => telegramView(facts, language));
  refuseProblems([
    ...lintLiquid(textEngine, file, { liquid: compiled.text, line }, views),
    ...buttons.flatMap(({ text: liquid }, index) => lintLiquid(textEngine, file, { liquid, line: lineOf('buttons', index) }, views)),
    ...lintAddresses(source),
  ]);
  refuseProblems(
    samples.flatMap(({ name, facts }) => faultsOf(compiled, facts).map((fault) => ({ file, line: null, message: `${fault} (with ${name})` }))),
  );
  return compiled;
}

function faultsOf(compiled: CompiledTelegram, facts: TelegramFacts): string[] {
  const text = renderTelegram(compiled, facts);
  const faults = faultsOfText(text);
  if (text === '') faults.push('the text is empty');
  if (text.length > mostCharacters) faults.push(`the text has ${text.length} characters, at most ${mostCharacters} are allowed`);
  const links = text.match(/\bhttps?:\/\/\S+/g) ?? [];
  if (links.some((link) => !link.startsWith(facts.shortUrl))) faults.push('the text has a link that is not its own short one, {{ link.url }}');
  for (const [index, [button]] of renderButtons(compiled, facts).entries()) {
    if (button === undefined) continue;
    faults.push(...faultsOfText(button.text).map((fault) => `button ${index + 1}: ${fault}`));
    if (button.text === '') faults.push(`button ${index + 1} has no caption`);
    if (button.text.length > mostOfCaption) faults.push(`the caption of button ${index + 1} has more than ${mostOfCaption} characters`);
  }
  return faults;
}
