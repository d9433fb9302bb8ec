import { type Channel, channels, type MessagePayload, type PayloadOf, type WhatsappForm } from '../../domain/channels/index.ts';
import { type ClaimName, noClaims } from '../../domain/claims/index.ts';
import { samplePushAddress } from '../../domain/people/push-subscription.ts';
import { readCopyName } from '../../domain/sequence/copy-name.ts';
import { claimsNamedIn } from '../claim-tag.ts';
import type { CopyFacts } from '../copy-facts.ts';
import { chooseLanguage, languageTag } from '../../domain/languages.ts';
import type { WrittenWords } from '../../domain/composition/words.ts';
import { callContent } from './call/index.ts';
import type { ChannelContent } from './channel-content.ts';
import { crmContent } from './crm/index.ts';
import { emailContent } from './email/index.ts';
import { onsiteContent } from './onsite/index.ts';
import { pushContent } from './push/index.ts';
import { smsContent } from './sms/index.ts';
import { taskContent } from './task/index.ts';
import { telegramContent } from './telegram/index.ts';
import { formsOf, textOfWhatsapp, whatsappContent } from './whatsapp/index.ts';

/** The channels whose messages leave through a provider: each needs a line in the registry. */
type MessageChannelName = { [C in Channel]: [PayloadOf<C>] extends [never] ? never : C }[Channel];

/** How the messages of each of them are made. A new one is a folder here and a line in this list. */
export const channelContents: { [C in MessageChannelName]: ChannelContent<C> } = {
  call: callContent,
  crm: crmContent,
  email: emailContent,
  onsite: onsiteContent,
  push: pushContent,
  sms: smsContent,
  task: taskContent,
  telegram: telegramContent,
  whatsapp: whatsappContent,
};

/** How messages of a channel are made; null: its steps have no text. */
export function channelContentOf(channel: Channel): ChannelContent | null {
  const known: Partial<Record<Channel, ChannelContent>> = channelContents;
  return known[channel] ?? null;
}

/** The name under which a version stores the text of a step on a channel, and the name of its file in the preset's folder. */
export function copyNameOf(content: string, channel: Channel): string {
  return `${content}${channelContentOf(channel)?.suffix ?? `.${channel}`}`;
}

/**
 * Whether a version has what a message on this channel is made of. Versions published before a channel existed have nothing for it; a channel
 * without texts of ours needs nothing.
 */
export function hasCopy(stored: Readonly<Record<string, unknown>>, content: string | null, channel: Channel): boolean {
  if (channelContentOf(channel) === null) return false;
  return !channels[channel].carriesCopy || (content !== null && Object.hasOwn(stored, copyNameOf(content, channel)));
}

/** The content under which a version stores what a model's words are put into, beside the text that stands in for them. */
const modelLayoutOf = (content: string) => `${content}/model`;

/** Whether what a version stores under a name is what a model’s words are put into, and no text of its own. */
export const isModelLayout = (name: string): boolean => (readCopyName(name)?.content ?? '').endsWith(modelLayoutOf(''));

/** English is the one that the others count as translations of. */
export function modelLayoutName(content: string, channel: Channel, language: string): string {
  const name = copyNameOf(modelLayoutOf(content), channel);
  return language === 'en' ? name : `${name}.${language}`;
}

/** A text in one language, as a version stores it. */
interface Translation {
  name: string;
  language: string;
}

/** The language in which a compiled text is written. Those that were compiled before languages were stored are English, as far as is known. */
export function languageOfText(compiled: unknown): string {
  const language = typeof compiled === 'object' && compiled !== null && 'language' in compiled ? compiled.language : null;
  return typeof language === 'string' ? (languageTag(language) ?? language) : 'en';
}

// A published version never changes.
const translationsBefore = new WeakMap<Readonly<Record<string, unknown>>, Map<string, readonly Translation[]>>();

/** Every language in which a version has a text; the one that the others are translated from comes first. */
function translationsOf(stored: Readonly<Record<string, unknown>>, content: string, channel: Channel): readonly Translation[] {
  const original = copyNameOf(content, channel);
  const before = translationsBefore.get(stored) ?? new Map<string, readonly Translation[]>();
  translationsBefore.set(stored, before);
  const known = before.get(original);
  if (known !== undefined) return known;
  const found = Object.keys(stored).flatMap((name): Translation[] => {
    const language = name.startsWith(`${original}.`) ? (readCopyName(name)?.language ?? null) : null;
    const isIts = language !== null && name === `${original}.${language}`;
    return isIts ? [{ name, language: languageTag(language) ?? language }] : [];
  });
  const all = [{ name: original, language: languageOfText(stored[original]) }, ...found];
  before.set(original, all);
  return all;
}

/** A message, and the language of its words; null: none was chosen, because it carries no text. */
export interface Composed {
  payload: MessagePayload;
  language: string | null;
}

/** Whether a version can send what a model has written in this language in the place of a text. */
export function hasModelLayout(stored: Readonly<Record<string, unknown>>, content: string, channel: Channel, language: string): boolean {
  return Object.hasOwn(stored, modelLayoutName(content, channel, language));
}

/**
 * Make the message of a step from what a model has written.
 * @throws Error where `hasModelLayout` says no
 */
export function composeWritten(
  stored: Readonly<Record<string, unknown>>,
  content: string,
  channel: Channel,
  facts: CopyFacts & { words: WrittenWords },
  to: string,
): Composed {
  const made = channelContentOf(channel);
  const name = modelLayoutName(content, channel, facts.words.language);
  if (made === null || !Object.hasOwn(stored, name)) throw new Error(`there is no layout ${name}`);
  return { payload: made.compose(made.read(stored[name]), facts, to), language: facts.words.language };
}

