import type { DomainEvent } from '../../events.ts';
import { foldAddress, foldTimes, isNewer } from '../fold.ts';
import type { Folded, Subject, SubjectAddress, SubjectReport } from '../kind.ts';
import type { LeadDetails } from './details.ts';

/** What an event says about a lead. */
export type LeadReport = Extract<DomainEvent, { type: 'lead.created' }>['lead'];

/**
 * Fold what an event says into a lead, by the provider's clock. A source may report a lead more than once, and incompletely: a field that an event
 * leaves out stays as it was, and an older event only fills gaps.
 */
export function fold(known: Subject<LeadDetails> | null, event: SubjectReport<LeadReport>, address: SubjectAddress): Folded<LeadDetails> {
  const { createdAtMs, currency, valueMinor, source, interest, message, url, area = null } = event.report;
  const newer = known === null || isNewer(event, known.lastActivityAt);
  const latest = <T>(reported: T | null, before: T | null | undefined): T | null => (newer ? (reported ?? before ?? null) : (before ?? reported));
  // Amount and currency are taken from the same event, or not at all.
  const reported = { currency, valueMinor };
  const before = { currency: known?.currency ?? null, valueMinor: known?.valueMinor ?? null };
  const isAmount = (amount: typeof before) => amount.valueMinor !== null && amount.currency !== null;
  const [first, second] = newer ? [reported, before] : [before, reported];
  const details = known?.details;
  const knownArea = latest(area, details?.area);
  const preferences = latest(event.report.preferences ?? null, details?.preferences);
  const botType = latest(event.report.botType ?? null, details?.botType);
  const subId = latest(event.report.subId ?? null, details?.subId);
  const clickId = latest(event.report.clickId ?? null, details?.clickId);
  // The way and the label are taken from the same event.
  const came = [event.report, details].filter((known) => known?.source != null || known?.via != null);
  const { via } = (newer ? came[0] : came.at(-1)) ?? {};
  const [older, later] = newer ? [details?.attributes, event.report.attributes] : [event.report.attributes, details?.attributes];
  return {
    ...(isAmount(first) || !isAmount(second) ? first : second),
    details: {
      source: latest(source, details?.source),
      ...(via == null ? {} : { via }),
      interest: latest(interest, details?.interest),
      message: latest(message, details?.message),
      url: latest(url, details?.url),
      ...(knownArea === null ? {} : { area: knownArea }),
      ...(preferences === null ? {} : { preferences }),
      ...(botType === null ? {} : { botType }),
      ...(subId === null ? {} : { subId }),
      ...(clickId === null ? {} : { clickId }),
      ...(details?.viewings === undefined ? {} : { viewings: details.viewings }),
      ...(older === undefined && later === undefined ? {} : { attributes: { ...older, ...later } }),
    },
    ...foldAddress(known, address, event.occurredAtMs),
    ...foldTimes(known, createdAtMs, event.occurredAtMs),
  };
}
