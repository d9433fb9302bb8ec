import { activation } from './activation.ts';
import { activeNow } from './active-now.ts';
import { approval } from './approval.ts';
import { bestHour } from './best-hour.ts';
import { blackout } from './blackout.ts';
import { cap } from './cap.ts';
import { capped } from './capped.ts';
import { channel } from './channel.ts';
import { claims } from './claims.ts';
import { conditions } from './conditions.ts';
import { doNotContact } from './do-not-contact.ts';
import { due } from './due.ts';
import { enrollmentRunning } from './enrollment-running.ts';
import { gap } from './gap.ts';
import type { DecisiveGate, FinalGate, TimeGate } from './gate.ts';
import { held } from './held.ts';
import { holdout } from './holdout.ts';
import { legalHours } from './legal-hours.ts';
import { maxAge } from './max-age.ts';
import { offer } from './offer.ts';
import { only } from './only.ts';
import { orderedSince } from './ordered-since.ts';
import { quietHours } from './quiet-hours.ts';
import { repliedSince } from './replied-since.ts';
import { retries } from './retries.ts';
import { segment } from './segment.ts';
import { serviceWindow } from './service-window.ts';
import { campaignSchedule, sendWindow } from './send-window.ts';
import { subjectOpen } from './subject-open.ts';
import { tooOld } from './too-old.ts';
import { turn } from './turn.ts';
import { variantTime } from './variant-time.ts';

// The order of every decision. A new gate is one file and one line in the list of its kind: it draws its facts from the records itself.

/** Asked first; the first that does not pass ends the decision. */
export const decisiveGates: readonly DecisiveGate[] = [
  subjectOpen,
  enrollmentRunning,
  doNotContact,
  orderedSince,
  repliedSince,
  activation,
  only,
  holdout,
  maxAge,
  channel,
  segment,
  conditions,
  offer,
  claims,
  serviceWindow,
  retries,
  held,
];

/** Solved together to one instant. */
export const timeGates: readonly TimeGate[] = [
  due,
  variantTime,
  activeNow,
  quietHours,
  legalHours,
  blackout,
  sendWindow,
  campaignSchedule,
  bestHour,
  approval,
  gap,
  cap,
  turn,
];

/** Asked about that instant. */
export const finalGates: readonly FinalGate[] = [capped, tooOld];
