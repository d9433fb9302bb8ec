import { enrollments } from '../db/schema/index.ts';
import type { Deps, WorkflowEngine } from './deps.ts';
import { reconcile } from './reconcile.ts';

/** What one reconciling pass over a store's running sequences came to. */
export interface ProcessedSequences {
  /** Running enrollments that were looked at. Those that begin this moment are left alone. */
  processed: number;
  /** Of them, those that had lost their workflow, or had been ended in Temporal: set going again, or closed; and workflows that ran on after an end. */
  executed: number;
  /** Those whose workflow waits for its time. */
  deferred: number;
  /** Those that Temporal gave no answer about: the next pass looks at them again. */
  failed: number;
}

/**
 * Look for what was missed in one store, and put it in order. It is never the way to a message: each running sequence has a timer of its own, and a pass
 * over one that runs changes nothing, however often it is asked for.
 * @throws where Temporal cannot be reached at all
 */
export async function processSequences(deps: Deps & { engine: WorkflowEngine }, tenantId: string): Promise<ProcessedSequences> {
  const [any] = await deps.db.withTenant(tenantId, (tx) => tx.select({ id: enrollments.id }).from(enrollments).limit(1));
  // Nothing ever ran: Temporal need not be asked.
  if (any === undefined) return { processed: 0, executed: 0, deferred: 0, failed: 0 };
  let failed = 0;
  const onFailure = (enrollmentId: string, error: unknown) => {
    failed += 1;
    deps.log.warn({ enrollmentId, err: error }, 'an enrollment could not be examined');
  };
  const { checked, restarted, closed, stopped } = await reconcile(deps, { graceMs: 30_000, tenantId, onFailure });
  return { processed: checked, executed: restarted + closed + stopped, deferred: checked - restarted - closed - failed, failed };
}
