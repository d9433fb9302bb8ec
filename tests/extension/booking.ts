import { z } from 'zod';
import { foldAddress, foldTimes, isNewer } from '../../domain/subjects/fold.ts';
import type { SubjectKind } from '../../domain/subjects/kind.ts';

interface BookingDetails {
  service: string | null;
  page: string | null;
}
/** As `subject.reported` carries it. */
interface BookingReport {
  createdAtMs: number;
  currency: string | null;
  valueMinor: number | null;
  details: BookingDetails;
}

/** A subject that the product does not know: an appointment that nobody kept. */
export const booking: SubjectKind<BookingDetails, BookingReport> = {
  kind: 'booking',
  trigger: 'booking.missed',
  stopOn: ['purchased', 'replied', 'opted_out'],
  quietForMs: 0,
  boughtBy: 'person',
  details: z.object({ service: z.string().nullable().default(null), page: z.string().nullable().default(null) }),
  detailsVersion: 1,
  fold: (known, { occurredAtMs, report }, address) => {
    const newer = known === null || isNewer({ occurredAtMs }, known.lastActivityAt);
    return {
      currency: newer ? report.currency : known.currency,
      valueMinor: newer ? report.valueMinor : known.valueMinor,
      details: newer ? report.details : known.details,
      ...foldAddress(known, address, occurredAtMs),
      ...foldTimes(known, report.createdAtMs, occurredAtMs),
    };
  },
  unite: ([newest]) => newest,
  convert: (details) => details,
  beginsAnew: () => false,
  endsBy: () => null,
  unfit: ({ details }) => (details.service === null ? 'nobody knows what was booked' : null),
  products: () => [],
  count: () => null,
  attributeNames: ['service'],
  attributes: ({ service }) => ({ service }),
  stock: () => [],
  textsInUnitedStates: null,
  modifiers: () => [],
  segment: () => 'missed',
  segments: ['missed'],
  link: ({ page }) => page,
  view: ({ details }, tools) => ({ booking: { service: tools.line(details.service, 60), url: tools.link ?? tools.storeUrl } }),
  words: {
    noun: 'booking',
    person: 'guest',
    source: 'calendar',
    because: 'you had an appointment with {{ store.name }}',
    activity: 'a change of the booking',
    item: null,
    begun: 'was missed: the sequence has begun',
    notBegun: 'The booking may still be kept',
    atActivation: 'when it was missed',
    figures: { begun: 'Missed', none: 'none missed yet', won: 'Came after all', revenue: 'Revenue' },
    stop: {},
    defer: {},
    stations: { abandoned: 'Missed' },
    stillOpen: 'Still to come?',
    alias: 'guest',
  },
};
