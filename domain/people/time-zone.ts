import { canonicalTimeZone } from '../time/zones.ts';
import { zonesOfCountry } from './country-zones.ts';
import type { LegalPlace } from '../law/legal-hours.ts';
import { codeOfRegion, countryOfRegion, zonesOfRegion } from './region-zones.ts';

/**
 * The evidence for a person's zones: `stated`, the shop says the zone; `region`, country and state; `country`, the country alone, because no state is
 * known, or it is not understood; `phone`, the country of the telephone number; `store`, nothing is known, so the
 * store's own zone is assumed.
 */
export type ZoneBasis = 'stated' | 'region' | 'country' | 'phone' | 'store';

/** Where a person may live, as far as clocks are concerned. */
export interface PersonZones {
  /** IANA names that this process knows, never empty; those where most people live first. */
  timeZones: readonly string[];
  basis: ZoneBasis;
  /** ISO 3166-1 alpha-2; null where no country gave the zones. */
  country: string | null;
  /** Whose law applies: by the address, else by the telephone number. */
  place: LegalPlace;
  /** Every country that may be the person's, by addresses and numbers, for laws of which the strictest holds. Absent: that of `place`. */
  countries?: readonly string[];
}

/** What is known about where a person lives. */
export interface Whereabouts {
  /** As the shop states it; not necessarily a zone. */
  timeZone: string | null;
  /** ISO 3166-1 alpha-2. */
  country: string | null;
  /** A state or a province, by code or by name. */
  region: string | null;
  /** The country of the telephone number, ISO 3166-1 alpha-2. */
  phoneCountry: string | null;
  /** The state of its area code, without the country. */
  phoneRegion?: string | null;
}

/**
 * Every zone in which a person may live. The best evidence decides alone: the stated zone, else country and region, else the country of the
 * telephone number, else the store's zone.
 * @returns UTC where even the store's zone is unknown
 */
export function zonesOfPerson(whereabouts: Whereabouts, storeTimeZone: string): PersonZones {
  const { timeZone, country, region, phoneCountry, phoneRegion = null } = whereabouts;
  const place = placeOf(whereabouts);
  const stated = timeZone === null ? null : canonicalTimeZone(timeZone.trim());
  if (stated !== null) return { timeZones: [stated], basis: 'stated', country: null, place };
  const known =
    ofPlace(country ?? (region === null ? null : countryOfRegion(region)), region) ?? ofPhone(phoneCountry, phoneRegion) ?? ofStore(storeTimeZone);
  return { ...known, place };
}

type Zones = Omit<PersonZones, 'place' | 'countries'>;

/** The country that an address names, by itself or by its region. */
export const countryOfAddress = ({ country, region }: Pick<Whereabouts, 'country' | 'region'>): string | null =>
  (country ?? (region === null ? null : countryOfRegion(region)))?.trim().toUpperCase() ?? null;

/** The address decides alone, where it names a country at all. */
function placeOf({ country, region, phoneCountry, phoneRegion = null }: Whereabouts): LegalPlace {
  const own = countryOfAddress({ country, region });
  if (own === null) return { country: phoneCountry, region: phoneRegion };
  return { country: own, region: region === null ? null : codeOfRegion(own, region) };
}

const ofStore = (timeZone: string): Zones => ({ timeZones: [canonicalTimeZone(timeZone) ?? 'UTC'], basis: 'store', country: null });

function ofPlace(country: string | null, region: string | null): Zones | null {
  if (country === null) return null;
  const code = country.trim().toUpperCase();
  const ofRegion = known(region === null ? [] : zonesOfRegion(code, region));
  if (ofRegion.length > 0) return { timeZones: ofRegion, basis: 'region', country: code };
  const ofCountry = known(zonesOfCountry(code));
  return ofCountry.length === 0 ? null : { timeZones: ofCountry, basis: 'country', country: code };
}

function ofPhone(country: string | null, region: string | null): Zones | null {
  const zones = ofPlace(country, region);
  return zones === null ? null : { ...zones, basis: 'phone' };
}

// Zone data is constant while a process runs, and asking whether a name is known costs more than all the rest here.
const knownLists = new WeakMap<readonly string[], readonly string[]>();

/** Those that this Node knows: an older one lacks the newest zones, and must not take them for UTC. */
function known(zones: readonly string[]): readonly string[] {
  let list = knownLists.get(zones);
  if (list === undefined) {
    list = zones.filter((zone) => canonicalTimeZone(zone) !== null);
    knownLists.set(zones, list);
  }
  return list;
}
