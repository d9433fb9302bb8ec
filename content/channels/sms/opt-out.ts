import { readKeyword } from '../../../domain/people/keywords.ts';

/** How a text message says that STOP ends it, by language of its copy. All of them are in the default alphabet. */
const wordings: Readonly<Record<string, string>> = {
  en: 'Reply STOP to opt out',
  de: 'Abmelden: Antwort STOP',
  fr: 'STOP pour ne plus recevoir de SMS',
  es: 'Responda STOP para darse de baja',
  it: 'Rispondi STOP per non riceverne più',
  nl: 'Antwoord STOP om af te melden',
  pt: 'Responda STOP para sair',
};

/** A wording that names a word which the product understands as an opt-out. */
const namesKeyword = (wording: string) => wording.split(/[^\p{L}]+/u).some((word) => word === word.toUpperCase() && readKeyword(word) === 'opt_out');

/**
 * @param own - the tenant's own wording; null, or one that names no keyword in capitals: the usual one of the language
 * @param language - BCP 47, of the copy
 */
export function optOutWording(own: string | null, language: string): string {
  const wording = own?.trim() ?? '';
  if (wording !== '' && namesKeyword(wording)) return wording;
  return wordings[language.toLowerCase().split(/[-_]/)[0] ?? ''] ?? wordings['en'] ?? '';
}
