import type { DomainEvent } from '../../events.ts';
import { foldAddress, foldTimes, isNewer } from '../fold.ts';
import type { Folded, Subject, SubjectAddress, SubjectReport } from '../kind.ts';
import type { LeadDetails } from './details.ts';

/** What an event says about a lead. */
export type LeadReport = Extract<DomainEvent, { type: 'lead.created' }>['lead'];

/**
 * Fold what an event says into a lead, by the provider's clock. A source reports a lead more than once, and not always all of it: what an event
 * leaves out takes nothing away, and an older one fills gaps only.
 */
export function fold(known: Subject<LeadDetails> | null, event: SubjectReport<LeadReport>, address: SubjectAddress): Folded<LeadDetails> {
  const { createdAtMs, currency, valueMinor, source, interest, message, url } = event.report;
  const newer = known === null || isNewer(event, known.lastActivityAt);
  const latest = <T>(reported: T | null, before: T | null | undefined): T | null => (newer ? (reported ?? before ?? null) : (before ?? reported));
  // An amount is one of its own currency: both are taken, or neither.
  const reported = { currency, valueMinor };
  const before = { currency: known?.currency ?? null, valueMinor: known?.valueMinor ?? null };
  const isAmount = (amount: typeof before) => amount.valueMinor !== null && amount.currency !== null;
  const [first, second] = newer ? [reported, before] : [before, reported];
  const details = known?.details;
  return {
    ...(isAmount(first) || !isAmount(second) ? first : second),
    details: {
      source: latest(source, details?.source),
      interest: latest(interest, details?.interest),
      message: latest(message, details?.message),
      url: latest(url, details?.url),
    },
    ...foldAddress(known, address, event.occurredAtMs),
    ...foldTimes(known, createdAtMs, event.occurredAtMs),
  };
}
