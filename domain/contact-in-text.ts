import { asciiDigits } from './ascii-digits.ts';

// Full-width and other forms of dots, slashes and digits are read as the plain ones; what is not seen (soft hyphens, joiners) hides nothing.
const plain = (text: string): string => asciiDigits(text.normalize('NFKC').replace(/[\p{Cf}\u034f]/gu, '')).replaceAll('。', '.');

/** A name and an ending of letters, such as `bet365.example`: mail programs and phones make links of them, and new endings come every year. */
// A number alone before the dot is a floor or a district ("3.Bezirk"), but for the endings that such names are sold under.
const dotted = /\p{L}[\p{L}\p{N}-]*\.\p{L}{2,}|\p{N}\.(?:com|net|org|info|bet|casino|top|xyz|club|vip)(?!\p{L})/iu;
const spelled =
  /\bwww\b|\bdot\s+(?:com|net|org|example)\b|[([{]\s*(?:dot|at)\s*[)\]}]|[\p{L}\p{N}]\s+\.\s?(?:com|net|org)\b|[\p{L}\p{N}]\.\s(?:com|net|org)\b/iu;
const numbered = /(?:\+|\b00)\d[\d\s().-]{5,}\d|(?<!\d)\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}(?!\d)/u;

/** Endings of letters and no country's that addresses are commonly sold under. Nobody is certain of all of them. */
const soldEndings = new Set([
  ...['com', 'net', 'org', 'info', 'biz', 'app', 'dev', 'link', 'click', 'live', 'online', 'shop', 'site', 'store', 'tech', 'win', 'example'],
  ...['bet', 'casino', 'top', 'xyz', 'club', 'vip'],
]);
const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

/** Whether a web address stands in a text, with or without its scheme, however its dot is written. */
export function hasWebAddress(text: string): boolean {
  const read = plain(text);
  return dotted.test(read) || spelled.test(read);
}

/**
 * A text without names that look like addresses, such as `Node.js course`, to look for others.
 * @param names - what the store calls itself and its products; nothing that a visitor could have written
 */
export function withoutNames(text: string, names: readonly string[]): string {
  return names.toSorted((a, b) => b.length - a.length).reduce(withoutName, plain(text));
}

/** A letter stays in its place: `Node.js .com` and `Node.js dot com` are addresses still. As a part of a longer address a name is not left out. */
function withoutName(text: string, name: string): string {
  const escaped = plain(name.trim())
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\s+/g, '\\s+');
  if (escaped === '') return text;
  const alone = new RegExp(`(?<![\\p{L}\\p{N}.@/\\\\:-])${escaped}(?![\\p{L}\\p{N}@/\\\\]|[\\p{L}\\p{N}-]*\\.[\\p{L}\\p{N}])`, 'giu');
  return text.replace(alone, 'x');
}

/**
 * The words of a product's name that look like an address and lead nowhere, such as `Dr.Martens`. Those under an ending that is commonly sold are not
 * among them: they may stand where the whole name stands, and a name of a product that says `visit win-big.com` sends nobody there in a sentence of its own.
 */
export function namesLikeAddresses(name: string): string[] {
  const words = plain(name).match(/(?<![\p{L}\p{N}.@/\\:-])\p{L}[\p{L}\p{N}-]*(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}(?![\p{L}\p{N}@/\\…-]|\.)/giu) ?? [];
  return words.filter((word) => {
    const ending = word.slice(word.lastIndexOf('.') + 1).toLowerCase();
    return !soldEndings.has(ending) && !(/^[a-z]{2}$/.test(ending) && regions.of(ending.toUpperCase()) !== undefined);
  });
}

/**
 * Whether what anybody may have typed into a form (a name, what they are interested in) leads somewhere: to a web or mail address, an account or a telephone
 * number. Forms are abused to send advertising to others through a store's messages, so such a text is not repeated.
 */
export function leadsSomewhere(text: string): boolean {
  const read = plain(text);
  return /[/\\@]/.test(read) || hasWebAddress(read) || numbered.test(read);
}
