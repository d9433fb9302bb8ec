import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Channel } from '../../../domain/channels/index.ts';
import { channels as allChannels } from '../../../domain/channels/index.ts';
import type { ChannelFacts } from '../../../domain/gates/facts.ts';
import type { RehearsalEvent } from '../../../domain/rehearsal/events.ts';
import type { LogEntryOf, Rehearsal } from '../../../domain/rehearsal/rehearse.ts';
import { rehearse } from '../../../domain/rehearsal/rehearse.ts';
import { plainSettings, type Setting } from '../../../domain/rehearsal/world.ts';
import { type Condition, failurePolicies, type SequenceDefinition } from '../../../domain/sequence/definition.ts';
import { dueAt, expiryAt } from '../../../domain/sequence/due.ts';
import { zonesOfCountry } from '../../../domain/people/country-zones.ts';
import { type DailyWindow, firstOutsideAll } from '../../../domain/time/quiet-hours.ts';
import { firstInsideAll, type WeeklyWindow, weekdays } from '../../../domain/time/weekly-window.ts';
import { aSequence, ms } from '../../helpers/sequence-dsl.ts';

// Random sequences, shoppers, providers and outages. What holds here holds for the product: workflow and dispatch run the same
// two functions, only on other clocks.

const startMs = Date.parse('2026-03-20T00:00Z');
const minuteMs = 60_000;
const stepIds = ['one', 'two', 'three', 'four', 'five'];
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/Santiago'];
const someChannels: Channel[] = ['email', 'sms', 'onsite', 'none', 'task'];

const usable = fc.record<ChannelFacts>({
  connected: fc.nat(7).map((n) => n > 0),
  hasAddress: fc.nat(5).map((n) => n > 0),
  suppressed: fc.nat(5).map((n) => n === 0),
  consent: fc.constantFrom('granted', 'unknown', 'unknown', 'denied'),
  requiresConsent: fc.nat(3).map((n) => n === 0),
  refused: fc.constant(false),
});

const condition = (earlier: string[]): fc.Arbitrary<Condition | null> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant<Condition>({ segment: 'RETURNING' }) },
    ...earlier.map((id) => ({ weight: 1, arbitrary: fc.constant<Condition>({ not: { clicked: id } }) })),
    ...earlier.map((id) => ({ weight: 1, arbitrary: fc.constant<Condition>({ all: [{ opened: id }, { value: { atLeast: 20 } }] }) })),
  );

const sendWindows = fc.oneof(
  { weight: 4, arbitrary: fc.constant(null) },
  {
    weight: 1,
    arbitrary: fc
      .record<WeeklyWindow>({
        fromMinute: fc.integer({ min: 0, max: 1439 }),
        toMinute: fc.constantFrom(1440, 60, 720),
        days: fc.subarray([...weekdays], { minLength: 2 }),
      })
      .filter(({ fromMinute, toMinute }) => fromMinute !== toMinute),
  },
);

const sequences: fc.Arbitrary<SequenceDefinition> = fc.integer({ min: 1, max: stepIds.length }).chain((count) =>
  fc
    .tuple(
      ...stepIds.slice(0, count).map((id, index) =>
        fc.record({
          id: fc.constant(id),
          from: fc.constantFrom('anchor' as const, 'previous' as const),
          minutes: fc.integer({ min: 0, max: 40 * 60 }),
          channels: fc.oneof(
            { weight: 4, arbitrary: fc.constant<Channel[]>(['email']) },
            { weight: 2, arbitrary: fc.subarray<Channel>(['email', 'sms', 'onsite', 'task'], { minLength: 1 }) },
            { weight: 1, arbitrary: fc.constantFrom(...someChannels).map((channel): Channel[] => [channel]) },
          ),
          when: condition(stepIds.slice(0, index)),
          expiresMinutes: fc.option(fc.integer({ min: 0, max: 600 }), { freq: 3 }),
          maxRetries: fc.nat(4),
          window: sendWindows,
          onFailure: fc.constantFrom(...failurePolicies),
        }),
      ),
    )
    .chain((steps) =>
      fc.record({
        steps: fc.constant(steps),
        quietForMinutes: fc.integer({ min: 0, max: 120 }),
        stopsOnReply: fc.boolean(),
        maxAgeDays: fc.constantFrom(3, 30),
      }),
    )
    .map(({ steps, quietForMinutes, stopsOnReply, maxAgeDays }) => {
      let offset = 0;
      return aSequence({
        quietFor: `${quietForMinutes}m`,
        maxAge: `${maxAgeDays}d`,
        stopOn: stopsOnReply ? ['purchased', 'replied', 'opted_out'] : ['purchased', 'opted_out'],
        steps: steps.map(({ id, from, minutes, channels, when, expiresMinutes, maxRetries, onFailure, window }) => {
          offset += minutes;
          const delayMs = (from === 'anchor' ? offset : minutes) * minuteMs;
          const expiresAfterMs = expiresMinutes === null ? null : expiresMinutes * minuteMs;
          return {
            id,
            due: { from, delayMs },
            channels,
            content: 'cart/email_2h',
            when,
            lapsesWith: null,
            expiresAfterMs,
            maxRetries,
            onFailure,
            ...(window === null ? {} : { window }),
          };
        }),
      });
    }),
);

