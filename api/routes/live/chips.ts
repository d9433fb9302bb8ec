import { channels, isChannel } from '../../../domain/channels/index.ts';
import type { Happening, Story } from '../../../operations/read/live-stories.ts';

/** One station of a story line. */
export interface Chip {
  label: string;
  tone: 'plain' | 'left' | 'mail' | 'reaction' | 'bought' | 'trouble' | 'end';
  atMs: number;
  /** The whole sentence, for whoever points at it. */
  sentence: string;
  /** How often in a row; shown from 2 on. */
  times: number;
}

type Tone = Chip['tone'];

export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
/** What a message on a channel is called; one of a later version by the channel's name. */
export const nounOf = (channel: string): string => (isChannel(channel) ? channels[channel].noun : channel);
type Station = readonly [label: string, tone: Tone];

/** What made a sequence stop, as a station before `Stopped`; null: the stop says it all. */
const causes: Record<string, Station | null> = {
  purchased: ['Bought', 'bought'],
  // Known by the shopper alone: the order does not name this cart.
  purchased_elsewhere: ['Another order', 'bought'],
  not_abandoned: ['Bought without an email', 'bought'],
  order_void: ['Test or declined order', 'plain'],
  replied: ['Replied', 'reaction'],
  contacted: ['Contacted', 'reaction'],
  opted_out: ['Opted out', 'reaction'],
  expired: ['Too old', 'trouble'],
  superseded: ['A newer cart', 'plain'],
  emptied: ['Cart emptied', 'reaction'],
  cart_deleted: ['Cart deleted', 'trouble'],
  merged: ['Same cart as another', 'plain'],
  demo_restarted: ['Demo restarted', 'plain'],
};

const simple: Record<string, Station> = {
  enrolled: ['Filling a cart', 'plain'],
  abandoned: ['Abandoned', 'left'],
  'message.opened': ['Opened', 'reaction'],
  'message.clicked': ['Clicked', 'reaction'],
  'message.click_withdrawn': ['Click not counted', 'plain'],
  'message.failed': ['Email not accepted', 'trouble'],
  'message.unknown': ['Email in doubt', 'trouble'],
  'provider.unreachable': ['Mail server unreachable', 'trouble'],
  completed: ['Completed', 'end'],
  order_cancelled: ['Order cancelled', 'trouble'],
  order_refunded: ['Refunded', 'trouble'],
  order_edited: ['Order changed', 'plain'],
  order_corrected: ['Order changed', 'plain'],
  paused: ['Paused', 'plain'],
  resumed: ['Resumed', 'plain'],
};

/** The stations of a story, in order; what happens several times in a row is one station with a count. */
export function chipsOf({ happenings }: Pick<Story, 'happenings'>): Chip[] {
  const chips: Chip[] = [];
  const seen = { abandoned: false, recovered: false, emails: 0 };
  for (const happening of happenings) {
    if (happening.type === 'abandoned') seen.abandoned = true;
    if (happening.type === 'recovered') seen.recovered = true;
    if (happening.type === 'message.sent') seen.emails += 1;
    for (const [label, tone] of stationsOf(happening, seen)) {
      const last = chips.at(-1);
      if (last?.label === label) last.times += 1;
      else chips.push({ label, tone, atMs: happening.atMs, sentence: happening.sentence, times: 1 });
    }
  }
  return chips;
}

function stationsOf({ type, reason, amount, stepId }: Happening, seen: { abandoned: boolean; recovered: boolean; emails: number }): Station[] {
  switch (type) {
    case 'message.sent':
      return [[`Email ${seen.emails}`, 'mail']];
    case 'cart.updated':
      // Until then it is the filling itself.
      return seen.abandoned ? [['Active again', 'reaction']] : [];
    case 'recovered':
      return [[amount === null ? 'Bought' : `Bought ${amount}`, 'bought']];
    case 'step.skipped':
      return reason === 'not_connected' || reason === 'stopped' ? [] : [[`${stepId ?? 'Step'} not sent`, 'plain']];
    case 'stopped':
      return stationsOfStop(reason ?? 'manual', seen.recovered);
    default: {
      const station = simple[type];
      return station === undefined ? [] : [station];
    }
  }
}

function stationsOfStop(reason: string, recovered: boolean): Station[] {
  if (reason === 'manual') return [['Stopped by hand', 'end']];
  if (reason === 'cancelled' || reason === 'terminated') return [[`${reason === 'cancelled' ? 'Cancelled' : 'Terminated'} in Temporal`, 'end']];
  const cause = recovered && reason === 'purchased' ? null : (causes[reason] ?? null);
  return cause === null ? [['Stopped', 'end']] : [cause, ['Stopped', 'end']];
}
