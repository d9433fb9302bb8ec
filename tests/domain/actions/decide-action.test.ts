import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideAction, type StepAction } from '../../../domain/actions/decide-action.ts';
import { compilePlan } from '../../../domain/sequence/compile-plan.ts';
import { dueAt, readyAt } from '../../../domain/sequence/due.ts';
import { nextMove } from '../../../domain/sequence/next-move.ts';
import type { Progress, Snooze } from '../../../domain/sequence/plan.ts';
import { anEmail, aSequence } from '../../helpers/sequence-dsl.ts';

const hourMs = 3_600_000;
const plan = compilePlan(
  aSequence({
    steps: [
      anEmail({ id: 'first', at: '1h' }),
      anEmail({ id: 'second', at: '24h' }),
      anEmail({ id: 'third', after: '24h' }),
      anEmail({ id: 'thanks', on: { event: 'opened', step: 'first', withinMs: 48 * hourMs }, after: '1h' }),
    ],
  }),
  1,
  1,
);
const fresh: Progress = { anchorMs: 0, activatedAtMs: 0, settled: {}, notBeforeMs: {}, held: null, stopped: null };
const afterFirst: Progress = { ...fresh, settled: { first: { outcome: 'sent', atMs: hourMs } } };
const at = (nowMs: number) => ({ ended: false, inFlight: false, nowMs });
const wish = (kind: StepAction['kind'], more: Partial<StepAction> = {}): StepAction => ({ kind, step: null, untilMs: null, ...more });

describe('which step is meant', () => {
  test('the next one, unless another is named', () => {
    expect(decideAction(plan, afterFirst, wish('skip'), at(2 * hourMs))).toMatchObject({ kind: 'act', step: 'second', dueMs: 24 * hourMs });
    expect(decideAction(plan, afterFirst, wish('skip', { step: 'second' }), at(2 * hourMs))).toMatchObject({ kind: 'act', step: 'second' });
  });

  test.each([
    ['one that has gone out', afterFirst, 'first', 'already_sent'],
    ['one whose outcome nobody knows', { ...fresh, settled: { first: { outcome: 'unknown', atMs: 1 } } } as Progress, 'first', 'already_sent'],
    ['one that was left out', { ...fresh, settled: { first: { outcome: 'skipped', atMs: 1 } } } as Progress, 'first', 'already_skipped'],
    ['one whose turn comes later', fresh, 'second', 'not_next'],
    ['one that the sequence does not have', fresh, 'fourth', 'unknown_step'],
  ])('%s is refused', (_, progress, step, why) => {
    for (const kind of ['skip', 'send_now', 'snooze'] as const)
      expect(decideAction(plan, progress, wish(kind, { step, untilMs: 99 * hourMs }), at(2 * hourMs))).toEqual({ kind: 'refuse', why });
  });

  test('nothing is done to what has ended, has no step left, or is being handed over', () => {
    const all = Object.fromEntries(['first', 'second', 'third'].map((id) => [id, { outcome: 'sent' as const, atMs: 1 }]));
    expect(decideAction(plan, fresh, wish('skip'), { ...at(0), ended: true })).toEqual({ kind: 'refuse', why: 'ended' });
    expect(decideAction(plan, { ...fresh, settled: all }, wish('skip'), at(0))).toEqual({ kind: 'refuse', why: 'no_step' });
    expect(decideAction(plan, fresh, wish('skip'), { ...at(0), inFlight: true })).toEqual({ kind: 'refuse', why: 'in_flight' });
  });
});