const instants = fc.integer({ min: 0, max: 12 * 24 * 60 }).map((minutes) => startMs + minutes * minuteMs);
const happenings = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom({ type: 'subject.updated' as const }, { type: 'person.seen' as const }) },
  { weight: 1, arbitrary: fc.boolean().map((matched) => ({ type: 'order.placed' as const, matched })) },
  { weight: 1, arbitrary: fc.constantFrom({ type: 'message.received' as const }, { type: 'subject.gone' as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('email' as const, 'sms' as const, null).map((channel) => ({ type: 'contact.opted_out' as const, channel })),
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(...stepIds)
      .chain((step) => fc.constantFrom('message.opened' as const, 'message.clicked' as const).map((type) => ({ type, step }))),
  },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom('accepted' as const, 'accepted' as const, 'outage' as const, 'refused' as const, 'refused_for_good' as const, 'unknown' as const)
      .map((answer) => ({ type: 'provider.answers' as const, with: answer })),
  },
  { weight: 2, arbitrary: fc.constantFrom({ type: 'paused' as const }, { type: 'resumed' as const }, { type: 'resumed' as const }) },
);
const outages = fc
  .tuple(instants, fc.integer({ min: 1, max: 36 * 60 }))
  .map(([atMs, minutes]): RehearsalEvent => ({ type: 'workers.down', atMs, untilMs: atMs + minutes * minuteMs }));
const histories: fc.Arbitrary<RehearsalEvent[]> = fc
  .tuple(fc.array(fc.tuple(instants, happenings), { maxLength: 10 }), fc.array(outages, { maxLength: 1 }))
  .map(([events, downs]) => [
    { atMs: startMs, type: 'subject.updated' },
    ...events.map(([atMs, event]): RehearsalEvent => ({ ...event, atMs })),
    ...downs,
  ]);

const surroundings: fc.Arbitrary<Partial<Setting>> = fc.record({
  timeZones: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...zones).map((zone) => [zone]) },
    { weight: 2, arbitrary: fc.constantFrom('US', 'ES').map(zonesOfCountry) },
    { weight: 1, arbitrary: fc.subarray(zones, { minLength: 2, maxLength: 4 }) },
  ),
  settings: fc
    .option<DailyWindow>(fc.record({ fromMinute: fc.integer({ min: 0, max: 1439 }), toMinute: fc.integer({ min: 0, max: 1439 }) }), { freq: 5 })
    .chain((quietHours) =>
      fc
        .record({
          optOutAllChannels: fc.constantFrom(true, false, false),
          onReply: fc.constantFrom('stop' as const, 'stop' as const, 'takeover' as const),
          takeoverHours: fc.constantFrom(1, 5, 72),
        })
        .map((more) => ({ ...plainSettings, quietHours, ...more })),
    ),
  timeScale: fc.constantFrom(1, 1, 1, 60, 3600),
  segment: fc.constantFrom('FIRST_TIME' as const, 'RETURNING' as const),
  channels: fc.record({ email: usable, sms: usable, onsite: usable, task: usable }),
  tracksOpens: fc.boolean(),
});

interface Story {
  definition: SequenceDefinition;
  events: RehearsalEvent[];
  setting: Partial<Setting>;
}
const stories: fc.Arbitrary<Story> = fc.record({ definition: sequences, events: histories, setting: surroundings });

function check(holds: (run: Rehearsal, story: Story) => void): void {
  fc.assert(
    fc.property(stories, (story) => holds(rehearse(story.definition, story.events, story.setting), story)),
    { numRuns: 1_500 },
  );
}

/** Off under a time scale. */
const quietHoursOf = ({ timeScale = 1, settings }: Partial<Setting>): DailyWindow | null => (timeScale === 1 ? (settings?.quietHours ?? null) : null);
const sends = ({ log }: Rehearsal) => log.filter((entry) => entry.kind === 'sent');
const disturbing = (run: Rehearsal): LogEntryOf<'sent'>[] => sends(run).filter(({ channel }) => allChannels[channel].disturbs);
const progressOf = ({ progress }: Rehearsal) => {
  if (progress === null) throw new Error('every story starts with a cart');
  return progress;
};

