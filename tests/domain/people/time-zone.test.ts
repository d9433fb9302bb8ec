import { describe, expect, test } from 'vitest';
import { zonesOfCountry } from '../../../domain/people/country-zones.ts';
import { foldDetails, noDetails } from '../../../domain/people/fold-details.ts';
import { countryOfPhone } from '../../../domain/people/identity.ts';
import { countryOfRegion, zonesOfRegion } from '../../../domain/people/region-zones.ts';
import { type Whereabouts, zonesOfPerson } from '../../../domain/people/time-zone.ts';
import { canonicalTimeZone } from '../../../domain/time/zones.ts';

const nowhere: Whereabouts = { timeZone: null, country: null, region: null, phoneCountry: null };
const zonesOf = (known: Partial<Whereabouts>, store = 'Europe/Vienna') => zonesOfPerson({ ...nowhere, ...known }, store);

/** Zones whose clocks agree today and in half a year, under one name. */
function clocksOf(timeZones: readonly string[]): string[] {
  const days = [Date.parse('2026-01-15'), Date.parse('2026-07-15')];
  return [...new Set(timeZones.map((zone) => clockOf(zone, days)))].sort();
}

const clocks = new Map<string, string>();
/** Read by other means than the product does: asking for transitions takes long with all zones of the world. */
function clockOf(timeZone: string, days: readonly number[]): string {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  const clock = days.map((day) => format.formatToParts(day).find(({ type }) => type === 'timeZoneName')?.value).join('/');
  clocks.set(timeZone, clock);
  return clock;
}

describe('the zones of a person', () => {
  test.each([
    ['the stated zone before all', { timeZone: 'asia/tokyo', country: 'US', region: 'CA' }, ['Asia/Tokyo'], 'stated'],
    ['a zone that is none does not count', { timeZone: 'nonsense', country: 'de' }, ['Europe/Berlin'], 'country'],
    ['the state', { country: 'US', region: 'CA', phoneCountry: 'DE' }, ['America/Los_Angeles'], 'region'],
    ['a state that is split', { country: 'US', region: 'Texas' }, ['America/Chicago', 'America/Denver'], 'region'],
    ['the country of an ISO 3166-2 code', { region: 'BR-AM' }, ['America/Manaus', 'America/Eirunepe'], 'region'],
    ['a state without its country says nothing', { region: 'California' }, ['Europe/Vienna'], 'store'],
    ['the phone number, where no country is known', { phoneCountry: 'JP' }, ['Asia/Tokyo'], 'phone'],
    ['the country before the phone number', { country: 'AT', phoneCountry: 'JP' }, ['Europe/Vienna'], 'country'],
    ['the store, where nothing is known', {}, ['Europe/Vienna'], 'store'],
    ['the store, where the country is none', { country: 'XX' }, ['Europe/Vienna'], 'store'],
  ] as const)('%s', (_what, known, timeZones, basis) => {
    expect(zonesOf(known)).toMatchObject({ timeZones, basis });
  });

  test('is UTC where even the store has none', () => {
    expect(zonesOf({}, 'nonsense')).toMatchObject({ timeZones: ['UTC'], basis: 'store', country: null });
  });

  test('are all of a country whose state is not known or not understood', () => {
    for (const region of [null, '', 'Atlantis', 'x'.repeat(1_000)]) {
      const zones = zonesOf({ country: 'us', region });
      expect(zones).toMatchObject({ basis: 'country', country: 'US' });
      expect(clocksOf(zones.timeZones)).toHaveLength(8);
      expect(zones.timeZones[0]).toBe('America/New_York');
    }
  });
});

describe('every country', () => {
  // What this Node's own data (CLDR) lists, and every code of ISO 3166-1 that English has a name for.
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
  const zonesOfLocale = (country: string): string[] => {
    const locale = new Intl.Locale(`und-${country}`) as Intl.Locale & { timeZones?: string[]; getTimeZones?: () => string[] };
    return locale.getTimeZones?.() ?? locale.timeZones ?? [];
  };
  const former = new Set([
    'DD',
    'SU',
    'YD',
    'YU',
    'ZR',
    'FX',
    'TP',
    'RH',
    'VD',
    'BU',
    'CS',
    'NH',
    'DY',
    'HV',
    'QO',
    'EU',
    'EZ',
    'UN',
    'QU',
    'XA',
    'XB',
    'ZZ',
    'CP',
    'DG',
    'CQ',
    'NT',
  ]);
  const countries = letters.flatMap((a) => letters.map((b) => a + b)).filter((code) => names.of(code) !== undefined && !former.has(code));

  test('has zones that exist', () => {
    expect(countries.length).toBeGreaterThanOrEqual(249);
    expect(countries.filter((country) => zonesOfCountry(country).length === 0)).toEqual([]);
    for (const country of countries) for (const zone of zonesOfCountry(country)) expect(canonicalTimeZone(zone), zone).not.toBeNull();
  });

  test('has every clock that other tables of the world know, and no other', () => {
    const differ = countries.filter((country) => {
      const theirs = zonesOfLocale(country).filter((zone) => canonicalTimeZone(zone) !== null);
      return theirs.length > 0 && clocksOf(theirs).join() !== clocksOf(zonesOfCountry(country)).join();
    });
    // Clocks that tzdb lists by country and CLDR does not: Crimea for Russia, the Crozet Islands, and Troll station's winter.
    expect(differ.filter((country) => !['RU', 'TF', 'AQ'].includes(country))).toEqual([]);
  });
});

