import {
  ApplicationFailure,
  type Client,
  isGrpcServiceError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import type { PersonWorkflows, RecoveryStart, UpdateAnswer, WorkflowEngine, WorkflowRef, WorkflowUpdates } from '../operations/deps.ts';
import {
  erasureWorkflowId,
  erasureWorkflowType,
  exportWorkflowId,
  exportWorkflowType,
  type RecoveryInput,
  recoveryWorkflowId,
  recoveryWorkflowType,
  searchAttributes,
  signalNames,
  type StepUpdate,
  type StepUpdated,
  taskQueue,
  updateNames,
} from '../workflows/contract.ts';
import { callLimitMs } from './connect.ts';

/** gRPC status. */
const grpcNotFound = 5;

const idOf = (ref: WorkflowRef) => recoveryWorkflowId(ref.tenantSlug, ref.sequence, ref.enrollmentId);

/** Temporal as the operations see it. Every call may be repeated: an existing start and an ended workflow's signal are successes. */
export function createWorkflowEngine(client: Client, queue: string = taskQueue): WorkflowEngine & WorkflowUpdates & PersonWorkflows {
  const limited = <T>(call: () => Promise<T>): Promise<T> => client.withDeadline(Date.now() + callLimitMs, call);
  const signal = async (ref: WorkflowRef, name: string, args: unknown[]): Promise<void> => {
    try {
      await limited(() => client.workflow.getHandle(idOf(ref)).signal(name, ...args));
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  };
  const startOnce = async (type: string, workflowId: string, args: unknown[], tenantSlug: string): Promise<void> => {
    try {
      await limited(() =>
        client.workflow.start(type, {
          taskQueue: queue,
          workflowId,
          args,
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          workflowIdConflictPolicy: 'USE_EXISTING',
          searchAttributes: { [searchAttributes.tenant]: [tenantSlug] },
          priority: { priorityKey: 5, fairnessKey: tenantSlug.slice(0, 64) },
        }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  };
  return {
    startErasure: ({ tenantId, tenantSlug, erasureId }) =>
      startOnce(erasureWorkflowType, erasureWorkflowId(tenantSlug, erasureId), [{ tenantId, erasureId }], tenantSlug),
    startExport: ({ tenantId, tenantSlug, exportId }) =>
      startOnce(exportWorkflowType, exportWorkflowId(tenantSlug, exportId), [{ tenantId, exportId }], tenantSlug),
    async forget(ref) {
      const workflowId = idOf(ref);
      const runs: string[] = [];
      for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) runs.push(runId);
      for (const runId of runs)
        await limited(() =>
          client.connection.workflowService.deleteWorkflowExecution({
            namespace: client.options.namespace,
            workflowExecution: { workflowId, runId },
          }),
        ).catch((error: unknown) => {
          // Deleted since it was listed: visibility lags behind.
          if (!(isGrpcServiceError(error) && error.code === grpcNotFound)) throw error;
        });
      return runs.length;
    },
    async start(input, requestId = null) {
      const args: [RecoveryInput] = [{ tenantId: input.tenantId, enrollmentId: input.enrollmentId, plan: input.plan, progress: input.progress }];
      try {
        await limited(() =>
          client.workflow.start(recoveryWorkflowType, {
            taskQueue: queue,
            workflowId: idOf(input),
            args,
            workflowIdReusePolicy: 'ALLOW_DUPLICATE',
            workflowIdConflictPolicy: 'USE_EXISTING',
            searchAttributes: attributesOf(input),
            ...(requestId === null ? {} : { memo: { requestId } }),
            priority: { priorityKey: 3, fairnessKey: input.tenantSlug.slice(0, 64) },
            staticSummary: `${input.sequence} v${input.plan.version}, ${input.plan.steps.length} steps`,
          }),
        );
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },
    // The workflow does not read the id of the request: it is in the history for whoever looks.
    stop: (ref, reason, requestId = null) => signal(ref, signalNames.stop, [reason, 'recorded', ...(requestId === null ? [] : [requestId])]),
    wake: (ref, requestId = null) => signal(ref, signalNames.wake, requestId === null ? [] : [requestId]),
    async describe(ref) {
      try {
        const { status } = await limited(() => client.workflow.getHandle(idOf(ref)).describe());
        switch (status.name) {
          case 'RUNNING':
          case 'CONTINUED_AS_NEW':
          case 'PAUSED':
            return 'running';
          case 'COMPLETED':
            return 'completed';
          case 'CANCELLED':
            return 'cancelled';
          case 'TERMINATED':
            return 'terminated';
          case 'TIMED_OUT':
            return 'timed_out';
          default:
            return 'failed';
        }
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return 'missing';
        throw error;
      }
    },
    async actOnStep(ref, kind, updateId, input, withinMs) {
      try {
        const handle = client.workflow.getHandle(idOf(ref));
        await client.withDeadline(Date.now() + withinMs, () =>
          handle.executeUpdate<StepUpdated, [StepUpdate]>(updateNames[kind], { updateId, args: [input] }),
        );
        return { kind: 'done' };
      } catch (error) {
        return answerOf(error);
      }
    },
    async *listRunning(tenantSlug) {
      const query = `WorkflowType = '${recoveryWorkflowType}' AND ExecutionStatus = 'Running' AND ${searchAttributes.tenant} = '${tenantSlug}'`;
      for await (const { workflowId } of client.workflow.list({ query })) {
        const enrollmentId = workflowId.split('/').at(-1);
        if (enrollmentId !== undefined) yield enrollmentId;
      }
    },
  };
}

function attributesOf(input: RecoveryStart): Record<string, string[]> {
  return {
    [searchAttributes.tenant]: [input.tenantSlug],
    [searchAttributes.sequence]: [input.sequence],
    [searchAttributes.subjectKind]: [input.subjectKind],
    [searchAttributes.subject]: [input.subjectId],
  };
}

/** @throws what is no answer of a workflow or of Temporal */
function answerOf(error: unknown): UpdateAnswer {
  if (error instanceof WorkflowNotFoundError) return { kind: 'missing' };
  if (error instanceof WorkflowUpdateFailedError) {
    const { cause } = error;
    // Of any other failure, such as an activity's, it is not known how far it went.
    return cause instanceof ApplicationFailure && typeof cause.type === 'string' ? { kind: 'refused', code: cause.type } : { kind: 'unanswered' };
  }
  const away = error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcServiceError(error) || error instanceof ServiceError;
  if (away) return { kind: 'unanswered' };
  throw error;
}
