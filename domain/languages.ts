const rightToLeftScripts = new Set(['Adlm', 'Arab', 'Hebr', 'Nkoo', 'Rohg', 'Syrc', 'Thaa']);

// Two codes for one written language: texts in either serve readers of both.
const sameLanguage: Readonly<Record<string, string>> = { no: 'nb' };

function localeOf(written: string): Intl.Locale | null {
  try {
    // Shops write `de_DE`, servers `de_DE.UTF-8`.
    return new Intl.Locale(
      written
        .trim()
        .replace(/[.@].*$/, '')
        .replaceAll('_', '-'),
    );
  } catch {
    return null;
  }
}

/** The language in its usual spelling (BCP 47: language, script and region), e.g. `de-AT` from `de_at`; null: it is none. */
export function languageTag(written: string): string | null {
  const locale = localeOf(written);
  return locale === null ? null : [locale.language, locale.script, locale.region].filter((part) => part !== undefined).join('-');
}

/** e.g. `German` for `de`, for messages to the author. */
export function languageName(tag: string): string {
  return new Intl.DisplayNames(['en'], { type: 'language' }).of(tag) ?? tag;
}

// Asked several times for each message, about the few languages of its texts.
const directions = new Map<string, boolean>();

export function isRightToLeft(language: string): boolean {
  const known = directions.get(language) ?? rightToLeftScripts.has(localeOf(language)?.maximize().script ?? '');
  if (directions.size < 1_000) directions.set(language, known);
  return known;
}

/**
 * The first wanted language in which a text exists. `de-AT` is content with `de`, and with `de-DE` where that is all there is; `zh-TW` is not content
 * with `zh`, which is written in another script.
 * @param available - in the spelling of `languageTag`; the first is preferred where several serve equally
 * @param wanted - best first; null or no language: the next one decides
 * @returns null where none of them exists
 */
export function chooseLanguage(available: readonly string[], wanted: readonly (string | null)[]): string | null {
  for (const want of wanted) {
    const reader = want === null ? null : localeOf(want);
    if (reader === null) continue;
    const ranked = available.map((tag) => ({ tag, fit: fitOf(localeOf(tag), reader) })).filter(({ fit }) => fit > 0);
    const [best] = ranked.toSorted((a, b) => b.fit - a.fit);
    if (best !== undefined) return best.tag;
  }
  return null;
}

/** 0: not the reader's language or script; else higher for the reader's own region, then for the language without one. */
function fitOf(text: Intl.Locale | null, reader: Intl.Locale): number {
  if (text === null) return 0;
  const [own, wanted] = [text.maximize(), reader.maximize()];
  if (languageOf(own) !== languageOf(wanted) || own.script !== wanted.script) return 0;
  if (text.region === undefined) return reader.region === undefined ? 3 : 2;
  return own.region === wanted.region ? 3 : 1;
}

const languageOf = ({ language }: Intl.Locale) => sameLanguage[language] ?? language;
