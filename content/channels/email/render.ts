import { isRightToLeft } from '../../../domain/languages.ts';
import { cachingRenderer, htmlEngine, textEngine } from '../../liquid.ts';
import { singleLine } from '../../plain-text.ts';
import type { CompiledEmail } from './compiled.ts';
import { type EmailFacts, type EmailView, emailView } from './view.ts';

/** An email as it is sent. */
export interface RenderedEmail {
  subject: string;
  html: string;
  text: string;
}

const renderHtml = cachingRenderer(htmlEngine);
const renderText = cachingRenderer(textEngine);

/**
 * Fill a published email with facts. Pure and synchronous: the same input gives the same bytes.
 * @throws CopyFactsError where a fact that the law demands is missing; liquidjs's errors where the stored templates do not fit
 * this version's variables
 */
export function renderEmail(compiled: CompiledEmail, facts: EmailFacts): RenderedEmail {
  return renderView(compiled, emailView(facts, compiled.language));
}

/** The same, where the view is made already. */
export function renderView(compiled: CompiledEmail, view: EmailView): RenderedEmail {
  return {
    subject: singleLine(renderText(compiled.subject, view)).replace(/\s+/gu, ' '),
    html: renderHtml(compiled.html, view),
    text: directed(tidy(renderText(compiled.text, view)), compiled.language),
  };
}

/** The preheader and the words of the button, for a preview; null: they were not kept when the email was compiled. */
export function renderEmailParts({ preheader, cta, language }: CompiledEmail, facts: EmailFacts): { preheader: string | null; cta: string | null } {
  const view = emailView(facts, language);
  const line = (template: string | null) => (template === null ? null : singleLine(renderText(template, view)).replace(/\s+/gu, ' '));
  return { preheader: line(preheader), cta: line(cta) };
}

/** Each line of a right-to-left text begins with a mark of its direction: else one that begins with a Latin name is read from the left. */
function directed(text: string, language: string): string {
  return isRightToLeft(language) ? text.replace(/^(?!https?:)(?=.)/gm, '\u200f') : text;
}

/** Sentences that were left out leave blank lines and doubled spaces behind. */
function tidy(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/[ \t]+/g, ' ').trim());
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}
