import type { EpochMs } from '../domain/sequence/plan.ts';

// What Postgres can hold and a shop can mean. Outside of it lies a mistake of the sender, which must not fail for ever in the database.

/** The largest count: Postgres's `integer`. */
export const maxCount = 2_147_483_647;

const firstMs = Date.UTC(2000, 0, 1);
const endMs = Date.UTC(2100, 0, 1);

/** Whether a shop's clock may have said this: within the years 2000 to 2099, UTC. */
export function isPlausibleInstant(ms: EpochMs): boolean {
  return ms >= firstMs && ms < endMs;
}
