import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../../domain/sequence/backoff.ts';
import { compilePlan } from '../../../domain/sequence/compile-plan.ts';
import { dueAt, expiryAt, plannedAt, readyAt } from '../../../domain/sequence/due.ts';
import { nextMove } from '../../../domain/sequence/next-move.ts';
import type { Progress, StepOutcome } from '../../../domain/sequence/plan.ts';
import { newEnrollment, progressOf } from '../../../domain/sequence/progress.ts';
import { anEmail, aSequence, ms } from '../../helpers/sequence-dsl.ts';

const anchorMs = Date.parse('2026-03-10T10:00Z');
const fresh = progressOf(newEnrollment(anchorMs, 1), []);
const settle = (progress: Progress, id: string, outcome: StepOutcome, atMs: number): Progress => ({
  ...progress,
  settled: { ...progress.settled, [id]: { outcome, atMs } },
});
const defer = (progress: Progress, id: string, untilMs: number): Progress => ({
  ...progress,
  notBeforeMs: { ...progress.notBeforeMs, [id]: untilMs },
});
const after = (span: string) => anchorMs + ms(span);

describe('due', () => {
  const plan = compilePlan(
    aSequence({ steps: [anEmail({ id: 'a', at: '1h' }), anEmail({ id: 'b', after: '2h' }), anEmail({ id: 'c', at: '24h' })] }),
    1,
    1,
  );

  test('`at` counts from the anchor, `after` from the due time of a step that was not sent', () => {
    expect(['a', 'b', 'c'].map((id) => dueAt(plan, fresh, id))).toEqual([after('1h'), after('3h'), after('24h')]);
    expect(dueAt(plan, settle(fresh, 'a', 'skipped', after('9h')), 'b')).toBe(after('3h'));
  });

  test.each(['sent', 'unknown'] as const)('`after` counts from the send of a step that is %s', (outcome) => {
    expect(dueAt(plan, settle(fresh, 'a', outcome, after('9h')), 'b')).toBe(after('11h'));
    expect(dueAt(plan, settle(fresh, 'a', outcome, after('9h')), 'c')).toBe(after('24h'));
  });

  test('`after` on the first step counts from the anchor', () => {
    const first = compilePlan(aSequence({ steps: [anEmail({ id: 'a', after: '5m' })] }), 1, 1);
    expect(dueAt(first, fresh, 'a')).toBe(after('5m'));
  });

  test('a step that the plan does not have is a defect', () => {
    expect(() => dueAt(plan, fresh, 'nowhere')).toThrow(RangeError);
  });
});

describe('expiry', () => {
  const steps = [
    anEmail({ id: 'a', at: '1h' }),
    anEmail({ id: 'b', at: '4h' }),
    anEmail({ id: 'c', at: '24h' }),
    anEmail({ id: 'd', at: '25h', expires: '30m' }),
  ];
  const plan = compilePlan(aSequence({ steps }), 1, 1);

  test('is due + 12 h, or the next step where that is later, or due + 24 h for the last, or what the step says', () => {
    const withoutLast = compilePlan(aSequence({ steps: steps.slice(0, 3) }), 1, 1);
    expect(expiryAt(plan, fresh, 'a')).toBe(after('13h'));
    expect(expiryAt(plan, fresh, 'b')).toBe(after('24h'));
    expect(expiryAt(withoutLast, fresh, 'c')).toBe(after('48h'));
    expect(expiryAt(plan, fresh, 'd')).toBe(after('25h') + ms('30m'));
  });

  test('does not go beyond the maximum age, except for two minutes of wall time', () => {
    const short = { steps: [anEmail({ id: 'a', at: '1h', expires: '30d' }), anEmail({ id: 'b', at: '23h' })], maxAge: '24h' };
    const real = compilePlan(aSequence(short), 1, 1);
    expect(['a', 'b'].map((id) => expiryAt(real, fresh, id))).toEqual([after('24h'), after('24h')]);
    const fast = compilePlan(aSequence(short), 1, 3600);
    expect(expiryAt(fast, fresh, 'b')).toBe(anchorMs + 23_000 + ms('2m'));
    const chain = { steps: [anEmail({ id: 'a', at: '1h' }), anEmail({ id: 'b', after: '20h' })], maxAge: '24h' };
    // Due when the cart is older than that, because the step before went so late.
    expect(expiryAt(compilePlan(aSequence(chain), 1, 1), settle(fresh, 'a', 'sent', after('9h')), 'b')).toBe(after('24h') + ms('2m'));
  });

  test('is scaled, but never less than two minutes of wall time', () => {
    const fast = compilePlan(aSequence({ steps }), 1, 3600);
    expect(expiryAt(fast, fresh, 'b')).toBe(anchorMs + 4_000 + ms('2m'));
    const slower = compilePlan(aSequence({ steps }), 1, 60);
    expect(expiryAt(slower, fresh, 'a')).toBe(anchorMs + ms('1m') + ms('12m'));
  });
});

