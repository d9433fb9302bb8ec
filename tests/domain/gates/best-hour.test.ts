import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bestHourOf } from '../../../domain/gates/best-hour.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';
import { anEmail, aSequence, cartUpdated, ms, rehearse, usualQuietHours } from '../../helpers/sequence-dsl.ts';

// An email may wait for the hour at which its person reads emails (docs/rules.md#rule-36).

const waiting = aSequence({ steps: [anEmail({ id: 'first', at: '2h' }), { ...anEmail({ id: 'second', at: '24h' }), bestHour: true }] });
const secondAt = (setting: Parameters<typeof rehearse>[2], left = '12:00') =>
  rehearse(waiting, [cartUpdated(left)], setting).sent.find(({ step }) => step === 'second')?.at;

describe('a step with `bestHour`', () => {
  test('goes out at the hour at which the person has opened most emails, and at ten where nobody knows', () => {
    expect(secondAt({ bestHour: 19 })).toBe('tomorrow 19:00');
    expect(secondAt({ bestHour: 12 })).toBe('tomorrow 12:00');
    // Ten has passed: the step may go out for a day.
    expect(secondAt({})).toBe('day 3 10:00');
  });

  test('counts on the clock of the person', () => {
    expect(secondAt({ bestHour: 19, timeZones: ['Asia/Kolkata'] })).toBe('tomorrow 19:00');
    expect(secondAt({ bestHour: 9, timeZones: ['America/New_York'], day: '2026-10-31' }, '08:00')).toBe('tomorrow 09:00');
  });

  test('does not wait for an hour that is closed, or that comes after its expiry', () => {
    expect(secondAt({ bestHour: 3, quietHours: usualQuietHours })).toBe('tomorrow 12:00');
    const short = aSequence({ steps: [{ ...anEmail({ at: '24h', expires: '2h' }), bestHour: true }] });
    expect(rehearse(short, [cartUpdated('12:00')], { bestHour: 19 }).sent).toEqual([{ step: 'email', at: 'tomorrow 12:00' }]);
  });

  test('waits on no other channel than email', () => {
    const text = aSequence({ steps: [{ ...anEmail({ at: '24h', channels: ['sms'] }), bestHour: true }] });
    const sms = { connected: true, hasAddress: true, suppressed: false, consent: 'granted' as const, requiresConsent: true, refused: false };
    expect(rehearse(text, [cartUpdated('12:00')], { bestHour: 19, channels: { sms } }).sent).toEqual([{ step: 'email', at: 'tomorrow 12:00' }]);
  });

  test('always goes out, whatever the hour, the zone and the season, and within a day of its due time', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Vienna', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/St_Johns');
    const day = fc.date({ min: new Date('2026-01-01'), max: new Date('2027-12-31'), noInvalidDate: true }).map((d) => d.toISOString().slice(0, 10));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 23 }), zones, day, fc.boolean(), (bestHour, zone, on, quiet) => {
        const run = rehearse(waiting, [cartUpdated('12:00')], { bestHour, timeZones: [zone], day: on, quietHours: quiet ? usualQuietHours : null });
        const [first, second] = run.log.flatMap((entry) => (entry.kind === 'sent' ? [entry.atMs] : []));
        expect(second).toBeGreaterThanOrEqual((first ?? 0) + ms('21h'));
        expect(second).toBeLessThanOrEqual((first ?? 0) + ms('48h'));
      }),
      { numRuns: 200 },
    );
  });
});

