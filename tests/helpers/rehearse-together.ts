import type { Channel } from '../../domain/channels/index.ts';
import { decideDispatch } from '../../domain/gates/decide-dispatch.ts';
import type { SendRecord } from '../../domain/gates/facts.ts';
import { nextStepOf } from '../../domain/gates/upcoming.ts';
import type { GateCheck } from '../../domain/gates/verdict.ts';
import { end, factsOf, newWorld, plainSetting, progressIn, recordSend, recordSkip, type Setting, type World } from '../../domain/rehearsal/world.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import type { SequenceDefinition } from '../../domain/sequence/definition.ts';
import { readyAt } from '../../domain/sequence/due.ts';
import { nextMove } from '../../domain/sequence/next-move.ts';
import type { EpochMs, Plan } from '../../domain/sequence/plan.ts';

export interface Member {
  definition: SequenceDefinition;
  startMs: EpochMs;
}

/** What was decided about a step of one of a person's sequences. */
export interface Happened {
  sequence: string;
  step: string;
  priority: number;
  atMs: EpochMs;
  kind: 'sent' | 'skipped' | 'deferred';
  channel: Channel | null;
  reason: string | null;
  checks: readonly GateCheck[];
  /** By step, when the next steps of the others were ready, as was known then. */
  othersReady: Readonly<Record<string, EpochMs>>;
}

interface Run {
  id: string;
  plan: Plan;
  definition: SequenceDefinition;
  world: World;
  startMs: EpochMs;
  finished: boolean;
}

/**
 * Rehearse several sequences of one person on one clock, each by the moves and decisions of the product; they share what was sent.
 * @param tieBreak - the order of those that wake at the same instant
 * @throws Error when they make no progress
 */
export function rehearseTogether(members: readonly Member[], setting: Partial<Setting>, tieBreak: readonly number[] = []): Happened[] {
  const full = { ...plainSetting, ...setting };
  const runs = members.map(({ definition, startMs }, index): Run => {
    const plan = compilePlan(definition, 1, full.timeScale);
    return { id: `e${index}`, plan, definition, world: newWorld(startMs, full, { holdoutPercent: 0 }), startMs, finished: false };
  });
  const log: Happened[] = [];
  let nowMs = Math.min(...members.map(({ startMs }) => startMs));
  for (let moves = 0; moves < 5_000; moves += 1) {
    const next = runs
      .filter(({ finished }) => !finished)
      .map((run) => ({ run, atMs: wakesAt(run, nowMs) }))
      .sort((a, b) => a.atMs - b.atMs || order(a.run, tieBreak, moves) - order(b.run, tieBreak, moves))[0];
    if (next === undefined) return log;
    nowMs = Math.max(nowMs, next.atMs);
    const move = nextMove(next.run.plan, progressIn(next.run.world), nowMs);
    if (move.kind === 'finish') next.run.finished = true;
    else if (move.kind === 'dispatch') log.push(dispatch(next.run, move.stepId, runs, full, nowMs));
  }
  throw new Error('the sequences make no progress');
}

const order = ({ id }: Run, tieBreak: readonly number[], moves: number) =>
  tieBreak[(Number(id.slice(1)) + moves) % Math.max(1, tieBreak.length)] ?? 0;

function wakesAt({ plan, world, startMs }: Run, nowMs: EpochMs): EpochMs {
  const move = nextMove(plan, progressIn(world), Math.max(nowMs, startMs));
  return move.kind === 'wait' ? Math.max(startMs, move.untilMs) : startMs;
}

function dispatch(run: Run, stepId: string, runs: readonly Run[], setting: Setting, nowMs: EpochMs): Happened {
  const { world, plan, definition, id } = run;
  const others = runs.filter((other) => other !== run && !other.finished && other.startMs <= nowMs);
  const sends = runs.filter((other) => other !== run).flatMap((other): SendRecord[] => other.world.sends.map((send) => ({ ...send, dueMs: null })));
  world.elsewhere = {
    sends: sends.sort((a, b) => b.atMs - a.atMs),
    upcoming: others.flatMap((other) => nextStepOf(other.plan, progressIn(other.world), other.id, setting.channels)),
  };
  const step = definition.steps.find((one) => one.id === stepId);
  if (step === undefined) throw new Error('no such step');
  const verdict = decideDispatch({ ...factsOf(world, plan, step, setting), enrollment: { id, ended: null } }, nowMs);
  if (world.enrollment.activatedAt === null && verdict.kind !== 'stop') world.enrollment = { ...world.enrollment, activatedAt: nowMs };
  const othersReady = Object.fromEntries(world.elsewhere.upcoming.map((other) => [other.step, other.readyMs] as const));
  const happened = {
    sequence: plan.sequence,
    step: `${plan.sequence}/${stepId}`,
    priority: plan.priority,
    atMs: nowMs,
    checks: verdict.checks,
    othersReady,
  };
  switch (verdict.kind) {
    case 'send':
      recordSend(world, plan, stepId, 'sent', verdict.channel, nowMs, setting);
      return { ...happened, kind: 'sent', channel: verdict.channel, reason: null };
    case 'defer':
      if (verdict.untilMs <= Math.max(nowMs, readyAt(plan, progressIn(world), stepId) - 1) && verdict.anchorMs === undefined)
        throw new Error('put off to the past');
      world.enrollment = {
        ...world.enrollment,
        anchorAt: verdict.anchorMs ?? world.enrollment.anchorAt,
        notBefore: { ...world.enrollment.notBefore, [stepId]: verdict.untilMs },
      };
      return { ...happened, kind: 'deferred', channel: null, reason: verdict.reason };
    case 'skip':
      recordSkip(world, stepId, verdict.reason, nowMs);
      return { ...happened, kind: 'skipped', channel: null, reason: verdict.reason };
    case 'stop':
      end(world, verdict.reason);
      return { ...happened, kind: 'skipped', channel: null, reason: 'stopped' };
    case 'hold':
      throw new Error('nothing holds it');
  }
}
