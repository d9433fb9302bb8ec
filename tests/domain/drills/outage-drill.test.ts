import fc from 'fast-check';
import { expect, test } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { heldFor, isAway, isUntold, type OutageDrill, reaches } from '../../../domain/drills/outage-drill.ts';
import { countInto, noWaves, scaledUp, type Standing } from '../../../domain/drills/waves.ts';
import type { Plan } from '../../../domain/sequence/plan.ts';

const hourMs = 3_600_000;
const ids = fc.uuid();
const drillOf = (more: Partial<OutageDrill>): OutageDrill => ({ part: 'worker', channel: null, sharePercent: 100, endsAtMs: 1_000, ...more });

test('a share reaches about as many as it says, and whoever is in it is in every larger one', () => {
  const all = Array.from({ length: 4_000 }, () => uuidv7());
  const share = all.filter((id) => reaches({ sharePercent: 25 }, id)).length / all.length;
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.3);
  expect(all.every((id) => reaches({ sharePercent: 100 }, id))).toBe(true);
  fc.assert(
    fc.property(ids, fc.integer({ min: 1, max: 99 }), (id, share) => {
      if (reaches({ sharePercent: share }, id)) expect(reaches({ sharePercent: share + 1 }, id)).toBe(true);
    }),
  );
});

test('nothing is held, away or untold once it is over, nor for whom it does not reach, and each part does one of the three', () => {
  const part = fc.constantFrom('provider', 'worker', 'temporal');
  fc.assert(
    fc.property(ids, part, fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 2_000 }), (id, of, sharePercent, nowMs) => {
      const drill = drillOf({ part: of, sharePercent });
      const reached = nowMs < drill.endsAtMs && reaches(drill, id);
      const email = { channel: 'email' as const, disturbs: true };
      expect(heldFor(drill, id, nowMs) !== null).toBe(reached && of !== 'provider');
      expect(isAway(drill, id, email, nowMs)).toBe(reached && of === 'provider');
      expect(isUntold(drill, id, nowMs)).toBe(reached && of === 'temporal');
      expect(heldFor(drill, id, nowMs) ?? 0).toBeLessThanOrEqual(Math.max(0, drill.endsAtMs - nowMs));
    }),
  );
});

test('a drill of one channel leaves the others alone, and one of all leaves those that disturb nobody', () => {
  const id = uuidv7();
  const away = (channel: OutageDrill['channel'], of: 'email' | 'sms' | 'task', disturbs: boolean) =>
    isAway(drillOf({ part: 'provider', channel }), id, { channel: of, disturbs }, 0);
  expect([away('email', 'email', true), away('email', 'sms', true), away(null, 'sms', true), away(null, 'task', false)]).toEqual([
    ...[true, false, true, false],
  ]);
});

const plan = (delaysMs: readonly number[]): Plan =>
  ({
    ...{ sequence: 's', version: 1, timeScale: 1, maxAgeMs: 1_000 * hourMs, priority: 0 },
    steps: delaysMs.map((delayMs, index) => ({ id: `s${index}`, due: { from: 'anchor', delayMs }, expiresAfterMs: hourMs, channels: ['email'] })),
  }) as unknown as Plan;

test('everybody who is looked at is counted once, wherever their next step lies', () => {
  const standing = fc.record({
    delayMs: fc.integer({ min: 0, max: 100 * hourMs }),
    held: fc.constantFrom(null, 'paused' as const),
    paused: fc.boolean(),
    isSettled: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(standing, { maxLength: 30 }), fc.integer({ min: 0, max: 100 * hourMs }), (all, nowMs) => {
      const waves = noWaves();
      for (const { delayMs, held, paused, isSettled } of all) {
        const settled = isSettled ? { s0: { outcome: 'sent', atMs: delayMs } } : {};
        const progress = { anchorMs: 0, activatedAtMs: 0, settled, notBeforeMs: {}, held, stopped: null } as Standing['progress'];
        countInto(waves, { plan: plan([delayMs]), progress, paused }, nowMs, nowMs + hourMs);
      }
      const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
      expect(sum(waves.ahead) + sum(waves.behind) + waves.held + waves.later).toBe(waves.lookedAt);
      expect(waves.lookedAt).toBe(all.length);
      const free = all.filter(({ held, paused, isSettled }) => held === null && !paused && !isSettled);
      expect(sum(waves.behind)).toBe(free.filter(({ delayMs }) => delayMs <= nowMs).length);
      expect(waves.expire).toBe(free.filter(({ delayMs }) => delayMs < nowMs).length);
      expect(sum(scaledUp(waves, 10 * all.length).behind)).toBe(10 * sum(waves.behind));
    }),
  );
});
