/** How a text message is encoded, and into how many parts it is split. Providers bill each part. */
export interface SegmentCount {
  encoding: 'GSM-7' | 'UCS-2';
  segments: number;
}

// The default alphabet without its escape character. Source: 3GPP TS 23.038, section 6.2.1
const basic = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
// Written as an escape and a character: two septets. Source: 3GPP TS 23.038, section 6.2.1.1
const extended = new Set('\f^{}\\[~]|€');

/** What one message holds, and what is left of a part when several need a header to belong together. */
const gsm7 = { alone: 160, part: 153 };
const ucs2 = { alone: 70, part: 67 };

/** Whether the default alphabet has the character. One that it lacks makes the whole text UCS-2, which halves what a part holds. */
export function isGsm7(character: string): boolean {
  return basic.has(character) || extended.has(character);
}

/** Count exactly: a character of two units never straddles two parts. */
export function countSegments(text: string): SegmentCount {
  const characters = Array.from(text);
  const isGsm = characters.every(isGsm7);
  const units = characters.map((character) => (isGsm ? (extended.has(character) ? 2 : 1) : character.length));
  const { alone, part } = isGsm ? gsm7 : ucs2;
  const encoding = isGsm ? 'GSM-7' : 'UCS-2';
  if (units.reduce((sum, width) => sum + width, 0) <= alone) return { encoding, segments: 1 };
  let segments = 1;
  let filled = 0;
  for (const width of units) {
    if (filled + width > part) {
      segments += 1;
      filled = 0;
    }
    filled += width;
  }
  return { encoding, segments };
}

const spelledInGsm7: Readonly<Record<string, string>> = {
  '\u2018': "'",
  '\u2019': "'",
  '\u201a': ',',
  '\u201b': "'",
  '\u2032': "'",
  '\u201c': '"',
  '\u201d': '"',
  '\u201e': '"',
  '\u2033': '"',
  '\u00ab': '"',
  '\u00bb': '"',
  '\u2010': '-',
  '\u2011': '-',
  '\u2012': '-',
  '\u2013': '-',
  '\u2014': '-',
  '\u2015': '-',
  '\u2212': '-',
  '\u2022': '-',
  '\u00b7': '.',
  '\u2026': '...',
  '\u00d7': 'x',
  '\u0060': "'",
  '\u00b4': "'",
  '\t': ' ',
};

/**
 * Typographic punctuation and unusual spaces in the spelling of the default alphabet: a curly quotation mark in one product's name would double
 * the price of a message. Letters stay as they are.
 */
export function plainPunctuation(text: string): string {
  return text
    .replace(
      /[\u2018-\u201e\u2032\u2033\u00ab\u00bb\u2010-\u2015\u2212\u2022\u00b7\u2026\u00d7\u0060\u00b4\t]/g,
      (mark) => spelledInGsm7[mark] ?? mark,
    )
    .replace(/[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g, ' ');
}
