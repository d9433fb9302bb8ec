import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { BuiltDeps } from '../../operations/create-deps.ts';
import type { WorkflowEngine, WorkflowUpdates } from '../../operations/deps.ts';
import type { WorkflowLinks } from '../routes/workflow-links.ts';

/** Who may call a resource: the holder of a tenant's API key, or of the installation's key. */
export type Guard = 'tenant' | 'installation';

export interface ResourceOptions {
  deps: BuiltDeps;
  workflows: WorkflowLinks;
  /** Temporal: for a pass by hand, and for what a running sequence has to agree to. */
  engine: WorkflowEngine & WorkflowUpdates;
}

/**
 * One resource of the API: a folder here whose `index.ts` exports it as `resource`. Nothing else lists it. A resource without a guard does not
 * compile, and one that is registered is always behind its guard.
 */
export interface Resource {
  tag: { name: string; description: string };
  guard: Guard;
  /** `api/app.ts` gives each of them the tag, and `securityOf(guard)`. */
  routes: FastifyPluginAsyncZod<ResourceOptions>;
}

/** The security of an operation in the OpenAPI document. */
export const securityOf = (guard: Guard): Record<string, string[]>[] =>
  guard === 'tenant' ? [{ apiKey: [] }, { apiKeyHeader: [] }] : [{ installationKey: [] }];
