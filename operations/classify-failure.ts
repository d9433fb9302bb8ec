import { isLockFailure, postgresCode } from '../db/client.ts';

// For code that may not import `db/`.
export { faultOf } from '../db/client.ts';

/**
 * What a failed operation means for its caller. `busy`: another transaction holds the rows, and the same may succeed a moment later.
 * `unavailable`: Postgres is away, restarting, read-only, or its disk or its connections are used up; nothing was accepted.
 */
export type FailureKind = 'busy' | 'unavailable' | 'unexpected';

export function classifyFailure(error: unknown): FailureKind {
  if (isLockFailure(error)) return 'busy';
  // Classes of Postgres's error codes: connection, resources, operator intervention, read-only transaction, a transaction that this
  // process left waiting for too long, system.
  if (/^(08|53|57|25006|25P03|58)/.test(postgresCode(error) ?? '')) return 'unavailable';
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'].includes('code' in e ? String(e.code) : '')) return 'unavailable';
    // Of node-postgres, which gives them no code: the pool's wait, a connection that broke, and a query on one that had broken before.
    if (/timeout exceeded when trying to connect|Connection terminated|Query read timeout|is not queryable|the fate of a COMMIT/.test(e.message))
      return 'unavailable';
  }
  return 'unexpected';
}
