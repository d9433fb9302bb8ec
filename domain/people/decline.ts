import { foldWords } from './fold-words.ts';

/** A plain no to "are you still interested?", by language. The whole message has to be one of them. */
const refusals: Readonly<Record<string, readonly string[]>> = {
  en: [
    'no',
    'nope',
    'no thanks',
    'no thank you',
    'not interested',
    'not interested anymore',
    'no longer interested',
    'not any more',
    'not anymore',
    'i am not interested',
    'im not interested',
    'already bought',
    'already found something',
  ],
  de: ['nein', 'nein danke', 'kein interesse', 'kein interesse mehr', 'nicht mehr', 'nicht interessiert', 'hat sich erledigt', 'erledigt'],
  fr: ['non', 'non merci', 'pas interesse', 'plus interesse', 'pas interessee', 'plus interessee', 'ca ne m interesse plus'],
  es: ['no gracias', 'ya no', 'no me interesa', 'ya no me interesa', 'no estoy interesado', 'no estoy interesada'],
  ru: [
    'нет',
    'нет спасибо',
    'спасибо нет',
    'не интересно',
    'неинтересно',
    'уже не интересно',
    'неактуально',
    'не актуально',
    'уже неактуально',
    'уже не актуально',
  ],
  ar: ['لا', 'لا شكرا', 'غير مهتم', 'غير مهتمة', 'لست مهتما', 'لست مهتمة'],
  fa: ['نه', 'خیر', 'نه ممنون', 'نه مرسی', 'علاقه ای ندارم', 'علاقه ندارم', 'دیگر نه'],
};

const compact = (text: string) => foldWords(text).replaceAll(' ', '');
const known: ReadonlySet<string> = new Set(Object.values(refusals).flat().map(compact));

/**
 * Whether a message says no and nothing else. Case, accents, punctuation and spaces do not matter. Only to be asked about an answer to a question of ours:
 * elsewhere the same word answers something else.
 */
export const declines = (text: string): boolean => text.length <= 80 && known.has(compact(text));
