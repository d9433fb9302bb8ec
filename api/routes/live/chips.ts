import { channels, isChannel } from '../../../domain/channels/index.ts';
import type { Words } from '../../../domain/subjects/kind.ts';
import type { Happening, Story } from '../../../operations/read/live-stories.ts';
import { capital } from '../../../operations/read/words.ts';

/** One station of a story line. */
export interface Chip {
  label: string;
  tone: 'plain' | 'left' | 'mail' | 'reaction' | 'bought' | 'trouble' | 'end';
  atMs: number;
  /** The whole sentence, shown as a tooltip. */
  sentence: string;
  /** How often in a row; shown from 2 on. */
  times: number;
}

type Tone = Chip['tone'];

/** What a message on a channel is called; one of a later version by the channel's name. */
export const nounOf = (channel: string): string => (isChannel(channel) ? channels[channel].noun : channel);
type Station = readonly [label: string, tone: Tone];

/** What made a sequence stop, as a station before `Stopped`. `{noun}` is what the kind of subject is called. */
const causes: Record<string, Station> = {
  purchased: ['Bought', 'bought'],
  // Matched by the person alone: the order does not name this subject.
  purchased_elsewhere: ['Another order', 'bought'],
  not_abandoned: ['Bought before it began', 'bought'],
  order_void: ['Test or declined order', 'plain'],
  replied: ['Replied', 'reaction'],
  contacted: ['Contacted', 'reaction'],
  opted_out: ['Opted out', 'reaction'],
  rejected: ['Rejected', 'reaction'],
  holdout: ['Held out', 'plain'],
  undeliverable: ['Refused', 'trouble'],
  expired: ['Too old', 'trouble'],
  superseded: ['A newer {noun}', 'plain'],
  filtered: ['Not for this {noun}', 'plain'],
  emptied: ['{Noun} emptied', 'reaction'],
  cart_deleted: ['{Noun} deleted', 'trouble'],
  merged: ['Same {noun} as another', 'plain'],
  demo_restarted: ['Demo restarted', 'plain'],
  version_replaced: ['A new version', 'plain'],
  sequence_ended: ['Sequence ended', 'plain'],
  campaign_ended: ['Campaign ended', 'plain'],
  recovered: ['Recovered', 'reaction'],
  band_raised: ['Risk rose', 'plain'],
};

const simple: Record<string, Station> = {
  enrolled: ['Taken in', 'plain'],
  abandoned: ['Begun', 'left'],
  'message.opened': ['Opened', 'reaction'],
  'message.clicked': ['Clicked', 'reaction'],
  'message.click_withdrawn': ['Click not counted', 'plain'],
  'popup.shown': ['Pop-up shown', 'mail'],
  'popup.closed': ['Pop-up closed', 'plain'],
  'call.answered': ['Answered', 'reaction'],
  'call.not_reached': ['Nobody reached', 'plain'],
  'call.failed': ['{Message} failed', 'trouble'],
  'message.delivered': ['Delivered', 'reaction'],
  'message.failed': ['{Message} not accepted', 'trouble'],
  'message.unknown': ['{Message} in doubt', 'trouble'],
  'provider.unreachable': ['Provider unreachable', 'trouble'],
  completed: ['Completed', 'end'],
  order_cancelled: ['Order cancelled', 'trouble'],
  order_restored: ['Order restored', 'plain'],
  order_refunded: ['Refunded', 'trouble'],
  order_edited: ['Order changed', 'plain'],
  order_corrected: ['Order changed', 'plain'],
  paused: ['Paused', 'plain'],
  resumed: ['Resumed', 'plain'],
};

/** The stations of a story, in order; what happens several times in a row is one station with a count. */
export function chipsOf({ happenings, words }: Pick<Story, 'happenings' | 'words'>): Chip[] {
  const chips: Chip[] = [];
  const seen: Seen = { begun: false, recovered: false, sent: new Map() };
  for (const happening of happenings) {
    if (happening.type === 'abandoned') seen.begun = true;
    if (happening.type === 'recovered') seen.recovered = true;
    if (happening.type === 'message.sent') seen.sent.set(messageNoun(happening), (seen.sent.get(messageNoun(happening)) ?? 0) + 1);
    for (const [label, tone] of stationsOf(words, happening, seen)) {
      const last = chips.at(-1);
      if (last?.label === label) last.times += 1;
      else chips.push({ label, tone, atMs: happening.atMs, sentence: happening.sentence, times: 1 });
    }
  }
  return chips;
}

/** What a station depends on from the stations before it. `sent`: messages by their noun. */
interface Seen {
  begun: boolean;
  recovered: boolean;
  sent: Map<string, number>;
}

/** Older builds noted no channel: all that they sent were emails. */
export const messageNoun = ({ channel }: Pick<Happening, 'channel'>): string => nounOf(channel ?? 'email');

/** The station's own words for a kind of subject, else the general ones with its noun put in. */
function inWords(words: Words, key: string, [label, tone]: Station, noun = ''): Station {
  const own = Object.hasOwn(words.stations, key) ? words.stations[key] : undefined;
  const general = label.replace('{noun}', words.noun).replace('{Noun}', capital(words.noun)).replace('{Message}', capital(noun));
  return [own ?? general, tone];
}

function stationsOf(words: Words, happening: Happening, seen: Seen): Station[] {
  const { type, reason, amount, stepId } = happening;
  const noun = messageNoun(happening);
  switch (type) {
    case 'message.sent':
      // It has reached nobody yet.
      if (happening.channel === 'onsite') return [['Pop-up waits', 'plain']];
      return [[`${capital(noun)} ${seen.sent.get(noun) ?? 1}`, 'mail']];
    case 'cart.updated':
    case 'lead.created':
    case 'subject.reported':
      // Before it has begun, this is the first station.
      return seen.begun ? [['Active again', 'reaction']] : [];
    case 'recovered':
      return [[amount === null ? 'Bought' : `Bought ${amount}`, 'bought']];
    case 'step.skipped':
      return reason === 'not_connected' || reason === 'stopped' ? [] : [[`${capital((stepId ?? 'step').replaceAll('_', ' '))} not sent`, 'plain']];
    case 'stopped':
      return stationsOfStop(words, reason ?? 'manual', seen.recovered);
    default: {
      const station = simple[type];
      return station === undefined ? [] : [inWords(words, type, station, noun)];
    }
  }
}

function stationsOfStop(words: Words, reason: string, recovered: boolean): Station[] {
  if (reason === 'manual') return [['Stopped by hand', 'end']];
  if (reason === 'cancelled' || reason === 'terminated') return [[`${capital(reason)} in Temporal`, 'end']];
  const cause = (recovered && reason === 'purchased') || !Object.hasOwn(causes, reason) ? undefined : causes[reason];
  return cause === undefined ? [['Stopped', 'end']] : [inWords(words, reason, cause), ['Stopped', 'end']];
}
