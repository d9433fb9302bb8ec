import type { Database } from '../db/client.ts';
import type { Integrations } from '../integrations/index.ts';
import type { OwnModels } from '../integrations/onnx/own-models.ts';
import type { Sender, SenderContext } from '../integrations/port.ts';
import type { SubjectKinds } from '../domain/subjects/index.ts';
import type { StepActionKind } from '../domain/actions/decide-action.ts';
import type { FinishReason, Plan, Progress } from '../domain/sequence/plan.ts';
import type { Attempt, GatheredDelivery, Storing } from './intake/delivery.ts';
import type { DeliverySets } from './intake/delivery-sets.ts';
import type { Floods } from './intake/flood.ts';
import type { ClaimSlots } from './claim-slots.ts';
import type { Turns } from './dispatch/turns.ts';
import type { LimitInTurn } from './in-turn.ts';
import type { CompiledPreset } from './compiled-preset.ts';
import type { Clock } from './clock.ts';
import type { VersionCache } from './dispatch/versions.ts';
import type { LeaseWatch } from './lease-watch.ts';
import type { LinkTokens } from './link-tokens.ts';
import type { Sealing } from './sealing.ts';
import type { MailFrom } from './mail-from.ts';
import type { LatenessLog } from './lateness-log.ts';
import type { RiskCache } from './risk/risk-cache.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * The points where an interleaving matters. Each is awaited; the product's implementation returns at once.
 * Tests hold a dispatch or a stop there while something else happens.
 */
export type Checkpoint =
  | 'dispatch.session_open'
  | 'dispatch.locked'
  | 'dispatch.before_commit'
  | 'dispatch.claimed'
  | 'dispatch.called'
  | 'dispatch.settled'
  | 'composition.begun'
  | 'composition.answered'
  | 'offer.asked'
  | 'offer.made'
  | 'stop.locked'
  | 'stop.before_commit'
  | 'bot.stored'
  | 'chat.claimed'
  | 'keyword_answer.claimed'
  | 'erasure.stopped'
  | 'erasure.emptied'
  | 'erasure.erased'
  | 'erasure.searched'
  | 'webhook.claimed'
  | 'webhook.answered'
  | 'notification.claimed'
  | 'notification.handed_over'
  | 'notification.link_claimed'
  | 'keys.reseal'
  | 'risk.before_commit'
  | 'risk.committed'
  | 'risk.page_assessed'
  | 'stop.committed';

export type Checkpoints = (at: Checkpoint) => Promise<void>;
export const noCheckpoints: Checkpoints = () => Promise.resolve();

/** What the operations need of Temporal. Starting an existing id and signalling an ended one are successes. */
export interface WorkflowEngine {
  /** @param requestId - of the request that led to it, as the workflow shows it in Temporal; null: there is none */
  start(input: RecoveryStart, requestId?: string | null): Promise<void>;
  /** Signal a workflow that its enrollment has ended; Postgres holds the end already. */
  stop(ref: WorkflowRef, reason: FinishReason, requestId?: string | null): Promise<void>;
  wake(ref: WorkflowRef, requestId?: string | null): Promise<void>;
  /** The status of the workflow's latest run; `missing`: Temporal does not know the id. */
  describe(ref: WorkflowRef): Promise<'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out' | 'missing'>;
  /** Ids of all recovery workflows of a tenant that run now, page by page. */
  listRunning(tenantSlug: string): AsyncIterable<string>;
}

/** Workflows about a person, and what Temporal keeps about them. */
export interface PersonWorkflows {
  /** Start the erasure's workflow, unless it runs. */
  startErasure(ref: { tenantId: string; tenantSlug: string; erasureId: string }): Promise<void>;
  /** Start the export's workflow, unless it runs. */
  startExport(ref: { tenantId: string; tenantSlug: string; exportId: string }): Promise<void>;
  /** Delete the history of every run of a workflow that has ended. @returns how many runs there were */
  forget(ref: WorkflowRef): Promise<number>;
}

