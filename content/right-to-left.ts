const rightToLeftScripts = new Set(['Adlm', 'Arab', 'Hebr', 'Nkoo', 'Rohg', 'Syrc', 'Thaa']);

/** Whether a language is written from right to left. @param language - BCP 47, or with `_` */
export function isRightToLeft(language: string): boolean {
  try {
    return rightToLeftScripts.has(new Intl.Locale(language.replaceAll('_', '-')).maximize().script ?? '');
  } catch {
    return false;
  }
}
