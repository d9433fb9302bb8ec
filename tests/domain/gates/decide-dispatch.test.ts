import { describe, expect, test } from 'vitest';
import { silenceStages, type SilenceStage } from '../../../domain/people/silence-stage.ts';
import type { AttributeTest, Condition, Range } from '../../../domain/sequence/definition.ts';
import { chooseChannel } from '../../../domain/gates/choose-channel.ts';
import { firstOpen } from '../../../domain/gates/first-open.ts';
import type { TimeGate } from '../../../domain/gates/gate.ts';
import { activates } from '../../../domain/gates/verdict.ts';
import { zonesOfCountry } from '../../../domain/people/country-zones.ts';
import { anEmail, aSequence, ms, usualQuietHours } from '../../helpers/sequence-dsl.ts';
import { anchorMs, checkOf, decide, factsWith, usable } from './a-dispatch.ts';

const at = (span: string) => anchorMs + ms(span);

test('a step with nothing in its way is sent, with every gate asked in its order', () => {
  const verdict = decide();
  expect(verdict).toMatchObject({ kind: 'send', channel: 'email' });
  expect(verdict.checks.map(({ gate }) => gate)).toEqual([
    'subject_open',
    'enrollment_running',
    'do_not_contact',
    'ordered_since',
    'replied_since',
    'activation',
    'only',
    'holdout',
    'max_age',
    'channel',
    'segment',
    'conditions',
    'offer',
    'claims',
    'service_window',
    'retries',
    'held',
    'due',
    'variant_time',
    'active_now',
    'quiet_hours',
    'legal_hours',
    'blackout',
    'send_window',
    'campaign_schedule',
    'best_hour',
    'approval',
    'gap',
    'cap',
    'turn',
    'capped',
    'too_old',
  ]);
  expect(verdict.checks.every(({ result, note }) => result === 'pass' && note === undefined)).toBe(true);
});

describe('ends', () => {
  test.each([
    ['the cart was bought', { subject: { state: 'converted' } }, 'purchased'],
    ['the cart was bought before activation', { subject: { state: 'converted' }, progress: { activatedAtMs: null } }, 'not_abandoned'],
    ['the cart was deleted', { subject: { state: 'gone' } }, 'cart_deleted'],
    ['the enrollment was stopped', { enrollment: { ended: 'manual' } }, 'manual'],
    ['a stop stands in the progress only', { progress: { stopped: 'replied' } }, 'replied'],
    ['the person must not be contacted', { contact: { lifecycle: 'DO_NOT_CONTACT' } }, 'opted_out'],
    ['the person ordered since', { contact: { lastOrderMs: at('30m') } }, 'purchased_elsewhere'],
    ['the person ordered before activation', { contact: { lastOrderMs: at('30m') }, progress: { activatedAtMs: null } }, 'purchased_elsewhere'],
    ['the person wrote since', { contact: { lastReplyMs: at('30m') } }, 'replied'],
  ] as const)('%s', (_, differences, reason) => {
    const verdict = decide(differences);
    expect(verdict).toMatchObject({ kind: 'stop', reason });
    expect(verdict.checks.at(-1)).toMatchObject({ result: 'stop', note: expect.stringMatching(/\.$/) });
    expect(activates(verdict)).toBe(false);
  });

  test('orders and replies from before the cart was left end nothing', () => {
    expect(decide({ contact: { lastOrderMs: anchorMs, lastReplyMs: anchorMs } }).kind).toBe('send');
  });

  test('a reply ends nothing in a sequence that runs on', () => {
    const sequence = aSequence({ steps: [anEmail({ at: '1h' })], stopOn: ['purchased', 'opted_out'] });
    expect(decide({ sequence, contact: { lastReplyMs: at('30m') } }).kind).toBe('send');
  });

  test('a step of a completed enrollment is a silent no-op', () => {
    expect(decide({ enrollment: { ended: 'completed' } })).toMatchObject({ kind: 'skip', reason: 'stopped' });
  });

  test('an enrollment whose step was put off beyond maxAge is expired, counted from the anchor and scaled', () => {
    const sequence = aSequence({ steps: [anEmail({ id: 'a', at: '1h', expires: '30d' })], maxAge: '7d' });
    const at = (span: string, timeScale: number) => ({
      ...{ sequence, timeScale, after: span },
      progress: { notBeforeMs: { a: anchorMs + ms(span) / timeScale } },
    });
    for (const timeScale of [1, 3600]) expect(decide(at('7d', timeScale)).kind).toBe('send');
    expect(decide(at('8d', 1))).toMatchObject({ kind: 'stop', reason: 'expired' });
    // Two minutes of wall time are five days of this one.
    expect(decide(at('8d', 3600))).toMatchObject({ kind: 'skip', reason: 'too_old' });
    expect(decide(at('13d', 3600))).toMatchObject({ kind: 'stop', reason: 'expired' });
  });

  test.each([1, 3600])('a dispatch that comes late expires no enrollment: its step is too old, at scale %d', (timeScale) => {
    const sequence = aSequence({ steps: [anEmail({ at: '1h', expires: '30d' })], maxAge: '7d' });
    expect(decide({ sequence, after: '7d', timeScale }).kind).toBe('send');
    expect(decide({ sequence, after: '8d', timeScale })).toMatchObject({ kind: 'skip', reason: 'too_old' });
  });

  test('a step before that went out late expires nothing: the next may be too old for the cart by then', () => {
    const sequence = aSequence({ steps: [anEmail({ id: 'a', at: '1h' }), anEmail({ id: 'b', after: '6d' })], maxAge: '7d' });
    const late = (timeScale: number) => ({
      ...{ sequence, stepId: 'b', timeScale, after: '174h' },
      progress: { settled: { a: { outcome: 'sent' as const, atMs: anchorMs + ms('30h') / timeScale } } },
    });
    expect(decide(late(1))).toMatchObject({ kind: 'skip', reason: 'too_old' });
    expect(decide(late(3600))).toMatchObject({ kind: 'send' });
  });
});

