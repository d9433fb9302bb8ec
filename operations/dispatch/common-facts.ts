import type { CommonFacts } from '../../content/copy-facts.ts';
import type { Reading } from './facts.ts';

/** What a message may say, from what was read under the locks, or without them where it is only composed ahead. */
export function commonFactsOf(reading: Reading): CommonFacts {
  const { settings, subject, person, locale, facts } = reading;
  return {
    store: {
      name: settings.storeName,
      url: settings.storeUrl,
      logoUrl: settings.logoUrl,
      postalAddress: settings.postalAddress,
      supportEmail: settings.supportEmail,
      brandColor: settings.brandColor,
      locale: settings.locale,
      shippingNote: settings.shippingNote,
      returnsNote: settings.returnsNote,
      lowStockThreshold: settings.lowStockAt,
    },
    contact: { firstName: person.firstName, locale },
    subject,
    segment: facts.subject.segment,
    reviews: null,
    offer: null,
    synthetic: reading.synthetic,
  };
}
