import type { WeeklyWindow } from '../../../domain/time/weekly-window.ts';
import { describe, expect, test } from 'vitest';
import type { ChannelFacts } from '../../../domain/gates/facts.ts';
import { plainSettings } from '../../../domain/rehearsal/world.ts';
import {
  anEmail,
  aSequence,
  cartUpdated,
  checkoutGone,
  clicked,
  opened,
  optedOut,
  orderPlaced,
  orderPlacedElsewhere,
  paused,
  provider,
  rehearse,
  replied,
  resumed,
  shopVisited,
  workersDown,
} from '../../helpers/sequence-dsl.ts';

const usable: ChannelFacts = { connected: true, hasAddress: true, suppressed: false, consent: 'unknown', requiresConsent: false, refused: false };
const oneHour = aSequence({ steps: [anEmail({ at: '1h' })] });
const twoMails = aSequence({ steps: [anEmail({ id: 'first', at: '2h' }), anEmail({ id: 'second', at: '24h' })] });

describe('stops', () => {
  test('a purchase during quiet hours stops the deferred step', () => {
    const sequence = aSequence({ steps: [anEmail({ at: '1h' })], stopOn: ['purchased'] });
    const run = rehearse(sequence, [cartUpdated('20:30'), orderPlaced('23:00')], { timeZones: ['Asia/Tokyo'] });
    expect(run.sent).toEqual([]);
    expect(run.deferred).toEqual([{ step: 'email', until: 'tomorrow 08:00', reason: 'quiet_hours' }]);
    expect(run.finished).toEqual({ reason: 'purchased', at: '23:00' });
  });

  test('a cart bought before its first step was never abandoned', () => {
    expect(rehearse(oneHour, [cartUpdated('10:00'), orderPlaced('10:59')]).finished).toEqual({ reason: 'not_abandoned', at: '10:59' });
  });

  test('an order for another cart ends this one as bought elsewhere, and only its own order converts it', () => {
    const run = rehearse(twoMails, [cartUpdated('08:00'), orderPlacedElsewhere('12:00')]);
    expect(run.sent).toEqual([{ step: 'first', at: '10:00' }]);
    expect(run.finished).toEqual({ reason: 'purchased_elsewhere', at: '12:00' });
  });

  test('an event at the very moment of a step wins over the step', () => {
    expect(rehearse(twoMails, [cartUpdated('08:00'), replied('10:00')])).toMatchObject({ sent: [], finished: { reason: 'replied', at: '10:00' } });
  });

  test('a sequence that does not stop on replies runs on after one', () => {
    const sequence = aSequence({ steps: [anEmail({ at: '1h' })], stopOn: ['purchased', 'opted_out'] });
    expect(rehearse(sequence, [cartUpdated('10:00'), replied('10:30')]).sent).toEqual([{ step: 'email', at: '11:00' }]);
  });

  test('an opt-out ends it', () => {
    expect(rehearse(twoMails, [cartUpdated('08:00'), optedOut('11:00')]).finished).toEqual({ reason: 'opted_out', at: '11:00' });
  });

  test('an opt-out on one channel ends it too, as it does in a store that keeps no channels apart', () => {
    const sequence = aSequence({ steps: [anEmail({ id: 'first', at: '2h' }), anEmail({ id: 'second', at: '24h', channels: ['sms', 'email'] })] });
    const channels = { email: usable, sms: usable };
    const events = [cartUpdated('08:00'), optedOut('11:00', 'sms')];
    expect(rehearse(sequence, events, { channels }).finished).toEqual({ reason: 'opted_out', at: '11:00' });
    const apart = { channels, settings: { ...plainSettings, optOutAllChannels: false } };
    const run = rehearse(sequence, events, apart);
    expect(run.log).toContainEqual(expect.objectContaining({ kind: 'sent', step: 'second', channel: 'email' }));
  });

  test('where a reply hands over to a person, nothing is sent until they are done', () => {
    const events = [cartUpdated('08:00'), replied('09:00')];
    const settings = { ...plainSettings, takeoverHours: 4 };
    const own = { ...twoMails, onReply: 'takeover' as const };
    expect(rehearse(own, events, { settings }).sent).toEqual([
      { step: 'first', at: '13:00' },
      { step: 'second', at: 'tomorrow 08:00' },
    ]);
    expect(rehearse(twoMails, events, { settings: { ...settings, onReply: 'takeover' } }).sent).toHaveLength(2);
    expect(rehearse({ ...own, onReply: 'stop' }, events, { settings: { ...settings, onReply: 'takeover' } })).toMatchObject({
      sent: [],
      finished: { reason: 'replied', at: '09:00' },
    });
    expect(rehearse(own, events, { settings: { ...settings, takeoverHours: null } })).toMatchObject({ sent: [], finished: { reason: 'expired' } });
  });

  test('a deleted cart ends as such at once', () => {
    expect(rehearse(twoMails, [cartUpdated('08:00'), checkoutGone('11:00')]).finished).toEqual({ reason: 'cart_deleted', at: '11:00' });
  });

  test('workers that were away for longer than maxAge end nothing by themselves: the step is too old, and with the last one the sequence has expired', () => {
    const sequence = aSequence({ steps: [anEmail({ at: '1h', expires: '30d' })], maxAge: '2d' });
    const run = rehearse(sequence, [cartUpdated('08:00'), workersDown('08:10', 'day 4 08:00')]);
    expect(run.skipped).toEqual([{ step: 'email', reason: 'too_old' }]);
    expect(run.finished).toEqual({ reason: 'expired', at: 'day 4 08:00' });
  });
});