describe('activation', () => {
  const before = { progress: { activatedAtMs: null } };

  test('passes and activates when nothing happened until the first step', () => {
    expect(activates(decide(before))).toBe(true);
  });

  test('moves the anchor to later activity and puts the step off to its new due time', () => {
    const verdict = decide({ ...before, subject: { lastActivityMs: at('40m') } });
    expect(verdict).toMatchObject({ kind: 'defer', untilMs: at('100m'), anchorMs: at('40m'), reason: 'activity' });
    expect(activates(verdict)).toBe(false);
  });

  test('activates although a time gate puts the step off, and although the step is skipped', () => {
    expect(activates(decide({ ...before, quietHours: { fromMinute: 0, toMinute: 720 } }))).toBe(true);
    expect(activates(decide({ ...before, channels: {} }))).toBe(true);
  });

  test('is over once it happened: later activity leaves the anchor alone', () => {
    expect(checkOf(decide({ subject: { lastActivityMs: at('40m') } }), 'activation').result).toBe('pass');
  });

  test('waits for quietFor where the first step comes sooner', () => {
    const sequence = aSequence({ steps: [anEmail({ at: '1h' })], quietFor: '2h' });
    expect(decide({ ...before, sequence })).toMatchObject({ kind: 'defer', untilMs: at('2h'), reason: 'activity' });
    expect(decide({ ...before, sequence, after: '2h' }).kind).toBe('send');
  });

  test('does not happen in an enrollment that is too old already', () => {
    const sequence = aSequence({ steps: [anEmail({ at: '1h' })], maxAge: '7d' });
    const progress = { ...before.progress, notBeforeMs: { [sequence.steps[0]?.id ?? '']: at('8d') } };
    expect(activates(decide({ ...before, sequence, progress, after: '8d' }))).toBe(false);
  });

  test('takes activity from a clock that runs ahead for activity now', () => {
    expect(decide({ ...before, subject: { lastActivityMs: at('5h') } })).toMatchObject({ anchorMs: at('1h'), untilMs: at('2h') });
  });
});

