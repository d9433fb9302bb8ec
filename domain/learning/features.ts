/** What is compared of texts: words and phrases anywhere, words of the first and the last sentence, and how long the text is. */
export const featureKinds = ['word', 'two_words', 'three_words', 'opening', 'closing', 'length'] as const;
export type FeatureKind = (typeof featureKinds)[number];

export interface Feature {
  kind: FeatureKind;
  /** In lower case; of a length, `longer`. */
  text: string;
}

const segmenters = new Map<string, Intl.Segmenter>();

/** Words of a language, also of those that are written without spaces. */
function segmenterOf(language: string): Intl.Segmenter {
  let segmenter = segmenters.get(language);
  if (segmenter === undefined) segmenters.set(language, (segmenter = new Intl.Segmenter(language, { granularity: 'word' })));
  return segmenter;
}

/** The sentences of a text as lists of words. Phrases never cross the end of one. @param language - BCP 47 */
export function sentencesOf(parts: readonly string[], language: string): string[][] {
  return parts
    .flatMap((part) => part.split(/[\n.!?;:,()[\]"“”„«»…。！？؟،]+/u))
    .map((sentence) =>
      [...segmenterOf(language).segment(sentence)].filter(({ isWordLike }) => isWordLike === true).map(({ segment }) => segment.toLowerCase()),
    )
    .filter((words) => words.length > 0);
}

/** Of a whole text, without its length. Each once. */
export function featuresOf(sentences: readonly (readonly string[])[]): Feature[] {
  const found = new Map<string, Feature>();
  const add = (kind: FeatureKind, text: string) => found.set(keyOf({ kind, text }), { kind, text });
  for (const words of sentences)
    for (let at = 0; at < words.length; at += 1) {
      add('word', words.slice(at, at + 1).join(' '));
      if (at + 1 < words.length) add('two_words', words.slice(at, at + 2).join(' '));
      if (at + 2 < words.length) add('three_words', words.slice(at, at + 3).join(' '));
    }
  for (const word of sentences[0] ?? []) add('opening', word);
  for (const word of sentences.at(-1) ?? []) add('closing', word);
  return [...found.values()];
}

export const keyOf = ({ kind, text }: Feature) => `${kind} ${text}`;

export function featureOf(key: string): Feature {
  const at = key.indexOf(' ');
  const kind = featureKinds.find((one) => one === key.slice(0, at));
  if (kind === undefined) throw new RangeError(`${key} is no feature`);
  return { kind, text: key.slice(at + 1) };
}