describe('a step that was put off', () => {
  const plan = compilePlan(
    aSequence({ steps: [anEmail({ id: 'a', at: '1h' }), anEmail({ id: 'b', after: '2h' }), anEmail({ id: 'c', at: '24h' })] }),
    1,
    1,
  );
  const putOff = defer(fresh, 'a', after('9h'));

  test('is to go out at the time to which it was put off', () => {
    expect(readyAt(plan, fresh, 'a')).toBe(after('1h'));
    expect(readyAt(plan, putOff, 'a')).toBe(after('9h'));
    expect(plannedAt(plan, putOff, 'a')).toBe(after('9h'));
  });

  test('is planned as if the steps before it had gone when they were due, however late they went', () => {
    const sentLate = settle(putOff, 'a', 'sent', after('20h'));
    expect(dueAt(plan, sentLate, 'b')).toBe(after('22h'));
    expect(plannedAt(plan, sentLate, 'b')).toBe(after('3h'));
    expect(plannedAt(plan, defer(sentLate, 'b', after('30h')), 'b')).toBe(after('11h'));
    expect(plannedAt(plan, sentLate, 'c')).toBe(after('24h'));
    expect(() => plannedAt(plan, fresh, 'nowhere')).toThrow(RangeError);
  });
});

describe('a compiled plan', () => {
  test('divides every span by the time scale and leaves copy and conditions behind', () => {
    const sequence = aSequence({ steps: [anEmail({ at: '1h', expires: '2h', when: 'converted' })], quietFor: '1h', maxAge: '7d' });
    expect(compilePlan(sequence, 4, 3600)).toEqual({
      sequence: 'cart',
      version: 4,
      timeScale: 3600,
      priority: 3,
      whenCapped: 'skip',
      quietForMs: 1_000,
      maxAgeMs: 168_000,
      stopOn: ['purchased', 'replied', 'opted_out'],
      steps: [{ id: 'email', due: { from: 'anchor', delayMs: 1_000 }, channels: ['email'], expiresAfterMs: 2_000 }],
    });
  });

  test('lets a pop-up expire when the step that it lapses with is due', () => {
    const steps = [
      anEmail({ id: 'popup', at: '1h', lapsesWith: 'mail', channels: ['onsite'] }),
      anEmail({ id: 'between', at: '2h' }),
      anEmail({ id: 'mail', after: '3h' }),
    ];
    expect(compilePlan(aSequence({ steps }), 1, 1).steps[0]?.expiresAfterMs).toBe(ms('4h'));
  });

  test.each([0, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a time scale of %d', (timeScale) => {
    expect(() => compilePlan(aSequence({ steps: [anEmail({ at: '1h' })] }), 1, timeScale)).toThrow(RangeError);
  });
});

describe('back-off', () => {
  test('doubles from 300 s, scaled, with a second of wall time at least', () => {
    expect([1, 2, 3, 4].map((failures) => backoffMs(failures, 1))).toEqual([300_000, 600_000, 1_200_000, 2_400_000]);
    expect([1, 4, 5].map((failures) => backoffMs(failures, 3600))).toEqual([1_000, 1_000, 1_333]);
    expect(backoffMs(5_000, 1)).toBe(backoffMs(21, 1));
  });
});

describe('the next move', () => {
  const plan = compilePlan(aSequence({ steps: [anEmail({ id: 'a', at: '1h' }), anEmail({ id: 'b', at: '24h' })] }), 1, 1);

  test('waits for the due time and dispatches at it, however late', () => {
    expect(nextMove(plan, fresh, anchorMs)).toEqual({ kind: 'wait', untilMs: after('1h') });
    expect(nextMove(plan, fresh, after('1h'))).toEqual({ kind: 'dispatch', stepId: 'a' });
    expect(nextMove(plan, fresh, after('20d'))).toEqual({ kind: 'dispatch', stepId: 'a' });
  });

  test('goes on with the first step that is not settled', () => {
    expect(nextMove(plan, settle(fresh, 'a', 'skipped', after('1h')), after('1h'))).toEqual({ kind: 'wait', untilMs: after('24h') });
  });

  test('waits until a deferred step may be tried, never less than its due time', () => {
    expect(nextMove(plan, { ...fresh, notBeforeMs: { a: after('3h') } }, after('1h'))).toEqual({ kind: 'wait', untilMs: after('3h') });
    expect(nextMove(plan, { ...fresh, notBeforeMs: { a: anchorMs } }, anchorMs)).toEqual({ kind: 'wait', untilMs: after('1h') });
  });

  test('holds while paused, but a stop or the end of all steps comes first', () => {
    const held = { ...fresh, held: 'paused' as const };
    expect(nextMove(plan, held, after('2h'))).toEqual({ kind: 'hold' });
    expect(nextMove(plan, { ...held, stopped: 'purchased' }, after('2h'))).toEqual({ kind: 'finish', reason: 'purchased' });
    const done = settle(settle(held, 'a', 'sent', after('1h')), 'b', 'sent', after('24h'));
    expect(nextMove(plan, done, after('24h'))).toEqual({ kind: 'finish', reason: 'completed' });
  });
});
