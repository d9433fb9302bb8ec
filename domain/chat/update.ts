import { normalisePhone } from '../people/identity.ts';
import { asksToStop } from '../people/asks-to-stop.ts';
import { readKeyword } from '../people/keywords.ts';
import type { ChatPhase } from './state.ts';

/** What somebody did in a chat, as the bot's provider reports it. */
export interface ChatUpdate {
  /** Rises with every update of a bot. */
  id: number;
  /** BCP 47, of the person's app; null: it does not say. */
  languageCode: string | null;
  /** As the person calls themselves; null: not known. */
  name: string | null;
  did: ChatAct;
}

/** `other`: a picture, a sticker, a voice message … */
export type ChatAct =
  | { kind: 'start' }
  | { kind: 'text'; text: string }
  | { kind: 'button'; data: string }
  /** `own`: the number is the sender's. Anybody's contact can be shared. */
  | { kind: 'contact'; phone: string; own: boolean; name: string | null }
  | { kind: 'blocked' }
  | { kind: 'unblocked' }
  | { kind: 'other' };

/** What they mean by it. */
export type Intent =
  | {
      kind:
        | 'start'
        | 'help'
        | 'choose_language'
        | 'opt_out'
        | 'show'
        | 'interested'
        | 'consult'
        | 'ask'
        | 'skip'
        | 'blocked'
        | 'unblocked'
        | 'nothing';
    }
  | { kind: 'set_admin'; code: string }
  | { kind: 'language'; tag: string }
  | { kind: 'goal'; goal: string }
  | { kind: 'phone'; phone: string; name: string | null }
  /** A number that cannot be one, or a contact of somebody else. `text`: as it was written; null: it was shared. */
  | { kind: 'not_a_phone'; why: 'unreadable' | 'foreign'; text: string | null }
  | { kind: 'words'; text: string };

/** The values of buttons. Those of the lists and of the consultation are fixed: systems outside know them. */
export const buttonData = {
  interested: 'interested_property',
  showMore: 'show_more_properties',
  consult: 'schedule_consultation',
  ask: 'ask_questions',
  show: 'show_properties',
  language: 'choose_language',
} as const;

const ofButton: Readonly<Record<string, Intent>> = {
  [buttonData.interested]: { kind: 'interested' },
  [buttonData.showMore]: { kind: 'show' },
  [buttonData.consult]: { kind: 'consult' },
  [buttonData.ask]: { kind: 'ask' },
  [buttonData.show]: { kind: 'show' },
  [buttonData.language]: { kind: 'choose_language' },
};

const mostWords = 500;

/** What the reading of an update rests on. */
export interface Reading {
  /** Bare digits are a telephone number while one is asked for; later they may be a budget. */
  phase: ChatPhase;
  /** ISO 3166-1 alpha-2, for numbers without a country code. */
  country: string;
  /** The words of the button that puts off giving a number, in every language: Telegram sends them as a text. */
  skips: readonly string[];
}

/** Read what somebody did. */
export function intentOf(did: ChatAct, reading: Reading): Intent {
  switch (did.kind) {
    case 'text':
      return ofText(did.text.trim(), reading);
    case 'button':
      return ofData(did.data);
    case 'contact': {
      if (!did.own) return { kind: 'not_a_phone', why: 'foreign', text: null };
      // Telegram leaves the plus out.
      const phone =
        normalisePhone(did.phone.startsWith('+') ? did.phone : `+${did.phone}`, reading.country) ?? normalisePhone(did.phone, reading.country);
      return phone === null ? { kind: 'not_a_phone', why: 'unreadable', text: null } : { kind: 'phone', phone, name: did.name };
    }
    case 'other':
      return { kind: 'nothing' };
    default:
      return { kind: did.kind };
  }
}

function ofData(data: string): Intent {
  const known = Object.hasOwn(ofButton, data) ? ofButton[data] : undefined;
  if (known !== undefined) return known;
  const [prefix, value = ''] = data.split(':', 2);
  if (prefix === 'language') return { kind: 'language', tag: value };
  if (prefix === 'goal' && value !== '') return { kind: 'goal', goal: value };
  return { kind: 'nothing' };
}

// A command may name its bot: `/set_admin@homes_bot 1234`.
const command = /^\/([a-z_]+)(?:@\w+)?(?:\s+(.*))?$/is;

function ofText(text: string, { phase, country, skips }: Reading): Intent {
  const [, name, rest = ''] = command.exec(text) ?? [];
  switch (name?.toLowerCase()) {
    case undefined:
      break;
    case 'start':
      return { kind: 'start' };
    case 'set_admin':
      return { kind: 'set_admin', code: rest.trim() };
    case 'language':
      return { kind: 'choose_language' };
    case 'stop':
      return { kind: 'opt_out' };
    default:
      return { kind: 'help' };
  }
  if (text === '') return { kind: 'nothing' };
  const keyword = readKeyword(text);
  if (keyword === 'opt_out' || keyword === 'stop_all' || asksToStop(text)) return { kind: 'opt_out' };
  if (keyword === 'opt_in') return { kind: 'start' };
  if (keyword === 'help') return { kind: 'help' };
  if (skips.includes(text)) return { kind: 'skip' };
  const isPhone = looksLikePhone(text) && (phase === 'CAPTURE_CONTACT' || /^\(?[+0٠۰]/.test(text));
  const phone = isPhone ? normalisePhone(text, country) : null;
  if (phone !== null) return { kind: 'phone', phone, name: null };
  if (isPhone) return { kind: 'not_a_phone', why: 'unreadable', text };
  return { kind: 'words', text: text.slice(0, mostWords) };
}

/** Nothing but digits of any script and what people write between them, and at least seven digits: a price in a sentence is no number to call. */
function looksLikePhone(text: string): boolean {
  return text.length <= 40 && /^[+(]?[\p{Nd}\s().\-/]+$/u.test(text) && (text.match(/\p{Nd}/gu) ?? []).length >= 7;
}
