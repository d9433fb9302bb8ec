import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideDispatch } from '../../../domain/gates/decide-dispatch.ts';
import type { Facts } from '../../../domain/gates/facts.ts';
import { anEmail, aSequence, ms } from '../../helpers/sequence-dsl.ts';
import { factsWith, usable } from './a-dispatch.ts';

// Gates remember what they found out about a person's zones, which rehearsals ask for thousands of times. Here the same person is asked about at many
// moments, most of them close to a change of the clocks, and each decision is compared with that about a person nobody has asked about before.

const sequence = aSequence({ steps: [anEmail({ at: '1h', channels: ['sms'], expires: '20d' })] });
const zones = ['America/New_York', 'America/Chicago', 'America/Phoenix', 'Europe/Berlin', 'Asia/Tokyo', 'America/St_Johns', 'Pacific/Chatham', 'UTC'];
const clockChanges = ['2026-03-08T07:00Z', '2026-03-29T01:00Z', '2026-04-04T14:00Z', '2026-10-25T01:00Z', '2026-11-01T06:00Z'].map((at) =>
  Date.parse(at),
);

const moments = fc
  .tuple(fc.constantFrom(...clockChanges), fc.integer({ min: -6 * 24 * 60, max: 6 * 24 * 60 }))
  .map(([changeMs, minutes]) => changeMs + minutes * 60_000);
const person = fc.record({
  timeZones: fc.uniqueArray(fc.constantFrom(...zones), { minLength: 1, maxLength: 4 }),
  place: fc.constantFrom(
    { country: 'US', region: 'LA' },
    { country: 'US', region: 'KY' },
    { country: 'FR', region: null },
    { country: null, region: null },
  ),
  quietHours: fc.record({ fromMinute: fc.integer({ min: 0, max: 1_439 }), toMinute: fc.integer({ min: 0, max: 1_439 }) }),
});

function decideAt(
  atMs: number,
  known: Facts['person']['zones'],
  quietHours: Facts['settings']['quietHours'],
  blackoutDates: Facts['settings']['blackoutDates'],
) {
  const left = atMs - ms('1h');
  const facts = factsWith({
    sequence,
    progress: { anchorMs: left },
    subject: { lastActivityMs: left },
    channels: { sms: { ...usable, consent: 'granted' } },
    zones: known,
    settings: { quietHours, blackoutDates },
  });
  // As a rehearsal has it: the same objects again and again.
  return decideDispatch({ ...facts, person: { ...facts.person, zones: known } }, atMs);
}

test('what is remembered about a person changes no decision and nothing that is recorded with it', () => {
  fc.assert(
    fc.property(person, fc.array(moments, { minLength: 2, maxLength: 12 }), ({ timeZones, place, quietHours }, times) => {
      const blackout = [{ from: '2026-10-26', to: '2026-10-27' }];
      const known: Facts['person']['zones'] = { timeZones, basis: 'region', country: 'US', place };
      for (const atMs of times) {
        const asked = decideAt(atMs, known, quietHours, blackout);
        expect(asked).toEqual(decideAt(atMs, { ...known, timeZones: [...timeZones] }, { ...quietHours }, structuredClone(blackout)));
      }
    }),
    { numRuns: 300 },
  );
});

test('what was found right before clocks change is not recorded for the weeks before', () => {
  const known: Facts['person']['zones'] = {
    timeZones: ['America/Chicago', 'Europe/Berlin', 'America/New_York'],
    basis: 'region',
    country: 'US',
    place: { country: 'US', region: 'LA' },
  };
  const night = { fromMinute: 1_183, toMinute: 763 };
  // Berlin changes its clocks a minute later; the other moment is the beginning of the same stretch.
  decideAt(Date.parse('2026-03-29T00:59Z'), known, night, []);
  const atMs = Date.parse('2026-03-08T08:00Z');
  expect(decideAt(atMs, known, night, [])).toEqual(decideAt(atMs, { ...known, timeZones: [...known.timeZones] }, { ...night }, []));
});
