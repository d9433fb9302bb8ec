import { scaled } from '../sequence/time-scale.ts';

/** What somebody did with an email, as our picture and links report it. `unsubscribe_opened`: its page was shown, no more. */
export type EngagementType = 'opened' | 'clicked' | 'unsubscribe_opened';

/** Why a report is not taken for a person's. Stored with it. */
export type Suspicion = 'soon_after_send' | 'several_links';

/**
 * A click this soon after the mail server took the email is suspected. Gateways follow links when they file an email: seconds after it was
 * accepted, up to a minute where it waited in a queue. A person has to be notified, open it and read it first.
 */
const clickSoonMs = 60_000;

/**
 * The same for the picture. Shorter, because people who look at their mailbox see an email arrive, and because a wrong open matters less than a wrong
 * click.
 */
const openSoonMs = 10_000;

/** Two different links of one email within this time are followed by a program: a person has to come back from the first page. */
export const severalLinksMs = 5_000;

/** One report and what was read about its email. Spans in milliseconds. */
export interface Report {
  type: EngagementType;
  /** Since the mail server took the email; null: it is not known to have been sent. */
  sinceSentMs: number | null;
  /** Whether another link of the same email was followed within `severalLinksMs`, by whomever. */
  otherLinkJustNow: boolean;
}

/**
 * Whether a report by something that calls itself a browser is suspected. A suspected one counts when a sign of life follows.
 * @param timeScale - of the enrollment: simulated people are faster by as much
 * @returns null: it counts as a person's
 * Source: docs/adr/0015-clicks-that-may-be-a-scanners.md
 */
export function suspicionOf({ type, sinceSentMs, otherLinkJustNow }: Report, timeScale: number): Suspicion | null {
  if (otherLinkJustNow && type !== 'opened') return 'several_links';
  const soonMs = type === 'opened' ? openSoonMs : clickSoonMs;
  // Followed before our own record of the send was written: a gateway reads an email before it answers for it.
  return sinceSentMs === null || sinceSentMs < scaled(soonMs, timeScale) ? 'soon_after_send' : null;
}
