import type { EpochMs } from '../sequence/plan.ts';

/** What the links in a notification do about its task, each once. */
export const taskActions = ['accept', 'reassign', 'snooze', 'resolve'] as const;
export type TaskAction = (typeof taskActions)[number];

/** For how long the links of a notification open. */
export const linkDays = 7;

/** What is known of a link when it is used. */
export interface LinkFacts {
  madeAtMs: EpochMs;
  /** When this link was used, and by whom; null: it was not. */
  used: { atMs: EpochMs; by: string } | null;
  task: { state: 'open' | 'done' | 'dismissed'; owner: string | null; closedAtMs: EpochMs | null; closedBy: string | null };
  /** Whose tasks the notification is about; null: anybody's. */
  owner: string | null;
}

export type LinkState =
  | { kind: 'usable' }
  | { kind: 'used'; atMs: EpochMs; by: string }
  | { kind: 'expired' }
  | { kind: 'closed'; state: 'done' | 'dismissed'; atMs: EpochMs | null }
  /** Somebody else has the task now. */
  | { kind: 'elsewhere'; owner: string };

/**
 * Whether a link may still act. That it was used is said first, because it explains what came after.
 * @param by - who uses it, as tasks name their owner; null: not said yet
 */
export function linkState({ madeAtMs, used, task, owner }: LinkFacts, by: string | null, nowMs: EpochMs): LinkState {
  if (used !== null) return { kind: 'used', ...used };
  if (task.state !== 'open') return { kind: 'closed', state: task.state, atMs: task.closedAtMs };
  if (nowMs - madeAtMs >= linkDays * 86_400_000) return { kind: 'expired' };
  const who = owner ?? by;
  if (task.owner !== null && task.owner !== who && !(owner === null && by === null)) return { kind: 'elsewhere', owner: task.owner };
  return { kind: 'usable' };
}
