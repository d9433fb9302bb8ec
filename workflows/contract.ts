import type { FinishReason, Plan, Progress } from '../domain/sequence/plan.ts';
import type { StepActionKind } from '../domain/actions/decide-action.ts';

/** Names that Temporal keeps for as long as a workflow sleeps: renaming one is a breaking change for running sequences. */
export const taskQueue = 'recovery';
/** Where the texts of steps are composed, beside the queue of a workflow: what a slow model holds up there delays no dispatch. */
export const compositionQueueOf = (queue: string) => (queue === taskQueue ? 'composition' : `${queue}-composition`);
/** Where portfolios are assessed and models are trained: what takes hours there delays no dispatch. */
export const riskQueueOf = (queue: string) => (queue === taskQueue ? 'risk' : `${queue}-risk`);
export const recoveryWorkflowType = 'recovery';
export const reconcileWorkflowType = 'reconcile';
export const reconcileScheduleId = 'reconcile';
export const erasureWorkflowType = 'erasePerson';
export const exportWorkflowType = 'exportPerson';
export const retentionWorkflowType = 'applyRetention';
export const retentionScheduleId = 'apply-retention';
export const silentSweepWorkflowType = 'sweepSilent';
export const silentSweepScheduleId = 'sweep-silent';
export const ghostSweepWorkflowType = 'sweepGhosts';
export const ghostSweepScheduleId = 'sweep-ghosts';
export const assessRiskWorkflowType = 'assessRisk';
export const trainRiskWorkflowType = 'trainRisk';
export const trainRiskScheduleId = 'train-risk';

/** Search attributes, all Keyword. Set at start; StopReason once at the end. Never personal data: they are not encrypted. */
export const searchAttributes = {
  tenant: 'Tenant',
  sequence: 'Sequence',
  subjectKind: 'SubjectKind',
  subject: 'Subject',
  stopReason: 'StopReason',
} as const;

export interface RecoveryInput {
  tenantId: string;
  enrollmentId: string;
  plan: Plan;
  /** Where the enrollment stands: a lost workflow is rebuilt by starting it again from the stored progress. */
  progress: Progress;
}

/**
 * How a recovery ended; agrees with the enrollment's row and with the search attribute. What was sent stands in Postgres alone: a stop
 * may overtake the outcome of a call that was running.
 */
export interface RecoveryResult {
  reason: FinishReason;
}

/** What the query `view` answers. */
export interface RecoveryView {
  enrollmentId: string;
  /** The last step that went out, as everywhere; the same as `lastStep`. */
  currentStep: string | null;
  /** The last step that went out, one whose outcome is not known included; null: none has. */
  lastStep: string | null;
  /** The step that comes next; null: none is left. */
  nextStep: string | null;
  /** ISO 8601; null: nothing is scheduled. */
  nextAt: string | null;
  held: string | null;
  settled: Record<string, string>;
  stopped: string | null;
}

/** Signals: `stop` takes a reason and, from the product itself, `recorded`: Postgres holds this end already. */
export const signalNames = { stop: 'stop', wake: 'wake', pause: 'pause', resume: 'resume' } as const;
export const viewQueryName = 'view';
/** Updates about the step that comes next. */
export const updateNames = { skip: 'skipStep', snooze: 'snooze', send_now: 'sendNow' } as const satisfies Record<StepActionKind, string>;

/**
 * What such an update takes; an operator's may be left out, apart from the time of a snooze. It fails with `ApplicationFailure`, whose type says why, and
 * then nothing was changed.
 */
export interface StepUpdate {
  /** The step that is meant; absent: whichever comes next. */
  step?: string | null;
  /** Of a snooze, one of the two: ISO 8601, or hours of the sequence's own time. */
  until?: string | null;
  hours?: number | null;
  /** After this it is refused, because its caller was answered: epoch milliseconds. */
  deadlineMs?: number | null;
  /** The caller's `Idempotency-Key`. */
  key?: string | null;
  /** Who asks: an id, never a name. Absent: an operator, in Temporal. */
  actor?: string;
  /** Of the request that asks, for the audit log. */
  requestId?: string | null;
}

/** What it did. */
export interface StepUpdated {
  step: string | null;
  /** Until when what is left was put off, ISO 8601; null: it was no snooze. */
  until: string | null;
}

/** As an activity is asked for it. */
export interface StepActionInput {
  tenantId: string;
  enrollmentId: string;
  id: string;
  kind: StepActionKind;
  step: string | null;
  untilMs: number | null;
  hours: number | null;
  deadlineMs: number | null;
  key: string | null;
  actor: string;
  /** Absent: a workflow of an earlier build, or of an operator, asks. */
  requestId?: string | null;
}

