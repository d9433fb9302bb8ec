import { canonicalTimeZone } from '../time/zones.ts';
import { zoneOfCountry } from './country-zones.ts';

/**
 * In which zone a person's quiet hours count: the zone that the provider knows, else the zone of a country that has only one,
 * else the store's. A country of several zones falls to the store's until legal hours ask every candidate zone.
 * @param person.country - ISO 3166-1 alpha-2
 * @returns an IANA name that this process knows; UTC where even the store's is unknown
 */
export function guessTimeZone(person: { timeZone: string | null; country: string | null }, storeTimeZone: string): string {
  const explicit = person.timeZone === null ? null : canonicalTimeZone(person.timeZone.trim());
  if (explicit !== null) return explicit;
  const ofCountry = person.country === null ? null : zoneOfCountry(person.country);
  return ofCountry ?? canonicalTimeZone(storeTimeZone) ?? 'UTC';
}
