import type { Channel } from '../channels/index.ts';
import { dueAt, expiryAt } from '../sequence/due.ts';
import type { EpochMs } from '../sequence/plan.ts';
import { activation } from './activation.ts';
import { chooseChannel } from './choose-channel.ts';
import { conditions } from './conditions.ts';
import { doNotContact } from './do-not-contact.ts';
import { enrollmentRunning } from './enrollment-running.ts';
import type { Facts } from './facts.ts';
import { clockGraceMs, type DecisiveGate, type Situation } from './gate.ts';
import { holdout } from './holdout.ts';
import { maxAge } from './max-age.ts';
import { only } from './only.ts';
import { orderedSince } from './ordered-since.ts';
import { repliedSince } from './replied-since.ts';
import { subjectOpen } from './subject-open.ts';

/** Those whose answer is the same whatever variant somebody has. A hold is none of them: it ends, and who is skipped meanwhile would be missing on one side alone. */
const sameForAll: readonly DecisiveGate[] = [
  subjectOpen,
  enrollmentRunning,
  doNotContact,
  orderedSince,
  repliedSince,
  activation,
  only,
  holdout,
  maxAge,
  conditions,
];

/**
 * Whether a person counts now in a comparison of variants that reach different people: the step is due to them, whichever they have, and one of the variants at
 * least can reach them. Pure, and the same whichever variant the facts were read for.
 * @param channels - those of all variants
 * Source: docs/rules.md#rule-128
 */
export function countsInComparison(facts: Facts, channels: readonly Channel[], nowMs: EpochMs): boolean {
  const dueMs = dueAt(facts.plan, facts.progress, facts.step.id);
  if (dueMs - nowMs > clockGraceMs) return false;
  const step = { ...facts.step, channels: [...channels], refusals: {} };
  const choice = chooseChannel({ step, channels: facts.channels }, { facts, nowMs });
  if (choice.kind !== 'chosen') return false;
  const situation: Situation = { facts, nowMs, dueMs, expiryMs: expiryAt(facts.plan, facts.progress, facts.step.id), choice };
  return sameForAll.every((gate) => gate.check(situation).result === 'pass');
}
