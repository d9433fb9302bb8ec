import { weekdays } from '../time/weekly-window.ts';

/** Somebody who does the store's work: a colleague, or a place where several look. */
export interface WorkTarget {
  /** As tasks name their owner. */
  name: string;
  role: 'agent' | 'manager';
  /** Their skills: a task that needs one goes to a member who has it. */
  skills: readonly string[];
  /** On the store's clock, minutes since midnight, on these days; where `fromMinute` is the later, until the next morning. null: always. */
  onDuty: { fromMinute: number; toMinute: number; days: readonly string[] } | null;
}

export const targetRules = ['round_robin', 'load'] as const;
export type TargetRule = (typeof targetRules)[number];

/** What is known of a target's work. */
export interface TargetWork {
  open: number;
  /** When they were given something last; null: never. */
  lastAtMs: number | null;
}

export interface TargetWish {
  role: WorkTarget['role'];
  skill: string | null;
  rule: TargetRule;
  /** The store's clock: the day as `mon`, and the minutes since midnight. */
  day: string;
  minute: number;
}

/**
 * Whom a task goes to: somebody of the role, with the skill where somebody has it, on duty where somebody is. By `load` whoever has the fewest open tasks;
 * by turns, or where they have equally many, whoever was given something longest ago.
 * @returns null: there is nobody of this role, and the task is anybody's
 */
export function pickTarget(targets: readonly WorkTarget[], work: ReadonlyMap<string, TargetWork>, wish: TargetWish): WorkTarget | null {
  const prefer = (some: readonly WorkTarget[], fits: (target: WorkTarget) => boolean) => (some.some(fits) ? some.filter(fits) : some);
  const ofRole = targets.filter(({ role }) => role === wish.role);
  const skilled = wish.skill === null ? ofRole : prefer(ofRole, ({ skills }) => skills.includes(wish.skill ?? ''));
  const present = prefer(skilled, (target) => isOnDuty(target, wish));
  const of = (target: WorkTarget) => work.get(target.name) ?? { open: 0, lastAtMs: null };
  const byTurn = (a: WorkTarget, b: WorkTarget) => (of(a).lastAtMs ?? 0) - (of(b).lastAtMs ?? 0);
  const byLoad = (a: WorkTarget, b: WorkTarget) => of(a).open - of(b).open;
  return present.toSorted((a, b) => (wish.rule === 'load' ? byLoad(a, b) || byTurn(a, b) : byTurn(a, b)))[0] ?? null;
}

/** @param clock - the store's: the day as `mon`, and the minutes since midnight */
export function isOnDuty({ onDuty }: WorkTarget, { day, minute }: Pick<TargetWish, 'day' | 'minute'>): boolean {
  if (onDuty === null) return true;
  const { fromMinute, toMinute, days } = onDuty;
  if (fromMinute < toMinute) return days.includes(day) && minute >= fromMinute && minute < toMinute;
  const yesterday = weekdays.at(weekdays.findIndex((one) => one === day) - 1) ?? day;
  return (days.includes(day) && minute >= fromMinute) || (days.includes(yesterday) && minute < toMinute);
}
