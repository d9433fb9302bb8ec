import { describe, expect, test } from 'vitest';
import { compilePlan } from '../../../domain/sequence/compile-plan.ts';
import { endOfSteps, statusOf, stopReasonOfOrder } from '../../../domain/sequence/ending.ts';
import { type Progress, stopReasons } from '../../../domain/sequence/plan.ts';
import { type LedgerRecord, newEnrollment, progressOf } from '../../../domain/sequence/progress.ts';
import { anEmail, aSequence } from '../../helpers/sequence-dsl.ts';

const enrollment = newEnrollment(1_000, 1);
const message = (changes: Partial<LedgerRecord>): LedgerRecord => ({
  stepId: 'a',
  state: 'claimed',
  failures: 0,
  refusedForGood: false,
  claimedAt: 2_000,
  settledAt: null,
  createdAt: 1_500,
  ...changes,
});

describe('progress', () => {
  test('begins with nothing settled', () => {
    expect(progressOf(enrollment, [])).toEqual({ anchorMs: 1_000, activatedAtMs: null, settled: {}, notBeforeMs: {}, held: null, stopped: null });
  });

  test('a call in flight settles nothing', () => {
    expect(progressOf(enrollment, [message({})]).settled).toEqual({});
  });

  test('what was sent or skipped is settled then; a call in doubt was perhaps read when it was made', () => {
    const ledger = [
      message({ state: 'sent', settledAt: 3_000 }),
      message({ stepId: 'b', state: 'skipped', claimedAt: null, settledAt: 4_000 }),
      message({ stepId: 'c', state: 'unknown', claimedAt: 5_000, settledAt: 9_000 }),
    ];
    expect(progressOf(enrollment, ledger).settled).toEqual({
      a: { outcome: 'sent', atMs: 3_000 },
      b: { outcome: 'skipped', atMs: 4_000 },
      c: { outcome: 'unknown', atMs: 5_000 },
    });
  });

  test('what was left out because its time had passed says so, until a proof that it went out', () => {
    const late = { skipReason: 'too_old', claimedAt: null, settledAt: 4_000 };
    expect(progressOf(enrollment, [message({ ...late, state: 'skipped' })]).settled).toEqual({
      a: { outcome: 'skipped', atMs: 4_000, tooOld: true },
    });
    expect(progressOf(enrollment, [message({ ...late, state: 'sent' })]).settled).toEqual({ a: { outcome: 'sent', atMs: 4_000 } });
  });

  test('what failed waits for its back-off, and for the time to which a gate put it off', () => {
    const failed = message({ state: 'failed', failures: 2, settledAt: 3_000 });
    expect(progressOf(enrollment, [failed]).notBeforeMs).toEqual({ a: 603_000 });
    expect(progressOf({ ...enrollment, notBefore: { a: 700_000, b: 5 } }, [failed]).notBeforeMs).toEqual({ a: 700_000, b: 5 });
    expect(progressOf({ ...enrollment, timeScale: 3_600 }, [failed]).notBeforeMs).toEqual({ a: 4_000 });
  });

  test('what was refused for good, or never called, waits for nothing', () => {
    expect(progressOf(enrollment, [message({ state: 'failed', failures: 1, refusedForGood: true, settledAt: 3_000 })]).notBeforeMs).toEqual({});
    expect(progressOf(enrollment, [message({ state: 'failed', failures: 0 })]).notBeforeMs).toEqual({});
  });
});

describe('an end', () => {
  test('is a conversion only by purchase, complete only by itself, and an exit otherwise', () => {
    expect(statusOf('purchased')).toBe('CONVERTED');
    expect(statusOf('completed')).toBe('COMPLETED');
    for (const reason of stopReasons) if (reason !== 'purchased') expect(statusOf(reason)).toBe('EXITED');
  });

  test('of all steps is complete unless the last message came too late', () => {
    const plan = compilePlan(
      aSequence({ steps: [anEmail({ id: 'a', at: '1h' }), anEmail({ id: 'b', at: '2h' }), anEmail({ id: 'mark', at: '3h', channels: ['none'] })] }),
      1,
      1,
    );
    const skipped = { outcome: 'skipped', atMs: 3_000 } as const;
    const ends = (settled: Progress['settled']) => endOfSteps(plan, { ...progressOf(enrollment, []), settled });
    const mark = skipped;
    expect(ends({ a: { outcome: 'sent', atMs: 2_000 }, b: { ...skipped, tooOld: true }, mark })).toBe('expired');
    expect(ends({ a: { ...skipped, tooOld: true }, b: { outcome: 'sent', atMs: 2_000 }, mark })).toBe('completed');
    expect(ends({ a: { ...skipped, tooOld: true }, b: skipped, mark })).toBe('completed');
    expect(ends({ a: { outcome: 'sent', atMs: 2_000 }, b: skipped, mark: { ...mark, tooOld: true } })).toBe('completed');
  });

  test('by an order depends on whether it was abandoned, and whose order it is', () => {
    expect(stopReasonOfOrder({ activated: true, matched: true })).toBe('purchased');
    expect(stopReasonOfOrder({ activated: true, matched: false })).toBe('purchased_elsewhere');
    expect(stopReasonOfOrder({ activated: false, matched: true })).toBe('not_abandoned');
    expect(stopReasonOfOrder({ activated: false, matched: false })).toBe('purchased_elsewhere');
  });
});
