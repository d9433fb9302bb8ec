import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rehearse as rehearseEvents } from '../../../domain/rehearsal/rehearse.ts';
import type { RehearsalEvent } from '../../../domain/rehearsal/events.ts';
import { plainSetting } from '../../../domain/rehearsal/world.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';
import {
  anEmail,
  aSequence,
  askedLater,
  cartUpdated,
  clicked,
  ms,
  opened,
  orderPlaced,
  paused,
  rehearse,
  resumed,
  workersDown,
} from '../../helpers/sequence-dsl.ts';

// Steps that react to what happened (docs/rules.md#rule-33).

const whenOpened = anEmail({ id: 'nudge', on: { event: 'opened', step: 'first', withinMs: ms('72h') }, after: '6h' });
const sequence = aSequence({ steps: [anEmail({ id: 'first', at: '2h' }), whenOpened, anEmail({ id: 'second', at: '48h' })] });
const around = { quietHours: null };

describe('a reaction', () => {
  test('is inserted once, its delay after the first open, and the steps in order wait for nothing', () => {
    const run = rehearse(sequence, [cartUpdated('08:00'), opened('12:00', 'first'), opened('13:00', 'first')], around);
    expect(run.sent).toEqual([
      { step: 'first', at: '10:00' },
      { step: 'nudge', at: '18:00' },
      { step: 'second', at: 'day 3 08:00' },
    ]);
  });

  test('is left out where nothing happens: the sequence ends once nothing can happen any more', () => {
    const run = rehearse(sequence, [cartUpdated('08:00')], around);
    expect(run.sent.map(({ step }) => step)).toEqual(['first', 'second']);
    expect(run.finished).toEqual({ reason: 'completed', at: 'day 4 10:00' });
  });

  test('to the last message still comes, for as long as an open counts', () => {
    const last = aSequence({ steps: [anEmail({ id: 'first', at: '2h' }), whenOpened] });
    expect(rehearse(last, [cartUpdated('08:00'), opened('day 3 09:00', 'first')], around).sent[1]).toEqual({ step: 'nudge', at: 'day 3 15:00' });
    expect(rehearse(last, [cartUpdated('08:00'), opened('day 4 10:01', 'first')], around).sent).toHaveLength(1);
  });

  test('comes to nobody who has bought', () => {
    const run = rehearse(sequence, [cartUpdated('08:00'), opened('12:00', 'first'), orderPlaced('15:00')], around);
    expect(run.sent).toEqual([{ step: 'first', at: '10:00' }]);
    expect(run.finished).toEqual({ reason: 'purchased', at: '15:00' });
  });

  test('passes every gate: quiet hours put it off', () => {
    const run = rehearse(sequence, [cartUpdated('08:00'), opened('17:00', 'first')]);
    expect(run.deferred).toContainEqual({ step: 'nudge', until: 'tomorrow 08:00', reason: 'quiet_hours' });
  });

  test('to a click is not set off by an open', () => {
    const onClick = aSequence({
      steps: [anEmail({ id: 'first', at: '2h' }), anEmail({ id: 'nudge', on: { event: 'clicked', step: 'first', withinMs: ms('72h') } })],
    });
    expect(rehearse(onClick, [cartUpdated('08:00'), opened('12:00', 'first')], around).sent).toHaveLength(1);
    expect(rehearse(onClick, [cartUpdated('08:00'), clicked('14:00', 'first')], around).sent[1]).toEqual({ step: 'nudge', at: '14:00' });
  });

  test('to another reaction makes a chain', () => {
    const chain = aSequence({
      steps: [
        anEmail({ id: 'first', at: '2h' }),
        whenOpened,
        anEmail({ id: 'again', on: { event: 'clicked', step: 'nudge', withinMs: ms('24h') }, after: '1h' }),
      ],
    });
    const run = rehearse(chain, [cartUpdated('08:00'), opened('12:00', 'first'), clicked('20:00', 'nudge')], around);
    expect(run.sent.map(({ step, at }) => `${step} ${at}`)).toEqual(['first 10:00', 'nudge 18:00', 'again 21:00']);
  });

  test('during a pause or while no worker runs comes afterwards', () => {
    const held = rehearse(sequence, [cartUpdated('08:00'), opened('12:00', 'first'), paused('13:00'), resumed('19:00')], around);
    expect(held.sent[1]).toEqual({ step: 'nudge', at: '19:00' });
    const down = rehearse(sequence, [cartUpdated('08:00'), opened('12:00', 'first'), workersDown('13:00', '20:00')], around);
    expect(down.sent[1]).toEqual({ step: 'nudge', at: '20:00' });
  });

  test('waits, too, for a person who asked to be left alone', () => {
    const run = rehearse(sequence, [cartUpdated('08:00'), opened('12:00', 'first'), askedLater('13:00', 'day 3 09:00')], around);
    expect(run.sent.find(({ step }) => step === 'nudge')).toEqual({ step: 'nudge', at: 'day 3 09:00' });
  });
});

