/** What a store may be warned of. Each has a section of docs/runbooks.md. */
export const alarmKinds = ['latency', 'success', 'escalation_share', 'failures', 'backlog'] as const;
export type AlarmKind = (typeof alarmKinds)[number];

/** From which figure on it is one; null: this store is not warned. */
export interface AlarmThresholds {
  /** Seconds, of the latest step within five minutes. */
  latencySeconds: number | null;
  /** Of the messages of an hour, between 0 and 1. */
  successShare: number | null;
  /** Of the assessed accounts of 30 days, between 0 and 1. */
  escalationShare: number | null;
  failuresPerHour: number | null;
  /** What waits for more than a minute. */
  backlog: number | null;
  /** For so long a figure is beyond its threshold before it is an alarm, and back before it is over. */
  minutes: number;
}

export const usualThresholds: AlarmThresholds = {
  latencySeconds: 30,
  successShare: 0.95,
  escalationShare: 0.05,
  failuresPerHour: 20,
  backlog: 100,
  minutes: 5,
};

/** Which threshold a kind has, and on which side of it is the trouble. */
export function thresholdOf(kind: AlarmKind, thresholds: AlarmThresholds): { limit: number | null; trouble: 'above' | 'below' } {
  switch (kind) {
    case 'latency':
      return { limit: thresholds.latencySeconds, trouble: 'above' };
    case 'success':
      return { limit: thresholds.successShare, trouble: 'below' };
    case 'escalation_share':
      return { limit: thresholds.escalationShare, trouble: 'above' };
    case 'failures':
      return { limit: thresholds.failuresPerHour, trouble: 'above' };
    case 'backlog':
      return { limit: thresholds.backlog, trouble: 'above' };
  }
}

export interface AlarmStanding {
  raised: boolean;
  /** Since when the figure is where it would raise it, or clear it; null: it is not there. Epoch milliseconds. */
  crossedAtMs: number | null;
}

/** How far a figure has to come back, as a share of what lies on the good side of its threshold, so that it does not go to and fro. */
const wayBack = 0.1;

/**
 * Whether an alarm is raised or over. Between its threshold and a tenth of the way back nothing changes.
 * @param figure - null: there is nothing to measure, which is no trouble
 */
export function decideAlarm(
  { raised, crossedAtMs }: AlarmStanding,
  figure: number | null,
  { limit, trouble }: { limit: number | null; trouble: 'above' | 'below' },
  { nowMs, holdMs }: { nowMs: number; holdMs: number },
): AlarmStanding & { change: 'raised' | 'cleared' | null } {
  const isTrouble = figure !== null && limit !== null && (trouble === 'above' ? figure > limit : figure < limit);
  const isOver =
    figure === null || limit === null || (trouble === 'above' ? figure <= limit * (1 - wayBack) : figure >= limit + (1 - limit) * wayBack);
  if (!(raised ? isOver : isTrouble)) return { raised, crossedAtMs: null, change: null };
  const since = crossedAtMs ?? nowMs;
  if (nowMs - since < holdMs) return { raised, crossedAtMs: since, change: null };
  return { raised: !raised, crossedAtMs: null, change: raised ? 'cleared' : 'raised' };
}
