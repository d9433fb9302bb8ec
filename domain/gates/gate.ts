import type { Channel } from '../channels/index.ts';
import type { DeferReason, EpochMs, HoldReason, SkipReason, StopReason } from '../sequence/plan.ts';
import type { ChannelChoice } from './choose-channel.ts';
import type { Facts } from './facts.ts';
import type { GateCheck } from './verdict.ts';

/** How far the clocks of worker and server may be apart before a punctual dispatch is sent back to wait. */
export const clockGraceMs = 250;

/** What every gate of one decision is asked about. Derived once from the facts. */
export interface Situation {
  facts: Facts;
  nowMs: EpochMs;
  /** When the step is due and until when it may be sent, epoch ms. */
  dueMs: EpochMs;
  expiryMs: EpochMs;
  choice: ChannelChoice;
}

/** Ids, times and flags for the record; never personal data. */
export type GateInput = GateCheck['input'];

/** One gate's answer. `note` is a sentence for a person. */
export type Answer = { input: GateInput } & (
  | { result: 'pass'; note?: string }
  | { result: 'stop'; reason: StopReason; note: string }
  | { result: 'skip'; reason: SkipReason; note: string }
  | { result: 'hold'; reason: HoldReason; note: string }
  | { result: 'defer'; untilMs: EpochMs; anchorMs: EpochMs; reason: DeferReason; note: string }
);

/** Decides by itself. The first that does not pass ends the decision. */
export interface DecisiveGate {
  name: string;
  check(situation: Situation): Answer;
}

/** Closed for a time. All time gates are solved together to the first instant at which every one is open (rule 6). */
export interface TimeGate {
  /** Also the reason of the deferral that it causes. */
  name: DeferReason;
  /** The first instant at or after `fromMs` at which this gate is open. Must not depend on `nowMs`, only on the facts. */
  opensAt(situation: Situation, fromMs: EpochMs): EpochMs;
  input(situation: Situation): GateInput;
  /** Why it is closed; where that depends on the facts, made from them. */
  note: string | ((situation: Situation) => string);
}

/** When all time gates are open. */
export interface Opening {
  /** Epoch ms; `nowMs` when all are open already. */
  atMs: EpochMs;
  /** The name of the gate that moved the instant last: what the step waits for. null: nothing. */
  binding: DeferReason | null;
  /** By gate, in the order given: the latest instant to which it moved the search; null: it never did. */
  movedTo: (EpochMs | null)[];
  /** The names of the gates that moved the search while it was within the step's expiry. */
  delayedBy: readonly string[];
}

/** Asked last, about the instant at which the step would go out, and what put it off until then. */
export interface FinalGate {
  name: string;
  check(situation: Situation, opening: Opening): Answer;
}

/** The channel the step would go out on; null where none is possible, which its gate has refused before later gates are asked. */
export function chosenChannel({ choice }: Pick<Situation, 'choice'>): Channel | null {
  return choice.kind === 'chosen' ? choice.channel : null;
}
