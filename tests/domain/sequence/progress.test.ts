import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../../domain/gates/verdict.ts';
import { statusOf, stopReasonOfOrder } from '../../../domain/sequence/ending.ts';
import { stopReasons } from '../../../domain/sequence/plan.ts';
import { afterVerdict, initialProgress, settle, stop } from '../../../domain/sequence/progress.ts';

const fresh = initialProgress(1_000);
const passed: Verdict['checks'] = [{ gate: 'activation', result: 'pass', input: {} }];

describe('settling', () => {
  test('keeps the first outcome', () => {
    const skipped = settle(fresh, 'a', 'skipped', 5);
    expect(settle(skipped, 'a', 'unknown', 9)).toBe(skipped);
    const sent = settle(fresh, 'a', 'sent', 5);
    expect(settle(sent, 'a', 'sent', 9)).toBe(sent);
  });

  test.each(['unknown', 'skipped'] as const)('lets proof of a send win over %s', (before) => {
    expect(settle(settle(fresh, 'a', before, 5), 'a', 'sent', 9).settled).toEqual({ a: { outcome: 'sent', atMs: 9 } });
  });

  test('changes nothing it was given', () => {
    settle(fresh, 'a', 'sent', 5);
    expect(fresh).toEqual(initialProgress(1_000));
  });
});

test('the first stop stays', () => {
  expect(stop(stop(fresh, 'replied'), 'purchased').stopped).toBe('replied');
});

describe('after a verdict', () => {
  test('a send activates and settles nothing: the provider has not answered yet', () => {
    expect(afterVerdict(fresh, 'a', { kind: 'send', channel: 'email', checks: passed }, 7)).toEqual({ ...fresh, activatedAtMs: 7 });
  });

  test('a deferral by time activates, keeps the anchor and notes the time', () => {
    expect(afterVerdict(fresh, 'a', { kind: 'defer', untilMs: 99, reason: 'quiet_hours', checks: passed }, 7)).toEqual({
      ...fresh,
      activatedAtMs: 7,
      notBeforeMs: { a: 99 },
    });
  });

  test('a deferral by activity moves the anchor and does not activate', () => {
    const verdict: Verdict = {
      kind: 'defer',
      untilMs: 99,
      anchorMs: 50,
      reason: 'activity',
      checks: [{ gate: 'activation', result: 'defer', input: {} }],
    };
    expect(afterVerdict(fresh, 'a', verdict, 7)).toEqual({ ...fresh, anchorMs: 50, notBeforeMs: { a: 99 } });
  });

  test('a skip settles, a stop stops, a hold changes nothing more', () => {
    expect(afterVerdict(fresh, 'a', { kind: 'skip', reason: 'condition', checks: passed }, 7).settled).toEqual({
      a: { outcome: 'skipped', atMs: 7 },
    });
    expect(afterVerdict(fresh, 'a', { kind: 'stop', reason: 'purchased', checks: [] }, 7)).toEqual({ ...fresh, stopped: 'purchased' });
    expect(afterVerdict(fresh, 'a', { kind: 'hold', reason: 'paused', checks: [] }, 7)).toEqual(fresh);
  });

  test('the first activation stays', () => {
    const active = { ...fresh, activatedAtMs: 3 };
    expect(afterVerdict(active, 'a', { kind: 'send', channel: 'email', checks: passed }, 7).activatedAtMs).toBe(3);
  });
});

describe('an end', () => {
  test('is a conversion only by purchase, complete only by itself, and an exit otherwise', () => {
    expect(statusOf('purchased')).toBe('CONVERTED');
    expect(statusOf('completed')).toBe('COMPLETED');
    for (const reason of stopReasons) if (reason !== 'purchased') expect(statusOf(reason)).toBe('EXITED');
  });

  test('by an order depends on whether it was abandoned, and whose order it is', () => {
    expect(stopReasonOfOrder({ activated: true, matched: true })).toBe('purchased');
    expect(stopReasonOfOrder({ activated: true, matched: false })).toBe('purchased_elsewhere');
    expect(stopReasonOfOrder({ activated: false, matched: true })).toBe('not_abandoned');
    expect(stopReasonOfOrder({ activated: false, matched: false })).toBe('purchased_elsewhere');
  });
});
