import { channels } from '../channels/index.ts';
import type { PersonZones } from '../people/time-zone.ts';
import { quietHoursSentence } from '../people/zone-words.ts';
import { oldestAt } from '../sequence/due.ts';
import type { EpochMs } from '../sequence/plan.ts';
import { type DailyWindow, firstOutside, firstOutsideAll } from '../time/quiet-hours.ts';
import { offsetMsAt, steadyAround } from '../time/zones.ts';
import type { GateInput, Situation, TimeGate } from './gate.ts';
import { chosenChannel } from './gate.ts';

/**
 * Nobody is disturbed in the tenant's quiet hours, on the person's own clock; where several clocks may be theirs, on none of them. Off under
 * a time scale.
 */
export const quietHours: TimeGate = {
  name: 'quiet_hours',
  opensAt(situation, fromMs) {
    const window = windowOf(situation);
    if (window === null || !disturbs(situation)) return fromMs;
    return firstOutsideAll(window, situation.facts.person.zones.timeZones, fromMs).atMs;
  },
  input: inputOf,
  note: (situation) => sentenceOf(inputOf(situation)),
};

/** For how long a step that waited for more clocks than one may still go out once they are open. */
const graceMs = 3_600_000;

/**
 * Until when a step may be sent where nobody knows on which clock its reader lives: not knowing it costs no step. One that would have gone
 * out in time on the likeliest clock may wait for the quiet hours of all of them to end.
 * Beyond the sequence's maximum age nothing goes out all the same.
 * @param expiryMs - until when it may be sent otherwise
 */
export function expiryOnAllClocks(situation: Omit<Situation, 'expiryMs'>, expiryMs: EpochMs): EpochMs {
  const window = windowOf(situation);
  const { timeZones } = situation.facts.person.zones;
  const [likeliest] = timeZones;
  if (window === null || likeliest === undefined || timeZones.length === 1 || !disturbs(situation)) return expiryMs;
  if (firstOutside(window, likeliest, situation.dueMs) > expiryMs) return expiryMs;
  const openMs = firstOutsideAll(window, timeZones, situation.dueMs).atMs;
  const { plan, progress } = situation.facts;
  return Math.max(expiryMs, Math.min(openMs + graceMs, oldestAt(plan, progress)));
}

function disturbs(situation: Pick<Situation, 'choice'>): boolean {
  const channel = chosenChannel(situation);
  return channel !== null && channels[channel].disturbs;
}

/** null: off. A time scale squeezes days into minutes, and the clock on the wall means nothing there. */
function windowOf({ facts: { plan, settings }, choice }: Pick<Situation, 'facts' | 'choice'>): DailyWindow | null {
  if (plan.timeScale !== 1) return null;
  const channel = chosenChannel({ choice });
  const own = channel === null ? undefined : settings.quietHoursOn[channel];
  return own === undefined ? settings.quietHours : own;
}

const sentences = new WeakMap<GateInput, string>();

function sentenceOf(input: GateInput): string {
  let sentence = sentences.get(input);
  if (sentence === undefined) sentences.set(input, (sentence = quietHoursSentence(input)));
  return sentence;
}

const off: GateInput = { off: true };

/** What was recorded last for a person, and the time for which it stays the same. */
interface Recorded extends DailyWindow {
  fromMs: EpochMs;
  untilMs: EpochMs;
  input: GateInput;
}

/** Which zones are heeded may depend on a change of the clocks that is this close. */
const longestSearchMs = 3 * 86_400_000;

// A rehearsal records the same for each of its decisions, until clocks change.
const lastRecorded = new WeakMap<PersonZones, Recorded>();

function inputOf(situation: Situation): GateInput {
  const window = windowOf(situation);
  if (window === null) return off;
  const { fromMinute, toMinute } = window;
  const { zones } = situation.facts.person;
  const { nowMs } = situation;
  const last = lastRecorded.get(zones);
  if (last !== undefined && last.fromMs <= nowMs && nowMs < last.untilMs && last.fromMinute === fromMinute && last.toMinute === toMinute)
    return last.input;
  const input = makeInput(window, zones, nowMs);
  const { fromMs, untilMs } = steadyAround(zones.timeZones, nowMs);
  // What is found this close to a change holds at this moment alone, and not for the time before it.
  if (nowMs < untilMs - longestSearchMs) lastRecorded.set(zones, { fromMinute, toMinute, fromMs, untilMs: untilMs - longestSearchMs, input });
  return input;
}

/** Offsets explain the decision as well as zones do, and say less about the person. */
function makeInput(window: DailyWindow, { timeZones, basis, country, place: at }: PersonZones, nowMs: EpochMs): GateInput {
  // Set one by one, not spread: this is the hot path of rehearsals.
  const input: GateInput = { fromMinute: window.fromMinute, toMinute: window.toMinute, zoneBasis: basis };
  if (country !== null) input['country'] = country;
  if (basis === 'phone' && at.region !== null) input['state'] = at.region;
  const possible = offsetsAt(timeZones, nowMs);
  const [only] = possible;
  if (possible.length === 1 && only !== undefined) {
    input['utcOffsetMinutes'] = only;
    return input;
  }
  const heededZones = firstOutsideAll(window, timeZones, nowMs).timeZones;
  const heeded = heededZones === timeZones ? possible : offsetsAt(heededZones, nowMs);
  input['clocks'] = possible.length;
  input['clocksHeeded'] = heeded.length;
  input['utcOffsetMinutesFrom'] = Math.min(...heeded);
  input['utcOffsetMinutesTo'] = Math.max(...heeded);
  return input;
}

/** The different offsets of some zones, in minutes. */
function offsetsAt(timeZones: readonly string[], atMs: EpochMs): number[] {
  const offsets: number[] = [];
  for (const timeZone of timeZones) {
    const minutes = offsetMsAt(timeZone, atMs) / 60_000;
    if (!offsets.includes(minutes)) offsets.push(minutes);
  }
  return offsets;
}
