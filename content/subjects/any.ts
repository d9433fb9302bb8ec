import type { AnySubjectKind } from '../../domain/subjects/index.ts';
import type { SubjectContent } from './subject-content.ts';

/** The button alone. */
export const anyBlock = { html: 'any.mjml', text: 'any.text.liquid' };

/** The content of kinds without one of their own: the button alone, with a sample that the kind's schema makes from an empty object. */
export function contentOfAny(kind: AnySubjectKind): SubjectContent {
  return { block: anyBlock, samples: [{ name: `a ${kind.words.noun}`, details: kind.details.parse({}), valueMinor: null, currency: null }] };
}
