import { asciiDigits } from './ascii-digits.ts';

// Full-width and other forms of dots, slashes and digits are read as the plain ones; what is not seen (soft hyphens, joiners) hides nothing.
const plain = (text: string): string => asciiDigits(text.normalize('NFKC').replace(/[\p{Cf}\u034f]/gu, '')).replaceAll('。', '.');

/** A name and an ending of letters, such as `bet365.example`: mail programs and phones make links of them, and new endings come every year. */
// A number alone before the dot is a floor or a district ("3.Bezirk"), but for the endings that such names are sold under.
const dotted = /\p{L}[\p{L}\p{N}-]*\.\p{L}{2,}|\p{N}\.(?:com|net|org|info|bet|casino|top|xyz|club|vip)(?!\p{L})/iu;
const spelled =
  /\bwww\b|\bdot\s+(?:com|net|org|example)\b|[([{]\s*(?:dot|at)\s*[)\]}]|[\p{L}\p{N}]\s+\.\s?(?:com|net|org)\b|[\p{L}\p{N}]\.\s(?:com|net|org)\b/iu;
const numbered = /(?:\+|\b00)\d[\d\s().-]{5,}\d|(?<!\d)\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}(?!\d)/u;

/** Whether a web address stands in a text, with or without its scheme, however its dot is written. */
export function hasWebAddress(text: string): boolean {
  const read = plain(text);
  return dotted.test(read) || spelled.test(read);
}

/**
 * Whether what anybody may have typed into a form (a name, what they are interested in) leads somewhere: to a web or mail address, an account or a telephone
 * number. Forms are abused to send advertising to others through a store's messages, so such a text is not repeated.
 */
export function leadsSomewhere(text: string): boolean {
  const read = plain(text);
  return /[/\\@]/.test(read) || hasWebAddress(read) || numbered.test(read);
}
