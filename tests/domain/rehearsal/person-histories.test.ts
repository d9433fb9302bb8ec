import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChannelFacts } from '../../../domain/gates/facts.ts';
import { legalHoursOf } from '../../../domain/law/legal-hours.ts';
import { zonesOfPerson } from '../../../domain/people/time-zone.ts';
import { plainSettings, type Setting } from '../../../domain/rehearsal/world.ts';
import { isHoliday } from '../../../domain/time/holidays.ts';
import { anEmail, aSequence, ms } from '../../helpers/sequence-dsl.ts';
import { type Happened, type Member, rehearseTogether } from '../../helpers/rehearse-together.ts';

// Several sequences of one person at once, wherever they may live: 10,000 histories, 2,000 for each test; more with REKINDLE_HISTORIES=20000.

const numRuns = Number(process.env['REKINDLE_HISTORIES'] ?? 2_000);
const hourMs = 3_600_000;
const firstMs = Date.parse('2026-02-10T00:00Z');
const usable: ChannelFacts = { connected: true, hasAddress: true, suppressed: false, consent: 'granted', requiresConsent: true, refused: false };

const someMembers: fc.Arbitrary<Member[]> = fc
  .array(
    fc
      .record({
        startHours: fc.integer({ min: 0, max: 72 }),
        priority: fc.integer({ min: 1, max: 5 }),
        whenCapped: fc.constantFrom('skip' as const, 'skip' as const, 'wait' as const),
        steps: fc.array(
          fc.record({
            hours: fc.integer({ min: 0, max: 40 }),
            channels: fc.constantFrom(['email' as const], ['sms' as const], ['sms' as const, 'email' as const], ['call' as const]),
            expires: fc.constantFrom(undefined, '1h', '6h', '4d'),
          }),
          { minLength: 1, maxLength: 4 },
        ),
      })
      .map((given) => ({ ...given, id: '' })),
    { minLength: 1, maxLength: 6 },
  )
  .map((list) =>
    list.map(({ startHours, priority, whenCapped, steps }, index): Member => {
      let at = 1;
      const sequence = aSequence({
        maxAge: '12d',
        steps: steps.map(({ hours, channels, expires }, n) =>
          anEmail({ id: `s${n}`, at: `${(at += hours)}h`, channels: [...channels], ...(expires === undefined ? {} : { expires }) }),
        ),
      });
      return { definition: { ...sequence, sequence: `q${index}`, priority, whenCapped }, startMs: firstMs + startHours * hourMs };
    }),
  );
const someCaps = fc.array(
  fc.record({
    channel: fc.constantFrom(null, null, 'sms', 'email'),
    most: fc.integer({ min: 1, max: 4 }),
    withinHours: fc.constantFrom(3, 24, 72, 168),
  }),
  { maxLength: 3 },
);
const places = [
  { country: 'US', region: 'LA' },
  { country: 'US', region: 'KY' },
  { country: 'US', region: 'AZ' },
  { country: 'US', region: null },
  { country: 'JP', region: null },
  { country: 'FR', region: null },
  { country: 'AT', region: null },
];
const settings: fc.Arbitrary<Partial<Setting>> = fc
  .record({
    place: fc.constantFrom(...places),
    caps: someCaps,
    quietHours: fc.constantFrom(null, { fromMinute: 21 * 60, toMinute: 8 * 60 }, { fromMinute: 12 * 60, toMinute: 14 * 60 }),
    blackoutDates: fc.boolean().map((given) => (given ? [{ from: '2026-02-13', to: '2026-02-14' }] : [])),
  })
  .map(({ place, caps, quietHours, blackoutDates }) => ({
    timeZones: zonesOfPerson({ timeZone: null, ...place, phoneCountry: null }, 'UTC').timeZones,
    place,
    settings: { ...plainSettings, caps, quietHours, blackoutDates },
    channels: { email: usable, sms: usable, call: usable },
  }));
const stories = fc.record({ members: someMembers, setting: settings, tieBreak: fc.array(fc.nat(9), { minLength: 1, maxLength: 7 }) });