describe('the channel', () => {
  test.each([
    ['not_connected', undefined],
    ['not_connected', { connected: false, hasAddress: false }],
    ['no_address', { hasAddress: false, suppressed: true }],
    ['suppressed', { suppressed: true }],
    ['no_consent', { consent: 'denied' }],
    ['no_consent', { consent: 'unknown', requiresConsent: true }],
    ['refused', { refused: true }],
  ] as const)('is impossible: %s', (reason, differences) => {
    const channels = differences === undefined ? {} : { email: { ...usable, ...differences } };
    expect(decide({ channels })).toMatchObject({ kind: 'skip', reason });
  });

  test('with granted consent is possible where consent is required', () => {
    expect(decide({ channels: { email: { ...usable, consent: 'granted', requiresConsent: true } } }).kind).toBe('send');
  });

  test('falls back along the list of the step only where a channel is impossible', () => {
    const step = { channels: ['sms', 'telegram', 'email'] as ('sms' | 'telegram' | 'email')[] };
    const verdict = decide({ step, channels: { sms: { ...usable, hasAddress: false }, email: usable } });
    expect(verdict).toMatchObject({ kind: 'send', channel: 'email' });
    expect(checkOf(verdict, 'channel').input).toEqual({ sms: 'no_address', telegram: 'not_connected', email: 'chosen' });
    expect(decide({ step, channels: { sms: usable, email: usable }, quietHours: { fromMinute: 0, toMinute: 720 } }).kind).toBe('defer');
  });

  test('skips with the reason of the preferred channel when none is left', () => {
    expect(decide({ step: { channels: ['sms', 'email'] }, channels: { sms: { ...usable, hasAddress: false } } })).toMatchObject({
      reason: 'no_address',
    });
  });

  test('none is settled silently, at any hour', () => {
    expect(decide({ step: { channels: ['none'] }, quietHours: { fromMinute: 0, toMinute: 720 } })).toMatchObject({ kind: 'skip', reason: 'silent' });
  });

  test('of a colleague needs no address, and disturbs nobody at night', () => {
    const task = { ...usable, hasAddress: false };
    expect(decide({ step: { channels: ['task'] }, channels: { task }, quietHours: { fromMinute: 0, toMinute: 720 } })).toMatchObject({
      channel: 'task',
    });
  });
});

describe('a holdout', () => {
  const before = { progress: { activatedAtMs: null } };

  test('stops who is held out as it is activated, after what ends it anyway and before any channel is looked at', () => {
    const verdict = decide({ ...before, holdout: { percent: 10, heldOut: true }, channels: {} });
    expect(verdict).toMatchObject({ kind: 'stop', reason: 'holdout' });
    expect(activates(verdict)).toBe(true);
    expect(verdict.checks.at(-1)).toMatchObject({ gate: 'holdout', input: { percent: 10, heldOut: true } });
    const unwanted = decide({ ...before, holdout: { percent: 10, heldOut: true }, contact: { lifecycle: 'DO_NOT_CONTACT' } });
    expect(unwanted).toMatchObject({ kind: 'stop', reason: 'opted_out' });
    expect(activates(unwanted)).toBe(false);
  });

  test('waits for the activation, and asks nobody again after it', () => {
    expect(decide({ ...before, holdout: { percent: 10, heldOut: true }, subject: { lastActivityMs: anchorMs + ms('59m') } }).kind).toBe('defer');
    expect(decide({ holdout: { percent: 10, heldOut: true } }).kind).toBe('send');
  });
});