describe('in every history', () => {
  test('no step is sent after a stop', () => {
    check(({ log, ...run }, { events, definition, setting: { settings = plainSettings } }) => {
      const stopsOnReply = definition.stopOn.includes('replied') && settings.onReply === 'stop';
      const stopTypes = ['order.placed', 'subject.gone', ...(stopsOnReply ? ['message.received'] : [])];
      const stops = events.filter(
        (event) => stopTypes.includes(event.type) || (event.type === 'contact.opted_out' && (event.channel === null || settings.optOutAllChannels)),
      );
      const firstMs = Math.min(Number.POSITIVE_INFINITY, ...stops.map(({ atMs }) => atMs));
      for (const { atMs } of sends({ log, ...run })) expect(atMs).toBeLessThan(firstMs);
      const finishedAt = log.findIndex(({ kind }) => kind === 'finished');
      if (finishedAt >= 0) expect(finishedAt).toBe(log.length - 1);
    });
  });

  test('once a person answers, nothing is sent until they are done', () => {
    check((run, { events, definition, setting: { settings = plainSettings, timeScale = 1 } }) => {
      if (settings.onReply !== 'takeover' || !definition.stopOn.includes('replied')) return;
      const heldMs = ((settings.takeoverHours ?? 0) * 60 * minuteMs) / timeScale;
      // Of a second reply the time begins anew.
      for (const reply of events.filter(({ type }) => type === 'message.received'))
        for (const { atMs } of sends(run)) expect(atMs < reply.atMs || atMs >= reply.atMs + heldMs).toBe(true);
    });
  });

  test('no step is sent twice, and none after it was skipped', () => {
    check(({ log }) => {
      const settled = log.flatMap((entry) => (entry.kind === 'sent' || entry.kind === 'skipped' ? [entry.step] : []));
      expect(new Set(settled).size).toBe(settled.length);
    });
  });

  test('steps are settled in order', () => {
    check(({ log }) => {
      const settled = log.flatMap((entry) => (entry.kind === 'sent' || entry.kind === 'skipped' ? [entry.step] : []));
      expect(settled).toEqual(stepIds.slice(0, settled.length));
    });
  });

  test('every step is accounted for: settled, unless a stop ended it or it is still held', () => {
    check((run, { definition }) => {
      const settled = Object.keys(progressOf(run).settled);
      if (run.finished?.reason === 'completed') expect(settled).toEqual(definition.steps.map(({ id }) => id));
      if (run.finished === null) expect(progressOf(run).held).toBe('paused');
    });
  });

  test('nobody is disturbed in quiet hours, on a clock read by other means', () => {
    check((run, { setting }) => {
      const { timeZones = ['UTC'] } = setting;
      const quietHours = quietHoursOf(setting);
      if (quietHours === null) return;
      for (const { atMs, checks } of disturbing(run)) {
        const { clocks = 1, clocksHeeded = 1 } = checks.find(({ gate }) => gate === 'quiet_hours')?.input ?? {};
        // Where no hour of the day suits all clocks, the record says so, and the likeliest one counts.
        for (const timeZone of clocks === clocksHeeded ? timeZones : timeZones.slice(0, 1)) {
          const minute = minuteOfDay(timeZone, atMs);
          const { fromMinute: from, toMinute: to } = quietHours;
          expect(from <= to ? minute >= from && minute < to : minute >= from || minute < to, timeZone).toBe(false);
        }
      }
    });
  });

  test('nothing goes out outside the window of its step, on a clock read by other means', () => {
    check((run, { definition, setting }) => {
      if (run.plan.timeScale !== 1) return;
      for (const { step, atMs, checks } of sends(run)) {
        const window = definition.steps.find(({ id }) => id === step)?.window;
        if (window === undefined) continue;
        const { timeZones = ['UTC'] } = setting;
        const { clocks = 1, clocksHeeded = 1 } = checks.find(({ gate }) => gate === 'send_window')?.input ?? {};
        for (const timeZone of clocks === clocksHeeded ? timeZones : timeZones.slice(0, 1)) {
          const { fromMinute: from, toMinute: to, days } = window;
          const minute = minuteOfDay(timeZone, atMs);
          // The hours after midnight belong to the day before.
          const day = dayOfWeek(timeZone, from > to && minute < to ? atMs - ms('24h') : atMs);
          expect(from < to ? minute >= from && minute < to : minute >= from || minute < to, timeZone).toBe(true);
          expect(days).toContain(day);
        }
      }
    });
  });

  test('messages keep three hours apart unless they were due together', () => {
    check((run) => {
      const progress = progressOf(run);
      const messages = disturbing(run);
      for (const [index, later] of messages.entries()) {
        const earlier = messages[index - 1];
        if (earlier === undefined || dueAt(run.plan, progress, earlier.step) === dueAt(run.plan, progress, later.step)) continue;
        expect(later.atMs - earlier.atMs).toBeGreaterThanOrEqual(Math.round(ms('3h') / run.plan.timeScale));
      }
    });
  });

  test('nothing is sent before it is due or after it expired, and every step lives two minutes at least', () => {
    check((run, { definition, setting }) => {
      const { timeZones = ['UTC'] } = setting;
      const quietHours = quietHoursOf(setting);
      const progress = progressOf(run);
      for (const { step, atMs } of sends(run)) {
        expect(atMs).toBeGreaterThanOrEqual(dueAt(run.plan, progress, step));
        const expiryMs = Math.max(expiryAt(run.plan, progress, step), windowEndMs(run, definition, setting, step));
        if (quietHours === null || timeZones.length === 1) expect(atMs).toBeLessThanOrEqual(expiryMs);
        else
          expect(atMs).toBeLessThanOrEqual(
            Math.max(expiryMs, firstOutsideAll(quietHours, timeZones, dueAt(run.plan, progress, step)).atMs + ms('1h')),
          );
      }
      const oldestMs = progress.anchorMs + run.plan.maxAgeMs;
      for (const { id } of run.plan.steps) {
        const dueMs = dueAt(run.plan, progress, id);
        if (dueMs <= oldestMs) expect(expiryAt(run.plan, progress, id) - dueMs).toBeGreaterThanOrEqual(ms('2m'));
      }
    });
  });

  test('nobody is disturbed within half an hour of being active after the cart was left', () => {
    check((run, { events }) => {
      const { anchorMs } = progressOf(run);
      const active = events.filter((event) => event.type === 'subject.updated' || event.type === 'person.seen').filter(({ atMs }) => atMs > anchorMs);
      for (const { atMs } of disturbing(run)) {
        const latest = Math.max(...active.filter((event) => event.atMs <= atMs).map((event) => event.atMs));
        expect(atMs - latest).toBeGreaterThanOrEqual(Math.round(ms('30m') / run.plan.timeScale));
      }
    });
  });

  test('nothing is sent about a cart that is older than maxAge and two minutes of wall time', () => {
    check((run) => {
      const { anchorMs } = progressOf(run);
      for (const { atMs } of sends(run)) expect(atMs).toBeLessThanOrEqual(anchorMs + run.plan.maxAgeMs + ms('2m'));
    });
  });

  test('whoever comes late, and however late, ends nothing before its last step was asked about', () => {
    const late = fc.record({
      definition: sequences,
      timeScale: fc.constantFrom(1, 60, 3600),
      fromMinutes: fc.integer({ min: 0, max: 12 * 24 * 60 }),
      minutes: fc.integer({ min: 0, max: 30 * 24 * 60 }),
    });
    fc.assert(
      fc.property(late, ({ definition, timeScale, fromMinutes, minutes }) => {
        // What a sequence file may plan: every step well within its maximum age.
        const lastMs = definition.steps.reduce((sum, { due }) => (due.from === 'anchor' ? Math.max(sum, due.delayMs) : sum + due.delayMs), 0);
        fc.pre(lastMs < definition.maxAgeMs);
        const downMs = startMs + (fromMinutes * minuteMs) / timeScale;
        const run = rehearse(
          definition,
          [
            { atMs: startMs, type: 'subject.updated' },
            { type: 'workers.down', atMs: downMs, untilMs: downMs + (minutes * minuteMs) / timeScale },
          ],
          { timeScale },
        );
        const last = run.log.findLast((entry) => entry.kind === 'sent' || (entry.kind === 'skipped' && entry.reason !== 'silent'));
        const tooLate = last?.kind === 'skipped' && last.reason === 'too_old';
        expect(run.finished?.reason).toBe(tooLate ? 'expired' : 'completed');
        expect(Object.keys(run.progress?.settled ?? {})).toHaveLength(definition.steps.length);
      }),
      { numRuns: 1_500 },
    );
  });

  test('every deferral progresses: into the future, or to a later anchor', () => {
    check(({ log }) => {
      let anchorMs = startMs;
      for (const entry of log) {
        if (entry.kind !== 'deferred') continue;
        expect(entry.untilMs > entry.atMs || (entry.untilMs === entry.atMs && entry.anchorMs > anchorMs)).toBe(true);
        expect(entry.anchorMs).toBeGreaterThanOrEqual(anchorMs);
        anchorMs = entry.anchorMs;
      }
    });
  });

  test('the anchor stays once the enrollment was activated', () => {
    check((run) => {
      const { activatedAtMs } = progressOf(run);
      if (activatedAtMs === null) return;
      const moved = run.log.filter((entry) => entry.kind === 'deferred' && entry.reason === 'activity' && entry.atMs > activatedAtMs);
      expect(moved).toEqual([]);
    });
  });

  test('the same input gives the same output', () => {
    check((run, { definition, events, setting }) => {
      expect(rehearse(definition, events, setting)).toEqual(run);
    });
  });

  test('every send, deferral and skip carries its gates', () => {
    check(({ log }) => {
      for (const entry of log) if (entry.kind !== 'finished') expect(entry.checks[0]?.gate).toBe('subject_open');
    });
  });
});

