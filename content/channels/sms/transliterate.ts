/** Letters that Unicode does not take apart into a basic letter and its marks, and those of Cyrillic alphabets (as passports of these countries spell names). */
const spelled: Readonly<Record<string, string>> = {
  ...{ đ: 'd', ð: 'd', ħ: 'h', ı: 'i', ĸ: 'k', ł: 'l', ŋ: 'n', œ: 'oe', þ: 'th', ŧ: 't', ſ: 's', ẞ: 'SS' },
  ...{ а: 'a', б: 'b', в: 'v', г: 'g', д: 'd', е: 'e', ё: 'e', ж: 'zh', з: 'z', и: 'i', й: 'i', к: 'k', л: 'l', м: 'm', н: 'n', о: 'o', п: 'p' },
  ...{ р: 'r', с: 's', т: 't', у: 'u', ф: 'f', х: 'kh', ц: 'ts', ч: 'ch', ш: 'sh', щ: 'shch', ъ: '', ы: 'y', ь: '', э: 'e', ю: 'iu', я: 'ia' },
  ...{ ґ: 'g', є: 'ie', і: 'i', ї: 'i', ў: 'u', ђ: 'dj', ј: 'j', љ: 'lj', њ: 'nj', ћ: 'c', џ: 'dz', ѓ: 'g', ќ: 'k', ѕ: 'dz' },
};

/**
 * Letters in the spelling of the default alphabet where there is a usual one: Latin letters without the marks that it lacks, Cyrillic ones in Latin. Other
 * scripts stay: Persian, Arabic or Chinese in Latin letters is no text that anybody reads.
 * @param isKnown - whether the default alphabet has the character
 */
export function transliterate(text: string, isKnown: (character: string) => boolean): string {
  // Marks that make no letter of their own with what they stand on.
  const composed = text.normalize('NFC').replace(/([\p{Script=Latin}\p{Script=Cyrillic}])\p{M}+/gu, '$1');
  return Array.from(composed, (character) => {
    if (isKnown(character)) return character;
    const lower = character.toLowerCase();
    const whole = spelled[character] ?? spelled[lower];
    const latin = whole ?? withoutMarks(lower, isKnown);
    if (latin === null) return character;
    return character === lower || latin === '' ? latin : (latin[0] ?? '').toUpperCase() + latin.slice(1);
  }).join('');
}

/** `ç` without its cedilla; null where no letter of the default alphabet remains. */
function withoutMarks(letter: string, isKnown: (character: string) => boolean): string | null {
  const [basic = '', ...marks] = letter.normalize('NFD');
  return marks.length > 0 && marks.every((mark) => /\p{M}/u.test(mark)) && isKnown(basic) ? basic : null;
}
