import { asc, eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { claimsIn, hasCopy, whatsappForms } from '../../content/channels/index.ts';
import { mayHaveScript } from '../../domain/scripts/choose-script.ts';
import { claimNames } from '../../domain/claims/index.ts';
import type { Tx } from '../../db/client.ts';
import { enrollments, messages, shadowDecisions, shadowRuns } from '../../db/schema/index.ts';
import { decideDispatch } from '../../domain/gates/decide-dispatch.ts';
import type { Facts } from '../../domain/gates/facts.ts';
import { activates, type Verdict } from '../../domain/gates/verdict.ts';
import { rehearse } from '../../domain/rehearsal/rehearse.ts';
import type { Setting } from '../../domain/rehearsal/world.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import { stopReasonOfOrder } from '../../domain/sequence/ending.ts';
import { nextMove } from '../../domain/sequence/next-move.ts';
import type { Plan, StopReason } from '../../domain/sequence/plan.ts';
import { formsOf } from '../../domain/sequence/step-of-variant.ts';
import { scaled } from '../../domain/sequence/time-scale.ts';
import { rehearsedOf } from '../../domain/versions/compare-shadow.ts';
import type { BuiltDeps } from '../create-deps.ts';
import { readFacts, readStep } from '../dispatch/facts.ts';
import { type EnrollmentRow, type LedgerRow, readProgress, unsettledRow } from '../dispatch/progress.ts';
import { reasonOf } from '../dispatch/records.ts';
import type { Version } from '../dispatch/versions.ts';
import type { Outlets } from '../outlets.ts';

export type ShadowDeps = Pick<
  BuiltDeps,
  'db' | 'clock' | 'versions' | 'subjects' | 'sealing' | 'createSenders' | 'integrations' | 'defaultSenders' | 'publicUrl' | 'log'
>;
export type ShadowRun = typeof shadowRuns.$inferSelect;
type ShadowDecision = typeof shadowDecisions.$inferSelect;

/** A healthy run makes a few moves a step. */
const mostMoves = 200;
const askEveryMs = 3_600_000;

/** Ends that are about the version that the real enrollment is in: its shadow goes on by itself. */
const ofTheVersion: readonly string[] = ['completed', 'expired', 'filtered', 'undeliverable', 'holdout', 'version_replaced'] satisfies (
  | StopReason
  | 'completed'
)[];
/** Ends that a sequence may choose to run on after. */
const chosen: readonly string[] = ['replied', 'contacted'];

/**
 * Let a run do what is due: the same functions decide on the same facts as a dispatch reads, only the ledger is the run's own. A message that would be
 * sent counts as sent; nothing is called, and nothing that a real decision reads is written. Read without the person's lock: what a shadow decides holds nobody up.
 */
export async function decideRun(tx: Tx, deps: ShadowDeps, outlets: Outlets, run: ShadowRun, version: Version): Promise<void> {
  const [real] = await tx.select().from(enrollments).where(eq(enrollments.id, run.enrollmentId));
  const world = await readStep(tx, run.enrollmentId);
  const personId = world?.contacts.find((c) => c.id === real?.contactId)?.personId;
  if (real === undefined || world === null || personId === undefined) throw new Error('a shadow of nobody');
  const nowMs = deps.clock.nowMs();
  const plan = compilePlan(version.definition, version.version, real.timeScale);
  const decided = await tx.select().from(shadowDecisions).where(eq(shadowDecisions.runId, run.id)).orderBy(asc(shadowDecisions.id));
  const engaged = await tx
    .select({ stepId: messages.stepId, openedAt: messages.openedAt, clickedAt: messages.clickedAt })
    .from(messages)
    .where(eq(messages.enrollmentId, run.enrollmentId));
  const state = { ...run };

  const asEnrollment = (): EnrollmentRow => ({
    ...real,
    versionId: '',
    anchorAt: state.anchorAt,
    activatedAt: state.activatedAt,
    notBefore: Object.fromEntries(decided.flatMap(({ stepId, until }) => (until === null ? [] : [[stepId, until]]))),
    held: real.endedAt === null ? real.held : null,
    status: 'ACTIVE',
    stopReason: null,
    endedAt: null,
  });
  const asLedger = () => ledgerOf(real, decided, engaged);
  /** @param steps - with a text for the channel that is asked about, one of them at least */
  const factsOf = async (stepId: string, steps = version.definition.steps.filter((s) => s.id === stepId)): Promise<Facts> => {
    const { facts } = await readFacts(tx, deps.sealing, {
      world: { ...world, move: null },
      plan,
      definition: version.definition,
      enrollment: asEnrollment(),
      personId,
      ledger: asLedger(),
      stepId,
      isConnected: (channel) =>
        outlets.forChannel(channel) !== null &&
        steps.flatMap(formsOf).some((step) => mayHaveScript(step) || hasCopy(version.content, step.content, channel)),
      claimsIn: (name) => (steps.length > 1 ? claimNames : claimsIn(version.content, name)),
      whatsappForms: (name, locales) => whatsappForms(version.content, name, locales),
      kinds: deps.subjects,
      versionOf: (versionId) => deps.versions.load(tx, versionId),
    });
    return facts;
  };
  const record = (stepId: string, verdict: Verdict, untilMs: number | null) =>
    decided.push({
      tenantId: run.tenantId,
      id: uuidv7(),
      runId: run.id,
      stepId,
      at: nowMs,
      verdict: verdict.kind,
      reason: reasonOf(verdict),
      until: untilMs,
      checks: verdict.checks,
    });

  const known = decided.length;
  const first = version.definition.steps[0]?.id;
  if (state.rehearsed === null && first !== undefined) {
    const setting = settingOf(await factsOf(first, version.definition.steps));
    state.rehearsed = rehearsedOf(rehearse(version.definition, [{ type: 'subject.updated', atMs: state.anchorAt }], setting), state.anchorAt);
  }
  const end = (reason: string, atMs: number) => Object.assign(state, { endedAt: atMs, reason });
  const stop = real.endedAt === null ? null : stopOf(real, plan, state.activatedAt !== null);
  state.followedEnd = real.endedAt !== null;
  if (stop !== null) end(stop, real.endedAt ?? nowMs);
  for (let moves = 0; state.endedAt === null; moves++) {
    if (moves === mostMoves) throw new Error('a shadow makes no progress');
    const move = nextMove(plan, readProgress(asEnrollment(), asLedger()), nowMs);
    if (move.kind === 'finish') {
      end(move.reason, nowMs);
    } else if (move.kind !== 'dispatch') {
      state.nextAt = move.kind === 'wait' ? move.untilMs : nowMs + scaled(askEveryMs, plan.timeScale);
      break;
    } else {
      const verdict = decideDispatch(await factsOf(move.stepId), nowMs);
      if (state.activatedAt === null && activates(verdict)) state.activatedAt = nowMs;
      if (verdict.kind === 'defer') state.anchorAt = verdict.anchorMs ?? state.anchorAt;
      const untilMs = verdict.kind === 'defer' ? verdict.untilMs : verdict.kind === 'hold' ? nowMs + scaled(askEveryMs, plan.timeScale) : null;
      record(move.stepId, verdict, untilMs);
      if (verdict.kind === 'stop') end(verdict.reason, nowMs);
    }
  }
  if (decided.length > known) await tx.insert(shadowDecisions).values(decided.slice(known));
  const { anchorAt, activatedAt, nextAt, followedEnd, endedAt, reason, rehearsed } = state;
  await tx.update(shadowRuns).set({ anchorAt, activatedAt, nextAt, followedEnd, endedAt, reason, rehearsed }).where(eq(shadowRuns.id, run.id));
}

/** The end of the real enrollment, where it would have ended the shadow too; null: it would not. */
function stopOf({ stopReason, status }: EnrollmentRow, { stopOn }: Plan, activated: boolean): string | null {
  const reason = status === 'COMPLETED' ? 'completed' : (stopReason ?? 'manual');
  // Whether the subject had been abandoned depends on the first step of each.
  if (reason === 'purchased' || reason === 'not_abandoned') return stopReasonOfOrder({ activated, matched: true });
  if (ofTheVersion.includes(reason)) return null;
  return chosen.includes(reason) && !stopOn.some((trigger) => trigger === reason) ? null : reason;
}

type Engaged = Pick<LedgerRow, 'stepId' | 'openedAt' | 'clickedAt'>;

/** The send ledger that the run would have. Opens and clicks are those of the real message of the same step. */
function ledgerOf(real: EnrollmentRow, decided: readonly ShadowDecision[], engaged: readonly Engaged[]): LedgerRow[] {
  return decided
    .filter(({ verdict }) => verdict === 'send' || verdict === 'skip' || verdict === 'stop')
    .map(({ id, stepId, verdict, reason, at }): LedgerRow => {
      const sent = verdict === 'send';
      const message = sent ? engaged.find((m) => m.stepId === stepId) : undefined;
      return {
        ...unsettledRow,
        tenantId: real.tenantId,
        id,
        enrollmentId: real.id,
        contactId: real.contactId,
        stepId,
        state: sent ? 'sent' : 'skipped',
        channel: sent ? reason : null,
        skipReason: sent ? null : reason,
        settledAt: at,
        createdAt: at,
        openedAt: message?.openedAt ?? null,
        clickedAt: message?.clickedAt ?? null,
      };
    });
}

/** The setting of a rehearsal from the facts of the first decision. */
function settingOf({ plan, person, settings, subject, claims, attributes, channels, holdout }: Facts): Partial<Setting> {
  const orders = person.contacts.flatMap(({ lastOrderMs }) => lastOrderMs ?? []);
  return {
    timeZones: person.zones.timeZones,
    place: person.zones.place,
    isInquiry: subject.isInquiry === true,
    ...(orders.length === 0 ? {} : { lastOrderMs: Math.max(...orders) }),
    settings,
    timeScale: plan.timeScale,
    segment: subject.segment,
    modifiers: subject.modifiers,
    ...(claims === undefined ? {} : { claims: claims.known }),
    valueMinor: subject.valueMinor,
    currency: subject.currency,
    stock: subject.stock,
    attributes,
    channels,
    tracksOpens: settings.trackOpens,
    heldOut: holdout?.heldOut ?? false,
    elsewhere: { sends: person.sends, upcoming: person.upcoming },
  };
}