test('who asks to be contacted later gets the step for it at that very time, the latest that they named', () => {
  const later = aSequence({
    steps: [anEmail({ id: 'first', at: '2h' }), anEmail({ id: 'as_asked', on: { event: 'asked_later' } }), anEmail({ id: 'second', at: '10d' })],
  });
  const run = rehearse(later, [cartUpdated('08:00'), askedLater('11:00', 'day 3 09:00'), askedLater('12:00', 'day 4 15:00')], around);
  expect(run.sent.slice(0, 2)).toEqual([
    { step: 'first', at: '10:00' },
    { step: 'as_asked', at: 'day 4 15:00' },
  ]);
  expect(rehearse(later, [cartUpdated('08:00')], around).sent.map(({ step }) => step)).toEqual(['first', 'second']);
});

test('whatever happens in whatever order: at most once, only after its event, never beyond its time, and the order as without reactions', () => {
  const steps = [
    anEmail({ id: 'first', at: '2h' }),
    anEmail({ id: 'on_open', on: { event: 'opened', step: 'first', withinMs: ms('72h') }, after: '3h' }),
    anEmail({ id: 'second', after: '24h' }),
    anEmail({ id: 'on_click', on: { event: 'clicked', step: 'second', withinMs: ms('48h') }, after: '1h' }),
    anEmail({ id: 'on_later', on: { event: 'asked_later' } }),
    anEmail({ id: 'third', at: '5d' }),
  ];
  const ordered = new Set(['first', 'second', 'third']);
  const reacting = aSequence({ steps });
  const plain = aSequence({ steps: steps.filter(({ id }) => ordered.has(id)) });
  const setting = { settings: { ...plainSetting.settings, caps: [] } };
  const hour = fc.integer({ min: 0, max: 24 * 9 });
  const step = fc.constantFrom('first', 'second', 'on_open', 'third');
  const event = fc.oneof(
    fc.record({ type: fc.constantFrom('message.opened' as const, 'message.clicked' as const), atMs: hour, step }),
    fc.record({ type: fc.constant('snoozed' as const), atMs: hour, untilMs: hour }),
    fc.record({ type: fc.constantFrom('paused' as const, 'resumed' as const), atMs: hour }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 8 }), (drawn) => {
      const events: RehearsalEvent[] = drawn.map((e) =>
        e.type === 'snoozed'
          ? { ...e, atMs: e.atMs * 3_600_000, untilMs: (e.atMs + Math.max(1, e.untilMs)) * 3_600_000 }
          : { ...e, atMs: e.atMs * 3_600_000 },
      );
      const all: RehearsalEvent[] = [{ type: 'subject.updated', atMs: 0 }, ...events];
      const run = rehearseEvents(reacting, all, setting);
      const sent = run.log.flatMap((entry) => (entry.kind === 'sent' ? [entry] : []));
      expect(new Set(sent.map((s) => s.step)).size).toBe(sent.length);
      const atOf = (id: string) => sent.find((s) => s.step === id)?.atMs;
      const firstOf = (types: string[], id: string) => {
        const from = atOf(id) ?? Number.POSITIVE_INFINITY;
        return Math.min(...events.flatMap((e) => ('step' in e && types.includes(e.type) && e.step === id && e.atMs >= from ? [e.atMs] : [])));
      };
      const onOpen = atOf('on_open');
      if (onOpen !== undefined) {
        const openedAt = firstOf(['message.opened', 'message.clicked'], 'first');
        expect(onOpen).toBeGreaterThanOrEqual(openedAt + ms('3h'));
        expect(openedAt).toBeLessThanOrEqual((atOf('first') ?? 0) + ms('72h'));
      }
      const onClick = atOf('on_click');
      if (onClick !== undefined) expect(onClick).toBeGreaterThanOrEqual(firstOf(['message.clicked'], 'second') + ms('1h'));
      if (atOf('on_later') !== undefined) expect(events.some((e) => e.type === 'snoozed')).toBe(true);
      for (const { atMs, step: id } of sent)
        for (const s of events) if (s.type === 'snoozed' && s.atMs <= atMs && !(s.atMs === atMs)) expect(atMs, id).toBeGreaterThanOrEqual(s.untilMs);
      // The steps in order come as without reactions, but for the three hours between two messages. What waits for longer because of them may be
      // moved by what the person asks meanwhile, and after a pause it may be too old.
      if (!events.some((e) => e.type === 'paused' || e.type === 'snoozed')) {
        const without = rehearseEvents(plain, all, setting).log.flatMap((entry) => (entry.kind === 'sent' ? [entry] : []));
        const inOrder = sent.filter((s) => ordered.has(s.step));
        expect(inOrder.map((s) => s.step)).toEqual(without.map((s) => s.step));
        for (const [index, { atMs }] of inOrder.entries()) {
          const laterMs = atMs - (without[index]?.atMs ?? 0);
          expect(laterMs).toBeGreaterThanOrEqual(0);
          expect(laterMs).toBeLessThanOrEqual(ms('3h') * (sent.length - inOrder.length));
        }
      }
      if (run.finished === null) expect(run.progress?.held).toBe('paused');
    }),
    { numRuns: Number(process.env['RUNS'] ?? 500) },
  );
});

