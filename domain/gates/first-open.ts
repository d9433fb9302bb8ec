import type { DeferReason, EpochMs } from '../sequence/plan.ts';
import type { Opening, Situation, TimeGate } from './gate.ts';

const nobody: readonly string[] = [];

/**
 * The first instant from `nowMs` on at which every time gate is open: each gate moves the instant forward until none does.
 * The search ends once the step's expiry has passed, since nothing is sent after it.
 * Source: docs/rules.md#rule-6
 */
export function firstOpen(gates: readonly TimeGate[], situation: Situation): Opening {
  const movedTo: (EpochMs | null)[] = gates.map(() => null);
  let atMs = situation.nowMs;
  let binding: DeferReason | null = null;
  let delayedBy: readonly string[] = nobody;
  for (let settled = false; !settled && atMs <= situation.expiryMs; ) {
    settled = true;
    // Counted, not by entries: this is the hot path of rehearsals.
    for (let index = 0; index < gates.length; index += 1) {
      const gate = gates[index];
      if (gate === undefined) continue;
      const opensMs = gate.opensAt(situation, atMs);
      if (opensMs <= atMs) continue;
      if (atMs <= situation.expiryMs) delayedBy = [...delayedBy, gate.name];
      atMs = opensMs;
      binding = gate.name;
      movedTo[index] = opensMs;
      settled = false;
      // Closed for as long as anybody looks ahead: no other gate can say when it opens from there.
      if (opensMs === Number.POSITIVE_INFINITY) break;
    }
  }
  return { atMs, binding, movedTo, delayedBy };
}
