import { withoutInvisible } from '../../domain/people/identity.ts';
import { isAbsent, type Notes, note } from './notes.ts';

const languageNames = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });
const regionNames = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

/**
 * A language tag (BCP 47) of language, script and region from what programs write: `de_DE`, `de_CH_informal`, `de-DE@euro`, `en_US.UTF-8`,
 * `zh_Hans_CN`, `iw`, `de-AT,de;q=0.9`, `German`, `Deutsch`.
 */
export function readLocale(value: unknown, path: string, notes: Notes): string | null {
  if (isAbsent(value)) return null;
  const text = typeof value === 'string' ? withoutInvisible(value) : '';
  const tag = text === '' || text.length > 100 ? null : (tagOf(text) ?? languageByName(text));
  if (tag === null) note(notes, path, text === '' && typeof value === 'string' ? 'is empty: left out' : 'is no language: left out');
  return tag;
}

function tagOf(text: string): string | null {
  const [first = ''] = text.split(/[,;]/);
  const subtags = first
    .replace(/[.@].*$/, '')
    .trim()
    .split(/[-_]+/);
  // Non-standard parts are at the end (`pt_PT_ao90`): drop them until the rest is a tag.
  for (let length = subtags.length; length > 0; length--) {
    const tag = knownTag(subtags.slice(0, length).join('-'));
    if (tag !== null) return tag;
  }
  return null;
}

function knownTag(written: string): string | null {
  if (!/^[a-z]{2,3}(?:-|$)/i.test(written)) return null;
  let locale: Intl.Locale;
  try {
    locale = new Intl.Locale(written);
  } catch {
    return null;
  }
  const { language, script, region } = locale;
  // "Undetermined", "several" and "none" have names in CLDR and are no languages. A tag of "und" alone has no language at all.
  if (['und', 'mul', 'mis', 'zxx', undefined].includes(language) || languageNames.of(language) === undefined) return null;
  const known = region !== undefined && regionNames.of(region) !== undefined && region !== 'ZZ';
  return [language, script, known ? region : undefined].filter((part) => part !== undefined).join('-');
}

let byName: ReadonlyMap<string, string> | null = null;

/** Names of languages in English and in themselves, without case. */
function languageByName(text: string): string | null {
  byName ??= new Map(
    // Built at the first such name: most shops send tags.
    twoLetterCodes().flatMap((code) => {
      const [own] = Intl.DisplayNames.supportedLocalesOf([code]);
      const names = [languageNames.of(code), own === undefined ? undefined : new Intl.DisplayNames([own], { type: 'language' }).of(code)];
      return names.flatMap((name): [string, string][] => (name === undefined ? [] : [[name.toLocaleLowerCase('en'), code]]));
    }),
  );
  return byName.get(text.toLocaleLowerCase('en')) ?? null;
}

function twoLetterCodes(): string[] {
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz');
  const pairs = letters.flatMap((a) => letters.map((b) => a + b));
  return pairs.filter((code) => languageNames.of(code) !== undefined && canonical(code) === code);
}

function canonical(code: string): string {
  return Intl.getCanonicalLocales(code)[0] ?? '';
}

/** An IANA time zone in its usual spelling. */
export function readTimeZone(value: unknown, path: string, notes: Notes): string | null {
  if (isAbsent(value)) return null;
  const text = typeof value === 'string' ? withoutInvisible(value).replaceAll(' ', '_') : '';
  const zone = zoneOf(text);
  if (zone === null) note(notes, path, text === '' && typeof value === 'string' ? 'is empty: left out' : 'is no IANA time zone: left out');
  return zone;
}

function zoneOf(text: string): string | null {
  // An offset is no zone: it is right for only half of the year.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/.test(text)) return null;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return text;
  } catch {
    return null;
  }
}
