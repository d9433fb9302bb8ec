import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UpcomingRecord } from '../../../domain/gates/facts.ts';
import { crowdAt, firstFree, type Cap } from '../../../domain/time/rolling-caps.ts';
import { anEmail, aSequence, ms } from '../../helpers/sequence-dsl.ts';
import { anchorMs, checkOf, decide, usable } from './a-dispatch.ts';

const at = (span: string) => anchorMs + ms(span);
const before = (span: string) => anchorMs - ms(span);
const twoADay = [{ channel: null, most: 2, withinHours: 24 }];
const sent = (atMs: number, step = 'lead-nurture/email_welcome', channel = 'email') => ({ channel, step, atMs, dueMs: null });
const waiting = (more: Partial<UpcomingRecord>): UpcomingRecord => ({
  enrollmentId: 'other',
  stepId: 'sms_12h',
  step: 'lead-nurture/sms_12h',
  channel: 'sms',
  dueMs: at('1h'),
  readyMs: at('1h'),
  expiryMs: at('24h'),
  priority: 3,
  ...more,
});

describe('a cap over all channels', () => {
  test('puts a step off to the instant at which the oldest message leaves the window', () => {
    const verdict = decide({ caps: twoADay, sends: [sent(before('5h')), sent(before('20h'))] });
    expect(verdict).toMatchObject({ kind: 'defer', reason: 'cap', untilMs: before('20h') + ms('24h') });
    expect(checkOf(verdict, 'cap').note).toBe(
      '2 messages are the most for one person in 24 hours (sent: lead-nurture/email_welcome 2026-03-09 14:00 UTC and lead-nurture/email_welcome 2026-03-10 05:00 UTC).',
    );
  });

  test('is half open: a message counts until its window is over, and not at that instant', () => {
    const caps = [{ channel: null, most: 1, withinHours: 24 }];
    expect(decide({ caps, sends: [sent(at('1h') - ms('24h'))] }).kind).toBe('send');
    expect(decide({ caps, sends: [sent(at('1h') - ms('24h') + 1)] })).toMatchObject({ kind: 'defer', untilMs: at('1h') + 1 });
  });

  test('counts no pop-ups, and holds none back', () => {
    const sends = [sent(before('4h')), sent(before('5h'), 'cart/popup_1h', 'onsite')];
    expect(decide({ caps: twoADay, sends }).kind).toBe('send');
    const full = [sent(before('4h')), sent(before('5h'))];
    expect(decide({ caps: twoADay, sends: full, step: { channels: ['onsite'] }, channels: { onsite: usable } }).kind).toBe('send');
  });

  test('is as short as a plan under a time scale makes it', () => {
    expect(decide({ timeScale: 3600, caps: twoADay, sends: [sent(anchorMs - 30_000), sent(anchorMs - 40_000)] }).kind).toBe('send');
    expect(decide({ timeScale: 3600, caps: twoADay, sends: [sent(anchorMs - 10_000), sent(anchorMs - 20_000)] })).toMatchObject({ reason: 'cap' });
  });
});

test('a cap of a channel counts and holds back that channel alone', () => {
  const caps = [{ channel: 'sms', most: 1, withinHours: 24 }];
  const sends = [sent(before('4h'), 'lead-nurture/sms_12h', 'sms')];
  expect(decide({ caps, sends }).kind).toBe('send');
  const verdict = decide({ caps, sends, step: { channels: ['sms'] }, channels: { sms: usable } });
  expect(verdict).toMatchObject({ kind: 'defer', reason: 'cap', untilMs: before('4h') + ms('24h') });
  expect(checkOf(verdict, 'cap').note).toContain('1 text is the most for one person in 24 hours');
});

describe('a cap that outlasts the expiry', () => {
  const steps = [anEmail({ at: '1h', expires: '2h' }), anEmail({ id: 'later', at: '24h' })];
  const differences = { caps: twoADay, sends: [sent(before('4h')), sent(before('5h'), 'ghost/ghost_2h')] };

  test('skips the step at once, and names the messages that used it up', () => {
    const verdict = decide({ ...differences, sequence: aSequence({ steps }) });
    expect(verdict).toMatchObject({ kind: 'skip', reason: 'capped' });
    expect(checkOf(verdict, 'capped').input['usedBy']).toBe('ghost/ghost_2h 2026-03-10T05:00Z, lead-nurture/email_welcome 2026-03-10T06:00Z');
  });

  test('lets it wait where the sequence says so, as long as the sequence may send anything', () => {
    const waits = { ...aSequence({ steps }), whenCapped: 'wait' as const };
    const untilMs = before('5h') + ms('24h');
    expect(decide({ ...differences, sequence: waits })).toMatchObject({ kind: 'defer', reason: 'cap', untilMs });
    expect(decide({ ...differences, sequence: waits, after: '19h', progress: { notBeforeMs: { email: untilMs } } }).kind).toBe('send');
    expect(decide({ ...differences, sequence: { ...waits, maxAgeMs: ms('10h') } })).toMatchObject({ kind: 'skip', reason: 'capped' });
  });

  test('is not blamed for a step that only quiet hours make too old', () => {
    const quietHours = { fromMinute: 9 * 60, toMinute: 20 * 60 };
    expect(decide({ sequence: aSequence({ steps }), quietHours })).toMatchObject({ kind: 'skip', reason: 'too_old' });
  });
});