describe('send now', () => {
  const asked = (progress: Progress, nowMs: number): Progress => ({ ...progress, dueNow: { second: nowMs } });

  test('makes the step due at that moment, and what counts from it counts from its send', () => {
    const progress = asked(afterFirst, 5 * hourMs);
    expect(nextMove(plan, progress, 5 * hourMs)).toEqual({ kind: 'dispatch', stepId: 'second' });
    const sent: Progress = { ...progress, settled: { ...progress.settled, second: { outcome: 'sent', atMs: 5 * hourMs + 1 } } };
    expect(dueAt(plan, sent, 'third')).toBe(29 * hourMs + 1);
  });

  test('does not move a step that was due before', () => {
    expect(dueAt(plan, asked(afterFirst, 30 * hourMs), 'second')).toBe(24 * hourMs);
  });

  test('waits for what a gate put it off to, and for a back-off', () => {
    expect(readyAt(plan, { ...asked(afterFirst, 5 * hourMs), notBeforeMs: { second: 9 * hourMs } }, 'second')).toBe(9 * hourMs);
  });

  test('is refused while it is paused, and while the person’s own wish for later holds', () => {
    expect(decideAction(plan, { ...fresh, held: 'paused' }, wish('send_now'), at(0))).toEqual({ kind: 'refuse', why: 'paused' });
    const theirs: Snooze = { atMs: hourMs, untilMs: 9 * hourMs };
    expect(decideAction(plan, { ...fresh, snoozes: [theirs] }, wish('send_now'), at(2 * hourMs))).toEqual({ kind: 'refuse', why: 'asked_later' });
    expect(decideAction(plan, { ...fresh, snoozes: [theirs] }, wish('send_now'), at(10 * hourMs))).toMatchObject({ kind: 'act' });
    const ours: Snooze = { ...theirs, by: 'hand' };
    expect(decideAction(plan, { ...fresh, snoozes: [ours] }, wish('send_now'), at(2 * hourMs))).toMatchObject({ kind: 'act' });
  });

  test('is undone by whoever asks for later afterwards', () => {
    const progress = { ...asked(afterFirst, 5 * hourMs), snoozes: [{ atMs: 6 * hourMs, untilMs: 40 * hourMs }] };
    expect(dueAt(plan, progress, 'second')).toBe(40 * hourMs);
  });
});

describe('snooze', () => {
  test('is no wish of the person’s: nothing reacts to it', () => {
    const calls = compilePlan(
      aSequence({ steps: [anEmail({ id: 'a', at: '1h' }), anEmail({ id: 'call', on: { event: 'asked_later' }, after: '0s' })] }),
      1,
      1,
    );
    const ours: Snooze = { atMs: 10, untilMs: 5 * hourMs, by: 'hand' };
    expect(nextMove(calls, { ...fresh, snoozes: [ours] }, 5 * hourMs)).toEqual({ kind: 'dispatch', stepId: 'a' });
    expect(dueAt(calls, { ...fresh, snoozes: [ours] }, 'call')).toBe(Number.POSITIVE_INFINITY);
  });

  test('into the past is refused', () => {
    expect(decideAction(plan, fresh, wish('snooze', { untilMs: 5 }), at(5))).toEqual({ kind: 'refuse', why: 'in_the_past' });
  });

  test('in any order of snoozes, sends by hand and skips, the last one holds: no step before a snooze that came after the last send now', () => {
    const action = fc.record({ kind: fc.constantFrom('skip', 'snooze', 'send_now'), afterMs: fc.nat(10 * hourMs), lengthMs: fc.nat(60 * hourMs) });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 12 }), (actions) => {
        let progress = fresh;
        let nowMs = 0;
        let snoozedMs = 0;
        for (const { kind, afterMs, lengthMs } of actions) {
          nowMs += afterMs + 1;
          const decided = decideAction(plan, progress, wish(kind as StepAction['kind'], { untilMs: nowMs + lengthMs + 1 }), at(nowMs));
          if (decided.kind === 'refuse') continue;
          if (kind === 'skip') progress = { ...progress, settled: { ...progress.settled, [decided.step]: { outcome: 'skipped', atMs: nowMs } } };
          else if (kind === 'send_now') {
            progress = { ...progress, dueNow: { ...progress.dueNow, [decided.step]: nowMs } };
            snoozedMs = 0;
          } else if (decided.snooze !== null) {
            const { dueNow: _, ...rest } = progress;
            progress = { ...rest, snoozes: [...(progress.snoozes ?? []), decided.snooze] };
            snoozedMs = Math.max(snoozedMs, decided.snooze.untilMs);
          }
          const next = nextMove(plan, progress, nowMs);
          if (next.kind === 'wait' && snoozedMs > nowMs) expect(next.untilMs).toBeGreaterThanOrEqual(snoozedMs);
          if (next.kind === 'dispatch') expect(snoozedMs).toBeLessThanOrEqual(nowMs);
        }
      }),
      { numRuns: 200 },
    );
  });
});
