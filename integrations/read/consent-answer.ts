/** How people, forms and spreadsheets say that a box is ticked, in the languages whose forms are understood. */
const yes = [
  ...['true', 'yes', 'y', '1', 'on', 'x', 'checked', 'granted', 'subscribed', 'opted_in', 'confirmed', 'agreed', 'accepted'],
  ...['ja', 'oui', 'si', 'sim', 'tak', 'ano', 'igen', 'da', 'evet', 'kylla', 'да', 'так', 'نعم', 'بله', 'بلی'],
];
/** An unticked box. */
const notStated = [
  ...['false', 'no', 'n', '0', 'off', '', 'unchecked', 'not_stated', 'not_subscribed', 'unknown', 'null', 'none', 'pending'],
  ...['nein', 'non', 'nao', 'nee', 'nej', 'nei', 'nie', 'ne', 'nem', 'nu', 'hayir', 'ei', 'нет', 'ні', 'لا', 'خیر', 'نه'],
];
const denials = ['denied', 'unsubscribed', 'opted_out', 'withdrawn', 'revoked'];

/**
 * What an answer about marketing says. `denied` is the person's own statement; an unticked box is none.
 * @returns null: no answer that is known
 */
export function readConsentAnswer(value: unknown): 'granted' | 'denied' | 'not_stated' | null {
  if (typeof value !== 'string' && typeof value !== 'boolean' && typeof value !== 'number') return null;
  const word = String(value)
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replaceAll('ı', 'i');
  if (yes.includes(word)) return 'granted';
  if (denials.includes(word)) return 'denied';
  return notStated.includes(word) ? 'not_stated' : null;
}
