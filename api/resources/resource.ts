import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { BuiltDeps } from '../../operations/create-deps.ts';
import type { WorkflowEngine, WorkflowUpdates } from '../../operations/deps.ts';
import type { Permission } from '../../operations/access.ts';
import type { WorkflowLinks } from '../routes/workflow-links.ts';

export interface ResourceOptions {
  deps: BuiltDeps;
  workflows: WorkflowLinks;
  /** Temporal: for a pass by hand, and for what a running sequence has to agree to. */
  engine: WorkflowEngine & WorkflowUpdates;
  /** How often those who listen to live events are heard of, and whether they still may. */
  heartbeatMs: number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route needs, where its method and its resource do not say it rightly. */
    permission?: Permission;
  }
}

/**
 * One resource of the API: a folder here whose `index.ts` exports it as `resource`. Nothing else lists it. A resource without a guard does not
 * compile, and one that is registered is always behind its guard.
 */
export type Resource = {
  tag: { name: string; description: string };
  /** `api/app.ts` gives each of them the tag, and `securityOf(guard)`. */
  routes: FastifyPluginAsyncZod<ResourceOptions>;
} & (
  | {
      /** Who may call it: whoever may see a tenant, and for more than `GET` whoever has the permission; null: it has no such route. */
      guard: 'tenant';
      changes: Exclude<Permission, 'read'> | null;
    }
  /** The holder of the installation's key. */
  | { guard: 'installation' }
);

export type Guard = Resource['guard'];

/** The security of an operation in the OpenAPI document. */
export const securityOf = (guard: Guard): Record<string, string[]>[] =>
  guard === 'tenant' ? [{ apiKey: [] }, { apiKeyHeader: [] }, { session: [] }] : [{ installationKey: [] }];

/** What a route of a tenant needs. @throws Error where neither it nor its resource says so */
export function permissionOf(
  { method, url, config }: { method: string | string[]; url: string; config?: { permission?: Permission } },
  changes: Permission | null,
): Permission {
  if (config?.permission !== undefined) return config.permission;
  if ([method].flat().every((one) => one === 'GET' || one === 'HEAD')) return 'read';
  if (changes === null) throw new Error(`${String(method)} ${url} changes something, and its resource names no permission for that.`);
  return changes;
}
