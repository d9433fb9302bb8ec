import type { PersonDetails, PersonRef } from '../events.ts';
import type { EpochMs } from '../sequence/plan.ts';

/** What is known about a contact besides identities and consent. */
export interface ContactDetails extends Omit<PersonDetails, keyof PersonRef | 'consents'> {
  /** Provider time of the newest details; null: no event has given any yet. */
  detailsAt: EpochMs | null;
}

/** Nothing is known. */
export const noDetails: ContactDetails = {
  firstName: null,
  lastName: null,
  locale: null,
  timeZone: null,
  country: null,
  region: null,
  orderCount: null,
  lifetimeValueMinor: null,
  detailsAt: null,
};

/** A region belongs to its country: `WA` of the United States must not become Western Australia when a newer event has only a country. */
function foldRegion(known: ContactDetails, said: PersonDetails, newer: boolean): string | null {
  const [winner, other] = newer ? [said, known] : [known, said];
  const samePlace = winner.country === null || other.country === null || winner.country.toUpperCase() === other.country.toUpperCase();
  return winner.region ?? (samePlace ? other.region : null);
}

/** Fold details by the provider's clock: an older event fills holes, a newer one overwrites. */
export function foldDetails(known: ContactDetails, said: PersonDetails, occurredAtMs: EpochMs): ContactDetails {
  const newer = known.detailsAt === null || occurredAtMs >= known.detailsAt;
  const fold = <T>(old: T | null, fresh: T | null): T | null => (newer ? (fresh ?? old) : (old ?? fresh));
  return {
    firstName: fold(known.firstName, said.firstName),
    lastName: fold(known.lastName, said.lastName),
    locale: fold(known.locale, said.locale),
    timeZone: fold(known.timeZone, said.timeZone),
    country: fold(known.country, said.country),
    region: foldRegion(known, said, newer),
    orderCount: fold(known.orderCount, said.orderCount),
    lifetimeValueMinor: fold(known.lifetimeValueMinor, said.lifetimeValueMinor),
    detailsAt: newer ? occurredAtMs : known.detailsAt,
  };
}
