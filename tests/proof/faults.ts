import { type Behaviour, latestAcceptanceMs, times } from './far-end.ts';
import type { Fault, Point, ProcessPlan } from './plan.ts';
import type { Random } from '../chaos/random.ts';

export const dispatchPoints = [
  'dispatch.session_open',
  'dispatch.locked',
  'dispatch.before_commit',
  'dispatch.claimed',
  'dispatch.called',
  'dispatch.settled',
  'settle.before_commit',
  'in_call',
] as const;
export const stopPoints = ['stop.locked', 'stop.before_commit', 'stop.committed'] as const;

/** What the far end does with one call. */
export function behaviour(random: Random): Behaviour {
  const takeAfterMs = random.weighted([
    [3, 0],
    [4, random.whole(1, 60)],
    [2, random.whole(60, times.deadlineMs)],
  ]);
  const lateMs = random.whole(0, latestAcceptanceMs);
  const perhaps = random.chance(0.6) ? random.pick([takeAfterMs, lateMs]) : null;
  const base = { dropsAbandoned: random.chance(0.3), answerAfterMs: random.whole(0, 200) };
  switch (
    random.weighted([
      [7, 'accept'],
      [4, 429],
      [0.7, 422],
      [2, 500],
      [2, 'reset'],
      [5, 'none'],
    ])
  ) {
    case 'accept':
      return { ...base, takeAfterMs, answer: 200, answerAfterMs: takeAfterMs + random.whole(2, 120) };
    case 429:
      return { ...base, takeAfterMs: null, answer: 429 };
    case 422:
      return { ...base, takeAfterMs: null, answer: 422 };
    case 500:
      return { ...base, takeAfterMs: perhaps, answer: 500 };
    case 'reset':
      return { ...base, takeAfterMs: perhaps, answer: 'reset' };
    case 'none':
      return { ...base, takeAfterMs: perhaps, answer: 'none' };
  }
}

/** @param disturbed - how probable it is that something befalls a life */
export function lives(random: Random, points: readonly [Point, ...Point[]], disturbed: number, most: number): ProcessPlan[] {
  return Array.from({ length: most }, () => {
    const faults: ProcessPlan['faults'] = {};
    if (random.chance(disturbed)) {
      for (let left = random.whole(1, 2); left > 0; left--) {
        // Between the claim and the outcome lies what the fence is about.
        const point = random.chance(0.3) ? (points[random.whole(3, 4)] ?? random.pick(points)) : random.pick(points);
        faults[point] = faultAt(random, point);
      }
    }
    return { faults, waitMs: random.chance(0.7) ? random.whole(0, 60) : random.whole(60, 400) };
  });
}

function faultAt(random: Random, point: Point): Fault {
  const inTransaction = /locked|before_commit/.test(point);
  const pauseMs = inTransaction
    ? random.whole(0, 240)
    : point === 'dispatch.claimed' && random.chance(0.5)
      ? random.whole(60, 150)
      : longPause(random);
  const pause = { kind: 'pause', ms: pauseMs } as const;
  const crash = { kind: 'crash', afterMs: point === 'in_call' ? random.whole(0, times.deadlineMs) : 0 } as const;
  if (point === 'in_call') return crash;
  if (!inTransaction) {
    const next = { kind: 'pause_into_next_call', ms: random.whole(0, 120) } as const;
    return random.weighted([
      [3, pause],
      [1, crash],
      [point === 'dispatch.called' ? 3 : 0.5, next],
    ]);
  }
  if (!point.endsWith('before_commit'))
    return random.weighted([
      [3, pause],
      [1, crash],
      [0.5, { kind: 'cut' }],
    ]);
  const fate = random.pick([{ kind: 'answer_lost' }, { kind: 'never_sent' }, { kind: 'late', afterMs: random.whole(1, 150) }]);
  return random.weighted([
    [2, pause],
    [1, crash],
    [0.3, { kind: 'cut' }],
    [3, { kind: 'lost_commit', fate }],
  ]);
}

function longPause(random: Random): number {
  return random.weighted([
    [5, random.whole(0, 60)],
    [3, random.whole(60, times.deadlineMs)],
    [1, random.whole(times.deadlineMs, times.deadLeaseMs)],
    // Longer than a dead lease, and than a provider needs to settle.
    [2, random.whole(times.deadLeaseMs, 1_600)],
  ]);
}