describe('activity', () => {
  test('before the first step it moves the anchor', () => {
    const run = rehearse(oneHour, [cartUpdated('10:00'), cartUpdated('10:45')]);
    expect(run.deferred).toEqual([{ step: 'email', until: '11:45', reason: 'activity' }]);
    expect(run.sent).toEqual([{ step: 'email', at: '11:45' }]);
  });

  test('that a late worker finds before the first step counts from the activity, without a second wait', () => {
    const run = rehearse(oneHour, [cartUpdated('10:00'), cartUpdated('10:45'), workersDown('10:50', '15:00')]);
    expect(run.sent).toEqual([{ step: 'email', at: '15:00' }]);
    expect(run.log[0]).toMatchObject({ kind: 'deferred', reason: 'activity' });
  });

  test('later on it defers a due step to half an hour after it, and the anchor stays', () => {
    const run = rehearse(twoMails, [cartUpdated('08:00'), shopVisited('tomorrow 07:50')]);
    expect(run.deferred).toEqual([{ step: 'second', until: 'tomorrow 08:20', reason: 'active_now' }]);
    expect(run.sent.at(-1)).toEqual({ step: 'second', at: 'tomorrow 08:20' });
  });
});

describe('time', () => {
  test('all time gates are solved together: back on the site before the night means the next morning, in one deferral', () => {
    const run = rehearse(twoMails, [cartUpdated('20:45'), cartUpdated('20:50'), shopVisited('tomorrow 20:40')]);
    expect(run.deferred).toEqual([
      { step: 'first', until: '22:50', reason: 'activity' },
      { step: 'first', until: 'tomorrow 08:00', reason: 'quiet_hours' },
      { step: 'second', until: 'day 3 08:00', reason: 'quiet_hours' },
    ]);
    const last = run.log.find((entry) => entry.kind === 'deferred' && entry.step === 'second');
    const asked = last?.kind === 'deferred' ? last.checks.filter(({ result }) => result === 'defer').map(({ gate }) => gate) : [];
    expect(asked).toEqual(['active_now', 'quiet_hours']);
  });

  test('a message that was late keeps the next one three hours away', () => {
    const sequence = aSequence({ steps: [anEmail({ id: 'first', at: '1h' }), anEmail({ id: 'second', at: '12h' })] });
    const run = rehearse(sequence, [cartUpdated('20:30')]);
    expect(run.sent).toEqual([
      { step: 'first', at: 'tomorrow 08:00' },
      { step: 'second', at: 'tomorrow 11:00' },
    ]);
  });

  test('two messages due at the same time go out together', () => {
    const sequence = aSequence({ steps: [anEmail({ id: 'mail', at: '1h' }), anEmail({ id: 'text', after: '0s', channels: ['sms'] })] });
    const run = rehearse(sequence, [cartUpdated('10:00')], { channels: { email: usable, sms: usable } });
    expect(run.sent.map(({ at }) => at)).toEqual(['11:00', '11:00']);
  });

  test('`after` counts from the send of the step before, `at` from the anchor', () => {
    const sequence = aSequence({ steps: [anEmail({ id: 'a', at: '1h' }), anEmail({ id: 'b', after: '4h' }), anEmail({ id: 'c', at: '30h' })] });
    const run = rehearse(sequence, [cartUpdated('20:30')]);
    expect(run.sent).toEqual([
      { step: 'a', at: 'tomorrow 08:00' },
      { step: 'b', at: 'tomorrow 12:00' },
      { step: 'c', at: 'day 3 08:00' },
    ]);
  });

  test('a step that could only go out after its expiry is skipped at once', () => {
    const sequence = aSequence({ steps: [anEmail({ id: 'now_or_never', at: '1h', expires: '2h' }), anEmail({ id: 'next', at: '24h' })] });
    const run = rehearse(sequence, [cartUpdated('20:30')]);
    expect(run.skipped).toEqual([{ step: 'now_or_never', reason: 'too_old' }]);
    expect(run.log[0]).toMatchObject({
      kind: 'skipped',
      checks: expect.arrayContaining([expect.objectContaining({ gate: 'quiet_hours', result: 'defer' })]),
    });
    expect(run.sent).toEqual([{ step: 'next', at: 'tomorrow 20:30' }]);
  });

  test('after a long outage of our own, what is still fresh goes out and the rest is skipped as too old', () => {
    const run = rehearse(twoMails, [cartUpdated('08:00'), workersDown('09:00', 'day 3 07:00')], { quietHours: null });
    expect(run.skipped).toEqual([{ step: 'first', reason: 'too_old' }]);
    expect(run.sent).toEqual([{ step: 'second', at: 'day 3 07:00' }]);
  });

  test('a pop-up lapses when the email is due and never delays it', () => {
    const sequence = aSequence({
      steps: [anEmail({ id: 'popup', at: '1h', channels: ['onsite'], lapsesWith: 'mail' }), anEmail({ id: 'mail', at: '2h' })],
    });
    const channels = { email: usable, onsite: usable };
    const out = rehearse(sequence, [cartUpdated('10:00'), provider('10:00', 'outage'), provider('11:59', 'accepted')], { channels });
    expect(out.sent).toEqual([{ step: 'mail', at: '12:00' }]);
    expect(out.skipped).toEqual([{ step: 'popup', reason: 'too_old' }]);
    const fine = rehearse(sequence, [cartUpdated('10:00')], { channels });
    expect(fine.sent, 'a pop-up disturbs nobody: no three hours after it').toEqual([
      { step: 'popup', at: '11:00' },
      { step: 'mail', at: '12:00' },
    ]);
  });
});

