import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plan, Progress, StepId } from '../../../domain/sequence/plan.ts';
import { dueAt, expiryAt, oldestAt, plannedAt } from '../../../domain/sequence/due.ts';
import { nextMove } from '../../../domain/sequence/next-move.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function aPlan(dues: { from: 'anchor' | 'previous'; delayMs: number }[]): Plan {
  return {
    sequence: 'test',
    version: 1,
    timeScale: 1,
    quietForMs: hourMs,
    maxAgeMs: 7 * dayMs,
    stopOn: ['purchased', 'opted_out'],
    steps: dues.map((due, i) => ({ id: `s${i}`, due, channels: ['email'], expiresAfterMs: null })),
  } as Plan;
}
const aProgress = (more: Partial<Progress> = {}): Progress => ({
  anchorMs: 0,
  activatedAtMs: 0,
  settled: {},
  notBeforeMs: {},
  held: null,
  stopped: null,
  ...more,
});
const sentAt = (times: Record<StepId, number>): Progress['settled'] =>
  Object.fromEntries(Object.entries(times).map(([id, atMs]) => [id, { outcome: 'sent' as const, atMs }]));

describe('what is asked for later', () => {
  const plan = aPlan([2, 24, 48, 72].map((h) => ({ from: 'anchor', delayMs: h * hourMs })));
  const asked = aProgress({ settled: sentAt({ s0: 2 * hourMs }), snoozes: [{ atMs: 3 * hourMs, untilMs: 3 * hourMs + 7 * dayMs }] });

  test('moves what is left and keeps the distances', () => {
    expect(dueAt(plan, asked, 's1')).toBe(3 * hourMs + 7 * dayMs);
    expect(dueAt(plan, asked, 's2') - dueAt(plan, asked, 's1')).toBe(24 * hourMs);
    expect(dueAt(plan, asked, 's3') - dueAt(plan, asked, 's2')).toBe(24 * hourMs);
    expect(nextMove(plan, asked, 30 * hourMs)).toEqual({ kind: 'wait', untilMs: 3 * hourMs + 7 * dayMs });
  });
  test('is no reason to find a step too old: its expiry and the maximum age move along', () => {
    expect(expiryAt(plan, asked, 's1')).toBeGreaterThanOrEqual(dueAt(plan, asked, 's1') + 12 * hourMs);
    expect(plannedAt(plan, asked, 's3')).toBeLessThanOrEqual(oldestAt(plan, asked));
  });
  test('moves nothing that was sent before', () => expect(dueAt(plan, asked, 's0')).toBe(2 * hourMs));
  test('changes nothing where the next step is later anyway', () => {
    const soon = aProgress({ settled: asked.settled, snoozes: [{ atMs: 3 * hourMs, untilMs: 4 * hourMs }] });
    expect(dueAt(plan, soon, 's1')).toBe(24 * hourMs);
    expect(oldestAt(plan, soon)).toBe(oldestAt(plan, aProgress()));
  });
  test('counts once where two steps count from each other', () => {
    const after = aPlan([
      { from: 'anchor', delayMs: 2 * hourMs },
      { from: 'previous', delayMs: 22 * hourMs },
      { from: 'previous', delayMs: 24 * hourMs },
    ]);
    const left = aProgress({ settled: sentAt({ s0: 2 * hourMs }), snoozes: [{ atMs: 3 * hourMs, untilMs: 10 * dayMs }] });
    expect(dueAt(after, left, 's1')).toBe(10 * dayMs);
    expect(dueAt(after, left, 's2')).toBe(11 * dayMs);
    const went = { ...left, settled: sentAt({ s0: 2 * hourMs, s1: 10 * dayMs + hourMs }) };
    expect(dueAt(after, went, 's2')).toBe(11 * dayMs + hourMs);
  });
});

const histories = fc
  .record({
    dues: fc.array(fc.record({ from: fc.constantFrom('anchor' as const, 'previous' as const), delayMs: fc.integer({ min: 0, max: 5 * dayMs }) }), {
      minLength: 1,
      maxLength: 6,
    }),
    settled: fc.array(
      fc.record({ outcome: fc.constantFrom('sent' as const, 'skipped' as const, 'unknown' as const), gapMs: fc.integer({ min: 1, max: 3 * dayMs }) }),
      {
        maxLength: 6,
      },
    ),
    snoozes: fc.array(fc.record({ gapMs: fc.integer({ min: 1, max: 2 * dayMs }), forMs: fc.integer({ min: 1, max: 30 * dayMs }) }), {
      minLength: 1,
      maxLength: 4,
    }),
  })
  .map(({ dues, settled, snoozes }) => {
    // As authors write them: steps from the anchor in rising order.
    let longestMs = 0;
    const plan = aPlan(dues.map((due) => (due.from === 'anchor' ? { ...due, delayMs: (longestMs += due.delayMs) } : due)));
    let atMs = 0;
    const done = Object.fromEntries(settled.slice(0, dues.length).map(({ outcome, gapMs }, i) => [`s${i}`, { outcome, atMs: (atMs += gapMs) }]));
    let saidMs = 0;
    return {
      plan,
      progress: aProgress({ settled: done, snoozes: snoozes.map(({ gapMs, forMs }) => ({ atMs: (saidMs += gapMs), untilMs: saidMs + forMs })) }),
    };
  });

test('whatever was settled and whenever it was asked: nothing that was left then is due before, nothing is due earlier than without, no expiry before its due time', () => {
  fc.assert(
    fc.property(histories, ({ plan, progress }) => {
      const without: Progress = { ...progress, snoozes: [] };
      const last = progress.snoozes?.at(-1);
      for (const { id } of plan.steps) {
        const dueMs = dueAt(plan, progress, id);
        expect(dueMs).toBeGreaterThanOrEqual(dueAt(plan, without, id));
        if (progress.settled[id] === undefined) {
          expect(dueMs).toBeGreaterThanOrEqual(Math.min(last?.untilMs ?? 0, dueMs));
          expect(expiryAt(plan, progress, id)).toBeGreaterThanOrEqual(Math.min(dueMs, oldestAt(plan, progress)));
        }
      }
      const first = plan.steps.find(({ id }) => progress.settled[id] === undefined);
      if (first !== undefined && last !== undefined && Object.values(progress.settled).every((s) => s.atMs <= last.atMs))
        expect(dueAt(plan, progress, first.id)).toBeGreaterThanOrEqual(last.untilMs);
    }),
    { numRuns: 2_000 },
  );
});

test('without a snooze nothing has changed', () => {
  fc.assert(
    fc.property(histories, ({ plan, progress }) => {
      const { snoozes: _, ...before } = progress;
      for (const { id } of plan.steps) expect(dueAt(plan, { ...progress, snoozes: [] }, id)).toBe(dueAt(plan, before, id));
    }),
  );
});