test('the random histories are worth their name: every kind of end, skip and deferral occurs in them', () => {
  const seen = new Set<string>();
  for (const { definition, events, setting } of fc.sample(stories, { numRuns: 5_000, seed: 7 })) {
    for (const entry of rehearse(definition, events, setting).log)
      seen.add(entry.kind === 'sent' ? `sent ${entry.outcome}` : `${entry.kind} ${entry.reason}`);
  }
  for (const kind of [
    ...['sent sent', 'sent unknown'],
    ...['activity', 'active_now', 'quiet_hours', 'send_window', 'gap', 'due'].map((reason) => `deferred ${reason}`),
    ...['too_old', 'condition', 'not_connected', 'no_address', 'no_consent', 'suppressed', 'refused', 'silent'].map((reason) => `skipped ${reason}`),
    ...['completed', 'purchased', 'purchased_elsewhere', 'not_abandoned', 'replied', 'opted_out', 'expired', 'cart_deleted', 'undeliverable'].map(
      (reason) => `finished ${reason}`,
    ),
  ]) {
    expect(seen, [...seen].join(', ')).toContain(kind);
  }
});

test('no step is put off beyond its end: a message that fails too late is given up at once, and the next one is on time', () => {
  check((run, { definition, setting }) => {
    const progress = progressOf(run);
    const quietHours = quietHoursOf(setting);
    // Where nobody knows the person's clock, a step may live longer than planned.
    if (quietHours !== null && (setting.timeZones ?? []).length > 1) return;
    for (const entry of run.log) {
      // While a person answers, the step is asked about every hour.
      if (entry.kind !== 'deferred' || entry.anchorMs !== progress.anchorMs || ['activity', 'takeover'].includes(entry.reason)) continue;
      const endMs = Math.max(expiryAt(run.plan, progress, entry.step), windowEndMs(run, definition, setting, entry.step));
      expect(entry.untilMs).toBeLessThanOrEqual(endMs);
    }
  });
});

