import type { SubjectFacts } from '../copy-facts.ts';

/** An invented subject, in a state in which copy is tried before it is published. */
export type SubjectSample = { name: string } & Omit<SubjectFacts, 'kind'>;

/** How messages present a kind of subject. */
export interface SubjectContent {
  /** What stands in an email between opening and closing: MJML sections and Liquid text, in files of this folder. The button is part of it. */
  block: { html: string; text: string };
  /** The first knows everything: names are checked against it. */
  samples: readonly [SubjectSample, ...SubjectSample[]];
}
