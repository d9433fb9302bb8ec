import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callBackAt, readCallWish } from '../../../domain/people/call-wish.ts';

const zone = 'Europe/Vienna';
/** Thursday, at eleven in Vienna. */
const callMs = Date.UTC(2026, 10, 26, 10);
const local = (ms: number | null) =>
  ms === null ? null : new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(ms);
const backAt = (...turns: string[]) => local(callBackAt(readCallWish(turns).wish, callMs, zone));

test.for([
  ['Can you call me back later?', '2026-11-27 11:00'],
  ['Call me back in two hours please.', '2026-11-26 13:00'],
  ['I am busy right now, try me again in half an hour.', '2026-11-26 11:30'],
  ['Call me back in 45 minutes', '2026-11-26 11:45'],
  ['Please call me tomorrow at 3 p.m.', '2026-11-27 15:00'],
  ['Call me tomorrow at three', '2026-11-27 15:00'],
  ['Call me back tomorrow morning.', '2026-11-27 10:00'],
  ['Could you call back on Monday at 9:30?', '2026-11-30 09:30'],
  ['call me on thursday at 10 am', '2026-12-03 10:00'],
  ['call me back at 10 am', '2026-11-27 10:00'],
  ['Call me back at 5', '2026-11-26 17:00'],
  ['call me next week', '2026-12-03 11:00'],
  ['Ring me back this evening', '2026-11-26 18:00'],
  ["It's a bad time, I'm driving right now", '2026-11-27 11:00'],
] as const)('"%s" is a wish to be called back at %s', ([said, expected]) => {
  expect(backAt(said)).toBe(expected);
});

test('the time may be said in a later turn', () => {
  expect(backAt('Can you call me back?', 'Tomorrow at four thirty.')).toBe('2026-11-27 16:30');
});

test.for(['Yes, I still want it.', 'Tomorrow I am flying to Rome.', 'At three we had lunch.', 'My boss called yesterday.', 'It stops at five.'])(
  '"%s" is no wish',
  (said) => {
    expect(readCallWish([said])).toEqual({ wish: null, keywords: [] });
  },
);

test.for([
  'Stop calling me!',
  "Please don't call me again.",
  'Take me off your list',
  'Remove my number, and call back never',
  'Do not call me back',
  'I want to unsubscribe',
])('"%s" is an opt-out, whatever else is said', (said) => {
  expect(readCallWish(['Call me back tomorrow.', said]).wish).toEqual({ kind: 'stop' });
});

test('a store adds words of its own', () => {
  const own = { stop: ['leave me alone'], later: ['rufen sie später an'] };
  expect(readCallWish(['Leave me alone, please']).wish).toBeNull();
  expect(readCallWish(['Leave me alone, please'], own)).toEqual({ wish: { kind: 'stop' }, keywords: ['leave me alone'] });
  expect(readCallWish(['Rufen Sie später an!'], own)).toMatchObject({ wish: { kind: 'later' }, keywords: ['rufen sie spater an'] });
});

test('a callback lies ahead, by 90 days at most, whatever is said and whenever', () => {
  const words = fc.constantFrom(
    'call',
    'me',
    'back',
    'tomorrow',
    'at',
    'three',
    '3',
    'pm',
    'monday',
    'in',
    'two',
    'hours',
    '99',
    'weeks',
    'next',
    'week',
    'tonight',
    '…',
    '12:70',
  );
  fc.assert(
    fc.property(fc.array(fc.array(words, { maxLength: 9 }), { maxLength: 3 }), fc.integer({ min: 0, max: 400 * 24 }), (turns, hours) => {
      const atMs = callMs + hours * 3_600_000;
      const { wish } = readCallWish(turns.map((turn) => turn.join(' ')));
      const backMs = callBackAt(wish, atMs, zone);
      if (backMs === null) return;
      expect(backMs).toBeGreaterThan(atMs);
      expect(backMs).toBeLessThanOrEqual(atMs + 90 * 24 * 3_600_000);
    }),
  );
});