export type StepActionAnswer = { kind: 'done'; result: { step: string | null; untilMs: number | null } } | { kind: 'refused'; why: string };

export interface DispatchedStep {
  progress: Progress;
  /** How the enrollment ended, as Postgres has it; null: it goes on. */
  ended: FinishReason | null;
  /** One line for the history: what the dispatch decided. No personal data. */
  note: string;
  /** The enrollment is in another version, or is to leave the one that it is in: the workflow reads where it stands before it goes on. */
  stale?: true;
}

export interface CurrentProgress {
  progress: Progress;
  /** As in `DispatchedStep`. */
  ended: FinishReason | null;
  /** Of the version that the enrollment is in by now, where that is another one than the workflow asked with. */
  plan?: Plan;
}

/** The activities. Ids in, small facts out. */
export interface Activities {
  /** `resumedAtMs`: when a hold ended last, so that the time until then does not count as lateness. */
  dispatchStep(input: { tenantId: string; enrollmentId: string; stepId: string; resumedAtMs?: number }): Promise<DispatchedStep>;
  /**
   * Have a model write a step's text and store it, ahead of the time at which the step is dispatched. Calls the model at most as often as the step's
   * stored composition allows, however often it runs.
   * @param dueMs - when the step is dispatched, with this text or without
   * @returns one line for the history
   */
  composeMessage(input: { tenantId: string; enrollmentId: string; stepId: string; dueMs: number }): Promise<string>;
  /** Where the enrollment stands by now, asked when something has happened to which it may react. `version`: of the workflow's plan. */
  readProgress(input: { tenantId: string; enrollmentId: string; version?: number }): Promise<CurrentProgress>;
  /** Write an end that came from Temporal to Postgres; returns the end that Postgres holds, which may be an earlier one. */
  closeEnrollment(input: { tenantId: string; enrollmentId: string; reason: FinishReason; note: string | null }): Promise<{ reason: FinishReason }>;
  /** Carry out what a person asks of the next step, or say why not: Postgres decides. */
  actOnStep(input: StepActionInput): Promise<StepActionAnswer>;
  /** Write a hold or its end to Postgres, so that lists show it. */
  holdEnrollment(input: { tenantId: string; enrollmentId: string; held: boolean }): Promise<void>;
  /** End a person's sequences, wait for open calls, and take their data away. */
  eraseStep(input: ErasureInput): Promise<void>;
  /** Delete the histories of their workflows. */
  forgetHistories(input: ErasureInput): Promise<void>;
  /** Search for what is left, and write the receipt. */
  searchStep(input: ErasureInput): Promise<void>;
  /** Gather what is stored about a person. @returns in how many milliseconds it expires; null: it has */
  gatherStep(input: ExportInput): Promise<number | null>;
  /** Take an export away. */
  expireStep(input: ExportInput): Promise<void>;
  /** Take away what is too old, of every store. @returns rows by kind */
  applyRetention(): Promise<Record<string, number>>;
  reconcile(): Promise<ReconcileReport>;
  sweepSilent(input: SilentSweep): Promise<SilentSweepReport>;
  sweepGhosts(input: SilentSweep): Promise<SilentSweepReport>;
  /** Assess all accounts of a store; a repeat goes on where the last attempt stopped. */
  assessPortfolio(input: RiskRun): Promise<RiskRunReport>;
  trainRiskModels(): Promise<{ stores: number }>;
}

export interface RiskRun {
  tenantId: string;
  runId: string;
}

export interface RiskRunReport {
  assessed: number;
  failed: number;
}

/** Ids only, like everything that Temporal keeps. */
export interface ErasureInput {
  tenantId: string;
  erasureId: string;
}

export interface ExportInput {
  tenantId: string;
  exportId: string;
}

/** How many leads a sweep for silent ones, or for those that left a chat, examines at most, and how long after it the next one comes. */
export interface SilentSweep {
  most: number;
  everySeconds: number;
}

export interface SilentSweepReport {
  found: number;
  begun: number;
  failed: number;
}

export interface ReconcileReport {
  checked: number;
  restarted: number;
  closed: number;
  stopped: number;
}

/** `recovery/{tenant}/{sequence}/{enrollmentId}`: readable, no personal data, never reused. */
export function recoveryWorkflowId(tenantSlug: string, sequence: string, enrollmentId: string): string {
  return `recovery/${tenantSlug}/${sequence}/${enrollmentId}`;
}

export const erasureWorkflowId = (tenantSlug: string, erasureId: string) => `erasure/${tenantSlug}/${erasureId}`;
export const exportWorkflowId = (tenantSlug: string, exportId: string) => `export/${tenantSlug}/${exportId}`;
