import { grouped } from '../statistics/grouped.ts';
import type { Cases } from '../statistics/interval.ts';
import { fewestTests, phraseFindings, type PhraseFinding } from '../statistics/phrases.ts';
import { type Feature, featureOf, featuresOf, keyOf, sentencesOf } from './features.ts';

/** One arm of a test with its text on one channel. */
export interface ArmText extends Cases {
  test: string;
  parts: readonly string[];
  /** BCP 47. */
  language: string;
}

export type Finding = Omit<PhraseFinding, 'phrase'> & Feature;

export interface Findings {
  /** Tests with a conversion and two texts at least. */
  tests: number;
  /** In so many of them a feature has to vary. */
  fewestTests: number;
  /** Adjusted p below 0.05, the surest first. */
  better: Finding[];
  worse: Finding[];
  /** Judged, and not certain; the surest first. */
  open: Finding[];
  /** Not enough variants; those that vary in most tests first. */
  tooFew: Finding[];
}

const certainBelow = 0.05;

/** Which words, phrases, places of words and lengths texts of a channel do better with. Source: docs/rules.md#rule-113 */
export function findPhrases(arms: readonly ArmText[]): Findings {
  const counted = arms
    .filter(({ people }) => people > 0)
    .map((arm) => {
      const sentences = sentencesOf(arm.parts, arm.language);
      return { ...arm, sentences, words: sentences.reduce((sum, words) => sum + words.length, 0) };
    });
  const tests = [...grouped(counted, ({ test }) => test).values()].filter(
    (among) => among.length > 1 && among.some(({ converted }) => converted > 0),
  );
  const texts = tests.flatMap((among) => {
    const usual = among.reduce((sum, { words }) => sum + words, 0) / among.length;
    return among.map(({ test, sentences, words, people, converted }) => {
      const length: Feature[] = words > usual ? [{ kind: 'length', text: 'longer' }] : [];
      return { test, rate: converted / people, phrases: new Set([...featuresOf(sentences), ...length].map(keyOf)) };
    });
  });
  const found = phraseFindings(texts).map(({ phrase, ...finding }): Finding => ({ ...finding, ...featureOf(phrase) }));
  const isCertain = ({ p }: Finding) => p !== null && p < certainBelow;
  return {
    tests: tests.length,
    fewestTests,
    better: found.filter((one) => isCertain(one) && one.lift > 0),
    worse: found.filter((one) => isCertain(one) && one.lift <= 0),
    open: found.filter((one) => one.p !== null && !isCertain(one)),
    tooFew: found.filter(({ p }) => p === null).toSorted((a, b) => b.tests - a.tests || keyOf(a).localeCompare(keyOf(b))),
  };
}

/** Of one channel more are not suggested at a time. */
const mostPhrases = 5;

/**
 * Words and phrases to write texts with, the surest first. Of a phrase and a part of it that is no surer, the phrase.
 * @param better - as `findPhrases` gives them
 */
export function phrasesToTry(better: readonly Finding[]): Finding[] {
  const phrases = better.filter(({ kind }) => kind === 'word' || kind === 'two_words' || kind === 'three_words');
  const isPartOf = (part: Finding, whole: Finding) =>
    part.text.length < whole.text.length && ` ${whole.text} `.includes(` ${part.text} `) && Math.abs(part.z ?? 0) <= Math.abs(whole.z ?? 0) + 1e-9;
  return phrases.filter((one) => !phrases.some((other) => isPartOf(one, other))).slice(0, mostPhrases);
}

/** Whether texts have a word or phrase as `findPhrases` counts it. */
export function hasPhrase(parts: readonly string[], language: string, phrase: string): boolean {
  return featuresOf(sentencesOf(parts, language)).some(({ kind, text }) => kind !== 'opening' && kind !== 'closing' && text === phrase);
}
