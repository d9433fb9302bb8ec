import { inReadersTime, plain, sentenceCase } from './format.ts';

// What codes of the API are called where people read them: one place for all pages.

const channels: Readonly<Record<string, string>> = {
  sms: 'text message',
  whatsapp: 'WhatsApp',
  telegram: 'Telegram',
  push: 'notification',
  onsite: 'pop-up',
  crm: 'CRM',
};

/** `sms` → `text message`, for the middle of a sentence. */
export const channelWord = (channel: string): string => channels[channel.toLowerCase()] ?? plain(channel.toLowerCase());
export const channelName = (channel: string): string => sentenceCase(channelWord(channel));

/** Step ids, reasons and settings, as sentences of the API name them. What a provider said stays as it is. */
const codes = /(?<![\w@./:-])(?:[a-z][a-z0-9]*(?:_[a-z0-9]+)+|`[a-z]+(?:[A-Z][a-z]+)+`)(?![\w@/:-]|\.\w)/g;
const providersWords = /\b(?:The provider said|It said): [\s\S]*$/;

/** A sentence of the API as people read it: its times in the zone of their device, its codes as words: `email_2h was accepted` → `“Email 2h” was accepted`. */
export function readable(sentence: string): string {
  const theirs = providersWords.exec(sentence)?.[0] ?? '';
  const ours = sentence.slice(0, sentence.length - theirs.length).replaceAll(codes, (code) => `“${wordsOf(code)}”`);
  return inReadersTime(ours.replace(/^“?\p{Ll}/u, (start) => start.toUpperCase()) + theirs);
}

const wordsOf = (code: string): string => plain(code.replaceAll('`', '').replaceAll(/([a-z])([A-Z])/g, '$1 $2')).toLowerCase();
