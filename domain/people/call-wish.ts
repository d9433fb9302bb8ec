import type { EpochMs } from '../sequence/plan.ts';
import { offsetMsAt } from '../time/zones.ts';
import { foldWords } from './fold-words.ts';

/** What somebody asks for in a call. */
export type CallWish =
  /** Not to be called again. */
  | { kind: 'stop' }
  /** To be called back, so long after the call. */
  | { kind: 'later'; inMs: number }
  /** To be called back at a time of day, so many days later or on the next such weekday (0: Sunday). */
  | { kind: 'later_at'; days: number | null; weekday: number | null; minute: number };

/** What was heard, and the words by which. */
export interface HeardWish {
  wish: CallWish | null;
  keywords: string[];
}

/** Further words of a store, beside the usual ones. */
export interface CallWords {
  stop: readonly string[];
  later: readonly string[];
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const mostMs = 90 * dayMs;

// Said in a conversation, so they may stand anywhere in a sentence: long enough that nothing else means them.
const stopWords = [
  'stop calling',
  'do not call me again',
  'dont call me again',
  'never call me again',
  'do not call again',
  'dont call again',
  'do not call me anymore',
  'dont call me anymore',
  'do not call this number',
  'dont call this number',
  'do not contact me',
  'dont contact me',
  'take me off your list',
  'take me off the list',
  'take me off your',
  'remove me from your list',
  'remove me from the list',
  'remove my number',
  'delete my number',
  'lose my number',
  'unsubscribe',
  'opt out',
  'opt me out',
];
const laterWords = [
  'call back later',
  'call me back',
  'call me later',
  'call back',
  'call again later',
  'call again',
  'call me tomorrow',
  'call me in',
  'call me on',
  'call me at',
  'call me next',
  'call me after',
  'call tomorrow',
  'ring me back',
  'ring me later',
  'ring back',
  'phone me later',
  'phone me back',
  'try me later',
  'try again later',
  'try me again',
  'speak later',
  'talk later',
  'not a good time',
  'bad time',
  'busy right now',
  'busy at the moment',
  'in a meeting',
  'driving right now',
  'can not talk',
  'cant talk',
  'cannot talk',
];
// "Please don't call me back" asks for the opposite.
const refusals = /\b(?:do not|dont|never|no need to|not) (?:\w+ )?(?:call|ring|phone|try)\b/;

/**
 * What the person asks for, by their own words in a transcript. Stop words count before everything else. English; a store adds words of its own.
 * @param turns - what the person said, in order
 */
export function readCallWish(turns: readonly string[], own: CallWords = { stop: [], later: [] }): HeardWish {
  const said = turns.map((turn) => foldSpoken(turn));
  const stop = heard(said, [...stopWords, ...own.stop]);
  if (stop.length > 0) return { wish: { kind: 'stop' }, keywords: stop };
  const later = heard(said, [...laterWords, ...own.later]);
  if (later.length === 0 || said.some((turn) => refusals.test(turn))) {
    const refused = later.length > 0;
    return { wish: refused ? { kind: 'stop' } : null, keywords: later };
  }
  // The time may be said in the next sentence: "Call me back." "When?" "Tomorrow at three."
  const from = said.findIndex((turn) => heard([turn], [...laterWords, ...own.later]).length > 0);
  for (const turn of said.slice(from)) {
    const time = readTime(turn);
    if (time !== null) return { wish: time.wish, keywords: [...later, time.words] };
  }
  return { wish: { kind: 'later', inMs: dayMs }, keywords: later };
}

function foldSpoken(text: string): string {
  // "3 p.m.", "3:30" and "don't" keep their meaning when punctuation goes.
  return foldWords(
    text
      .replace(/['’]/g, '')
      .replace(/\b([ap])\.\s?m\b\.?/gi, '$1m')
      .replace(/\b(\d{1,2})[:.](\d{2})\b/g, '$1h$2'),
  );
}

function heard(said: readonly string[], words: readonly string[]): string[] {
  const known = [...new Set(words.map((word) => foldSpoken(word)).filter((word) => word !== ''))];
  return known.filter((word) => said.some((turn) => ` ${turn} `.includes(` ${word} `)));
}

const numberWords: Readonly<Record<string, number>> = {
  a: 1,
  an: 1,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
  fifteen: 15,
  twenty: 20,
  thirty: 30,
  'half an': 0.5,
  'a couple of': 2,
  'a few': 3,
};
const unitMs: Readonly<Record<string, number>> = { minute: minuteMs, hour: hourMs, day: dayMs, week: 7 * dayMs, month: 30 * dayMs };
const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const partsOfDay: Readonly<Record<string, number>> = {
  morning: 10 * 60,
  noon: 12 * 60,
  lunch: 13 * 60,
  afternoon: 15 * 60,
  evening: 18 * 60,
  tonight: 18 * 60,
};
const number = `(\\d{1,3}|${Object.keys(numberWords)
  .toSorted((a, b) => b.length - a.length)
  .join('|')})`;

function readTime(turn: string): { wish: CallWish; words: string } | null {
  const span = new RegExp(`\\b(?:in|after) (?:about |maybe )?${number} (minute|hour|day|week|month)s?\\b`).exec(turn);
  if (span !== null) {
    const [words, count = '', unit = ''] = span;
    const inMs = (/^\d+$/.test(count) ? Number(count) : (numberWords[count] ?? 1)) * (unitMs[unit] ?? dayMs);
    return inMs >= minuteMs && inMs <= mostMs ? { wish: { kind: 'later', inMs }, words } : null;
  }
  const clock = readClock(turn);
  const day = /\b(day after tomorrow|tomorrow|today|tonight|next week|next month)\b/.exec(turn)?.[1] ?? null;
  const weekday = weekdays.findIndex((name) => new RegExp(`\\b${name}\\b`).test(turn));
  const part = Object.keys(partsOfDay).find((name) => new RegExp(`\\b${name}\\b`).test(turn)) ?? null;
  const words = [day, weekdays[weekday] ?? null, part === day ? null : part, clock?.words ?? null].filter((word) => word !== null).join(' ');
  if (words === '') return null;
  const minute = clock?.minute ?? (part === null ? null : (partsOfDay[part] ?? null));
  if (day === 'next week' && weekday < 0) return { wish: minute === null ? { kind: 'later', inMs: 7 * dayMs } : at(7, minute), words };
  if (day === 'next month') return { wish: { kind: 'later', inMs: 30 * dayMs }, words };
  // Without a time of day, a day begins at ten; quiet hours and legal hours hold all the same.
  if (weekday >= 0) return { wish: { kind: 'later_at', days: null, weekday, minute: minute ?? 10 * 60 }, words };
  if (day === 'today' && minute === null) return { wish: { kind: 'later', inMs: 4 * hourMs }, words };
  const days = day === 'tomorrow' ? 1 : day === 'day after tomorrow' ? 2 : day === 'today' || day === 'tonight' ? 0 : null;
  if (days !== null && minute === null) return { wish: { kind: 'later', inMs: days * dayMs }, words };
  return minute === null ? null : { wish: at(days, minute), words };
}

const at = (days: number | null, minute: number): CallWish => ({ kind: 'later_at', days, weekday: null, minute });

/** "at 3", "at 3 pm", "at three thirty", "3h30 pm". From one to seven without am or pm, the afternoon is meant. */
function readClock(turn: string): { minute: number; words: string } | null {
  const hour = '(\\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)';
  const found =
    new RegExp(`\\b(?:at|around|after) ${hour}(?:h(\\d{2})| (thirty|fifteen))?(?: ?(am|pm))?\\b(?! (?:minute|hour|day|week|month))`).exec(turn) ??
    new RegExp(`\\b${hour}(?:h(\\d{2})| (thirty|fifteen))? ?(am|pm)\\b`).exec(turn);
  if (found === null) return null;
  const [words, said = '', digits, spoken, half] = found;
  let hours = /^\d+$/.test(said) ? Number(said) : (numberWords[said] ?? 25);
  const minutes = digits === undefined ? (spoken === undefined ? 0 : (numberWords[spoken] ?? 0)) : Number(digits);
  if (half === 'pm' && hours < 12) hours += 12;
  else if (half === 'am' && hours === 12) hours = 0;
  else if (half === undefined && hours >= 1 && hours <= 7) hours += 12;
  return hours > 23 || minutes > 59 ? null : { minute: hours * 60 + minutes, words };
}

/**
 * When the person wants to be called back.
 * @param timeZone - IANA, the person's
 * @returns epoch ms; null: they do not
 */
export function callBackAt(wish: CallWish | null, callMs: EpochMs, timeZone: string): EpochMs | null {
  if (wish === null || wish.kind === 'stop') return null;
  if (wish.kind === 'later') return callMs + Math.min(Math.max(wish.inMs, minuteMs), mostMs);
  const localMs = callMs + offsetMsAt(timeZone, callMs);
  const midnightMs = Math.floor(localMs / dayMs) * dayMs;
  const ahead = wish.weekday === null ? (wish.days ?? 0) : (wish.weekday - new Date(midnightMs).getUTCDay() + 7) % 7;
  const wanted = (days: number): EpochMs => {
    const wallMs = midnightMs + days * dayMs + wish.minute * minuteMs;
    // The offset may change in between.
    return wallMs - offsetMsAt(timeZone, wallMs - offsetMsAt(timeZone, wallMs));
  };
  const next = wanted(ahead);
  if (next > callMs) return next;
  return wanted(ahead + (wish.weekday === null ? 1 : 7));
}
