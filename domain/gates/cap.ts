import { channels, isChannel } from '../channels/index.ts';
import { oldestAt, readyAt } from '../sequence/due.ts';
import type { EpochMs } from '../sequence/plan.ts';
import { scaled } from '../sequence/time-scale.ts';
import { type Cap, countsAgainst, crowdAt, firstFree, type Taken } from '../time/rolling-caps.ts';
import type { SendRecord, UpcomingRecord } from './facts.ts';
import type { GateInput, Situation, TimeGate } from './gate.ts';
import { chosenChannel } from './gate.ts';

const hourMs = 3_600_000;
/** How long a step waits for those before it in line, whose messages may yet not go out. */
const turnMs = 60_000;
const shortestTurnMs = 1_000;
/** The last question before a step expires comes this much earlier, so that a punctual worker is still in time. */
const beforeExpiryMs = 5_000;

type Asked = Omit<Situation, 'expiryMs'>;

/**
 * One person gets no more messages in any rolling window than the tenant allows, over all sequences. What may have gone out counts. The next steps
 * of the person's other sequences stand in line: at any moment, those that are ready within the hour go by priority, then by time.
 * Source: docs/rules.md#rule-19
 */
export const cap: TimeGate = {
  name: 'cap',
  opensAt(situation, fromMs) {
    const caps = capsOf(situation);
    const { sends, upcoming } = situation.facts.person;
    if (caps.length === 0 || hasRoom(caps, sends, upcoming.length, fromMs)) return fromMs;
    const taken = counted(sends);
    const aloneMs = firstFree(caps, taken, fromMs);
    if (upcoming.length === 0) return aloneMs;
    const inLineMs = freeInLine(situation, caps, taken, fromMs);
    if (inLineMs <= situation.expiryMs || aloneMs > situation.expiryMs) return inLineMs;
    // What has gone out leaves room: only steps that may yet be skipped are in the way, so the step is not given up before they had their turn.
    const lastMs = situation.expiryMs - beforeExpiryMs;
    if (situation.nowMs >= lastMs) return inLineMs;
    const readyMs = aheadOf(situation, fromMs).reduce((latest, u) => Math.max(latest, u.readyMs), situation.nowMs);
    return Math.max(fromMs, Math.min(lastMs, readyMs + Math.max(shortestTurnMs, scaled(turnMs, situation.facts.plan.timeScale))));
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
function capsOf(asked: Asked): Cap[] {
  const channel = chosenChannel(asked);
  return channel === null || !channels[channel].disturbs ? [] : capsOn(asked, channel);
}

function capsOn({ facts: { settings, plan } }: Asked, channel: string | null): Cap[] {
  const caps: Cap[] = [];
  for (const { channel: on, most, withinHours } of settings.caps) {
    if (on === null || on === channel) caps.push({ channel: on, most, withinMs: scaled(withinHours * hourMs, plan.timeScale) });
  }
  return caps;
}

/** Whether there is room whatever the others do: the quick answer of nearly every decision. @param sends - newest first */
function hasRoom(caps: readonly Cap[], sends: readonly SendRecord[], others: number, atMs: EpochMs): boolean {
  for (const one of caps) {
    let used = others;
    for (const send of sends) {
      if (send.atMs <= atMs - one.withinMs) break;
      if (counts(send) && countsAgainst(one, send.channel)) used += 1;
    }
    if (used >= one.most) return false;
  }
  return true;
}

/** A message whose channel is not known counts as one that disturbs. */
const counts = ({ channel }: Pick<SendRecord, 'channel'>): boolean => !isChannel(channel) || channels[channel].disturbs;
const counted = (sends: readonly SendRecord[]): SendRecord[] => sends.filter(counts);

/** The first free instant behind everybody who comes before this step in line. */
function freeInLine(situation: Situation, caps: readonly Cap[], taken: readonly Taken[], fromMs: EpochMs): EpochMs {
  let atMs = fromMs;
  for (;;) {
    const freeMs = firstFree(caps, [...taken, ...slotsOf(situation, aheadOf(situation, atMs), taken)], atMs);
    if (freeMs <= atMs) return atMs;
    // Later, others may have become ready too.
    atMs = freeMs;
  }
}

/**
 * Who goes first at an instant, among those that are ready within the hour: the higher priority, else who was put off to its slot before, else who was
 * ready earlier.
 */
function aheadOf({ facts: { person, plan, progress, step, enrollment }, dueMs }: Situation, atMs: EpochMs): UpcomingRecord[] {
  const readyMs = readyAt(plan, progress, step.id);
  const own = { priority: plan.priority, reserved: readyMs > dueMs, readyMs, enrollmentId: enrollment.id };
  const horizonMs = atMs + scaled(hourMs, plan.timeScale);
  return person.upcoming.filter((other) => other.readyMs <= horizonMs && counts(other) && inLine(other, own) < 0).sort(inLine);
}

type Place = Pick<UpcomingRecord, 'priority' | 'reserved' | 'readyMs' | 'enrollmentId'>;
function inLine(a: Place, b: Place): number {
  return a.priority - b.priority || Number(b.reserved) - Number(a.reserved) || a.readyMs - b.readyMs || (a.enrollmentId < b.enrollmentId ? -1 : 1);
}

/** When those in line would go out, each at its first free instant. Who would be too old by then takes no slot. */
function slotsOf(situation: Situation, line: readonly UpcomingRecord[], taken: readonly Taken[]): Taken[] {
  const slots: Taken[] = [];
  for (const { channel, readyMs, expiryMs } of line) {
    const atMs = firstFree(capsOn(situation, channel), [...taken, ...slots], Math.max(readyMs, situation.nowMs));
    if (atMs <= expiryMs) slots.push({ channel, atMs });
  }
  return slots;
}

/** Which cap is used up, and by what. Only counts where there is room. */
function inputOf(situation: Situation): GateInput {
  const caps = capsOf(situation);
  const { sends, upcoming } = situation.facts.person;
  const atMs = Math.max(situation.nowMs, situation.dueMs);
  const input: GateInput = { caps: caps.length, upcoming: upcoming.length };
  if (caps.length === 0 || hasRoom(caps, sends, upcoming.length, atMs)) return input;
  const line = aheadOf(situation, atMs).map(({ step, channel, readyMs }) => ({ step, channel, atMs: Math.max(readyMs, atMs), waits: true }));
  const taken = [...counted(sends).map(({ step, channel, atMs }) => ({ step, channel, atMs, waits: false })), ...line];
  for (const one of caps) {
    const crowd = crowdAt(one, taken, atMs);
    if (crowd === null) continue;
    const named = (waits: boolean) => crowd.filter((t) => t.waits === waits).sort((a, b) => a.atMs - b.atMs);
    const list = (of: typeof crowd) => of.map((t) => `${t.step} ${new Date(t.atMs).toISOString().slice(0, 16)}Z`).join(', ');
    const used = { most: one.most, withinMinutes: Math.round(one.withinMs / 60_000), usedBy: list(named(false)) };
    return { ...input, ...used, ...(one.channel === null ? {} : { channel: one.channel }), firstInLine: list(named(true)) };
  }
  return input;
}

/**
 * What one person may get and what used it up: `5 messages in 7 days are the most for one person; they were used up by cart/email_2h
 * (2026-03-10 12:00 UTC) …`.
 */
export function capWords(input: GateInput): string {
  const { most, withinMinutes, channel, usedBy, firstInLine } = input;
  if (typeof most !== 'number' || typeof withinMinutes !== 'number') return 'The person has had as many messages as one may get';
  const noun = typeof channel === 'string' && isChannel(channel) ? channels[channel].noun : 'message';
  const allowed = `${most} ${noun}${most === 1 ? ' is' : 's are'} the most for one person in ${spanWords(withinMinutes)}`;
  const sent = messagesIn(usedBy);
  const waiting = messagesIn(firstInLine);
  const parts = [sent === '' ? '' : `sent: ${sent}`, waiting === '' ? '' : `next in line: ${waiting}`].filter((part) => part !== '');
  return parts.length === 0 ? allowed : `${allowed} (${parts.join('; ')})`;
}

function messagesIn(list: string | number | boolean | null | undefined): string {
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