describe('in a file', () => {
  const file = (reaction: string) =>
    `sequence: cart\nname: Cart\non: cart.abandoned\nsteps:\n  - { id: a, at: 2h, channel: email, content: cart/a }\n  - { id: b, ${reaction}, channel: sms, content: cart/b }\n  - { id: c, after: 24h, channel: email, content: cart/c }\n`;
  const read = (reaction: string) => {
    const parsed = parseSequence(file(reaction));
    return parsed.ok ? parsed.definition.steps[1] : parsed.errors.map(({ line, message }) => `${line} ${message}`);
  };

  test('names its event, its step and how long that counts', () => {
    expect(read('on: { event: message.opened, step: a }, after: 6h')).toMatchObject({
      due: { from: 'event', delayMs: ms('6h') },
      on: { event: 'opened', step: 'a', withinMs: ms('72h') },
    });
    expect(read('on: { event: message.clicked, step: a, within: 5d }')).toMatchObject({ on: { event: 'clicked', step: 'a', withinMs: ms('5d') } });
    expect(read('on: { event: contact.asked_later }')).toMatchObject({ due: { from: 'event', delayMs: 0 }, on: { event: 'asked_later' } });
  });

  test.each([
    ['on: { event: message.opened }', /`on`.* names no step/],
    ['on: { event: message.opened, step: c }', /`on`.* names `c`, which is no earlier step/],
    ['on: { event: message.read, step: a }', /`on\.event`.* message\.opened, message\.clicked or contact\.asked_later/],
    ['on: { event: message.opened, step: a }, at: 6h', /`at`.* has no use beside `on`/],
    ['on: { event: message.opened, step: a }, lapsesWith: c', /`lapsesWith`.* has no use beside `on`/],
    ['on: { event: contact.asked_later, step: a }', /`on`.* has `step`, which has no use/],
    ['on: { event: message.opened, step: a }, after: 8d', /`after`.* lies beyond maxAge/],
    ['on: opened', /`on`.* write \{ event: message\.opened/],
  ])('%s is refused with a remedy', (reaction, error) => {
    expect(read(reaction)).toEqual([expect.stringMatching(error)]);
  });

  test('a sequence of reactions alone is refused: nothing would ever begin it', () => {
    const parsed = parseSequence(
      'sequence: cart\nname: Cart\non: cart.abandoned\nsteps:\n  - { id: b, on: { event: contact.asked_later }, channel: sms, content: cart/b }\n',
    );
    expect(parsed.ok ? [] : parsed.errors.map(({ message }) => message)).toEqual([expect.stringContaining('only react')]);
  });
});