/** What a workflow answers to an update. */
export type UpdateAnswer =
  | { kind: 'done' }
  /** It said no: nothing was changed. `code` is the failure's type. */
  | { kind: 'refused'; code: string }
  /** Temporal does not know the workflow, or it has ended. */
  | { kind: 'missing' }
  /** Nobody has answered in time: no worker runs, or Temporal is away. It may still be carried out, until its deadline. */
  | { kind: 'unanswered' };

/** What a running sequence is asked for. */
export interface StepAsked {
  /** null: whichever step comes next. */
  step: string | null;
  /** Of a snooze, one of the two: ISO 8601, or hours of the sequence's own time. */
  until: string | null;
  hours: number | null;
  key: string | null;
  actor: string;
  /** The id of the current request; null: no request is being handled. */
  requestId: string | null;
  /** Epoch milliseconds: after this nothing is done any more. */
  deadlineMs: number;
}

/** Temporal where a person waits for the answer. */
export interface WorkflowUpdates {
  /**
   * Ask a running sequence to do something with its next step.
   * @param id - of this request: a repeat with the same id is the same one
   */
  actOnStep(ref: WorkflowRef, kind: StepActionKind, id: string, input: StepAsked, withinMs: number): Promise<UpdateAnswer>;
}

export interface WorkflowRef {
  tenantSlug: string;
  sequence: string;
  enrollmentId: string;
}

export interface RecoveryStart extends WorkflowRef {
  tenantId: string;
  subjectKind: string;
  subjectId: string;
  plan: Plan;
  progress: Progress;
}

/** Log lines carry ids and counts, never personal data. */
export interface Log {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** Everything an operation may reach. Built once per process, passed as one object. */
export interface Deps {
  db: Database;
  clock: Clock;
  checkpoints: Checkpoints;
  sealing: Sealing;
  links: LinkTokens;
  leases: LeaseWatch;
  claimSlots: ClaimSlots;
  /** Of dispatches, before they open a session: a backlog of one store leaves places to the others. */
  lookingAhead: LimitInTurn;
  /** Of the accounts whose providers count what comes in a while. */
  turns: Turns;
  lateness: LatenessLog;
  telemetry: Telemetry;
  /** What this process remembers of how accounts stand. */
  risk: RiskCache;
  log: Log;
  versions: VersionCache;
  /** The installation's preset sequences. Compiled when they are first asked for, and then kept: it takes seconds of processor time. */
  presets(): Promise<readonly CompiledPreset[]>;
  /** Deliveries that arrive while others are being applied, gathered into one transaction. */
  deliverySets: DeliverySets<GatheredDelivery, Attempt>;
  /** Deliveries that wait in the inbox, gathered in the same way; each after those that it has something in common with. */
  waitingSets: DeliverySets<GatheredDelivery, Attempt>;
  /** Deliveries of flooded tenants, gathered to be stored first. */
  storingSets: DeliverySets<GatheredDelivery, Storing>;
  floods: Floods;
  /** The kinds of subject that sequences may be about. */
  subjects: SubjectKinds;
  /** The integrations that connections may belong to. */
  integrations: Integrations;
  /** The senders of a connection from its integration and opened configuration, one for each channel; none: that integration sends nothing. */
  createSenders(integration: string, config: string, context: SenderContext): readonly Sender[];
  /** The installation's own senders, at most one a channel: for tenants without a connection of that channel. */
  defaultSenders: readonly Sender[];
  /** Models of their own that stores have brought. Source: docs/rules.md#rule-126 */
  ownModels: Pick<OwnModels, 'of'>;
  /** Percent of the stores whose accounts get interventions by themselves. Source: docs/rules.md#rule-122 */
  interventionStores: number;
  /** From whom emails come that the installation itself sends to people who work with it; null: it sends none. */
  mailFrom: MailFrom | null;
  /** Absolute, without a trailing slash: links in messages start with it. */
  publicUrl: string;
  /** Runs every tenant's new enrollments at this scale; null: each tenant's own. */
  timeScale: number | null;
  /** Something was written to the outbox: relay it now. */
  kickRelay(): void;
}
