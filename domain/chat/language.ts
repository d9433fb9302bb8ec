import { chooseLanguage } from '../languages.ts';

/** The languages in which the bot speaks. */
export const chatLanguages = ['en', 'fa', 'ar', 'ru'] as const;
export type ChatLanguage = (typeof chatLanguages)[number];

const isChatLanguage = (tag: string | null): tag is ChatLanguage => chatLanguages.some((known) => known === tag);

/** @param wanted - BCP 47, best first. @returns null where the bot speaks none of them */
export function chatLanguageOf(...wanted: readonly (string | null)[]): ChatLanguage | null {
  const chosen = chooseLanguage(chatLanguages, wanted);
  return isChatLanguage(chosen) ? chosen : null;
}