function check(holds: (log: Happened[], setting: Partial<Setting>, members: Member[]) => void): void {
  fc.assert(
    fc.property(stories, ({ members, setting, tieBreak }) => holds(rehearseTogether(members, setting, tieBreak), setting, members)),
    { numRuns },
  );
}
const sent = (log: Happened[]) => log.filter(({ kind }) => kind === 'sent');

test('no cap is exceeded in any rolling window, and messages keep three hours apart', () => {
  check((log, { settings: { caps = [] } = plainSettings }) => {
    const messages = sent(log);
    for (const { channel, most, withinHours } of caps) {
      const times = messages.filter((m) => channel === null || m.channel === channel).map(({ atMs }) => atMs);
      for (const fromMs of times) expect(times.filter((t) => t >= fromMs && t < fromMs + withinHours * hourMs).length).toBeLessThanOrEqual(most);
    }
    for (const [index, { atMs, sequence }] of messages.entries()) {
      const before = messages[index - 1];
      if (before !== undefined && before.sequence !== sequence) expect(atMs - before.atMs).toBeGreaterThanOrEqual(ms('3h'));
    }
  });
});

test('nothing goes out in quiet or illegal hours, or on a blackout date, of any clock that may be theirs', () => {
  check((log, { timeZones = [], place = { country: null, region: null }, settings: given = plainSettings }) => {
    for (const { atMs, channel } of sent(log)) {
      for (const timeZone of timeZones) {
        const { date, weekday, minute } = onClock(timeZone, atMs);
        for (const { from, to } of given.blackoutDates) expect(date < from || date > to).toBe(true);
        const { fromMinute = 0, toMinute = 0 } = given.quietHours ?? {};
        expect(fromMinute <= toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute).toBe(false);
        const law = channel === 'sms' ? legalHoursOf('texts', place) : channel === 'call' ? legalHoursOf('calls', place) : null;
        if (law === null) continue;
        expect(
          law.week[weekday]?.some(([opens, closes]) => opens <= minute && minute < closes),
          `${law.id} ${date} ${minute}`,
        ).toBe(true);
        if (law.closedOnHolidays) expect(isHoliday(law.id, date)).toBe(false);
      }
    }
  });
});

test('every deferral ends, and every step is sent, or skipped with a reason', () => {
  check((log, _setting, members) => {
    const settled = log.filter(({ kind }) => kind !== 'deferred').map(({ step }) => step);
    expect(new Set(settled).size).toBe(settled.length);
    const stopped = new Set(log.filter(({ reason }) => reason === 'stopped').map(({ sequence }) => sequence));
    for (const { definition } of members)
      if (!stopped.has(definition.sequence)) for (const { id } of definition.steps) expect(settled).toContain(`${definition.sequence}/${id}`);
  });
});

test('no step loses the last place under a cap to a message of a lower priority that went out while it was ready', () => {
  check((log) => {
    for (const lost of log.filter(({ reason }) => reason === 'capped')) {
      const usedBy = String(lost.checks.find(({ gate }) => gate === 'capped')?.input['usedBy'] ?? '');
      // Those before it left a place for the step, which stood in line for it.
      const last = sent(log).findLast(({ step }) => usedBy.includes(`${step} `));
      if (last === undefined || last.priority <= lost.priority) continue;
      expect(last.othersReady[lost.step] ?? Number.POSITIVE_INFINITY).toBeGreaterThan(last.atMs);
    }
  });
});

test('the histories are worth their name', () => {
  const seen = new Set<string>();
  check((log) => {
    for (const { kind, reason } of log) seen.add(reason ?? kind);
  });
  for (const reason of ['sent', 'capped', 'too_old', 'cap', 'turn', 'gap', 'quiet_hours', 'legal_hours', 'blackout'])
    expect([...seen]).toContain(reason);
});

const formats = new Map<string, Intl.DateTimeFormat>();
const fields = { hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;

/** By other means than the product's. */
function onClock(timeZone: string, atMs: number): { date: string; weekday: number; minute: number } {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-CA', { timeZone, ...fields });
  formats.set(timeZone, format);
  const parts = Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const date = `${parts['year']}-${parts['month']}-${parts['day']}`;
  return { date, weekday: new Date(`${date}T00:00Z`).getUTCDay(), minute: Number(parts['hour']) * 60 + Number(parts['minute']) };
}
