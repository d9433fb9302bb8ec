import type { ChannelTraits } from '../channels/channel.ts';
import { channels } from '../channels/index.ts';
import { type DayHours, legalHoursOf, legalHoursVersion, type HoursLaw } from '../law/legal-hours.ts';
import { isHoliday } from '../time/holidays.ts';
import { firstOpenEverywhere, type HoursOf } from '../time/open-days.ts';
import { dayOf, type LocalDay } from '../time/local-day.ts';
import { offsetMsAt } from '../time/zones.ts';
import type { GateInput, Situation, TimeGate } from './gate.ts';
import { chosenChannel } from './gate.ts';

/**
 * Texts and calls go out at the hours that the law allows where the person is, on every clock that may be theirs. Off under a time scale.
 * Source: docs/rules.md#rule-22
 */
export const legalHours: TimeGate = {
  name: 'legal_hours',
  opensAt(situation, fromMs) {
    const law = lawOf(situation);
    return law === null ? fromMs : firstOpenEverywhere(hoursUnder(law), situation.facts.person.zones.timeZones, fromMs);
  },
  input: inputOf,
  note: (situation) => `${legalHoursWords(inputOf(situation))}.`,
};

const nothing: GateInput = {};

type Asked = Pick<Situation, 'facts' | 'choice'>;

function lawOf(asked: Asked): HoursLaw | null {
  const channel = chosenChannel(asked);
  const traits: ChannelTraits | null = channel === null ? null : channels[channel];
  const of = traits?.law;
  const { settings, plan, person } = asked.facts;
  return of === undefined || !settings.legalHours || plan.timeScale !== 1 ? null : legalHoursOf(of, person.zones.place);
}

const hoursByLaw = new WeakMap<HoursLaw, HoursOf>();

function hoursUnder(law: HoursLaw): HoursOf {
  let hours = hoursByLaw.get(law);
  if (hours === undefined) hoursByLaw.set(law, (hours = makeHours(law)));
  return hours;
}

const makeHours =
  ({ id, week, closedOnHolidays }: HoursLaw): HoursOf =>
  (date, weekday) =>
    closedOnHolidays && isHoliday(id, date) ? never : (week[weekday] ?? never);
const never: DayHours = [];

/** The law, and what it allows on the day in question on the likeliest clock. */
function inputOf(situation: Situation): GateInput {
  const law = lawOf(situation);
  if (law === null) return nothing;
  const [timeZone = 'UTC'] = situation.facts.person.zones.timeZones;
  const atMs = Math.max(situation.nowMs, situation.dueMs);
  return inputOn(law, dayOf(atMs + offsetMsAt(timeZone, atMs)));
}

// By law and day: a rehearsal asks again and again.
const inputs = new WeakMap<HoursLaw, WeakMap<LocalDay, GateInput>>();

function inputOn(law: HoursLaw, day: LocalDay): GateInput {
  let ofLaw = inputs.get(law);
  if (ofLaw === undefined) inputs.set(law, (ofLaw = new WeakMap()));
  let input = ofLaw.get(day);
  if (input === undefined) ofLaw.set(day, (input = makeInput(law, day)));
  return input;
}

function makeInput(law: HoursLaw, { date, weekday }: LocalDay): GateInput {
  const hours = hoursUnder(law)(date, weekday);
  return {
    law: law.id,
    source: law.source,
    version: legalHoursVersion,
    allowed: hours.map(([from, to]) => `${clock(from)}-${clock(to)}`).join(' '),
    ...(law.closedOnHolidays && isHoliday(law.id, date) ? { holiday: date } : {}),
  };
}

const clock = (minutes: number) => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

/** `In US-LA the law allows nothing on this public holiday (La. Rev. Stat. 45:844.14 …)`. */
export function legalHoursWords({ law, source, allowed, holiday }: GateInput): string {
  if (typeof law !== 'string') return 'The law allows messages of this kind at certain hours only';
  const where = law.endsWith('??') ? 'Somewhere in the United States, no state known,' : `In ${law}`;
  const what =
    typeof holiday === 'string'
      ? 'nothing on this public holiday'
      : typeof allowed === 'string' && allowed !== ''
        ? `it on this day ${allowed
            .split(' ')
            .map((stretch) => `from ${stretch.replace('-', ' to ')}`)
            .join(' and ')}`
        : 'nothing on this day';
  return `${where} the law allows ${what} (${String(source)})`;
}
