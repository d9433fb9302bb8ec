import { channels, isChannel } from '../channels/index.ts';
import { oldestAt } from '../sequence/due.ts';
import type { EpochMs } from '../sequence/plan.ts';
import { scaled } from '../sequence/time-scale.ts';
import { type Cap, crowdAt, firstFree } from '../time/rolling-caps.ts';
import type { GateInput, Situation, TimeGate } from './gate.ts';
import { chosenChannel } from './gate.ts';

const hourMs = 3_600_000;

type Asked = Omit<Situation, 'expiryMs'>;

/**
 * One person gets no more messages in any rolling window than the tenant allows, over all sequences. What may have gone out counts.
 * Source: docs/rules.md#rule-19
 */
export const cap: TimeGate = {
  name: 'cap',
  opensAt(situation, fromMs) {
    return hasRoom(situation, fromMs) ? fromMs : firstFree(capsOf(situation), situation.facts.person.sends.filter(counts), fromMs);
  },
  input: inputOf,
  note: (situation) => `${capWords(inputOf(situation))}.`,
};

/**
 * Until when a step may be sent whose sequence says `whenCapped: wait`: once a cap has put it off beyond its expiry, as long as anything of the
 * sequence may be sent.
 * @param expiryMs - until when it may be sent otherwise
 */
export function expiryWhenCapped(asked: Asked, expiryMs: EpochMs): EpochMs {
  const { plan, progress, step } = asked.facts;
  if (plan.whenCapped !== 'wait') return expiryMs;
  const fromMs = Math.max(asked.dueMs, asked.nowMs);
  const waits = (progress.notBeforeMs[step.id] ?? 0) > expiryMs;
  const mustWait = fromMs <= expiryMs && cap.opensAt({ ...asked, expiryMs }, fromMs) > expiryMs;
  return waits || mustWait ? Math.max(expiryMs, oldestAt(plan, progress)) : expiryMs;
}

/** The caps that a message of this step counts against, on the clock of its plan. */
export function capsOf(asked: Asked): Cap[] {
  const channel = chosenChannel(asked);
  return channel === null || !channels[channel].disturbs ? [] : capsOn(asked, channel);
}

export function capsOn({ facts: { settings, plan } }: Asked, channel: string | null): Cap[] {
  const caps: Cap[] = [];
  for (const { channel: on, most, withinHours } of settings.caps) {
    if (on === null || on === channel) caps.push({ channel: on, most, withinMs: scaled(withinHours * hourMs, plan.timeScale) });
  }
  return caps;
}

/** The quick answer of nearly every decision: it allocates nothing, because rehearsals ask it all the time. */
function hasRoom(asked: Asked, atMs: EpochMs): boolean {
  const { settings, plan, person } = asked.facts;
  const { sends } = person;
  if (sends.length === 0) return true;
  const channel = chosenChannel(asked);
  if (channel === null || !channels[channel].disturbs) return true;
  for (const { channel: on, most, withinHours } of settings.caps) {
    if (sends.length < most || (on !== null && on !== channel)) continue;
    const sinceMs = atMs - scaled(withinHours * hourMs, plan.timeScale);
    let used = 0;
    // Newest first.
    for (const send of sends) {
      if (send.atMs <= sinceMs) break;
      if ((on === null || on === send.channel) && counts(send)) used += 1;
    }
    if (used >= most) return false;
  }
  return true;
}

/** A message whose channel is not known counts as one that disturbs. */
export const counts = ({ channel }: { channel: string | null }): boolean => !isChannel(channel) || channels[channel].disturbs;

/** Which cap is used up, and by what: of several the one that is full for the longest. Nothing more where there is room. */
function inputOf(situation: Situation): GateInput {
  const { settings, person } = situation.facts;
  const atMs = Math.max(situation.nowMs, situation.dueMs);
  const input: GateInput = { caps: settings.caps.length };
  if (hasRoom(situation, atMs)) return input;
  const sends = person.sends.filter(counts);
  const full = capsOf(situation).flatMap((one) => {
    const crowd = crowdAt(one, sends, atMs);
    return crowd === null ? [] : [{ one, crowd, freeMs: firstFree([one], sends, atMs) }];
  });
  const [longest] = full.toSorted((a, b) => b.freeMs - a.freeMs);
  if (longest === undefined) return input;
  const { one, crowd } = longest;
  const usedBy = listOf(crowd.toSorted((a, b) => a.atMs - b.atMs));
  const used = { most: one.most, withinMinutes: Math.round(one.withinMs / 60_000), usedBy };
  return { ...input, ...used, ...(one.channel === null ? {} : { channel: one.channel }) };
}

/** Steps with their times, as a gate records them: `cart/email_2h 2026-03-10T12:00Z, …`. */
export const listOf = (steps: readonly { step: string; atMs: EpochMs }[]): string =>
  steps.map(({ step, atMs }) => `${step} ${new Date(atMs).toISOString().slice(0, 16)}Z`).join(', ');

/**
 * What one person may get and what used it up: `5 messages are the most for one person in 7 days (sent: cart/email_2h 2026-03-10 12:00 UTC and
 * …)`.
 */
export function capWords(input: GateInput): string {
  const { most, withinMinutes, channel, usedBy } = input;
  if (typeof most !== 'number' || typeof withinMinutes !== 'number') return 'The person has had as many messages as one may get';
  const noun = typeof channel === 'string' && isChannel(channel) ? channels[channel].noun : 'message';
  const allowed = `${most} ${noun}${most === 1 ? ' is' : 's are'} the most for one person in ${spanWords(withinMinutes)}`;
  const sent = wordsOfList(usedBy);
  return sent === '' ? allowed : `${allowed} (sent: ${sent})`;
}

export function wordsOfList(list: GateInput[string] | undefined): string {
  if (typeof list !== 'string' || list === '') return '';
  const messages = list.split(', ').map((entry) => entry.replace(/ (\d{4}-\d\d-\d\d)T(\d\d:\d\d)Z$/, ' $1 $2 UTC'));
  return messages.length === 1 ? messages.join('') : `${messages.slice(0, -1).join(', ')} and ${messages.at(-1) ?? ''}`;
}

function spanWords(minutes: number): string {
  const units: [number, string][] = [
    [1_440, 'day'],
    [60, 'hour'],
    [1, 'minute'],
  ];
  const [size, unit] = units.find(([of]) => minutes >= of && minutes % of === 0) ?? [1, 'minute'];
  const n = minutes / size;
  return n === 1 ? (unit === 'day' ? '24 hours' : `one ${unit}`) : `${n} ${unit}s`;
}