describe('conditions', () => {
  const sent = { sentAtMs: anchorMs, opened: false, clicked: false };
  const kindWhen = (when: Condition, differences: Parameters<typeof decide>[0] = {}) => decide({ step: { when }, ...differences }).kind;

  test.each<[Condition, 'send' | 'skip']>([
    ['converted', 'skip'],
    [{ segment: 'RETURNING' }, 'send'],
    [{ segment: 'LOW_STOCK' }, 'send'],
    [{ segment: 'HIGH_VALUE' }, 'skip'],
    [{ value: { atLeast: 129.9 } }, 'send'],
    [{ value: { atLeast: 129.91 } }, 'skip'],
    [{ value: { below: 129.9 } }, 'skip'],
    [{ value: { atLeast: 100, below: 130 } }, 'send'],
    [{ not: 'converted' }, 'send'],
    [{ all: [{ segment: 'RETURNING' }, 'converted'] }, 'skip'],
    [{ any: [{ segment: 'RETURNING' }, 'converted'] }, 'send'],
    [{ opened: 'email' }, 'skip'],
    [{ not: { clicked: 'email' } }, 'send'],
  ])('%j → %s', (when, kind) => {
    expect(kindWhen(when)).toBe(kind);
  });

  test('`replied` counts from the anchor, or from the send of a step', () => {
    const runsOn = { sequence: aSequence({ stopOn: ['purchased', 'opted_out'], steps: [anEmail({ at: '1h' })] }) };
    const repliedAt = (span: string) => ({ ...runsOn, contact: { lastReplyMs: anchorMs + ms(span) } });
    expect(kindWhen('replied', repliedAt('30m'))).toBe('send');
    expect(kindWhen('replied', repliedAt('0m'))).toBe('skip');
    expect(kindWhen('replied', runsOn)).toBe('skip');
    const sentAfter20m = { messages: { first: { ...sent, sentAtMs: anchorMs + ms('20m') } } };
    expect(kindWhen({ replied: 'first' }, { ...repliedAt('30m'), ...sentAfter20m })).toBe('send');
    expect(kindWhen({ replied: 'first' }, { ...repliedAt('10m'), ...sentAfter20m })).toBe('skip');
    expect(kindWhen({ replied: 'first' }, repliedAt('30m'))).toBe('skip');
  });

  test.each<[string, SilenceStage, number]>([
    ['23h', 'none', 1],
    ['24h', 'none', 1],
    ['1441m', '24h', 1],
    ['3d', '3d', 1],
    ['7d', '7d', 1],
    ['14d', '14d', 1],
    ['30d', '30d', 1],
    ['3d', '3d', 3600],
  ])('after a silence of %s the stage is %s', (after, stage, timeScale) => {
    const sequence = aSequence({ maxAge: '60d', steps: [anEmail({ at: '1h', expires: '60d' })] });
    const stages = silenceStages.filter((one) => {
      const verdict = decide({ sequence, after, timeScale, step: { when: { stage: one } } });
      return verdict.kind === 'send';
    });
    expect(stages).toEqual([stage]);
  });

  test('a reply or a visit ends a silence, a message of ours does not', () => {
    const after = '73h';
    const sequence = aSequence({ stopOn: ['purchased', 'opted_out'], steps: [anEmail({ at: '1h', expires: '7d' })] });
    const stage = (differences: Parameters<typeof decide>[0]) => kindWhen({ stage: '3d' }, { sequence, after, ...differences });
    expect(stage({ sends: [{ channel: 'email', atMs: anchorMs + ms('48h'), dueMs: null }] })).toBe('send');
    expect(stage({ contact: { lastReplyMs: anchorMs + ms('48h') } })).toBe('skip');
    expect(stage({ contact: { lastSeenMs: anchorMs + ms('48h') } })).toBe('skip');
    expect(stage({ subject: { lastActivityMs: anchorMs + ms('48h') } })).toBe('skip');
  });

  test.each<[Range, (number | null)[], 'send' | 'skip', boolean]>([
    [{ below: 5 }, [9, 4], 'send', true],
    [{ below: 5 }, [9, 5], 'skip', true],
    [{ below: 5 }, [9, null], 'skip', false],
    [{ below: 5 }, [null, 4], 'send', true],
    [{ below: 5 }, [], 'skip', false],
    [{ atLeast: 1, below: 3 }, [0, 3], 'skip', true],
    [{ atLeast: 1, below: 3 }, [0, 2], 'send', true],
  ])('stock %j of %j → %s', (stock, units, kind, known) => {
    const verdict = decide({ step: { when: { stock } }, subject: { stock: units } });
    expect(verdict.kind).toBe(kind);
    expect(checkOf(verdict, 'conditions').note?.includes('Cannot be known') ?? false).toBe(!known);
  });

  test('an attribute is compared in any case, by value or by range; an unknown one cannot be known', () => {
    const attributes = { 'lead.source': 'Meta', 'contact.orders': 2, 'contact.country': null };
    const kindOf = (attribute: AttributeTest) => kindWhen({ attribute }, { attributes });
    expect(kindOf({ name: 'lead.source', is: ['META'] })).toBe('send');
    expect(kindOf({ name: 'lead.source', is: ['website', 'meta '] })).toBe('send');
    expect(kindOf({ name: 'lead.source', is: ['website'] })).toBe('skip');
    expect(kindOf({ name: 'contact.orders', is: [2] })).toBe('send');
    expect(kindOf({ name: 'contact.orders', atLeast: 2 })).toBe('send');
    expect(kindOf({ name: 'contact.orders', below: 2 })).toBe('skip');
    const unknown = (attribute: AttributeTest) => checkOf(decide({ step: { when: { not: { attribute } } }, attributes }), 'conditions').note;
    expect(unknown({ name: 'contact.country', is: ['AT'] })).toBe('Cannot be known, counted as no: attribute contact.country is AT.');
    expect(unknown({ name: 'toString', is: ['AT'] })).toContain('attribute toString');
    expect(unknown({ name: 'lead.source', atLeast: 3 })).toContain('attribute lead.source at least 3');
  });

  test('values are read in the major units of the currency', () => {
    expect(kindWhen({ value: { atLeast: 5000 } }, { subject: { valueMinor: 5000, currency: 'JPY' } })).toBe('send');
    expect(kindWhen({ value: { atLeast: 5000 } }, { subject: { valueMinor: 5000, currency: 'EUR' } })).toBe('skip');
  });

  test('an open is read from the message', () => {
    expect(kindWhen({ opened: 'email' }, { messages: { email: { ...sent, opened: true } } })).toBe('send');
  });

  test('an undecidable one is false and says so; what was never sent was certainly not opened', () => {
    const unknowable = { messages: { email: { ...sent, opened: null } } };
    const verdict = decide({ step: { when: { opened: 'email' } }, ...unknowable });
    expect(verdict).toMatchObject({ kind: 'skip', reason: 'condition' });
    expect(checkOf(verdict, 'conditions').note).toContain('opened email');
    const negated = decide({ step: { when: { not: { opened: 'email' } } }, ...unknowable });
    expect(negated.kind).toBe('send');
    expect(checkOf(negated, 'conditions').note).toContain('opened email');
    const neverSent = decide({ step: { when: { not: { opened: 'email' } } }, messages: { email: { sentAtMs: null, opened: null, clicked: null } } });
    expect(checkOf(neverSent, 'conditions').note).toBeUndefined();
  });

  test('a value without a known currency is undecidable', () => {
    expect(checkOf(decide({ step: { when: { value: { below: 900 } } }, subject: { currency: null } }), 'conditions').note).toContain(
      'value below 900',
    );
  });
});

