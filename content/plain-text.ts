const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

// Direction overrides and isolates of outsiders could reverse the text around them; zero-width joiners stay, emoji need them.
const invisible = /[\u202A-\u202E\u2066-\u2069\uFEFF\u200B\u2060]/gu;
const control = /[\p{Cc}\u2028\u2029]+/gu;
const loneSurrogate = /\p{Surrogate}/gu;
const rightToLeft = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\u200F\u061C]/u;

/** Remove CR, LF and every other control character: what a header line may hold. */
export function singleLine(text: string): string {
  return text.replace(loneSurrogate, '\uFFFD').replace(control, ' ').trim();
}

/** The first `max` characters as a reader counts them (an emoji family is one), with an ellipsis where something was cut. */
function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const graphemes: string[] = [];
  for (const { segment } of segmenter.segment(text)) {
    if (graphemes.length === max)
      return `${graphemes
        .slice(0, max - 1)
        .join('')
        .trimEnd()}…`;
    // A grapheme has no upper length: hundreds of combining marks on one letter are vandalism.
    graphemes.push(segment.slice(0, 32));
  }
  return graphemes.join('');
}

/** How the sentence runs in which a value stands. */
export type Direction = 'ltr' | 'rtl';

/** Nothing but letters of right-to-left scripts, with spaces and joiners between them. */
const rightToLeftOnly = /^[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{M}\s\u200c\u200d]*$/u;

/** Isolate a value that runs against its sentence, so that neither reorders the other. */
export function isolate(text: string, direction: Direction = 'ltr'): string {
  const against = direction === 'ltr' ? rightToLeft.test(text) : !rightToLeftOnly.test(text);
  return against ? `\u2068${text}\u2069` : text;
}

/**
 * A value from outside as one clean line: no control characters, no direction tricks, single spaces, at most `max` characters.
 * @returns null where nothing readable is left
 */
export function cleanLine(value: string | null, max: number, direction: Direction = 'ltr'): string | null {
  if (value === null) return null;
  const line = singleLine(value.slice(0, max * 40).replace(invisible, ''))
    .replace(/\s+/gu, ' ')
    .trim();
  return line === '' ? null : isolate(shorten(line, max), direction);
}

/** The first letter or digit, for a tile where a picture is missing; null where the text has none. */
export function initialOf(text: string | null): string | null {
  const letter = text?.match(/[\p{L}\p{N}]/u)?.[0];
  return letter === undefined ? null : letter.toUpperCase();
}
