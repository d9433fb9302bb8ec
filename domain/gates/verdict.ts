import type { Channel } from '../channels/index.ts';
import type { DeferReason, EpochMs, HoldReason, SkipReason, StopReason } from '../sequence/plan.ts';

/** One gate's answer, stored with the decision (guarantee G4): what it read, and what it said. */
export interface GateCheck {
  gate: string;
  result: 'pass' | 'stop' | 'skip' | 'defer' | 'hold';
  /** Ids, times and flags that the gate read. Never personal data. */
  input: Record<string, string | number | boolean | null>;
  /** A sentence for a person, where the result is not `pass`, or where a pass needs an explanation. */
  note?: string;
}

/**
 * What the dispatch of a step decided. `checks` holds the gates that were asked, in order: all of them for `send` and for a
 * `defer` by time; up to the gate that decided for the others. `defer` without `anchorMs` always lies in the future; with
 * `anchorMs` it may be due at once, on the later anchor.
 */
export type Verdict = { checks: GateCheck[] } & (
  | { kind: 'send'; channel: Channel }
  | { kind: 'defer'; untilMs: EpochMs; anchorMs?: EpochMs; reason: DeferReason }
  | { kind: 'hold'; reason: HoldReason }
  | { kind: 'skip'; reason: SkipReason }
  | { kind: 'stop'; reason: StopReason }
);

/**
 * Whether a verdict activates its enrollment and freezes the anchor: the subject was found still open and left alone at a step's due time. A step
 * that is then skipped or put off by quiet hours activates all the same; a stop does not, but for that of a person who is held out and compared with the others.
 * Source: docs/rules.md#rule-3
 */
export function activates(verdict: Verdict): boolean {
  return (
    (verdict.kind !== 'stop' || verdict.reason === 'holdout') &&
    verdict.checks.some((check) => check.gate === 'activation' && check.result === 'pass')
  );
}