describe('a region', () => {
  test.each([
    ['US', ['CA', 'US-CA', 'us_ca', 'ca', 'California', 'CALIFORNIA', 'State of California', 'Calif.', 'California, USA'], 'America/Los_Angeles'],
    ['US', ['NY', 'New York', 'new york state', 'New York, NY'], 'America/New_York'],
    ['US', ['Washington, D.C.', 'District of Columbia', 'DC'], 'America/New_York'],
    ['US', ['HI', 'Hawaii', 'Hawaiʻi', 'hawai’i'], 'Pacific/Honolulu'],
    ['US', ['PR', 'Puerto Rico'], 'America/Puerto_Rico'],
    ['CA', ['NS', 'CA-NS', 'Nova Scotia', 'Nouvelle-Écosse', 'NOUVELLE ECOSSE', 'nouvelle-e\u0301cosse'], 'America/Halifax America/Glace_Bay'],
    ['MX', ['CMX', 'DF', 'MX-CMX', 'Ciudad de México', 'ciudad de mexico', 'Mexico City'], 'America/Mexico_City'],
    ['MX', ['ROO', 'Q ROO', 'Q. Roo', 'Quintana Roo'], 'America/Cancun'],
    ['MX', ['BC', 'BCN', 'Baja California'], 'America/Tijuana'],
    ['BR', ['SP', 'BR-SP', 'São Paulo', 'sao paulo', 'Estado de São Paulo'], 'America/Sao_Paulo'],
    ['BR', ['AM', 'Amazonas'], 'America/Manaus America/Eirunepe'],
    ['AU', ['WA', 'Western Australia'], 'Australia/Perth Australia/Eucla'],
    ['RU', ['MOW', 'Moskva', 'Москва', 'Moscow'], 'Europe/Moscow'],
    ['RU', ['NVS', 'RU-NVS', 'Новосибирская область', 'novosibirskaya oblast'], 'Asia/Novosibirsk'],
    ['PT', ['20', 'PT-20', 'Açores', 'Região Autónoma dos Açores'], 'Atlantic/Azores'],
    ['PT', ['8', '08', 'Faro'], 'Europe/Lisbon'],
    ['ES', ['GC', 'Las Palmas', 'Islas Canarias', 'TF'], 'Atlantic/Canary'],
    ['ES', ['CT', 'Cataluña', 'Catalunya', 'Lleida [Lérida]'], 'Europe/Madrid'],
    ['ID', ['BA', 'Bali', 'ID-BA', 'Provinsi Bali'], 'Asia/Makassar'],
    ['CN', ['XJ', '新疆维吾尔自治区', 'Xinjiang'], 'Asia/Shanghai Asia/Urumqi'],
    ['CN', ['GD', '广东省', 'Guangdong'], 'Asia/Shanghai'],
    ['FR', ['RE', '974', 'La Réunion'], 'Indian/Reunion'],
    ['MN', ['043', '43', 'Hovd'], 'Asia/Hovd'],
  ])('of %s, written as %j', (country, spellings, zones) => {
    for (const spelling of spellings) expect(zonesOfRegion(country, spelling).join(' '), spelling).toBe(zones);
  });

  test('that lies in several zones has all of them', () => {
    const split = ['FL', 'TN', 'KY', 'IN', 'ND', 'SD', 'NE', 'KS', 'OR', 'ID', 'MI', 'AK', 'TX', 'AZ', 'NV'];
    for (const state of split) expect(clocksOf(zonesOfRegion('US', state)).length, state).toBe(2);
    for (const province of ['ON', 'BC', 'QC', 'NU', 'NL']) expect(clocksOf(zonesOfRegion('CA', province)).length, province).toBeGreaterThan(1);
    for (const state of ['CHH', 'COA', 'NLE', 'TAM']) expect(clocksOf(zonesOfRegion('MX', state)).length, state).toBeGreaterThan(1);
    expect(clocksOf(zonesOfRegion('RU', 'SA'))).toHaveLength(3);
  });

  test('of a country with one clock, and nonsense, are left to the country', () => {
    for (const [country, region] of [
      ['FR', 'Île-de-France'],
      ['DE', 'BY'],
      ['US', 'Bavaria'],
      ['US', '   '],
      ['US', '-'],
      ['XX', 'CA'],
      ['US', '__proto__'],
      ['constructor', 'CA'],
    ] as const)
      expect(zonesOfRegion(country, region), `${country} ${region}`).toEqual([]);
    expect([countryOfRegion('US-CA'), countryOfRegion('us-ca '), countryOfRegion('US-XX'), countryOfRegion('CA')]).toEqual(['US', 'US', null, null]);
  });

  test('every region of the table lies in zones that exist, and every clock of a country in a region of it', () => {
    const signs = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
    const short = [...Array.from({ length: 100 }, (_, n) => String(n)), ...signs, ...signs.flatMap((one) => signs.map((other) => one + other))];
    const long: Record<string, string> = {
      AU: 'ACT NSW QLD TAS VIC',
      FM: 'TRK YAP PNI KSA',
      MX: 'AGU BCN BCS CAM CHH CHP CMX COA COL DUR GRO GUA HID JAL MEX MIC MOR NAY NLE OAX PUE QUE ROO SIN SLP SON TAB TAM TLA VER YUC ZAC',
      NZ: 'AUK BOP CAN CIT GIS HKB MBH MWT NSN NTL OTA STL TAS TKI WGN WKO WTC',
      PG: 'CPK CPM EBR EHG EPW ESW GPK HLA JWK MBA MPL MPM MRL NCD NIK NPP NSB SAN SHM WBK WHM WPD',
      RU: `ALT AMU ARK AST BEL BRY CHE CHU IRK IVA KAM KDA KEM KGD KGN KHA KHM KIR KLU KOS KRS KYA LEN LIP MAG MOS MOW MUR NEN NGR NIZ NVS OMS ORE ORL
        PER PNZ PRI PSK ROS RYA SAK SAM SAR SMO SPE STA SVE TAM TOM TUL TVE TYU ULY VGG VLA VLG VOR YAN YAR YEV ZAB`,
    };
    const codesOf = (country: string) => (long[country] ?? '').split(/\s+/);
    for (const country of Object.keys(long))
      for (const code of codesOf(country)) expect(zonesOfRegion(country, code).length, `${country}-${code}`).toBeGreaterThan(0);
    for (const country of [
      'AU',
      'BR',
      'CA',
      'CD',
      'CL',
      'CN',
      'EC',
      'ES',
      'FM',
      'ID',
      'KI',
      'MN',
      'MX',
      'NZ',
      'PF',
      'PG',
      'PT',
      'RU',
      'UA',
      'UM',
      'US',
    ]) {
      const zones = [...new Set([...short, ...codesOf(country)].flatMap((suffix) => zonesOfRegion(country, suffix)))];
      expect(
        zones.filter((zone) => canonicalTimeZone(zone) === null),
        country,
      ).toEqual([]);
      expect(
        zonesOfCountry(country).filter((zone) => !zones.includes(zone)),
        country,
      ).toEqual([]);
    }
  });
});

test('a region goes with its country: a newer country does not keep an older state', () => {
  const said = (country: string | null, region: string | null) => ({
    ...noDetails,
    country,
    region,
    email: null,
    phone: null,
    externalId: null,
    consents: [],
  });
  const seattle = foldDetails(noDetails, said('US', 'WA'), 1_000);
  expect(foldDetails(seattle, said('AU', null), 2_000)).toMatchObject({ country: 'AU', region: null });
  expect(foldDetails(seattle, said('us', null), 2_000)).toMatchObject({ country: 'us', region: 'WA' });
  expect(foldDetails(seattle, said(null, 'OR'), 2_000)).toMatchObject({ country: 'US', region: 'OR' });
  const australia = foldDetails(noDetails, said('AU', null), 2_000);
  expect(foldDetails(australia, said('US', 'WA'), 1_000)).toMatchObject({ country: 'AU', region: null });
});

test('a number says its country, unless it belongs to none', () => {
  expect(['+4366412345678', '+12025550123', '+14165550123', '+80012345678', 'nonsense'].map(countryOfPhone)).toEqual(['AT', 'US', 'CA', null, null]);
});