describe('the service window of WhatsApp', () => {
  const whatsapp = { step: { channels: ['whatsapp' as const] }, channels: { whatsapp: usable } };
  const decided = (forms: ('text' | 'template')[] | undefined, lastWhatsappMs: number | null) =>
    decide({ ...whatsapp, step: { ...whatsapp.step, ...(forms === undefined ? {} : { whatsappForms: forms }) }, contact: { lastWhatsappMs } });
  const insideMs = at('1h') - ms('23h');
  const outsideMs = at('1h') - ms('24h');

  test.each([
    ['free text, where the person wrote in the last 24 hours', undefined, insideMs, 'text'],
    ['a template, where they did not', undefined, outsideMs, 'template'],
    ['a template, where they never wrote', undefined, null, 'template'],
    ['a template inside the window too, where there is no free text', ['template' as const], insideMs, 'template'],
    ['free text alone, inside the window', ['text' as const], insideMs, 'text'],
  ])('lets a step go out as %s', (_, forms, lastMs, form) => {
    const verdict = decided(forms, lastMs);
    expect(verdict).toMatchObject({ kind: 'send', channel: 'whatsapp' });
    expect(checkOf(verdict, 'service_window')).toMatchObject({
      result: 'pass',
      input: { lastInboundMs: lastMs, form },
      note: expect.stringMatching(/\.$/),
    });
  });

  test('leaves out a step that has free text alone, where it is closed', () => {
    for (const lastMs of [outsideMs, null]) expect(decided(['text'], lastMs)).toMatchObject({ kind: 'skip', reason: 'outside_window' });
  });

  test('closes ten minutes early, so that a message that leaves late still arrives inside', () => {
    expect(decided(['text'], at('1h') - ms('24h') + ms('10m')).kind).toBe('skip');
    expect(decided(['text'], at('1h') - ms('24h') + ms('10m') + 1).kind).toBe('send');
  });

  test('is none of a text message’s business', () => {
    const verdict = decide({ step: { channels: ['sms'], whatsappForms: ['text'] }, channels: { sms: usable } });
    expect(verdict.kind).toBe('send');
    expect(checkOf(verdict, 'service_window').input).toEqual({});
  });

  test('is asked only where the channel is possible: without consent it is another channel’s turn', () => {
    const verdict = decide({
      step: { channels: ['whatsapp', 'email'], whatsappForms: ['text'] },
      channels: { whatsapp: { ...usable, requiresConsent: true }, email: usable },
    });
    expect(verdict).toMatchObject({ kind: 'send', channel: 'email' });
  });
});

