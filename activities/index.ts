import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type { Deps, PersonWorkflows, WorkflowEngine } from '../operations/deps.ts';
import { actOnStep } from '../operations/actions/act-on-step.ts';
import { composeStep } from '../operations/composition/compose-step.ts';
import { closeEnrollment, holdEnrollment } from '../operations/close-enrollment.ts';
import { faultOf } from '../operations/classify-failure.ts';
import { currentProgress } from '../operations/current-progress.ts';
import { dispatchStep } from '../operations/dispatch-step.ts';
import type { VersionCache } from '../operations/dispatch/versions.ts';
import { workOnRun } from '../operations/risk/runs.ts';
import { trainAll } from '../operations/risk/train-models.ts';
import { eraseStep, forgetHistories, searchStep, type StepDone } from '../operations/privacy/erasure-steps.ts';
import { applyRetentionEverywhere } from '../operations/privacy/apply-retention.ts';
import { expireStep, gatherStep } from '../operations/privacy/exports.ts';
import { reconcile } from '../operations/reconcile.ts';
import { isRequestId, withRequestId } from '../operations/request-context.ts';
import { sweepGhosts } from '../operations/sweep-ghosts.ts';
import { sweepSilent } from '../operations/sweep-silent.ts';
import type { Activities, CurrentProgress } from '../workflows/contract.ts';

/** Temporal in, an operation out. Only here errors become retryable or not; an unexpected one is retried, because nothing may be lost. */
export function createActivities(deps: Deps & { engine: WorkflowEngine & PersonWorkflows; versions: VersionCache }): Activities {
  return withoutPersonalData({
    async dispatchStep(input) {
      const result = await dispatchStep(deps, input, Context.current().cancellationSignal);
      switch (result.kind) {
        case 'done':
          return { progress: result.progress, ended: result.ended, note: result.note, ...(result.stale === true ? { stale: true } : {}) };
        case 'again':
          // Not a fault: the next attempt is due at a known time, and retrying in the activity adds nothing to the history.
          throw ApplicationFailure.create({ type: 'again', message: result.why, nextRetryDelay: Math.max(50, Math.ceil(result.inMs)) });
        case 'missing':
          return { progress: nothingKnown, ended: unknownEnd, note: 'Postgres does not know the enrollment: there is nothing to send' };
      }
    },
    async composeMessage(input) {
      const composed = await composeStep(deps, input, Context.current().cancellationSignal);
      if (composed.kind === 'again')
        throw ApplicationFailure.create({ type: 'again', message: composed.why, nextRetryDelay: Math.max(50, Math.ceil(composed.inMs)) });
      return composed.note;
    },
    async readProgress(input) {
      const known = await currentProgress(deps, input);
      return known ?? { progress: nothingKnown, ended: unknownEnd };
    },
    async closeEnrollment(input) {
      return { reason: (await closeEnrollment(deps, input)) ?? input.reason };
    },
    async actOnStep(input) {
      const { requestId = null, ...wish } = input;
      // An operator may have typed it.
      const outcome = await withRequestId(isRequestId(requestId) ? requestId : null, () => actOnStep(deps, wish));
      return outcome.kind === 'refused' ? outcome : { kind: 'done', result: { step: outcome.result.step, untilMs: outcome.result.untilMs } };
    },
    async holdEnrollment(input) {
      await holdEnrollment(deps, input);
    },
    async eraseStep(input) {
      again(await eraseStep(deps, input));
    },
    async forgetHistories(input) {
      again(await forgetHistories(deps, input, () => Context.current().heartbeat()));
    },
    async searchStep(input) {
      again(await searchStep(deps, input, () => Context.current().heartbeat()));
    },
    async gatherStep(input) {
      return gatherStep(deps, input, () => Context.current().heartbeat());
    },
    async expireStep(input) {
      await expireStep(deps, input);
    },
    async applyRetention() {
      return applyRetentionEverywhere(deps, () => Context.current().heartbeat());
    },
    async reconcile() {
      return reconcile(deps, { graceMs: 30_000, onProgress: () => Context.current().heartbeat() });
    },
    async sweepSilent(input) {
      const context = Context.current();
      return sweepSilent(deps, { ...input, signal: context.cancellationSignal, onProgress: () => context.heartbeat() });
    },
    async sweepGhosts(input) {
      const context = Context.current();
      try {
        return await sweepGhosts(deps, { ...input, signal: context.cancellationSignal, onProgress: () => context.heartbeat() });
      } catch (error) {
        deps.log.error({ err: error }, 'the sweep for leads that left a chat failed, and goes on in five minutes');
        throw error;
      }
    },
    async assessPortfolio(input) {
      const context = Context.current();
      const options = { signal: context.cancellationSignal, onProgress: () => context.heartbeat() };
      const { assessed, failed, ended } = await workOnRun(deps, input, options);
      if (!ended) throw ApplicationFailure.create({ type: 'again', message: 'the worker ends: another one goes on', nextRetryDelay: 1_000 });
      return { assessed, failed };
    },
    async trainRiskModels() {
      const context = Context.current();
      return { stores: await trainAll(deps, { signal: context.cancellationSignal, onProgress: () => context.heartbeat() }) };
    },
  });
}

/** What has to wait comes again when it says: retrying in the activity adds nothing to the history. */
function again(step: StepDone): void {
  if (step.kind === 'wait') throw ApplicationFailure.create({ type: 'again', message: step.why, nextRetryDelay: step.inMs });
}

// A database that was brought back to an earlier time may not know an enrollment whose workflow sleeps. Nothing can be said about it, so nothing is sent.
const unknownEnd = 'cancelled' as const;
const nothingKnown: CurrentProgress['progress'] = { anchorMs: 0, activatedAtMs: null, settled: {}, notBeforeMs: {}, held: null, stopped: unknownEnd };

/** A failure is kept in Temporal's history (G9): its message goes there without a query's values, its cause and their stacks do not. */
function withoutPersonalData(activities: Activities): Activities {
  const guard =
    <A extends unknown[], R>(name: string, run: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await run(...args);
      } catch (error) {
        if (error instanceof ApplicationFailure || error instanceof CancelledFailure) throw error;
        if (error instanceof Error && error.name === 'AbortError') throw error;
        throw ApplicationFailure.create({ type: `${name}_failed`, message: faultOf(error) });
      }
    };
  return {
    dispatchStep: guard('dispatch', activities.dispatchStep),
    composeMessage: guard('compose', activities.composeMessage),
    readProgress: guard('read', activities.readProgress),
    closeEnrollment: guard('close', activities.closeEnrollment),
    actOnStep: guard('act', activities.actOnStep),
    holdEnrollment: guard('hold', activities.holdEnrollment),
    eraseStep: guard('erase', activities.eraseStep),
    forgetHistories: guard('forget', activities.forgetHistories),
    searchStep: guard('search', activities.searchStep),
    gatherStep: guard('gather', activities.gatherStep),
    expireStep: guard('expire', activities.expireStep),
    applyRetention: guard('retain', activities.applyRetention),
    reconcile: guard('reconcile', activities.reconcile),
    sweepSilent: guard('sweep', activities.sweepSilent),
    sweepGhosts: guard('sweep', activities.sweepGhosts),
    assessPortfolio: guard('assess', activities.assessPortfolio),
    trainRiskModels: guard('train', activities.trainRiskModels),
  };
}
