import type { ChatLanguage } from '../../domain/chat/language.ts';
import type { ButtonLabel, ChatButton, ChatMessage, Paragraph } from '../../domain/chat/message.ts';
import type { Property } from '../../domain/chat/property.ts';
import { isGoalChoice } from '../../domain/chat/state.ts';
import type { HotLead } from '../../domain/chat/turn.ts';
import { isRightToLeft } from '../../domain/languages.ts';
import { formatDate } from '../dates.ts';
import { formatMoney } from '../money.ts';
import { dateTimeFormat, numberFormat } from '../intl-formats.ts';
import { cleanLine, type Direction, isolate } from '../plain-text.ts';
import { webUrl } from '../web-url.ts';
import { ar } from './ar.ts';
import { en } from './en.ts';
import { fa } from './fa.ts';
import { ru } from './ru.ts';
import type { ChatTexts, Counted } from './texts.ts';

export const chatTexts: Readonly<Record<ChatLanguage, ChatTexts>> = { en, fa, ar, ru };

/** The words of the button that puts off giving a number, in every language. */
export const skipLabels: readonly string[] = Object.values(chatTexts).map(({ labels }) => labels.skip_contact);

/** A message as a chat shows it: plain text, and what it is answered with. */
export interface RenderedChatMessage {
  /** At most 4096 characters. */
  text: string;
  keys:
    | { kind: 'buttons'; rows: { text: string; data: string }[][] }
    | { kind: 'share_contact'; share: string; skip: string }
    /** The keyboard that shares the number is taken away. */
    | { kind: 'closed' }
    | null;
}

/** Whose bot it is. */
export interface ChatStore {
  name: string;
  /** IANA. */
  timeZone: string;
}

const longestMessage = 4_096;

/** Pure: the same message in the same language is the same text. */
export function renderChatMessage(message: ChatMessage, language: ChatLanguage, store: ChatStore): RenderedChatMessage {
  const speaker = speakerOf(language, store);
  const text = message.paragraphs.map((paragraph) => paragraphText(paragraph, speaker)).join('\n\n');
  return { text: fitted(text), keys: keysOf(message.keys, speaker.texts) };
}

/** What the admin reads about a hot lead: name, phone, goal and time. Times in the store's zone. */
export function renderHotLead(hot: HotLead, language: ChatLanguage, store: ChatStore): string {
  const speaker = speakerOf(language, store);
  const { alert } = speaker.texts;
  const goal = hot.goal === null ? null : isGoalChoice(hot.goal) ? speaker.texts.goals[hot.goal] : speaker.value(hot.goal, 300);
  const time = isolate(
    dateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone: store.timeZone }).format(hot.atMs),
    speaker.direction,
  );
  const fields: [string, string | null][] = [
    [alert.name, speaker.value(hot.name, 100)],
    [alert.phone, isolate(hot.phone, speaker.direction)],
    [alert.goal, goal],
    [alert.time, time],
  ];
  return [alert.title, ...fields.map(([label, value]) => `${label}: ${value ?? alert.unknown}`)].map(speaker.line).join('\n');
}

interface Speaker {
  language: ChatLanguage;
  texts: ChatTexts;
  direction: Direction;
  store: ChatStore;
  /** A value from outside, isolated where it runs against the sentence. */
  value(text: string | null, most: number): string | null;
  /** A line that runs in the direction of the language, whatever it begins with. */
  line(text: string): string;
}

function speakerOf(language: ChatLanguage, store: ChatStore): Speaker {
  const direction: Direction = isRightToLeft(language) ? 'rtl' : 'ltr';
  return {
    language,
    texts: chatTexts[language],
    direction,
    store,
    value: (text, most) => cleanLine(text, most, direction),
    // A right-to-left mark: a line that begins with a sign or an isolated value has no direction of its own.
    line: (text) => (direction === 'rtl' ? `\u200f${text}` : text),
  };
}