describe('retries', () => {
  test('a message refused more often than maxRetries is given up', () => {
    expect(decide({ step: { refusals: { email: 3 }, maxRetries: 3 } }).kind).toBe('send');
    expect(decide({ step: { refusals: { email: 4 }, maxRetries: 3 } })).toMatchObject({ kind: 'skip', reason: 'refused' });
  });

  test('what one channel’s provider refused does not count for another channel', () => {
    const step = { channels: ['sms', 'email'] as ('sms' | 'email')[], refusals: { sms: 4 }, maxRetries: 3 };
    expect(decide({ step, channels: { sms: { ...usable, suppressed: true }, email: usable } })).toMatchObject({ kind: 'send', channel: 'email' });
    expect(decide({ step, channels: { sms: usable, email: usable } })).toMatchObject({ kind: 'skip', reason: 'refused' });
  });
});

describe('a hold', () => {
  test.each(['paused', 'takeover'] as const)('%s holds without a time, even beyond the expiry', (held) => {
    expect(decide({ progress: { held } })).toMatchObject({ kind: 'hold', reason: held });
    expect(decide({ progress: { held }, after: '20d' })).toMatchObject({ kind: 'hold' });
  });

  test('does not hide a condition that no longer applies', () => {
    expect(decide({ progress: { held: 'paused' }, step: { when: 'converted' } }).kind).toBe('skip');
  });
});

