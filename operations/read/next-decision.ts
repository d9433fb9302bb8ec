import type { Tx } from '../../db/client.ts';
import { decideDispatch } from '../../domain/gates/decide-dispatch.ts';
import type { GateCheck } from '../../domain/gates/verdict.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import { nextMove } from '../../domain/sequence/next-move.ts';
import { nextStep } from '../../domain/sequence/next-step.ts';
import { decideWithCopy } from '../composition/choose-copy.ts';
import type { BuiltDeps } from '../create-deps.ts';
import { readFacts, readStep } from '../dispatch/facts.ts';
import { lookAtOffers } from '../dispatch/offer.ts';
import { type EnrollmentRow, type LedgerRow, readProgress } from '../dispatch/progress.ts';
import { readTexts, textQuestions } from '../dispatch/texts.ts';
import { reasonOf } from '../dispatch/records.ts';
import { readConfigured, toOutlets } from '../outlets.ts';
import { kindOf } from '../subject-row.ts';
import { nextSentence } from './sentences.ts';

/** What would be decided about the next step now. Nothing is stored, sent or locked. */
export interface NextDecision {
  stepId: string;
  verdict: 'send' | 'defer' | 'hold' | 'skip' | 'stop';
  /** Skip, stop, hold or defer reason; the channel of a send. */
  reason: string;
  untilMs: number | null;
  checks: GateCheck[];
  /** The version of the sequence that would decide. */
  version: number;
  /** When the workflow asks next; null: not before the hold ends. */
  askedAtMs: number | null;
  /** A call of this very step may be running. */
  inFlight: boolean;
  sentence: string;
}

export type NextDecisionDeps = Pick<
  BuiltDeps,
  'db' | 'clock' | 'log' | 'versions' | 'subjects' | 'sealing' | 'createSenders' | 'integrations' | 'defaultSenders' | 'publicUrl'
>;

/**
 * Ask the gates about the next step, by the functions that the dispatch uses, on what is stored now. Read without the person's lock: what is about to
 * change may change the answer, so it is a preview and no promise.
 * @returns null: the enrollment has ended, or no step is left
 */
export async function decideNext(tx: Tx, deps: NextDecisionDeps, enrollment: EnrollmentRow, ledger: LedgerRow[]): Promise<NextDecision | null> {
  if (enrollment.endedAt !== null) return null;
  const version = await deps.versions.load(tx, enrollment.versionId);
  const plan = compilePlan(version.definition, version.version, enrollment.timeScale);
  const progress = readProgress(enrollment, ledger);
  const step = nextStep(plan, progress);
  const world = step === null ? null : await readStep(tx, enrollment.id);
  const personId = world?.contacts.find((c) => c.id === enrollment.contactId)?.personId;
  if (step === null || world === null || personId === undefined) return null;
  const outlets = toOutlets(deps, await readConfigured(tx));
  const texts = await readTexts(tx, { version, stepId: step.id, world, enrollment, personId });
  const reading = await readFacts(tx, deps.sealing, {
    world,
    plan,
    definition: version.definition,
    enrollment,
    personId,
    ledger,
    stepId: step.id,
    ...textQuestions(texts, (channel) => outlets.forChannel(channel) !== null),
    kinds: deps.subjects,
    versionOf: (versionId) => deps.versions.load(tx, versionId),
  });
  const { facts, settings, subject } = reading;
  const nowMs = deps.clock.nowMs();
  const decided = decideDispatch(facts, nowMs);
  if (decided.kind === 'send' && facts.step.offer !== undefined) {
    const regularMinor = subject.kind.regularMinor?.(subject.details) ?? null;
    const contactIds = world.contacts.map(({ id }) => id);
    const asked = { enrollment, stepId: step.id, contactIds, policy: settings.offers, regularMinor, timeScale: plan.timeScale, nowMs };
    facts.offer = (await lookAtOffers(tx, asked)).records;
  }
  const offered = facts.offer === undefined ? decided : decideDispatch(facts, nowMs);
  const { verdict } = await decideWithCopy(tx, { version, stepId: step.id, reading, enrollmentId: enrollment.id, nowMs }, offered);
  const move = nextMove(plan, progress, nowMs);
  const asked = {
    stepId: step.id,
    verdict: verdict.kind,
    reason: reasonOf(verdict),
    untilMs: verdict.kind === 'defer' ? verdict.untilMs : null,
    checks: verdict.checks,
    askedAtMs: move.kind === 'wait' ? move.untilMs : move.kind === 'dispatch' ? nowMs : null,
    inFlight: ledger.some((m) => m.stepId === step.id && m.live),
  };
  return { ...asked, version: version.version, sentence: nextSentence(deps.subjects.of(kindOf(enrollment)).words, asked, nowMs) };
}
