import { describe, expect, test } from 'vitest';
import { decideDispatch } from '../../../domain/gates/decide-dispatch.ts';
import { hoursLaws, type LegalClass, legalHoursOf } from '../../../domain/law/legal-hours.ts';
import { stateOfAreaCode } from '../../../domain/people/area-codes.ts';
import { countryOfPhone } from '../../../domain/people/identity.ts';
import { codeOfRegion } from '../../../domain/people/region-zones.ts';
import { type PersonZones, type Whereabouts, zonesOfPerson } from '../../../domain/people/time-zone.ts';
import type { TenantSettings } from '../../../domain/tenant-settings.ts';
import { isHoliday } from '../../../domain/time/holidays.ts';
import { anEmail, aSequence, localMs, ms } from '../../helpers/sequence-dsl.ts';
import { checkOf, factsWith, usable } from './a-dispatch.ts';

const nowhere: Whereabouts = { timeZone: null, country: null, region: null, phoneCountry: null };
const inState = (region: string) => zonesOfPerson({ ...nowhere, country: 'US', region }, 'UTC');
const byNumber = (number: string) => zonesOfPerson({ ...nowhere, phoneCountry: countryOfPhone(number), phoneRegion: stateOfAreaCode(number) }, 'UTC');
const inCountry = (country: string) => zonesOfPerson({ ...nowhere, country }, 'UTC');

/** Decide a step on a channel that is due at an instant and lives for days. @returns when it goes out, as UTC; `never`: not within its life */
function goesOut(channel: 'sms' | 'call' | 'email', zones: PersonZones, atMs: number, settings: Partial<TenantSettings> = {}): string {
  const verdict = decideAt(channel, zones, atMs, settings);
  if (verdict.kind === 'skip') return `never: ${verdict.reason}`;
  if (verdict.kind !== 'send' && verdict.kind !== 'defer') throw new Error(verdict.kind);
  return new Date(verdict.kind === 'send' ? atMs : verdict.untilMs).toISOString().slice(0, 16);
}

function decideAt(channel: 'sms' | 'call' | 'email', zones: PersonZones, atMs: number, settings: Partial<TenantSettings> = {}) {
  const left = atMs - ms('1h');
  const facts = factsWith({
    sequence: aSequence({ steps: [anEmail({ at: '1h', channels: [channel], expires: '20d' })] }),
    progress: { anchorMs: left },
    subject: { lastActivityMs: left },
    channels: { [channel]: { ...usable, consent: 'granted' } },
    zones,
    settings,
  });
  return decideDispatch(facts, atMs);
}
const local = (zone: string, time: string) => localMs(zone, time);

