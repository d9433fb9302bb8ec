import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Deps, WorkflowEngine } from '../operations/deps.ts';
import { closeEnrollment, holdEnrollment } from '../operations/close-enrollment.ts';
import { dispatchStep } from '../operations/dispatch-step.ts';
import type { VersionCache } from '../operations/dispatch/versions.ts';
import { reconcile } from '../operations/reconcile.ts';
import type { Activities } from '../workflows/contract.ts';

/** Temporal in, an operation out. Only here errors become retryable or not; an unexpected one is retried, because nothing may be lost. */
export function createActivities(deps: Deps & { engine: WorkflowEngine; versions: VersionCache }): Activities {
  return {
    async dispatchStep(input) {
      const result = await dispatchStep(deps, input, Context.current().cancellationSignal);
      switch (result.kind) {
        case 'done':
          return { progress: result.progress, ended: result.ended, note: result.note };
        case 'again':
          // Not a fault: the next look is due at a known time, and costs no history.
          throw ApplicationFailure.create({ type: 'again', message: result.why, nextRetryDelay: Math.max(50, Math.ceil(result.inMs)) });
        case 'missing':
          throw ApplicationFailure.create({ type: 'enrollment_missing', message: `Postgres does not know enrollment ${input.enrollmentId}`, nextRetryDelay: '5m' });
      }
    },
    async closeEnrollment(input) {
      return { reason: (await closeEnrollment(deps, input)) ?? input.reason };
    },
    async holdEnrollment(input) {
      await holdEnrollment(deps, input);
    },
    async reconcile() {
      return reconcile(deps, { graceMs: 30_000, onProgress: () => Context.current().heartbeat() });
    },
  };
}
