import type { WhatsappPayload } from '../../../domain/channels/index.ts';
import { type CommonView, commonView } from '../../common-view.ts';
import type { CommonFacts } from '../../copy-facts.ts';
import { fixedWordsOf } from '../../fixed-words.ts';
import { cachingRenderer, textEngine } from '../../liquid.ts';
import type { CompiledWhatsapp } from './compiled.ts';

/** Everything that a WhatsApp message may say. */
export interface WhatsappFacts extends CommonFacts {
  /** The message's own short link, absolute. */
  shortUrl: string;
}

type Message = WhatsappPayload['message'];

/** Every link in a WhatsApp message is its own short one: links of the subject and of the store lead there as well. */
export function whatsappView(facts: WhatsappFacts, language: string): CommonView {
  const hasPage = facts.subject.kind.link(facts.subject.details) !== null;
  return commonView(facts, { subject: hasPage ? facts.shortUrl : null, store: facts.shortUrl }, language);
}

const render = cachingRenderer(textEngine);

/** Free text as it would be sent; null: there is none. Pure: the same input gives the same text. */
export function renderText({ text, language }: CompiledWhatsapp, facts: WhatsappFacts): Message | null {
  if (text === null) return null;
  const said = render(text, whatsappView(facts, language))
    .replace(/\p{Surrogate}/gu, '')
    .split('\n')
    .map((line) => line.replace(/[^\S\n]+/g, ' ').trim())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  return { form: 'text', text: facts.synthetic ? `[${fixedWordsOf(language).syntheticText}] ${said}` : said };
}

/** The template with its parameters; null: there is none. A parameter is one line: WhatsApp refuses line breaks, tabs and wide gaps. */
export function renderTemplate({ template, language }: CompiledWhatsapp, facts: WhatsappFacts): Message | null {
  if (template === null) return null;
  const view = whatsappView(facts, language);
  const parameters = template.parameters.map((liquid) =>
    render(liquid, view)
      .replace(/\p{Surrogate}/gu, '')
      .replace(/\s+/g, ' ')
      .trim(),
  );
  const [first, ...rest] = parameters;
  const labelled = facts.synthetic && first !== undefined ? [`[${fixedWordsOf(language).syntheticText}] ${first}`, ...rest] : parameters;
  return { form: 'template', name: template.name, language: template.language, parameters: labelled };
}
