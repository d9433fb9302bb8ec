import type { PushPayload } from '../../../domain/channels/index.ts';
import { readPushAddress } from '../../../domain/people/push-subscription.ts';
import { isRightToLeft } from '../../../domain/languages.ts';
import { type CommonView, commonView } from '../../common-view.ts';
import type { CommonFacts } from '../../copy-facts.ts';
import { fixedWordsOf } from '../../fixed-words.ts';
import { cachingRenderer, textEngine } from '../../liquid.ts';
import type { CompiledPush } from './compiled.ts';

/** Everything that a notification may say. */
export interface PushFacts extends CommonFacts {
  /** The message's own short link, absolute. */
  shortUrl: string;
}

/** @param knowsPerson - whether the subscription is the person's; a browser that only holds the subject is told nobody's name */
export function pushView(facts: PushFacts, language: string, knowsPerson: boolean): CommonView {
  const hasPage = facts.subject.kind.link(facts.subject.details) !== null;
  const said = knowsPerson ? facts : { ...facts, contact: { ...facts.contact, firstName: null } };
  return commonView(said, { subject: hasPage ? facts.shortUrl : null, store: facts.shortUrl }, language);
}

const render = cachingRenderer(textEngine);
const tidy = (text: string) =>
  text
    .replace(/\p{Surrogate}/gu, '')
    .replace(/\s+/g, ' ')
    .trim();

/** Fill a published notification with facts. Pure and synchronous: the same input gives the same notification. */
export function renderPush(compiled: CompiledPush, facts: PushFacts, to: string): PushPayload {
  const { language } = compiled;
  const view = pushView(facts, language, readPushAddress(to).subjectId === null);
  const filled = (template: string) => tidy(render(template, view));
  const title = filled(compiled.title);
  return {
    channel: 'push',
    to,
    language: language.replaceAll('_', '-'),
    direction: isRightToLeft(language) ? 'rtl' : 'ltr',
    title: facts.synthetic ? `[${fixedWordsOf(language).syntheticText}] ${title}` : title,
    text: filled(compiled.text),
    url: facts.shortUrl,
  };
}