describe('a pause', () => {
  test('shifts no due time: on resume an overdue step goes out and a too old one is skipped', () => {
    const run = rehearse(twoMails, [cartUpdated('08:00'), paused('09:00'), resumed('tomorrow 09:00')]);
    expect(run.skipped).toEqual([{ step: 'first', reason: 'too_old' }]);
    expect(run.sent).toEqual([{ step: 'second', at: 'tomorrow 09:00' }]);
  });

  test('without an end holds, and a purchase still ends it', () => {
    expect(rehearse(twoMails, [cartUpdated('08:00'), paused('11:00')]).finished).toBeNull();
    expect(rehearse(twoMails, [cartUpdated('08:00'), paused('11:00'), orderPlaced('day 9 12:00')]).finished).toEqual({
      reason: 'purchased',
      at: 'day 9 12:00',
    });
  });
});

describe('a provider', () => {
  test('that is down for hours puts the step off by the back-off and ends no enrollment', () => {
    const run = rehearse(oneHour, [cartUpdated('08:00'), provider('08:30', 'outage'), provider('10:00', 'accepted')]);
    expect(run.deferred.map(({ until }) => until)).toEqual(['09:05', '09:15', '09:35', '10:15']);
    expect(run.deferred.every(({ reason }) => reason === 'due')).toBe(true);
    expect(run.sent).toEqual([{ step: 'email', at: '10:15' }]);
  });

  test('that refuses is asked maxRetries times more, then the step is given up and the sequence goes on', () => {
    const sequence = aSequence({ steps: [anEmail({ id: 'first', at: '1h', maxRetries: 2 }), anEmail({ id: 'second', at: '24h' })] });
    const run = rehearse(sequence, [cartUpdated('08:00'), provider('08:30', 'refused'), provider('12:00', 'accepted')]);
    expect(run.deferred.map(({ until }) => until)).toEqual(['09:05', '09:15']);
    expect(run.skipped).toEqual([{ step: 'first', reason: 'refused' }]);
    expect(run.sent).toEqual([{ step: 'second', at: 'tomorrow 08:00' }]);
  });

  test('that refuses an address for good blocks it, and later steps take the next channel', () => {
    const sequence = aSequence({
      steps: [anEmail({ id: 'first', at: '1h', channels: ['sms'] }), anEmail({ id: 'second', at: '24h', channels: ['sms', 'email'] })],
    });
    const events = [cartUpdated('08:00'), provider('08:30', 'refused_for_good'), provider('12:00', 'accepted')];
    const run = rehearse(sequence, events, { channels: { sms: usable, email: usable } });
    expect(run.skipped).toEqual([{ step: 'first', reason: 'refused' }]);
    expect(run.log.filter(({ kind }) => kind === 'sent')).toMatchObject([{ step: 'second', channel: 'email' }]);
  });

  test('that keeps refusing makes the step go on with its next channel, where it says so', () => {
    const step = anEmail({ id: 'first', at: '1h', channels: ['sms', 'email'], maxRetries: 1, onFailure: 'next-channel' });
    const events = [cartUpdated('08:00'), provider('08:30', 'refused'), provider('09:10', 'accepted')];
    const run = rehearse(aSequence({ steps: [step] }), events, { channels: { sms: usable, email: usable } });
    expect(run.log.filter(({ kind }) => kind === 'sent')).toMatchObject([{ step: 'first', channel: 'email' }]);
  });

  test('that refuses a step which says `end` ends the sequence', () => {
    const steps = [anEmail({ id: 'first', at: '1h', maxRetries: 0, onFailure: 'end' }), anEmail({ id: 'second', at: '5h' })];
    const run = rehearse(aSequence({ steps }), [cartUpdated('08:00'), provider('08:30', 'refused')]);
    expect(run.finished).toEqual({ reason: 'undeliverable', at: '09:00' });
    expect(run.skipped).toEqual([]);
  });

  test('that gives no answer counts as having sent: the step is never repeated and `after` counts from it', () => {
    const sequence = aSequence({ steps: [anEmail({ id: 'a', at: '1h' }), anEmail({ id: 'b', after: '4h' })] });
    const run = rehearse(sequence, [cartUpdated('08:00'), provider('08:30', 'unknown'), provider('09:30', 'accepted')]);
    expect(run.log.filter((entry) => entry.kind === 'sent')).toMatchObject([
      { step: 'a', outcome: 'unknown' },
      { step: 'b', outcome: 'sent' },
    ]);
    expect(run.sent.at(1)).toEqual({ step: 'b', at: '13:00' });
  });
});

