import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BuiltDeps } from '../../operations/create-deps.ts';

/** Who may call a resource: the holder of a tenant's API key, or of the installation's key. */
export type Guard = 'tenant' | 'installation';

/**
 * One resource of the API: a folder here whose `index.ts` exports it as `resource`. Nothing else lists it. A resource without a guard does not
 * compile, and one that is registered is always behind its guard.
 */
export interface Resource {
  tag: { name: string; description: string };
  guard: Guard;
  /** `api/app.ts` gives each of them the tag, and `securityOf(guard)`. */
  routes: FastifyPluginAsyncZod<{ deps: BuiltDeps }>;
}

/** What an operation says about its guard in the OpenAPI document. */
export const securityOf = (guard: Guard): Record<string, string[]>[] =>
  guard === 'tenant' ? [{ apiKey: [] }, { apiKeyHeader: [] }] : [{ installationKey: [] }];

/** The page of a list that a request asks for. Cursors are opaque to callers. */
export const pageQuery = (most = 500) => ({
  limit: z.coerce.number().int().min(1).max(most).default(100),
  cursor: z.string().max(200).optional().meta({ description: 'The `nextCursor` of the page before.' }),
});

/** A list as every resource answers it. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({
    data: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'Give it as `cursor` for the next page; null: this was the last.' }),
  });

/** One page of at most `limit` rows out of `limit + 1` that were read. */
export function pageOf<T>(rows: readonly T[], limit: number, cursorOf: (row: T) => string): { data: T[]; nextCursor: string | null } {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}
