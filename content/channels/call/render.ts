import { type CommonView, commonView } from '../../common-view.ts';
import type { CommonFacts } from '../../copy-facts.ts';
import { fixedWordsOf } from '../../fixed-words.ts';
import { cachingRenderer, textEngine } from '../../liquid.ts';
import type { CompiledCall } from './compiled.ts';

/** What the script of a call may use. */
export function callView(facts: CommonFacts, language: string): CommonView {
  return commonView(facts, { subject: null, store: facts.store.url }, language);
}

const render = cachingRenderer(textEngine);

/** What the assistant says first. Pure and synchronous: the same input gives the same words. */
export function renderCall(compiled: CompiledCall, facts: CommonFacts): string {
  const said = render(compiled.text, callView(facts, compiled.language))
    .replace(/[\u2066-\u2069]/g, '')
    .replace(/\p{Surrogate}/gu, '')
    .replace(/\s+/g, ' ')
    .trim();
  return facts.synthetic ? `${fixedWordsOf(compiled.language).syntheticText}. ${said}` : said;
}
