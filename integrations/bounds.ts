import type { EpochMs } from '../domain/sequence/plan.ts';

// Bounds of what Postgres can store and a shop can mean. A value outside of them is the sender's mistake and must not fail in the database for ever.

/** The largest count: Postgres's `integer`. */
export const maxCount = 2_147_483_647;

const firstMs = Date.UTC(2000, 0, 1);
const endMs = Date.UTC(2100, 0, 1);

/** Whether a shop's clock may have said this: within the years 2000 to 2099, UTC. */
export function isPlausibleInstant(ms: EpochMs): boolean {
  return ms >= firstMs && ms < endMs;
}