describe('texts and calls go out at the hours that the law allows', () => {
  const [phoenix, newYork, chicago, tokyo] = ['America/Phoenix', 'America/New_York', 'America/Chicago', 'Asia/Tokyo'];
  test.each<[string, PersonZones, number, string]>([
    // The Navajo Nation in the north-east of Arizona keeps summer time, Phoenix does not.
    ['Phoenix at 07:30 in summer: at eight there', inState('AZ'), local(phoenix, '2026-07-07T07:30'), '2026-07-07T15:00'],
    ['Phoenix at 20:30 in summer: it is 21:30 for the Navajo Nation', inState('Arizona'), local(phoenix, '2026-07-07T20:30'), '2026-07-08T15:00'],
    ['Phoenix at 20:30 in winter: one clock', inState('AZ'), local(phoenix, '2026-12-08T20:30'), '2026-12-09T03:30'],
    // Kentucky: from ten, in Louisville (Eastern) and in Bowling Green (Central).
    ['Kentucky at 10:30 Eastern: it is 09:30 in its west', inState('KY'), local(newYork, '2026-03-10T10:30'), '2026-03-10T15:00'],
    ['Kentucky at 20:30 Central: it is 21:30 in its east', inState('KY'), local(chicago, '2026-03-10T20:30'), '2026-03-11T15:00'],
    // Florida's panhandle: its area code straddles both zones.
    ['+1-850 at 08:30 Eastern: it is 07:30 in Pensacola', byNumber('+18505550123'), local(newYork, '2026-03-10T08:30'), '2026-03-10T13:00'],
    ['+1-850 at 19:30 Central: it is 20:30 in Tallahassee', byNumber('+18505550123'), local(chicago, '2026-03-10T19:30'), '2026-03-11T13:00'],
    // Sunday evening in UTC.
    ['Tokyo on Monday at 08:00', inCountry('JP'), local(tokyo, '2026-03-09T08:00'), '2026-03-08T23:00'],
    ['Tokyo on Monday at 07:59', inCountry('JP'), local(tokyo, '2026-03-09T07:59'), '2026-03-08T23:00'],
    // 1 November 2026, 02:00 in New York.
    ['New York, the evening before the change', inState('NY'), local(newYork, '2026-10-31T21:00'), '2026-11-01T13:00'],
    ['New York, the evening before, a day earlier', inState('NY'), local(newYork, '2026-10-30T21:00'), '2026-10-31T12:00'],
    ['New York, in the hour that comes twice', inState('NY'), Date.parse('2026-11-01T06:30Z'), '2026-11-01T13:00'],
    // Mardi Gras, 17 February 2026, a Tuesday after Washington's Birthday.
    ['Louisiana on Mardi Gras: Ash Wednesday at eight', inState('LA'), local(chicago, '2026-02-17T12:00'), '2026-02-18T14:00'],
    ['Louisiana on the Saturday before: three days without a text', inState('Louisiana'), local(chicago, '2026-02-14T20:00'), '2026-02-18T14:00'],
    ['Alabama on Mardi Gras is open', inState('AL'), local(chicago, '2026-02-18T12:00'), '2026-02-18T18:00'],
    ['no state known: from ten in Hawaii to five in New York', inCountry('US'), local(newYork, '2026-03-10T12:00'), '2026-03-10T20:00'],
    ['no state known, on Saturday evening: not on Sunday', inCountry('US'), local(newYork, '2026-03-14T18:00'), '2026-03-16T20:00'],
    ['a toll-free number has no state', byNumber('+18005550123'), local(newYork, '2026-03-15T16:30'), '2026-03-16T20:00'],
    ['Texas on Sunday: from noon', inState('TX'), local(chicago, '2026-03-15T09:30'), '2026-03-15T18:00'],
    ['Rhode Island on Saturday: until five', inState('RI'), local(newYork, '2026-03-14T17:00'), '2026-03-15T14:00'],
  ])('%s', (_what, zones, atMs, expected) => {
    expect(goesOut('sms', zones, atMs)).toBe(expected);
    expect(goesOut('call', zones, atMs)).toBe(expected);
  });

  test('in France calls pause at one, and neither calls nor texts come on holidays', () => {
    const france = inCountry('FR');
    expect(goesOut('call', france, local('Europe/Paris', '2026-03-10T13:00'))).toBe('2026-03-10T13:00');
    expect(goesOut('sms', france, local('Europe/Paris', '2026-03-10T13:00'))).toBe('2026-03-10T12:00');
    expect(goesOut('sms', france, local('Europe/Paris', '2026-07-14T10:00'))).toBe('2026-07-15T06:00');
  });

  test('emails have no such hours, nor have countries without an entry, nor a store that sees to it by other means', () => {
    expect(goesOut('email', inState('LA'), local(chicago, '2026-02-17T03:00'))).toBe('2026-02-17T09:00');
    expect(goesOut('sms', inCountry('AT'), Date.parse('2026-03-15T02:00Z'))).toBe('2026-03-15T02:00');
    expect(goesOut('sms', inState('LA'), local(chicago, '2026-02-17T12:00'), { legalHours: false })).toBe('2026-02-17T18:00');
  });

  test('the decision names the law, its source and the version of the data', () => {
    const verdict = decideAt('sms', inState('LA'), local(chicago, '2026-02-17T12:00'));
    expect(checkOf(verdict, 'legal_hours')).toMatchObject({
      input: { law: 'US-LA', version: '2026-11-28', holiday: '2026-02-17' },
      note: expect.stringMatching(/^In US-LA the law allows nothing on this public holiday \(La\. Rev\. Stat\. 45:844\.14/) as unknown,
    });
  });
});

describe('the data', () => {
  test.each(hoursLaws.map((law) => [law.id, law] as const))('%s has seven days of stretches in order, and a source', (_id, { week, source }) => {
    expect(week).toHaveLength(7);
    expect(source).not.toBe('');
    for (const day of week) {
      const minutes = day.flat();
      expect(minutes).toEqual(minutes.toSorted((a, b) => a - b));
      for (const [from, to] of day) expect(to - from).toBeGreaterThanOrEqual(60);
    }
  });

  test('no state allows more than the federal rule, and each is one', () => {
    for (const { id, week } of hoursLaws.filter((law) => law.id.startsWith('US-') && law.id !== 'US-??')) {
      expect(codeOfRegion('US', id)).toBe(id.slice(3));
      for (const [from, to] of week.flat()) expect([from >= 8 * 60, to <= 21 * 60]).toEqual([true, true]);
    }
  });

  test('an unknown state has hours that every state allows', () => {
    for (const of of ['texts', 'calls'] satisfies LegalClass[]) {
      const unknown = legalHoursOf(of, { country: 'US', region: null });
      for (const { week } of hoursLaws.filter((law) => law.id.startsWith('US') && law.for.includes(of)))
        for (const [day, hours] of (unknown?.week ?? []).entries())
          for (const [from, to] of hours) expect(week[day]?.some(([opens, closes]) => opens <= from && to <= closes)).toBe(true);
    }
  });

  test('holidays are those of the region', () => {
    expect(isHoliday('US-LA', '2026-02-17')).toBe(true);
    expect(isHoliday('US-AL', '2026-02-17')).toBe(false);
    expect(isHoliday('FR', '2026-07-14')).toBe(true);
    expect(isHoliday('FR', '2026-07-15')).toBe(false);
  });
});

describe('what the store sets', () => {
  test('a store that is closed for longer than anybody looks ahead sends nothing, and no decision fails', () => {
    const closed = { blackoutDates: [{ from: '2026-01-01', to: '2026-12-31' }] };
    const at = local('Asia/Tokyo', '2026-02-24T10:00');
    expect(goesOut('email', inCountry('JP'), at, closed)).toBe('never: too_old');
    expect(goesOut('sms', inCountry('JP'), at, closed)).toBe('never: too_old');
  });

  test('on its blackout dates nobody is disturbed, on the clock where they are', () => {
    const blackoutDates = [{ from: '2026-12-24', to: '2026-12-26' }];
    const auckland = inCountry('NZ');
    expect(goesOut('email', inCountry('JP'), local('Asia/Tokyo', '2026-12-24T10:00'), { blackoutDates })).toBe('2026-12-26T15:00');
    expect(goesOut('email', inCountry('JP'), local('Asia/Tokyo', '2026-12-23T23:59'), { blackoutDates })).toBe('2026-12-23T14:59');
    expect(auckland.timeZones.length).toBeGreaterThan(1);
    // The Chatham Islands are ahead.
    expect(goesOut('email', auckland, local('Pacific/Auckland', '2026-12-23T23:30'), { blackoutDates })).toBe('2026-12-26T11:00');
  });

  test('a channel may have quiet hours of its own, or none', () => {
    const quietHours = { fromMinute: 21 * 60, toMinute: 8 * 60 };
    const settings = { quietHours, quietHoursOn: { sms: { fromMinute: 18 * 60, toMinute: 10 * 60 }, email: null } };
    const vienna = inCountry('AT');
    const atMs = local('Europe/Vienna', '2026-03-10T22:00');
    expect(goesOut('email', vienna, atMs, settings)).toBe('2026-03-10T21:00');
    expect(goesOut('sms', vienna, atMs, settings)).toBe('2026-03-11T09:00');
    expect(goesOut('call', vienna, atMs, settings)).toBe('2026-03-11T07:00');
  });
});