describe('in line for the last free slot', () => {
  const oneLeft = { caps: twoADay, sends: [sent(before('20h'))] };

  test('a higher priority that is ready within the hour goes first', () => {
    const verdict = decide({ ...oneLeft, upcoming: [waiting({ priority: 1, readyMs: at('1h') + ms('59m') })] });
    // It goes out at two hours, the cap has room again at four, and messages keep three hours apart.
    expect(verdict).toMatchObject({ kind: 'defer', reason: 'turn', untilMs: at('5h') });
    expect(checkOf(verdict, 'turn').note).toBe('Messages of other sequences to the person go first: lead-nurture/sms_12h 2026-03-10 11:59 UTC.');
    expect(decide({ ...oneLeft, upcoming: [waiting({ priority: 1, readyMs: at('2h') + 1 })] }).kind).toBe('send');
  });

  test('of the same priority, what was due earlier goes first, and a lower one never does', () => {
    expect(decide({ ...oneLeft, upcoming: [waiting({ dueMs: at('1h') - 1 })] }).kind).toBe('defer');
    expect(decide({ ...oneLeft, upcoming: [waiting({ dueMs: at('1h') + 1 })] }).kind).toBe('send');
    expect(decide({ ...oneLeft, upcoming: [waiting({ priority: 4, dueMs: at('1h') - 1 })] }).kind).toBe('send');
  });

  test('deferrals have reserved their slots: many do not wake together', () => {
    const full = { caps: twoADay, sends: [sent(before('10h')), sent(before('20h'))] };
    const slot = (enrollmentId: string, span: string) => waiting({ enrollmentId, dueMs: at('0s'), readyMs: at(span), expiryMs: at('9d') });
    const own = { ...full, sequence: aSequence({ steps: [anEmail({ at: '1h', expires: '5d' })] }) };
    expect(decide(own)).toMatchObject({ kind: 'defer', untilMs: at('4h') });
    expect(decide({ ...own, upcoming: [slot('a', '4h')] })).toMatchObject({ kind: 'defer', untilMs: at('14h') });
    const both = [slot('a', '4h'), slot('b', '14h')];
    expect(decide({ ...own, upcoming: both })).toMatchObject({ kind: 'defer', untilMs: at('28h') + ms('1m') });
    // Awake again, it keeps what it has reserved itself.
    expect(decide({ ...own, upcoming: both, progress: { notBeforeMs: { email: at('28h') + ms('1m') } } })).toMatchObject({
      untilMs: at('28h') + ms('1m'),
    });
  });

  test('a step is not given up for a message that has not gone out: it lets the other have its turn first', () => {
    const steps = [anEmail({ at: '1h', expires: '2h' })];
    const upcoming = [waiting({ priority: 1, readyMs: at('1h') + ms('30m') })];
    const caps = [{ channel: null, most: 1, withinHours: 24 }];
    const verdict = decide({ caps, sequence: aSequence({ steps }), upcoming });
    expect(verdict).toMatchObject({ kind: 'defer', reason: 'turn', untilMs: at('1h') + ms('31m') });
  });
});

describe('the first free instant', () => {
  const takens = fc.array(fc.record({ channel: fc.constantFrom('email', 'sms'), atMs: fc.nat(200) }), { maxLength: 12 });
  const someCaps = fc.array(
    fc.record<Cap>({ channel: fc.constantFrom(null, 'email'), most: fc.integer({ min: 1, max: 3 }), withinMs: fc.integer({ min: 1, max: 60 }) }),
    { maxLength: 3 },
  );

  test('keeps every window that holds it, and there is none before it', () => {
    fc.assert(
      fc.property(someCaps, takens, fc.nat(250), (caps, taken, fromMs) => {
        const full = (atMs: number) =>
          caps.some(({ channel, most, withinMs }) => {
            const counted = taken.filter((t) => channel === null || t.channel === channel);
            // Every window [start, start + withinMs) that holds the instant, one by one.
            for (let start = atMs - withinMs + 1; start <= atMs; start += 1)
              if (counted.filter((t) => t.atMs >= start && t.atMs < start + withinMs).length >= most) return true;
            return false;
          });
        const freeMs = firstFree(caps, taken, fromMs);
        expect(full(freeMs)).toBe(false);
        for (let atMs = fromMs; atMs < freeMs; atMs += 1) expect(full(atMs)).toBe(true);
        for (const one of caps) expect(crowdAt(one, taken, freeMs)).toBeNull();
      }),
      { numRuns: 1_000 },
    );
  });
});

test('of two caps that are full, the one is named that is full for longer', () => {
  const caps = [
    { channel: null, most: 1, withinHours: 24 },
    { channel: 'email', most: 2, withinHours: 168 },
  ];
  const verdict = decide({ caps, sends: [sent(before('4h')), sent(before('30h'))] });
  expect(verdict).toMatchObject({ kind: 'skip', reason: 'capped' });
  expect(checkOf(verdict, 'capped').note).toMatch(/^2 emails are the most for one person in 7 days/);
});
