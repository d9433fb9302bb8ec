import type { InterventionBand } from '../risk/band-move.ts';
import type { EpochMs } from '../sequence/plan.ts';

/** What came of an action, and of an intervention as a whole. */
export const interventionOutcomes = ['pending', 'delivered', 'engaged', 'converted', 'failed', 'ignored', 'escalated'] as const;
export type InterventionOutcome = (typeof interventionOutcomes)[number];

/**
 * Something that an account did after it was approached. `touch`: a visit, an open, a click, an event of the store's own. `answer`: it wrote, or took a
 * call. `order`: it bought.
 */
export interface Sign {
  atMs: EpochMs;
  kind: 'touch' | 'answer' | 'order';
}

/** An action as far as its outcome goes. */
export interface JudgedAction {
  /** `planned`: its time has not come. `left_out`: it did not take place, and has no outcome. */
  state: 'planned' | 'running' | 'done' | 'failed' | 'left_out';
  /** When it took place; null: it has not. */
  atMs: EpochMs | null;
  /** It handed the account over to a manager. */
  isEscalation: boolean;
  /** Of a task: whether a colleague still has it to do; null: it is no task. */
  taskOpen: boolean | null;
}

/**
 * What came of each action. What an account does counts for the latest action before it, and only within the window, so that it counts once.
 * @param windowMs - how long after an action what the account does counts for it
 * @returns in the order of the actions; null for one that was left out
 */
export function outcomesOf(
  actions: readonly JudgedAction[],
  signs: readonly Sign[],
  { windowMs, nowMs }: { windowMs: number; nowMs: EpochMs },
): (InterventionOutcome | null)[] {
  const done = actions.flatMap((action, index) => (action.state === 'done' && action.atMs !== null ? [{ index, atMs: action.atMs }] : []));
  const own = new Map<number, Sign['kind'][]>();
  for (const sign of signs) {
    const latest = done
      .filter(({ atMs }) => atMs <= sign.atMs && sign.atMs - atMs < windowMs)
      .toSorted((a, b) => b.atMs - a.atMs || b.index - a.index)[0];
    if (latest !== undefined) own.set(latest.index, [...(own.get(latest.index) ?? []), sign.kind]);
  }
  return actions.map((action, index) => {
    if (action.state === 'left_out') return null;
    if (action.state === 'failed') return 'failed';
    if (action.state !== 'done' || action.atMs === null) return 'pending';
    const kinds = own.get(index) ?? [];
    if (kinds.includes('order')) return 'converted';
    if (kinds.length > 0) return 'engaged';
    if (action.isEscalation) return 'escalated';
    if (action.taskOpen === true) return 'pending';
    return nowMs - action.atMs < windowMs ? 'delivered' : 'ignored';
  });
}

/** The best that came of any action comes first. */
const best: readonly InterventionOutcome[] = ['converted', 'engaged', 'escalated', 'pending', 'delivered', 'ignored', 'failed'];

/** What came of an intervention: the best that came of one of its actions; null: none took place. */
export const outcomeOfAll = (outcomes: readonly (InterventionOutcome | null)[]): InterventionOutcome | null =>
  best.find((one) => outcomes.includes(one)) ?? null;

/** What counts as success, in words to stand beside a figure. */
export const successMeans: Readonly<Record<InterventionBand, string>> = {
  early: 'it did something again: a visit, an open, a click, an answer or an order',
  active: 'it did something again: a visit, an open, a click, an answer or an order',
  critical: 'it was kept: it answered or bought',
};

/** Which share of interventions is aimed at, by band. No result. */
export const successAims: Readonly<Record<InterventionBand, { from: number; to: number }>> = {
  early: { from: 0.4, to: 0.5 },
  active: { from: 0.55, to: 0.65 },
  critical: { from: 0.6, to: 0.7 },
};

/** What is aimed at over all bands: the share that succeeds at least, and the return on what they cost, in percent. No result. */
export const aims = { success: 0.65, returnPercent: 500 };

/**
 * Whether an intervention brought its account back, within the window after its first action. All are judged after the same time, whatever came early.
 * @param firstAtMs - when its first action took place; null: none did
 * @returns null while the window is not over, and where nothing was done
 */
export function succeeded(
  band: InterventionBand,
  { firstAtMs, signs }: { firstAtMs: EpochMs | null; signs: readonly Sign[] },
  { windowMs, nowMs }: { windowMs: number; nowMs: EpochMs },
): boolean | null {
  if (firstAtMs === null || nowMs - firstAtMs < windowMs) return null;
  return signs.some(({ kind, atMs }) => atMs >= firstAtMs && atMs - firstAtMs < windowMs && (band !== 'critical' || kind !== 'touch'));
}
