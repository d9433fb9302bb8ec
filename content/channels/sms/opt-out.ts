import { readKeyword } from '../../../domain/people/keywords.ts';
import { fixedWordsOf } from '../../fixed-words.ts';

/** A wording that names a word which the product understands as an opt-out. */
const namesKeyword = (wording: string) => wording.split(/[^\p{L}]+/u).some((word) => word === word.toUpperCase() && readKeyword(word) === 'opt_out');

/**
 * @param own - the tenant's own wording; null, or one that names no keyword in capitals: the usual one of the language
 * @param language - BCP 47, of the copy
 */
export function optOutWording(own: string | null, language: string): string {
  const wording = own?.trim() ?? '';
  if (wording !== '' && namesKeyword(wording)) return wording;
  return fixedWordsOf(language).optOut;
}