function paragraphText(paragraph: Paragraph, speaker: Speaker): string {
  const { texts, store } = speaker;
  const storeName = speaker.value(store.name, 120) ?? '';
  const greeting = ({ named, nameless }: ChatTexts['welcome'], name: string | null) => {
    const known = speaker.value(name, 60);
    return speaker.line(known === null ? filled(nameless, { store: storeName }) : filled(named, { name: known, store: storeName }));
  };
  switch (paragraph.says) {
    case 'welcome':
      return greeting(texts.welcome, paragraph.name);
    case 'welcome_back':
      return greeting(texts.welcomeBack, paragraph.name);
    case 'thanks_for_number':
      return greeting(texts.thanksForNumber, paragraph.name);
    case 'matches':
      return [speaker.line(texts.matches), ...paragraph.properties.map((one) => propertyText(one, speaker))].join('\n\n');
    case 'source_message':
      return speaker.line(speaker.value(paragraph.text, 500) ?? texts.matches);
    case 'scarcity': {
      const title = speaker.value(paragraph.title, 120);
      const named = paragraph.named && title !== null;
      return speaker.line(counted(named ? texts.scarcityOf : texts.scarcity, paragraph.left, speaker, named ? { title } : {}));
    }
    case 'admin_registered': {
      const waiting = paragraph.waiting === 0 ? [] : [counted(texts.waitingAlerts, paragraph.waiting, speaker)];
      return [texts.adminRegistered, ...waiting].map(speaker.line).join('\n');
    }
    default:
      return speaker.line(texts.plain[paragraph.says]);
  }
}

/** Title and area, then price, units left and date, then the page. What is not known is left out. */
function propertyText(property: Property, speaker: Speaker): string {
  const { language, texts, direction, store } = speaker;
  const area = speaker.value(property.area, 100);
  const title = speaker.value(property.title, 120) ?? '';
  const date = formatDate(property.observedAtMs, 'medium', { locale: language, timeZone: store.timeZone, direction });
  const facts = [
    formatMoney(property.priceMinor, property.currency, language, direction),
    property.unitsLeft === null ? null : counted(texts.unitsLeft, property.unitsLeft, speaker),
    date === null ? null : filled(texts.asOf, { date }),
  ].filter((fact) => fact !== null);
  const url = webUrl(property.url);
  return [
    speaker.line(area === null ? title : `${title} (${area})`),
    speaker.line(facts.join(' · ')),
    // An address is a line of its own, which runs from left to right in every language, and nothing stands beside it that an app might take for a part of it.
    ...(url === null ? [] : [url]),
  ].join('\n');
}

function counted(forms: Counted, n: number, { language, direction }: Speaker, values: Record<string, string> = {}): string {
  const form = forms[new Intl.PluralRules(language).select(n)] ?? forms.other;
  return filled(form, { ...values, n: isolate(numberFormat(language).format(n), direction) });
}

const filled = (text: string, values: Readonly<Record<string, string>>) => text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);

function keysOf(keys: ChatMessage['keys'], texts: ChatTexts): RenderedChatMessage['keys'] {
  if (keys === null) return null;
  if (keys === 'closed') return { kind: 'closed' };
  if (keys === 'share_contact') return { kind: 'share_contact', share: texts.labels.share_contact, skip: texts.labels.skip_contact };
  return { kind: 'buttons', rows: keys.map((row) => row.map(({ label, data }) => ({ text: labelText(label, texts), data }))) };
}

function labelText(label: ChatButton['label'], texts: ChatTexts): string {
  if (typeof label !== 'object') return texts.labels[label satisfies ButtonLabel];
  return 'goal' in label ? texts.goals[label.goal] : chatTexts[label.language].name;
}

/** Whole lines, as many as a message holds. */
function fitted(text: string): string {
  if (text.length <= longestMessage) return text;
  const cut = text.slice(0, longestMessage);
  return cut.slice(0, Math.max(cut.lastIndexOf('\n'), 1)).trimEnd();
}
