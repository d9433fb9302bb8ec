import type { ChatButton } from '../../../domain/channels/index.ts';
import { isRightToLeft } from '../../../domain/languages.ts';
import { type CommonView, commonView } from '../../common-view.ts';
import type { CommonFacts } from '../../copy-facts.ts';
import { fixedWordsOf } from '../../fixed-words.ts';
import { cachingRenderer, textEngine } from '../../liquid.ts';
import type { CompiledTelegram } from './compiled.ts';

/** Everything that a message in a chat may say. */
export interface TelegramFacts extends CommonFacts {
  /** The message's own short link, absolute. */
  shortUrl: string;
}

/** Every link in such a message is its own short one: links of the subject and of the store lead there as well. */
export function telegramView(facts: TelegramFacts, language: string): CommonView {
  const hasPage = facts.subject.kind.link(facts.subject.details) !== null;
  return commonView(facts, { subject: hasPage ? facts.shortUrl : null, store: facts.shortUrl }, language);
}

const render = cachingRenderer(textEngine);

const tidyLine = (text: string) =>
  text
    .replace(/\p{Surrogate}/gu, '')
    .replace(/[^\S\n]+/g, ' ')
    .trim();

/** The text as it would be sent. Pure: the same input gives the same text. */
export function renderTelegram({ text, language }: CompiledTelegram, facts: TelegramFacts): string {
  const said = render(text, telegramView(facts, language))
    .split('\n')
    .map(tidyLine)
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  const labelled = facts.synthetic ? `[${fixedWordsOf(language).syntheticText}] ${said}` : said;
  return isRightToLeft(language) ? labelled.split('\n').map(fromTheRight).join('\n') : labelled;
}

/** Programs align a line by its first letter: a Latin name or a link in front would turn a Persian line around. */
function fromTheRight(line: string): string {
  const [first] = line.replace(/\u2068[^\u2069]*\u2069/g, '').match(/\p{L}/u) ?? [];
  const beginsRight = first !== undefined && /[\p{Script=Arabic}\p{Script=Hebrew}]/u.test(first) && !line.startsWith('\u2068');
  return line === '' || beginsRight ? line : `\u200f${line}`;
}

/** @returns row by row */
export function renderButtons({ buttons, language }: CompiledTelegram, facts: TelegramFacts): ChatButton[][] {
  const view = telegramView(facts, language);
  return buttons.map(({ text, value }) => {
    const caption = tidyLine(render(text, view)).replaceAll('\n', ' ');
    return [value === null ? { text: caption, url: facts.shortUrl } : { text: caption, value }];
  });
}