/**
 * What the texts of that name claim, on any channel and in any language. Texts that were published before there were claims ask for the same facts by `if`.
 * @param stored - of a published version, which never changes
 */
export function claimsIn(stored: Readonly<Record<string, unknown>>, content: string | null): readonly ClaimName[] {
  if (content === null) return [];
  const before = claimsBefore.get(stored) ?? new Map<string, readonly ClaimName[]>();
  claimsBefore.set(stored, before);
  const known = before.get(content);
  if (known !== undefined) return known;
  const texts = Object.entries(stored).flatMap(([name, compiled]) => (name === content || name.startsWith(`${content}.`) ? [compiled] : []));
  const found = claimsNamedIn(texts);
  before.set(content, found);
  return found;
}

const claimsBefore = new WeakMap<Readonly<Record<string, unknown>>, Map<string, readonly ClaimName[]>>();

/**
 * Make the message of a step, complete and ready to be pinned: in the person's language, else the store's, else English, else in what there is.
 * @param to - the address; empty on a channel that needs none
 * @throws Error when the version has no text for it, which `hasCopy` tells beforehand
 */
export function composeMessage(
  stored: Readonly<Record<string, unknown>>,
  content: string | null,
  channel: Channel,
  facts: CopyFacts,
  to: string,
): Composed {
  const made = channelContentOf(channel);
  if (made === null || !hasCopy(stored, content, channel)) throw new Error(`there is no text ${content} for ${channel}`);
  if (content === null) return { payload: made.compose(made.read(null), facts, to), language: null };
  const text = chosenText(stored, content, channel, facts);
  if (text === null) return { payload: made.compose(made.read(undefined), facts, to), language: null };
  return { payload: made.compose(made.read(stored[text.name]), facts, to), language: text.language };
}

/** The text that the person reads: in their language, else the store's, else English, else in what there is. */
function chosenText(stored: Readonly<Record<string, unknown>>, content: string, channel: Channel, facts: CopyFacts): Translation | null {
  return textFor(stored, content, channel, [facts.contact.locale, facts.store.locale]);
}

function textFor(
  stored: Readonly<Record<string, unknown>>,
  content: string,
  channel: Channel,
  locales: readonly (string | null)[],
): Translation | null {
  const texts = translationsOf(stored, content, channel);
  const chosen = chooseLanguage(
    texts.map(({ language }) => language),
    [...locales, 'en'],
  );
  const text = texts.find(({ language }) => language === chosen) ?? texts[0];
  return text !== undefined && Object.hasOwn(stored, text.name) ? text : null;
}

/** The forms that a text has by WhatsApp, in the language that is read in these locales; none where it has no such text. */
export function whatsappForms(
  stored: Readonly<Record<string, unknown>>,
  content: string | null,
  locales: readonly (string | null)[],
): readonly WhatsappForm[] {
  const text = content === null || !hasCopy(stored, content, 'whatsapp') ? null : textFor(stored, content, 'whatsapp', locales);
  return text === null ? [] : formsOf(whatsappContent.read(stored[text.name]));
}

/** A message as somebody would get it. `claims`: those that its text makes, whether each is shown, and why. */
export interface MessagePreview {
  channel: Channel;
  /** Of its words, BCP 47. */
  locale: string;
  subject: string | null;
  preheader: string | null;
  html: string | null;
  text: string;
  cta: string | null;
  claims: { claim: ClaimName; shown: boolean; why: string }[];
}

const sampleAddress: Readonly<Record<string, string>> = {
  phone: '+12025550100',
  telegram: '123456789',
  push: samplePushAddress,
};

/** Make the message without anybody to send it to. @throws Error when there is no text for it, which `hasCopy` tells beforehand */
export function previewMessage(stored: Readonly<Record<string, unknown>>, content: string, channel: Channel, facts: CopyFacts): MessagePreview {
  const { payload, language } = composeMessage(
    stored,
    content,
    channel,
    facts,
    sampleAddress[channels[channel].address ?? 'email'] ?? 'you@example.com',
  );
  const made = channelContentOf(channel);
  const text = chosenText(stored, content, channel, facts);
  const compiled = text === null ? undefined : stored[text.name];
  const parts = made?.parts?.(made.read(compiled), facts) ?? { preheader: null, cta: null };
  const claims = facts.claims ?? noClaims;
  const said = partsOf(payload);
  return {
    channel,
    locale: language ?? 'en',
    subject: said.subject,
    preheader: parts.preheader,
    html: said.html,
    text: said.text,
    cta: parts.cta ?? said.cta,
    claims: claimsNamedIn([compiled]).map((claim) => ({ claim, shown: claims[claim].holds, why: claims[claim].why })),
  };
}

function partsOf(payload: MessagePayload): Pick<MessagePreview, 'subject' | 'html' | 'text' | 'cta'> {
  const none = { subject: null, html: null, cta: null };
  switch (payload.channel) {
    case 'email':
      return { ...none, subject: payload.subject, html: payload.html, text: payload.text };
    case 'call':
      return { ...none, text: payload.opening };
    case 'crm':
      return { ...none, text: `Workflow “${payload.workflow}”` };
    case 'push':
      return { ...none, subject: payload.title, text: payload.text };
    case 'sms':
      return { ...none, text: payload.text };
    case 'task':
      return { ...none, text: 'A task for a colleague' };
    case 'telegram':
      return { ...none, text: payload.text, cta: payload.buttons.flat().map(({ text }) => text)[0] ?? null };
    case 'whatsapp':
      return { ...none, text: textOfWhatsapp(payload) };
    case 'onsite':
      return { ...none, subject: payload.heading, text: payload.text, cta: payload.cta };
  }
}
