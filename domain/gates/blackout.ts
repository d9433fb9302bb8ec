import { channels } from '../channels/index.ts';
import type { TenantSettings } from '../tenant-settings.ts';
import { firstOpenEverywhere, type HoursOf } from '../time/open-days.ts';
import type { TimeGate } from './gate.ts';
import { chosenChannel } from './gate.ts';

type BlackoutDates = TenantSettings['blackoutDates'];

const allDay = [[0, 24 * 60]] as const;
const never = [] as const;

const hoursByDates = new WeakMap<BlackoutDates, HoursOf>();

function hoursOutside(dates: BlackoutDates): HoursOf {
  let hours = hoursByDates.get(dates);
  if (hours === undefined) hoursByDates.set(dates, (hours = makeHours(dates)));
  return hours;
}

const makeHours =
  (dates: BlackoutDates): HoursOf =>
  (date) =>
    dates.some(({ from, to }) => from <= date && date <= to) ? never : allDay;

/** On the store's blackout dates nobody is disturbed, on any clock that may be theirs. Off under a time scale. */
export const blackout: TimeGate = {
  name: 'blackout',
  opensAt(situation, fromMs) {
    const { settings, plan, person } = situation.facts;
    const channel = chosenChannel(situation);
    if (settings.blackoutDates.length === 0 || plan.timeScale !== 1 || channel === null || !channels[channel].disturbs) return fromMs;
    return firstOpenEverywhere(hoursOutside(settings.blackoutDates), person.zones.timeZones, fromMs);
  },
  input: ({ facts: { settings } }) => ({ dates: settings.blackoutDates.length }),
  note: 'The store sends nothing on this day.',
};