describe('time gates', () => {
  test('never send before the step is due, nor before the time it was put off to', () => {
    expect(decide({ after: '59m' })).toMatchObject({ kind: 'defer', untilMs: at('1h'), reason: 'due' });
    expect(decide({ progress: { notBeforeMs: { email: at('2h') } } })).toMatchObject({ kind: 'defer', untilMs: at('2h'), reason: 'due' });
  });

  test('let a shopper finish: last activity + 30 min, on the cart or anywhere in the shop, scaled', () => {
    expect(decide({ subject: { lastActivityMs: at('50m') } })).toMatchObject({ kind: 'defer', untilMs: at('80m'), reason: 'active_now' });
    expect(decide({ contact: { lastSeenMs: at('55m') } })).toMatchObject({ kind: 'defer', untilMs: at('85m'), reason: 'active_now' });
    expect(decide({ contact: { lastSeenMs: at('30m') } }).kind).toBe('send');
    const scaled = decide({ timeScale: 3600, contact: { lastSeenMs: anchorMs + 900 } });
    expect(scaled).toMatchObject({ kind: 'defer', untilMs: anchorMs + 900 + 500 });
  });

  test('take activity from a clock that runs ahead for activity now', () => {
    expect(decide({ contact: { lastSeenMs: at('9h') } })).toMatchObject({ kind: 'defer', untilMs: at('90m'), reason: 'active_now' });
  });

  test('do not take the leaving itself for activity', () => {
    const sequence = aSequence({ steps: [anEmail({ at: '10m' })] });
    expect(decide({ sequence, after: '10m', contact: { lastSeenMs: anchorMs } }).kind).toBe('send');
  });

  test('keep 3 h between sends unless both were due at the same time, scaled', () => {
    expect(decide({ sends: [{ channel: 'email', atMs: at('30m'), dueMs: at('30m') }] })).toMatchObject({
      kind: 'defer',
      untilMs: at('210m'),
      reason: 'gap',
    });
    expect(decide({ sends: [{ channel: 'email', atMs: at('30m'), dueMs: at('1h') }] }).kind).toBe('send');
    const scaled = decide({ timeScale: 3600, sends: [{ channel: 'email', atMs: anchorMs + 500, dueMs: anchorMs + 500 }] });
    expect(scaled).toMatchObject({ kind: 'defer', untilMs: anchorMs + 500 + 3000 });
  });

  test('keep quiet hours on the clock of the person', () => {
    expect(decide({ quietHours: usualQuietHours, zones: { timeZones: ['Asia/Tokyo'] } })).toEqual(
      decide({ quietHours: usualQuietHours, zones: { timeZones: ['Asia/Seoul'] } }),
    );
    expect(decide({ quietHours: usualQuietHours, zones: { timeZones: ['Pacific/Auckland'] } })).toMatchObject({
      kind: 'defer',
      untilMs: Date.parse('2026-03-10T19:00Z'),
      reason: 'quiet_hours',
    });
  });

  test('keep quiet hours on every clock that may be the person’s, and say what was assumed', () => {
    const unknownState = { timeZones: zonesOfCountry('US'), basis: 'country' as const, country: 'US' };
    // 11:00 UTC, 10 March 2026: morning in New York, night in Honolulu.
    const verdict = decide({ quietHours: usualQuietHours, zones: unknownState });
    expect(verdict).toMatchObject({ kind: 'defer', untilMs: Date.parse('2026-03-10T18:00Z'), reason: 'quiet_hours' });
    const { note, input } = checkOf(verdict, 'quiet_hours');
    expect(input).toMatchObject({
      zoneBasis: 'country',
      country: 'US',
      clocks: 7,
      clocksHeeded: 7,
      utcOffsetMinutesFrom: -600,
      utcOffsetMinutesTo: -240,
    });
    expect(note).toBe(
      'Quiet hours from 21:00 to 08:00 in the United States (7 zones possible, no state known; kept in all of them, UTC-10:00 to UTC-04:00).',
    );
  });

  test.each([
    [{ timeZones: ['Asia/Tokyo'], basis: 'stated' as const, country: null }, 'in the time zone that is stated for the person (UTC+09:00)'],
    [{ timeZones: ['Asia/Tokyo'], basis: 'country' as const, country: 'JP' }, 'in Japan (UTC+09:00)'],
    [{ timeZones: ['Pacific/Honolulu'], basis: 'region' as const, country: 'US' }, 'in the person’s region of the United States (UTC-10:00)'],
    [
      { timeZones: ['America/Chicago', 'America/Denver'], basis: 'region' as const, country: 'US' },
      'in the person’s region of the United States (2 zones possible; kept in all of them, UTC-06:00 to UTC-05:00)',
    ],
    [{ timeZones: ['Asia/Tokyo'], basis: 'phone' as const, country: 'JP' }, 'in Japan (by the country of the phone number; UTC+09:00)'],
    [
      { timeZones: ['Asia/Tokyo'], basis: 'store' as const, country: null },
      'in the time zone of the store (where the person lives is not known; UTC+09:00)',
    ],
    [
      { timeZones: ['Europe/London', 'Asia/Tokyo', 'America/Los_Angeles'], basis: 'country' as const, country: 'GB' },
      'in the United Kingdom (3 zones possible, no state known; they leave no common hour of the day, so kept in the 2 where most people live, UTC+00:00 to UTC+09:00)',
    ],
  ])('the note names what the hours rest on: %j', (zones, words) => {
    // 13:00 UTC: late in Tokyo, early in Denver and before.
    const verdict = decide({ quietHours: usualQuietHours, zones, after: '3h' });
    expect(checkOf(verdict, 'quiet_hours').note).toBe(`Quiet hours from 21:00 to 08:00 ${words}.`);
  });

  test('do not let a step grow too old because nobody knows the shopper’s clock', () => {
    const sequence = aSequence({ steps: [anEmail({ at: '1h' }), anEmail({ id: 'later', at: '2h' })] });
    const unknownState = { timeZones: zonesOfCountry('US') };
    // Due at 23:00 in New York: open at eight there, but in Honolulu only after the step's twelve hours.
    const late = { sequence, quietHours: usualQuietHours, after: '17h', progress: { anchorMs: anchorMs + ms('16h') } };
    expect(decide({ ...late, zones: { timeZones: ['America/New_York'] } })).toMatchObject({
      kind: 'defer',
      untilMs: Date.parse('2026-03-11T12:00Z'),
    });
    const opensMs = Date.parse('2026-03-11T18:00Z');
    expect(decide({ ...late, zones: unknownState })).toMatchObject({ kind: 'defer', untilMs: opensMs, reason: 'quiet_hours' });
    const whenOpen = { ...late, zones: unknownState, after: `${(opensMs - anchorMs) / 60_000 + 1}m` as const };
    expect(decide(whenOpen).kind).toBe('send');
    expect(decide({ ...whenOpen, after: `${(opensMs - anchorMs) / 60_000 + 61}m` as const })).toMatchObject({ kind: 'skip', reason: 'too_old' });
    // What would be too old on the likeliest clock as well is too old.
    const hasty = aSequence({ steps: [anEmail({ at: '1h', expires: '2h' })] });
    expect(decide({ ...late, sequence: hasty, zones: unknownState })).toMatchObject({ kind: 'skip', reason: 'too_old' });
  });

  test('are solved together: one verdict, every gate that took part listed, the last to open as the reason', () => {
    const verdict = decide({
      quietHours: { fromMinute: 12 * 60, toMinute: 15 * 60 },
      contact: { lastSeenMs: at('50m') },
      sends: [{ channel: 'email', atMs: at('30m'), dueMs: anchorMs }],
      after: '1h',
    });
    // Active until 11:20, the gap until 13:30, then quiet until 15:00.
    expect(verdict).toMatchObject({ kind: 'defer', untilMs: at('5h'), reason: 'quiet_hours' });
    expect(verdict.checks.filter(({ result }) => result === 'defer').map(({ gate, input }) => [gate, input['opensMs']])).toEqual([
      ['active_now', at('80m')],
      ['quiet_hours', at('5h')],
      ['gap', at('210m')],
    ]);
  });

  test('skip the step as too old now when they open after its expiry', () => {
    const sequence = aSequence({ steps: [anEmail({ at: '1h', expires: '4h' })] });
    const verdict = decide({ sequence, quietHours: { fromMinute: 10 * 60, toMinute: 16 * 60 } });
    expect(verdict).toMatchObject({ kind: 'skip', reason: 'too_old' });
    expect(checkOf(verdict, 'quiet_hours').result).toBe('defer');
  });

  test('leave a step its last instant, and no more', () => {
    const sequence = aSequence({ steps: [anEmail({ at: '1h', expires: '4h' })] });
    expect(decide({ sequence, after: '5h' }).kind).toBe('send');
    expect(decide({ sequence, after: '301m' })).toMatchObject({ kind: 'skip', reason: 'too_old' });
  });
});

