/**
 * The hours at which the law, or a code that binds like one, allows marketing by telephone: on which days, on the clock where the person is. Emails
 * have none. Where sources differ, what all of them allow. A change of the law is a change here, with its source, and a new `version`; every
 * decision names the entry and the version that it used. Nothing here is legal advice: the hours of the states are what secondary sources agree on, and their
 * statutes were not read one by one.
 */
export const legalHoursVersion = '2026-11-28';

/** A text or a telephone call. */
export type LegalClass = 'texts' | 'calls';

/** Stretches of a day, minutes since local midnight, the end excluded. */
export type DayHours = readonly (readonly [number, number])[];

export interface HoursLaw {
  /** The country or the state, ISO 3166. */
  id: string;
  for: readonly LegalClass[];
  /** From Sunday on, as `Date.getUTCDay` counts. */
  week: readonly DayHours[];
  /** Nothing on the public holidays there. */
  closedOnHolidays: boolean;
  source: string;
}

const h = (from: number, to: number): DayHours => [[from * 60, to * 60]];
const never: DayHours = [];
const daily = (hours: DayHours): DayHours[] => Array.from({ length: 7 }, () => hours);
const byDay = (sunday: DayHours, weekday: DayHours, saturday: DayHours = weekday): DayHours[] => [
  sunday,
  ...Array.from({ length: 5 }, () => weekday),
  saturday,
];
const both = ['texts', 'calls'] as const;
const state = (code: string, week: DayHours[], source: string, closedOnHolidays = false): HoursLaw => ({
  id: `US-${code}`,
  for: both,
  week,
  closedOnHolidays,
  source,
});

/** A state without an entry has the federal hours. */
export const hoursLaws: readonly HoursLaw[] = [
  { id: 'US', for: both, week: daily(h(8, 21)), closedOnHolidays: false, source: '47 CFR 64.1200(c)(1)' },
  // Where the person's state is unknown, only hours that are legal in every state count.
  { id: 'US-??', for: both, week: byDay(never, h(10, 17)), closedOnHolidays: false, source: 'what every state allows, Monday to Saturday' },
  state('AL', byDay(never, h(8, 20)), 'Ala. Code 8-19A-14; Ala. Admin. Code 770-X-5', true),
  state('CA', daily(h(9, 21)), 'Cal. Pub. Util. Code 2872 (automatic dialing); 47 CFR 64.1200(c)(1)'),
  state('CT', daily(h(9, 20)), 'Conn. Gen. Stat. 42-288a'),
  state('FL', daily(h(8, 20)), 'Fla. Stat. 501.616(6)'),
  state('IL', daily(h(9, 21)), '720 ILCS 5/26.5; 815 ILCS 413'),
  state('KY', daily(h(10, 21)), 'Ky. Rev. Stat. 367.46955'),
  state('LA', byDay(never, h(8, 20)), 'La. Rev. Stat. 45:844.14; Louisiana Public Service Commission', true),
  state('MA', daily(h(8, 20)), '201 CMR 12; Mass. Gen. Laws ch. 159C'),
  state('MD', daily(h(8, 20)), 'Md. Code, Com. Law 14-4501 ff. (Stop the Spam Calls Act)'),
  state('MI', daily(h(9, 21)), 'Mich. Comp. Laws 445.111a'),
  state('MN', daily(h(9, 21)), 'Minn. Stat. 325E.30'),
  state('MS', byDay(never, h(8, 20)), 'Miss. Code 77-3-723', true),
  state('NJ', daily(h(8, 20)), 'N.J. Admin. Code 13:45D; N.J. Stat. 56:8-119 ff.'),
  state('NM', daily(h(9, 21)), 'N.M. Stat. 57-12-22'),
  state('NV', daily(h(9, 20)), 'Nev. Rev. Stat. 599B; 228.600 ff.'),
  state('OK', daily(h(8, 20)), 'Okla. Stat. tit. 15, 775C.4'),
  state('PA', byDay([[13 * 60 + 30, 21 * 60]], h(9, 21)), '73 P.S. 2245; 52 Pa. Code', true),
  state(
    'RI',
    byDay(h(10, 17), h(9, 18)).map((hours, day) => (day === 6 ? h(10, 17) : hours)),
    'R.I. Gen. Laws 5-61-3.6',
    true,
  ),
  state('TX', byDay(h(12, 21), h(9, 21)), 'Tex. Bus. & Com. Code 301.051'),
  state('UT', byDay(never, h(8, 21)), 'Utah Code 13-25a-103', true),
  state('WA', daily(h(8, 20)), 'Wash. Rev. Code 80.36.390; 19.158'),
  {
    id: 'CA',
    for: both,
    week: byDay(h(10, 18), h(9, 21), h(10, 18)),
    closedOnHolidays: false,
    source: 'CRTC Unsolicited Telecommunications Rules, Part III, 23',
  },
  {
    id: 'JP',
    for: both,
    week: daily(h(8, 21)),
    closedOnHolidays: false,
    source: 'Act on Specified Commercial Transactions and its circulars: no solicitation from 21:00 to 08:00',
  },
  {
    id: 'FR',
    for: ['calls'],
    week: byDay(
      never,
      [
        [10 * 60, 13 * 60],
        [14 * 60, 20 * 60],
      ],
      never,
    ),
    closedOnHolidays: true,
    source: 'Code de la consommation D223-9',
  },
  {
    id: 'FR',
    for: ['texts'],
    week: byDay(never, h(8, 20)),
    closedOnHolidays: true,
    source: 'Charter of the French operators for marketing texts (AF2M)',
  },
  { id: 'ES', for: ['calls'], week: byDay(never, h(9, 21), never), closedOnHolidays: true, source: 'Real Decreto Legislativo 1/2007, art. 96.2' },
  {
    id: 'IT',
    for: ['calls'],
    week: byDay(never, h(9, 20), h(10, 19)),
    closedOnHolidays: true,
    source: 'Code of conduct for telemarketing, Garante 2023',
  },
  { id: 'PT', for: ['calls'], week: daily(h(9, 22)), closedOnHolidays: false, source: 'Decreto-Lei 134/2009, art. 6' },
  {
    id: 'AU',
    for: ['calls'],
    week: byDay(never, h(9, 20), h(9, 17)),
    closedOnHolidays: true,
    source: 'Telemarketing and Research Calls Industry Standard 2017, 8',
  },
];

const byClass = new Map<LegalClass, ReadonlyMap<string, HoursLaw>>(
  both.map((of) => [of, new Map(hoursLaws.filter((law) => law.for.includes(of)).map((law) => [law.id, law]))]),
);

/** Where somebody is, as far as laws are concerned. */
export interface LegalPlace {
  /** ISO 3166-1 alpha-2. */
  country: string | null;
  /** The code of a state or a province, without its country. */
  region: string | null;
}

/** What applies to a message there: the state's own hours, else the country's. null: none are known, or it is not known where. */
export function legalHoursOf(of: LegalClass, { country, region }: LegalPlace): HoursLaw | null {
  const laws = byClass.get(of);
  if (country === null || laws === undefined) return null;
  if (country === 'US' && region === null) return laws.get('US-??') ?? null;
  return (region === null ? undefined : laws.get(`${country}-${region}`)) ?? laws.get(country) ?? null;
}
