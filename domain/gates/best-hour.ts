import type { EpochMs } from '../sequence/plan.ts';
import { offsetMsAt } from '../time/zones.ts';
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
 * A step may wait for the hour at which its person reads emails, on their likeliest clock. It is a wish: where that hour comes after the step's expiry, or
 * is closed by the store or the law, the step goes out as it would without. Off under a time scale.
 * Source: docs/rules.md#rule-36
 */
export const bestHour: TimeGate = {
  name: 'best_hour',
  opensAt(situation, fromMs) {
    const { facts } = situation;
    const [timeZone] = facts.person.zones.timeZones;
    if (!wanted(situation) || timeZone === undefined) return fromMs;
    const nextMs = nextAtHour(timeZone, hourOf(facts), fromMs);
    const isClosed = nextMs > situation.expiryMs || others.some((gate) => gate.opensAt(situation, nextMs) > nextMs);
    return isClosed ? fromMs : nextMs;
  },
  input: (situation) => (wanted(situation) ? { hour: hourOf(situation.facts), known: situation.facts.person.bestHour != null } : {}),
  note: ({ facts }) =>
    facts.person.bestHour == null
      ? `The step waits for ${usualHour}:00, the hour for those of whom none is known.`
      : `The step waits for ${facts.person.bestHour}:00, the hour at which the person has opened most emails.`,
};

/** What an hour may be closed by, for longer than the hour lasts. */
const others = [quietHours, legalHours, blackout, sendWindow, campaignSchedule];

const wanted = (situation: Situation) =>
  situation.facts.step.bestHour === true && situation.facts.plan.timeScale === 1 && chosenChannel(situation) === 'email';

const hourOf = ({ person }: Facts) => person.bestHour ?? usualHour;

const hourAt = (timeZone: string, atMs: EpochMs) => new Date(atMs + offsetMsAt(timeZone, atMs)).getUTCHours();

/** The instant itself where it is that hour, else the next full hour that is; a clock that is put forward may have none on a day. */
function nextAtHour(timeZone: string, hour: number, fromMs: EpochMs): EpochMs {
  if (hourAt(timeZone, fromMs) === hour) return fromMs;
  const localMs = fromMs + offsetMsAt(timeZone, fromMs);
  let atMs = fromMs - (localMs % hourMs) + hourMs;
  for (let hours = 0; hours < 49 && hourAt(timeZone, atMs) !== hour; hours++) atMs += hourMs;
  return atMs;
}
