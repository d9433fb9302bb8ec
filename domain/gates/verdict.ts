import type { Channel } from '../channels.ts';
import type { EpochMs, SkipReason, StopReason } from '../sequence/plan.ts';

/** One gate's answer, stored with the decision (guarantee G4): what was looked at, and what it said. */
export interface GateCheck {
  gate: string;
  result: 'pass' | 'stop' | 'skip' | 'defer' | 'hold';
  /** Ids, times and flags that the gate read. Never personal data. */
  input: Record<string, string | number | boolean | null>;
  /** A sentence for a person, where the result is not `pass`. */
  note?: string;
}

/** What the dispatch of a step decided. */
export type Verdict = { checks: GateCheck[] } & (
  | { kind: 'send'; channel: Channel }
  | { kind: 'defer'; untilMs: EpochMs; anchorMs?: EpochMs; reason: string }
  | { kind: 'hold'; reason: 'paused' | 'takeover' }
  | { kind: 'skip'; reason: SkipReason }
  | { kind: 'stop'; reason: StopReason }
);