describe('where the store goes by the hours that were learned (docs/rules.md#rule-117)', () => {
  const everyDay = (hour: number, channel = 'email') => Array.from({ length: 7 }, (_, day) => ({ channel, day, hour }));

  test('the learned hour of the channel and the day is waited for; what the person opened counts more', () => {
    expect(secondAt({ hours: { learned: everyDay(19), random: null } })).toBe('tomorrow 19:00');
    expect(secondAt({ hours: { learned: everyDay(19), random: null }, bestHour: 15 })).toBe('tomorrow 15:00');
    // 2026-03-10 is a Tuesday, so tomorrow is a Wednesday.
    const learned = [
      { channel: 'email', day: 2, hour: 16 },
      { channel: 'sms', day: 2, hour: 13 },
    ];
    expect(secondAt({ hours: { learned, random: null }, day: '2026-03-10' })).toBe('tomorrow 16:00');
    expect(secondAt({ hours: { learned: [], random: null } })).toBe('day 3 10:00');
  });

  test('and only while it is open', () => {
    expect(secondAt({ hours: { learned: everyDay(3), random: null }, quietHours: usualQuietHours })).toBe('tomorrow 12:00');
  });

  test('another channel waits, too, once an hour is known for it', () => {
    const step = aSequence({ steps: [{ ...anEmail({ at: '24h', channels: ['sms'] }), bestHour: true }] });
    const sms = { connected: true, hasAddress: true, suppressed: false, consent: 'granted' as const, requiresConsent: true, refused: false };
    const at = (channel: string) =>
      rehearse(step, [cartUpdated('12:00')], { hours: { learned: everyDay(17, channel), random: null }, channels: { sms } }).sent[0]?.at;
    expect(at('sms')).toBe('tomorrow 17:00');
    expect(at('push')).toBe('tomorrow 12:00');
  });

  test('random hours are spread over the open ones, whatever was learned and opened', () => {
    const at = (random: number) => secondAt({ hours: { learned: everyDay(19), random }, bestHour: 15, quietHours: usualQuietHours }, '12:00') ?? '';
    const hours = new Set(
      Array.from({ length: 100 }, (_, n) =>
        at(n / 100)
          .split(' ')
          .at(-1),
      ),
    );
    expect(hours.size).toBeGreaterThanOrEqual(12);
    for (const hour of hours) expect(['22:00', '23:00', '00:00', '03:00', '06:00']).not.toContain(hour);
  });

  test('every random and learned hour ends: it goes out within its day', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Vienna', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/St_Johns');
    const day = fc.date({ min: new Date('2026-01-01'), max: new Date('2027-12-31'), noInvalidDate: true }).map((d) => d.toISOString().slice(0, 10));
    const learned = fc.array(
      fc.record({ channel: fc.constant('email'), day: fc.integer({ min: 0, max: 6 }), hour: fc.integer({ min: 0, max: 23 }) }),
      { maxLength: 7 },
    );
    const random = fc.option(fc.double({ min: 0, max: 0.999, noNaN: true }));
    fc.assert(
      fc.property(learned, random, zones, day, fc.boolean(), (some, point, zone, on, quiet) => {
        const setting = { hours: { learned: some, random: point }, timeZones: [zone], day: on, quietHours: quiet ? usualQuietHours : null };
        const run = rehearse(waiting, [cartUpdated('12:00')], setting);
        const [first, second] = run.log.flatMap((entry) => (entry.kind === 'sent' ? [entry.atMs] : []));
        expect(second).toBeGreaterThanOrEqual((first ?? 0) + ms('21h'));
        expect(second).toBeLessThanOrEqual((first ?? 0) + ms('48h'));
      }),
      { numRuns: 200 },
    );
  });
});

test('the hour is the one with most opens and clicks; of several the earliest; none where nothing was opened', () => {
  const at = (...times: string[]) => times.map((time) => Date.parse(`2026-03-10T${time}Z`));
  expect(bestHourOf(at('18:05', '18:50', '09:00'), 'UTC')).toBe(18);
  expect(bestHourOf(at('18:05', '09:00'), 'UTC')).toBe(9);
  expect(bestHourOf(at('18:05', '18:20', '09:00'), 'Asia/Kolkata')).toBe(23);
  expect(bestHourOf([], 'UTC')).toBeNull();
});

test('in a file: for a step, or for all emails of a day later and more', () => {
  const file = (more: string, step: string) =>
    `sequence: cart\nname: Cart\non: cart.abandoned\n${more}steps:\n  - { id: a, at: 2h, channel: email, content: cart/a }\n  - { id: b, at: 24h, channel: email, content: cart/b${step} }\n  - { id: c, after: 24h, channel: sms, content: cart/c }\n`;
  const waits = (yaml: string) => {
    const parsed = parseSequence(yaml);
    return parsed.ok ? parsed.definition.steps.flatMap(({ id, bestHour }) => (bestHour === true ? [id] : [])) : parsed.errors.map((e) => e.message);
  };
  expect(waits(file('', ''))).toEqual([]);
  expect(waits(file('', ', bestHour: true'))).toEqual(['b']);
  expect(waits(file('bestHour: true\n', ''))).toEqual(['b']);
  expect(waits(file('bestHour: true\n', ', bestHour: false'))).toEqual([]);
  expect(waits(file('bestHour: 10\n', ''))).toEqual([expect.stringContaining('write true or false')]);
});
