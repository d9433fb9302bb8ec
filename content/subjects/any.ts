import type { AnySubjectKind } from '../../domain/subjects/index.ts';
import type { SubjectContent } from './subject-content.ts';

/** The button alone. */
export const anyBlock = { html: 'any.mjml', text: 'any.text.liquid' };

/** For kinds that have no content of their own: the button, tried with what their own schema makes of nothing. */
export function contentOfAny(kind: AnySubjectKind): SubjectContent {
  return { block: anyBlock, samples: [{ name: `a ${kind.words.noun}`, details: kind.details.parse({}), valueMinor: null, currency: null }] };
}
