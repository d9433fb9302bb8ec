import type { OnsitePayload } from '../../../domain/channels/index.ts';
import { type CommonView, commonView } from '../../common-view.ts';
import type { CommonFacts } from '../../copy-facts.ts';
import { fixedWordsOf } from '../../fixed-words.ts';
import { cachingRenderer, textEngine } from '../../liquid.ts';
import { isRightToLeft } from '../../../domain/languages.ts';
import type { CompiledPopup } from './compiled.ts';

/** Everything that a pop-up may say. */
export interface PopupFacts extends CommonFacts {
  /** Our own address, which counts the click and leads back to the subject. */
  clickUrl: string;
}

/**
 * What copy of pop-ups may use. No name: whoever sits at the browser has shown that they hold the cart, and nothing about the person whose address
 * was typed into it.
 */
export function popupView(facts: PopupFacts, language: string): CommonView {
  const hasPage = facts.subject.kind.link(facts.subject.details) !== null;
  const nameless = { ...facts, contact: { ...facts.contact, firstName: null } };
  return commonView(nameless, { subject: hasPage ? facts.clickUrl : null, store: facts.clickUrl }, language);
}

const render = cachingRenderer(textEngine);
const tidy = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Fill a published pop-up with facts. Pure and synchronous: the same input gives the same pop-up. */
export function renderPopup(compiled: CompiledPopup, facts: PopupFacts): OnsitePayload {
  const view = popupView(facts, compiled.language);
  const filled = (template: string) => tidy(render(template, view));
  return {
    channel: 'onsite',
    language: compiled.language.replaceAll('_', '-'),
    direction: isRightToLeft(compiled.language) ? 'rtl' : 'ltr',
    heading: filled(compiled.heading),
    text: filled(compiled.text),
    cta: filled(compiled.cta),
    url: facts.clickUrl,
    close: filled(compiled.close),
    label: facts.synthetic ? fixedWordsOf(compiled.language).syntheticText : null,
  };
}
