import { channels } from '../channels/index.ts';
import { firstOpenEverywhere } from '../time/open-days.ts';
import type { TimeGate } from './gate.ts';
import { chosenChannel } from './gate.ts';

const allDay = [[0, 24 * 60]] as const;

/** On the store's blackout dates nobody is disturbed, on any clock that may be theirs. Off under a time scale. */
export const blackout: TimeGate = {
  name: 'blackout',
  opensAt(situation, fromMs) {
    const { settings, plan, person } = situation.facts;
    const channel = chosenChannel(situation);
    if (settings.blackoutDates.length === 0 || plan.timeScale !== 1 || channel === null || !channels[channel].disturbs) return fromMs;
    const isOut = (date: string) => settings.blackoutDates.some(({ from, to }) => from <= date && date <= to);
    return firstOpenEverywhere((date) => (isOut(date) ? [] : allDay), person.zones.timeZones, fromMs);
  },
  input: ({ facts: { settings } }) => ({ dates: settings.blackoutDates.length }),
  note: 'The store sends nothing on this day.',
};