const weekdayFormats = new Map<string, Intl.DateTimeFormat>();
function dayOfWeek(timeZone: string, atMs: number): string {
  const format = weekdayFormats.get(timeZone) ?? new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short' });
  weekdayFormats.set(timeZone, format);
  return format.format(atMs).toLowerCase();
}

/** When the window closes that opens first after a step was due and leaves it an hour outside the quiet hours; -1: it has none, or its author limits its life. */
function windowEndMs(run: Rehearsal, { steps }: SequenceDefinition, setting: Partial<Setting>, stepId: string): number {
  const { timeZones = ['UTC'] } = setting;
  const step = steps.find(({ id }) => id === stepId);
  if (run.plan.timeScale !== 1 || step?.window === undefined || step.expiresAfterMs !== null) return -1;
  const quietHours = quietHoursOf(setting);
  const dueMs = dueAt(run.plan, progressOf(run), stepId);
  for (let fromMs = dueMs; fromMs < dueMs + 40 * ms('24h'); ) {
    const { atMs, untilMs } = firstInsideAll(step.window, timeZones, fromMs);
    if (quietHours === null || firstOutsideAll(quietHours, timeZones, atMs).atMs < untilMs) return untilMs;
    fromMs = untilMs;
  }
  return Number.POSITIVE_INFINITY;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function minuteOfDay(timeZone: string, atMs: number): number {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  formats.set(timeZone, format);
  const [hour, minute] = format.format(atMs).split(':').map(Number);
  return (hour ?? 0) * 60 + (minute ?? 0);
}
