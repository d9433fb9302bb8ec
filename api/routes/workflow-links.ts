import { recoveryWorkflowId } from '../../workflows/contract.ts';

/** The workflow of an enrollment, and where a person finds it. */
export interface WorkflowLinks {
  of(tenantSlug: string, sequence: string, enrollmentId: string): { id: string; url: string | null };
}

/** @param temporalUi - the Temporal Web UI's address; null: there is none */
export function workflowLinks(temporalUi: string | null, namespace: string): WorkflowLinks {
  const base = temporalUi === null ? null : `${temporalUi.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/`;
  return {
    of(tenantSlug, sequence, enrollmentId) {
      const id = recoveryWorkflowId(tenantSlug, sequence, enrollmentId);
      return { id, url: base === null ? null : base + encodeURIComponent(id) };
    },
  };
}
