import type { EpochMs } from '../sequence/plan.ts';
import { scaled } from '../sequence/time-scale.ts';
import { blackout } from './blackout.ts';
import { clockGraceMs, type Situation, type TimeGate } from './gate.ts';
import { legalHours } from './legal-hours.ts';
import { quietHours } from './quiet-hours.ts';
import { campaignSchedule, sendWindow } from './send-window.ts';

const hourMs = 3_600_000;
/** The wait ends this much before the step expires, so that a punctual worker is still in time for its template. */
const beforeExpiryMs = 5_000;

/**
 * A step whose text a person has yet to approve waits for them: as long after its due time as the store says, and only while its template could still go
 * out afterwards.
 * Source: docs/rules.md#rule-42
 */
export const approval: TimeGate = {
  name: 'approval',
  opensAt(situation, fromMs) {
    const untilMs = waitsUntil(situation);
    // As with the due time: a worker's clock may be a little behind.
    if (untilMs === null || untilMs - fromMs <= clockGraceMs) return fromMs;
    return opensAfter(situation, untilMs) > situation.expiryMs ? fromMs : untilMs;
  },
  input: (situation) => (situation.facts.modelText === undefined ? {} : { pending: true, waitsUntilMs: waitsUntil(situation) }),
  note: 'A person has yet to approve the text that a model wrote.',
};

/** Until when a person may decide, whatever the hour; null: nothing is to be decided. */
function waitsUntil({ facts: { modelText, settings, plan }, dueMs, expiryMs }: Situation): EpochMs | null {
  if (modelText === undefined) return null;
  return Math.min(dueMs + scaled(settings.modelApprovalHours * hourMs, plan.timeScale), expiryMs - beforeExpiryMs);
}

/** What the end of the wait may fall into. */
const hours = [quietHours, legalHours, blackout, sendWindow, campaignSchedule];

/** The first instant from then on at which the hours are open; one beyond the expiry ends the search. */
function opensAfter(situation: Situation, fromMs: EpochMs): EpochMs {
  let atMs = fromMs;
  for (;;) {
    const opensMs = hours.reduce((ms, gate) => (ms > situation.expiryMs ? ms : gate.opensAt(situation, ms)), atMs);
    if (opensMs <= atMs || opensMs > situation.expiryMs) return opensMs;
    atMs = opensMs;
  }
}