describe('a holdout', () => {
  const sequence = { ...aSequence({ steps: [anEmail({ at: '1h' })] }), holdoutPercent: 10 };

  test('ends at the activation who is held out, and nobody else', () => {
    const run = rehearse(sequence, [cartUpdated('08:00'), cartUpdated('08:30')], { heldOut: true });
    expect(run.sent).toEqual([]);
    expect(run.skipped).toEqual([]);
    expect(run.finished).toEqual({ reason: 'holdout', at: '09:30' });
    expect(rehearse(sequence, [cartUpdated('08:00')]).sent).toHaveLength(1);
    expect(rehearse({ ...sequence, holdoutPercent: 0 }, [cartUpdated('08:00')], { heldOut: true }).sent).toHaveLength(1);
  });

  test('counts nobody who bought before', () => {
    expect(rehearse(sequence, [cartUpdated('08:00'), orderPlaced('08:30')], { heldOut: true }).finished).toEqual({
      reason: 'not_abandoned',
      at: '08:30',
    });
  });
});

describe('the window of a step', () => {
  const office: WeeklyWindow = { fromMinute: 9 * 60, toMinute: 17 * 60, days: ['mon', 'tue', 'wed', 'thu', 'fri'] };
  const steps = [anEmail({ at: '24h', window: office })];
  // 14 March 2026 is a Saturday.
  const onFriday = { day: '2026-03-13', timeZones: ['Europe/Vienna'] };

  test('puts it off to the next time at which it is open, though that lies beyond its usual life', () => {
    const run = rehearse(aSequence({ steps }), [cartUpdated('12:00')], onFriday);
    expect(run.deferred).toEqual([{ step: 'email', until: 'day 4 09:00', reason: 'send_window' }]);
    expect(run.sent).toEqual([{ step: 'email', at: 'day 4 09:00' }]);
    expect(run.log[0]).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({ gate: 'send_window', note: expect.stringContaining('on Mon, Tue, Wed, Thu, Fri from 09:00 to 17:00') as string }),
      ]) as unknown,
    });
  });

  test('opens together with the quiet hours', () => {
    const early = { ...office, fromMinute: 6 * 60 };
    const run = rehearse(aSequence({ steps: [anEmail({ at: '24h', window: early })] }), [cartUpdated('12:00')], onFriday);
    expect(run.sent).toEqual([{ step: 'email', at: 'day 4 08:00' }]);
  });

  test('that the quiet hours leave no hour of waits for the next', () => {
    const weekdays = [anEmail({ at: '24h', window: { fromMinute: 0, toMinute: 1440, days: office.days } })];
    const run = rehearse(aSequence({ steps: weekdays }), [cartUpdated('22:00')], { ...onFriday, day: '2026-03-12' });
    expect(run.sent).toEqual([{ step: 'email', at: 'day 5 08:00' }]);
  });

  test('holds in every zone in which the person may live', () => {
    const run = rehearse(aSequence({ steps }), [cartUpdated('12:00')], { day: '2026-03-13', timeZones: ['America/New_York', 'America/Los_Angeles'] });
    expect(run.sent).toEqual([{ step: 'email', at: 'day 4 12:00' }]);
  });

  test('costs the step where its author lets it expire before, and beyond the maximum age', () => {
    const expiring = [anEmail({ at: '24h', window: office, expires: '12h' })];
    expect(rehearse(aSequence({ steps: expiring }), [cartUpdated('12:00')], onFriday).skipped).toEqual([{ step: 'email', reason: 'too_old' }]);
    expect(rehearse(aSequence({ steps, maxAge: '2d' }), [cartUpdated('12:00')], onFriday).skipped).toEqual([{ step: 'email', reason: 'too_old' }]);
  });

  test('means nothing where days pass in minutes', () => {
    const run = rehearse(aSequence({ steps }), [cartUpdated('12:00')], { ...onFriday, timeScale: 3600 });
    expect(run.sent).toEqual([{ step: 'email', at: '12:00:24' }]);
  });
});

describe('conditions', () => {
  const unlessClicked = aSequence({
    steps: [anEmail({ id: 'first', at: '1h' }), anEmail({ id: 'second', at: '24h', when: { not: { clicked: 'first' } } })],
  });

  test('a click spares the shopper the next email', () => {
    expect(rehearse(unlessClicked, [cartUpdated('08:00'), clicked('10:00', 'first')]).skipped).toEqual([{ step: 'second', reason: 'condition' }]);
    expect(rehearse(unlessClicked, [cartUpdated('08:00'), opened('10:00', 'first')]).sent).toHaveLength(2);
  });

  test('what the provider cannot report counts as no', () => {
    expect(rehearse(unlessClicked, [cartUpdated('08:00'), clicked('10:00', 'first')], { tracksOpens: false }).sent).toHaveLength(2);
  });
});

test('without a cart nothing begins, and events after the end change nothing', () => {
  expect(rehearse(oneHour, [orderPlaced('10:00')])).toMatchObject({ log: [], finished: null });
  const run = rehearse(oneHour, [cartUpdated('08:00'), cartUpdated('12:00'), orderPlaced('13:00')]);
  expect(run.finished).toEqual({ reason: 'completed', at: '09:00' });
});