test('a time gate that never opens ends the search at the expiry of the step', () => {
  let asked = 0;
  const never: TimeGate = {
    name: 'gap',
    opensAt: (_, fromMs) => {
      asked += 1;
      if (asked > 100) throw new Error('still searching');
      return fromMs + ms('1h');
    },
    input: () => ({}),
    note: 'Never.',
  };
  const facts = factsWith();
  const situation = { facts, nowMs: 0, dueMs: 0, expiryMs: ms('12h'), choice: chooseChannel(facts) };
  expect(firstOpen([never], situation).atMs).toBe(ms('13h'));
});

test('a plan without the step is a defect and says so', () => {
  expect(() => decide({ step: { id: 'nowhere' } })).toThrow('no such step');
});

test('nothing personal reaches the record: only ids, times and flags', () => {
  const verdicts = [
    decide({ quietHours: usualQuietHours, zones: { timeZones: ['Asia/Tokyo'] } }),
    decide({ step: { when: { value: { atLeast: 5 } } } }),
  ];
  for (const { checks } of verdicts) {
    for (const { input } of checks)
      for (const value of Object.values(input)) expect(['number', 'boolean', 'object', 'string']).toContain(typeof value);
    expect(JSON.stringify(checks)).not.toMatch(/Tokyo|12990|129\.9|@/);
  }
});

test('a decision keeps who the person was, and by which thresholds', () => {
  const verdict = decide({
    subject: { segment: 'HIGH_VALUE', modifiers: ['LOW_STOCK'] },
    attributes: { 'contact.orders': 4 },
    settings: { highValueMinor: 30_000 },
  });
  expect(verdict.checks.find(({ gate }) => gate === 'segment')?.input).toEqual({
    segment: 'HIGH_VALUE',
    modifiers: 'LOW_STOCK',
    orders: 4,
    highValueMinor: 30_000,
    lowStockAt: 5,
  });
});
