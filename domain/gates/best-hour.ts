import type { EpochMs } from '../sequence/plan.ts';
import { modulo, offsetMsAt, slotAt } from '../time/zones.ts';
import { blackout } from './blackout.ts';
import type { Facts } from './facts.ts';
import { chosenChannel, type Situation, type TimeGate } from './gate.ts';
import { legalHours } from './legal-hours.ts';
import { quietHours } from './quiet-hours.ts';
import { campaignSchedule, sendWindow } from './send-window.ts';

/** The hour of those of whom nothing is known. */
const usualHour = 10;

const hourMs = 3_600_000;

/**
 * The hour of the day, 0 to 23, at which a person has opened and clicked emails most; of several the earliest.
 * @returns null: they have opened none
 */
export function bestHourOf(engagedAtMs: readonly EpochMs[], timeZone: string): number | null {
  const counts = new Map<number, number>();
  for (const atMs of engagedAtMs) {
    const hour = hourAt(timeZone, atMs);
    counts.set(hour, (counts.get(hour) ?? 0) + 1);
  }
  const [best] = [...counts].sort(([a, n], [b, m]) => m - n || a - b);
  return best?.[0] ?? null;
}

/**
 * A step may wait for the hour at which its person reads emails, on their likeliest clock; where the store goes by what was learned, for the hour at which most
 * convert on its channel, and some people keep hours drawn at random. It is a wish: where that hour comes after the step's expiry, or is closed by the store or
 * the law, the step goes out as it would without. Off under a time scale.
 * Source: docs/rules.md#rule-36, docs/rules.md#rule-117
 */
export const bestHour: TimeGate = {
  name: 'best_hour',
  opensAt(situation, fromMs) {
    const [timeZone] = situation.facts.person.zones.timeZones;
    if (!wanted(situation) || timeZone === undefined) return fromMs;
    const nextMs = nextWished(situation, timeZone, fromMs);
    return nextMs === null || nextMs > situation.expiryMs || !isOpen(situation, nextMs) ? fromMs : nextMs;
  },
  input: (situation) => {
    if (!wanted(situation)) return {};
    const { hour, by } = wishOf(situation, dayAt(situation));
    const known = situation.facts.person.bestHour != null;
    // Written out, not spread: this is the hot path of rehearsals.
    return hour === null ? { known, by } : { hour, known, by };
  },
  note: (situation) => {
    const { hour, by } = wishOf(situation, dayAt(situation));
    switch (by) {
      case 'person':
        return `The step waits for ${hour}:00, the hour at which the person has opened most emails.`;
      case 'learned':
        return `The step waits for ${hour}:00, the hour at which most convert by ${chosenChannel(situation) ?? 'this channel'} on that day, as learned from all messages.`;
      case 'random':
        return 'The step waits for an hour drawn at random: a fixed share of people keeps such hours, so that others can be compared.';
      case 'usual':
        return `The step waits for ${usualHour}:00, the hour for those of whom none is known.`;
    }
  },
};

/** What an hour may be closed by, for longer than the hour lasts. */
const others = [quietHours, legalHours, blackout, sendWindow, campaignSchedule];

function isOpen(situation: Situation, atMs: EpochMs): boolean {
  for (const gate of others) if (gate.opensAt(situation, atMs) > atMs) return false;
  return true;
}

const wanted = (situation: Situation) => {
  const { step, plan, person } = situation.facts;
  if (step.bestHour !== true || plan.timeScale !== 1) return false;
  const channel = chosenChannel(situation);
  return (
    channel === 'email' || (channel !== null && person.hours !== undefined && (person.hours.random !== null || hasLearned(person.hours, channel)))
  );
};

const hasLearned = ({ learned }: NonNullable<Facts['person']['hours']>, channel: string) => learned.some((one) => one.channel === channel);

/** Whose wish the hour of a day is; a random one depends on which hours are open, and its `hour` is null. */
function wishOf(situation: Situation, day: number): { hour: number | null; by: 'person' | 'learned' | 'random' | 'usual' } {
  const { bestHour: ownHour, hours } = situation.facts.person;
  if (hours !== undefined && hours.random !== null) return { hour: null, by: 'random' };
  const channel = chosenChannel(situation);
  if (ownHour != null && channel === 'email') return { hour: ownHour, by: 'person' };
  const learned = hours?.learned.find((one) => one.channel === channel && one.day === day);
  return learned === undefined ? { hour: usualHour, by: 'usual' } : { hour: learned.hour, by: 'learned' };
}

const hourAt = (timeZone: string, atMs: EpochMs) => slotAt(timeZone, atMs) % 24;

function dayAt({ facts, nowMs }: Situation): number {
  const [timeZone = 'UTC'] = facts.person.zones.timeZones;
  return Math.floor(slotAt(timeZone, nowMs) / 24);
}

/**
 * The instant itself where it is in the wished hour of its day, else the next full hour that is; a clock that is put forward may have none on a day. An answer is
 * its own answer: asked about it again, it stays.
 * @returns null: none within two days
 */
function nextWished(situation: Situation, timeZone: string, fromMs: EpochMs): EpochMs | null {
  const random = situation.facts.person.hours?.random ?? null;
  let [atMs, nextMs] = [fromMs, fullHour(timeZone, fromMs) + hourMs];
  let [day, wished]: [number | null, number | null] = [null, null];
  for (let hours = 0; hours < 50; ) {
    const slot = slotAt(timeZone, atMs);
    const hour = slot % 24;
    const dayOf = Math.floor(slot / 24);
    if (dayOf !== day) {
      day = dayOf;
      wished = random === null ? wishOf(situation, day).hour : drawn(random, fullHour(timeZone, atMs) - hour * hourMs, timeZone, situation);
    }
    if (wished === hour) return atMs;
    // To the wished hour, or to the next day: all at once, unless clocks change on the way.
    const wait = wished !== null && wished > hour ? wished - hour : 24 - hour;
    const thereMs = nextMs + (wait - 1) * hourMs;
    const leap = slotAt(timeZone, thereMs) === (slot + wait) % 168 ? wait : 1;
    atMs = nextMs + (leap - 1) * hourMs;
    nextMs = atMs + hourMs;
    hours += leap;
  }
  return null;
}

const fullHour = (timeZone: string, atMs: EpochMs) => atMs - modulo(atMs + offsetMsAt(timeZone, atMs), hourMs);

/** One of the open hours of a day, as even as they are. */
function drawn(point: number, startMs: EpochMs, timeZone: string, situation: Situation): number | null {
  const open = Array.from({ length: 24 }, (_, hours) => startMs + hours * hourMs).filter((atMs) => isOpen(situation, atMs));
  const chosen = open[Math.floor(point * open.length)];
  return chosen === undefined ? null : hourAt(timeZone, chosen);
}
