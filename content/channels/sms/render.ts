import type { CommonFacts } from '../../copy-facts.ts';
import { type CommonView, commonView } from '../../common-view.ts';
import { fixedWordsOf } from '../../fixed-words.ts';
import { cachingRenderer, textEngine } from '../../liquid.ts';
import type { CompiledSms } from './compiled.ts';
import { optOutWording } from './opt-out.ts';
import { isGsm7, plainPunctuation } from './segments.ts';
import { transliterate } from './transliterate.ts';

/** Everything that a text message may say. */
export interface SmsFacts extends CommonFacts {
  /** The message's own short link, absolute. */
  shortUrl: string;
  /** The tenant's own wording of the opt-out; null: the usual one. */
  optOut: string | null;
  /** The person has never got a text before: this one says how to opt out, even if its copy does not. */
  isFirst: boolean;
  /** Letters are spelled in the default alphabet where there is a usual spelling; absent: as they are. */
  transliterates?: boolean;
}

/** What copy of text messages may use beside what every channel has. */
export interface SmsView extends CommonView {
  /** e.g. `Reply STOP to opt out`. */
  optOut: string;
}

/** Every link in a text message is its own short one: links of the subject and of the store lead there as well. */
export function smsView(facts: SmsFacts, language: string): SmsView {
  const hasPage = facts.subject.kind.link(facts.subject.details) !== null;
  const view = commonView(facts, { subject: hasPage ? facts.shortUrl : null, store: facts.shortUrl }, language);
  return { ...view, optOut: optOutWording(facts.optOut, language) };
}

const render = cachingRenderer(textEngine);

/** Fill a published text with facts. Pure and synchronous: the same input gives the same text. */
export function renderSms(compiled: CompiledSms, facts: SmsFacts): string {
  const view = smsView(facts, compiled.language);
  // Directional marks are for lines in which scripts are mixed on a page; here each of them would cost as much as a letter.
  const plain = plainPunctuation(
    render(compiled.text, view)
      .replace(/[\u2066-\u2069]/g, '')
      .replace(/\p{Surrogate}/gu, ''),
  );
  const text = tidy(facts.transliterates === true ? transliterate(plain, isGsm7) : plain);
  const demo = facts.synthetic ? `[${fixedWordsOf(compiled.language).syntheticText}] ${text}` : text;
  return facts.isFirst && !demo.includes(view.optOut) ? `${demo}${/\s$/.test(demo) ? '' : ' '}${view.optOut}` : demo;
}

/** Sentences that were left out leave blank lines and doubled spaces behind. */
function tidy(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .join('\n')
    .replace(/\n{2,}/g, '\n')
    .trim();
}
