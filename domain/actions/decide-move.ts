import type { StepId } from '../sequence/plan.ts';
import { moveTo } from '../versions/move-to.ts';

interface Steps {
  /** `on`: it is a reaction, which has no place in the order. */
  steps: readonly { id: StepId; on?: unknown }[];
}

/** Why a move is refused. Reaches the API as `code`: renaming one is a breaking change. */
export const moveRefusals = ['ended', 'in_flight', 'unknown_step', 'reaction', 'already_sent', 'already_skipped', 'no_place'] as const;
export type MoveRefusal = (typeof moveRefusals)[number];

/** `passed`: steps before the new place that were not done and are left out. `unchanged`: it stands there already. */
export type DecidedMove = { kind: 'move'; passed: StepId[] } | { kind: 'unchanged' } | { kind: 'refuse'; why: MoveRefusal };

export interface MoveFacts {
  ended: boolean;
  /** Whether a call of one of its steps may be running. */
  inFlight: boolean;
  /** Steps that were sent, may have been sent, or were left out. */
  settled: Readonly<Record<StepId, { outcome: string }>>;
  /** Whether both versions are the same one. */
  sameVersion: boolean;
}

/**
 * Where an enrollment goes on that is moved by hand: in another version, at a step that its mover names, or both. It only ever goes forward, because a
 * step that was done is not done again. Without a step, its place in the other version is the one that publishing would give it. Pure; never throws.
 * @param step - the step that comes next from then on; null: whichever has its place
 * Source: docs/rules.md#rule-95
 */
export function decideMove(from: Steps, to: Steps, step: StepId | null, { ended, inFlight, settled, sameVersion }: MoveFacts): DecidedMove {
  const refuse = (why: MoveRefusal): DecidedMove => ({ kind: 'refuse', why });
  if (ended) return refuse('ended');
  if (inFlight) return refuse('in_flight');
  if (step === null) {
    if (sameVersion) return { kind: 'unchanged' };
    const moved = moveTo(from, to, new Set(Object.keys(settled)));
    return moved.kind === 'moves' ? { kind: 'move', passed: moved.passed } : refuse('no_place');
  }
  const target = to.steps.find(({ id }) => id === step);
  if (target === undefined) return refuse('unknown_step');
  if (target.on !== undefined) return refuse('reaction');
  const outcome = settled[step]?.outcome;
  if (outcome !== undefined) return refuse(outcome === 'skipped' ? 'already_skipped' : 'already_sent');
  const order = to.steps.flatMap(({ id, on }) => (on === undefined ? [id] : []));
  const place = order.indexOf(step);
  // Behind a step that was done already: the sequence would go backwards.
  if (order.slice(place + 1).some((id) => settled[id] !== undefined)) return refuse('no_place');
  const passed = order.slice(0, place).filter((id) => settled[id] === undefined);
  return sameVersion && passed.length === 0 ? { kind: 'unchanged' } : { kind: 'move', passed };
}
