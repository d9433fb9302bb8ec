import { quietHoursWords } from '../people/zone-words.ts';
import { oldestAt } from '../sequence/due.ts';
import type { DeferReason, EpochMs } from '../sequence/plan.ts';
import { firstInsideAll, type WeeklyWindow, weekdays } from '../time/weekly-window.ts';
import { offsetMsAt } from '../time/zones.ts';
import { blackout } from './blackout.ts';
import type { Facts } from './facts.ts';
import { firstOpen } from './first-open.ts';
import type { GateInput, Situation, TimeGate } from './gate.ts';
import { legalHours } from './legal-hours.ts';
import { quietHours } from './quiet-hours.ts';

/**
 * A step may say at which hours of which days it goes out, on the person's own clock; where several clocks may be theirs, on each of them. Off
 * under a time scale.
 * Source: docs/rules.md#rule-6
 */
export const sendWindow: TimeGate = windowGate('send_window', stepWindow, 'The step goes out');

/** A campaign may say the same for all messages to its leads. Source: docs/rules.md#rule-49 */
export const campaignSchedule: TimeGate = windowGate('campaign_schedule', campaignWindow, 'The campaign contacts its leads');

function windowGate(name: DeferReason, windowOf: (facts: Facts) => WeeklyWindow | null, subject: string): TimeGate {
  const input = ({ facts, nowMs }: Situation) => inputOf(windowOf(facts), facts, nowMs);
  return {
    name,
    opensAt({ facts }, fromMs) {
      const window = windowOf(facts);
      return window === null ? fromMs : firstInsideAll(window, facts.person.zones.timeZones, fromMs).atMs;
    },
    input,
    note: (situation) => `${subject} ${sendWindowWords(input(situation))} only.`,
  };
}

/**
 * Until when a step with a window, of its own or of its campaign, may be sent: a step that is due while it is closed lives until the next window is over
 * in which quiet hours, the law and the store's days leave it an open instant. What its author says about its expiry counts more, and beyond the sequence's maximum age nothing goes out all the same.
 * @param expiryMs - until when it may be sent otherwise
 */
export function expiryInWindow(asked: Omit<Situation, 'expiryMs'>, expiryMs: EpochMs): EpochMs {
  const { facts, dueMs } = asked;
  const [own, campaign] = [stepWindow(facts), campaignWindow(facts)];
  if (own === null && campaign === null) return expiryMs;
  const ownMs = facts.plan.steps.find(({ id }) => id === facts.step.id)?.expiresAfterMs ?? null;
  if (ownMs !== null) return expiryMs;
  const oldestMs = oldestAt(facts.plan, facts.progress);
  const { atMs } = firstOpen([quietHours, legalHours, blackout, sendWindow, campaignSchedule], { ...asked, nowMs: dueMs, expiryMs: oldestMs });
  if (atMs > oldestMs) return expiryMs;
  const ends = (window: WeeklyWindow | null) =>
    window === null ? Number.POSITIVE_INFINITY : firstInsideAll(window, facts.person.zones.timeZones, atMs).untilMs;
  const untilMs = Math.min(ends(own), ends(campaign));
  return Math.max(expiryMs, Math.min(untilMs, oldestMs));
}

/** Days and hours, and on whose clock: "on Mon, Tue from 09:00 to 17:00 in Austria (UTC+01:00)". Completes "The step goes out … only." */
export function sendWindowWords(input: GateInput): string {
  const days =
    typeof input['days'] === 'string' && input['days'].split(' ').length < weekdays.length ? `on ${input['days'].replaceAll(' ', ', ')}` : '';
  return `${days}${quietHoursWords(input)}`.trim();
}

/** A time scale squeezes days into minutes, and the clock on the wall means nothing there. */
function stepWindow({ plan, step }: Facts): WeeklyWindow | null {
  return plan.timeScale === 1 ? step.window : null;
}

function campaignWindow({ plan, campaign }: Facts): WeeklyWindow | null {
  return plan.timeScale === 1 ? (campaign?.schedule ?? null) : null;
}

/** In the fields of the gate `quiet_hours`. Offsets explain the decision as well as zones do, and say less about the person. */
function inputOf(window: WeeklyWindow | null, facts: Facts, nowMs: EpochMs): GateInput {
  if (window === null) return {};
  const { timeZones, basis, country } = facts.person.zones;
  const days = weekdays.filter((day) => window.days.includes(day)).map((day) => day.charAt(0).toUpperCase() + day.slice(1));
  const place = {
    days: days.join(' '),
    fromMinute: window.fromMinute,
    toMinute: window.toMinute,
    zoneBasis: basis,
    ...(country === null ? {} : { country }),
  };
  const offsets = (zones: readonly string[]) => [...new Set(zones.map((zone) => offsetMsAt(zone, nowMs) / 60_000))];
  const possible = offsets(timeZones);
  const [only] = possible;
  if (possible.length === 1 && only !== undefined) return { ...place, utcOffsetMinutes: only };
  const heeded = offsets(firstInsideAll(window, timeZones, nowMs).timeZones);
  return {
    ...place,
    clocks: possible.length,
    clocksHeeded: heeded.length,
    utcOffsetMinutesFrom: Math.min(...heeded),
    utcOffsetMinutesTo: Math.max(...heeded),
  };
}
