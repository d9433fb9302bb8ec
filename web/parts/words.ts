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
const codes = /(?<![\w@./:-])(?:[a-z][a-z0-9]*(?:_[a-z0-9]+)+|`[a-z]+(?:[A-Z][a-z]+)+`)(?![\w@/-]|[:.]\w)/g;
const providersWords = /\b(?:The provider said|It said): [\s\S]*$/;

/** Who did it, in brackets behind what was done. */
const doers = /(\bby hand)? \(((person|connection|api_key):[\w-]+)\)/g;
const doerWords: Readonly<Record<string, string>> = {
  person: ' by somebody of the team',
  connection: ' through a connection',
  api_key: ' by a key of the API',
};
const nobody: ReadonlyMap<string, string> = new Map();
const ways = /\bby (sms|onsite|crm|push|whatsapp|telegram)\b/g;
const slugs = /\binto the sequence ([a-z0-9]+(?:-[a-z0-9]+)*)/g;

/**
 * A sentence of the API as people read it: its times in the zone of their device, its codes as words:
 * `email_2h was accepted by sms` → `“Email 2h” was accepted by text message`.
 * @param team - names of people who do things, by `person:<id>`
 * @param sequenceName - what a sequence is called, by its slug
 */
export function readable(sentence: string, team: ReadonlyMap<string, string> = nobody, sequenceName: (slug: string) => string = plain): string {
  const theirs = providersWords.exec(sentence)?.[0] ?? '';
  const ours = sentence
    .slice(0, sentence.length - theirs.length)
    .replaceAll(doers, (_, byHand: string | undefined, doer: string, kind: string) => {
      const name = team.get(doer);
      return `${byHand === undefined ? '' : `${byHand},`}${name === undefined ? (doerWords[kind] ?? '') : ` by ${name}`}`;
    })
    .replaceAll(ways, (_, channel: string) => `by ${channelWord(channel)}`)
    .replaceAll(slugs, (_, slug: string) => `into the sequence “${sequenceName(slug)}”`)
    .replaceAll(codes, (code) => `“${wordsOf(code)}”`);
  return inReadersTime(ours.replace(/^“?\p{Ll}/u, (start) => start.toUpperCase()) + theirs);
}

const wordsOf = (code: string): string => plain(code.replaceAll('`', '').replaceAll(/([a-z])([A-Z])/g, '$1 $2')).toLowerCase();

const nouns: Readonly<Record<string, string>> = {
  admin_code: 'code for the chat',
  api_key: 'key of the API',
  bulk: 'taking old ones in',
  bulk_action: 'action for many',
  contact: 'person',
  enrollment: 'sequence of a person',
  experiment: 'test',
  member: 'member of the team',
  offer_codes: 'codes for offers',
  parked: 'stuck work',
  quarantine: 'unreadable delivery',
  risk: 'risk of accounts',
  tenant: 'store',
  test: 'test message',
  webhook_delivery: 'outgoing webhook',
};

const participles: Readonly<Record<string, string>> = {
  begin: 'begun',
  cancel: 'cancelled',
  draft: 'saved as a draft',
  draft_deleted: 'without its draft now',
  enter: 'given a lead',
  export_download: 'downloaded',
  harm: 'found to do harm',
  intervene: 'acted upon',
  join: 'joined',
  pass_on: 'passed on',
  put: 'saved',
  roll_out: 'rolled out',
  run: 'run',
  send: 'sent',
  shadow: 'played beside the other',
  shadow_stopped: 'played beside the other no more',
  stop: 'stopped',
  take_over: 'taken over',
  uninvite: 'no longer invited',
  drop: 'dropped',
  skip: 'left out',
};

/** What the audit log calls an action: `api_key.issue` → `Key of the API issued`. */
export function auditWords(action: string): string {
  const [noun = '', verb = ''] = action.split('.');
  const done =
    participles[verb] ??
    plain(
      verb
        .replace(/(?<![ey])$/, 'ed')
        .replace(/e$/, 'ed')
        .replace(/y$/, 'ied'),
    );
  return `${sentenceCase(nouns[noun] ?? plain(noun))} ${done}`;
}
