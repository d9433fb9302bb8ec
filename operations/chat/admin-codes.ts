import { createHash, randomInt } from 'node:crypto';
import { and, eq, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { adminCodes, tenants } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';

const validMs = 15 * 60_000;
/** Without letters and digits that are taken for others. Ten of them are 2^49 codes. */
const alphabet = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const length = 10;
/** So many wrong codes of a chat in an hour; then none of it counts until the hour is over. */
const mostWrong = 5;
const wrongWithinMs = 3_600_000;

export interface AdminCode {
  /** Shown once. */
  code: string;
  expiresAtMs: number;
}

/** A one-time code by which a chat becomes the tenant's admin chat (`/set_admin CODE`). A new one ends those before it. */
export function createAdminCode(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, by: string): Promise<AdminCode> {
  const code = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
  const expiresAtMs = deps.clock.nowMs() + validMs;
  return deps.db.withTenant(tenantId, async (tx) => {
    const id = uuidv7();
    // Two that are made at once wait for each other, so that one is left.
    await lockTenant(tx, tenantId);
    await tx.update(adminCodes).set({ usedAt: sql`clock_timestamp()` }).where(isNull(adminCodes.usedAt));
    await tx.insert(adminCodes).values({ tenantId, id, hash: hashOf(code), createdBy: by, expiresAt: expiresAtMs });
    await recordAudit(tx, { tenantId, actor: by, action: 'admin_code.issue', subject: id });
    return { code, expiresAtMs };
  });
}

/** How often a chat has guessed wrong. */
export interface Guesses {
  wrongCodes: number;
  wrongCodesSince: number | null;
}

/**
 * Use a code, under the lock of the chat that brings it. A right one is used up in the transaction of the turn.
 * @returns with what is to be kept of the chat's guesses
 */
export async function useAdminCode(
  tx: Tx,
  tenantId: string,
  written: string,
  guesses: Guesses,
  nowMs: number,
): Promise<{ verdict: 'accepted' | 'wrong' | 'locked'; guesses: Guesses }> {
  const since = guesses.wrongCodesSince;
  const counted = since === null || nowMs - since >= wrongWithinMs ? { wrongCodes: 0, wrongCodesSince: nowMs } : guesses;
  if (counted.wrongCodes >= mostWrong) return { verdict: 'locked', guesses: counted };
  // In the order in which a new code takes its locks.
  await lockTenant(tx, tenantId);
  const used = await tx
    .update(adminCodes)
    .set({ usedAt: nowMs })
    .where(and(eq(adminCodes.hash, hashOf(written)), isNull(adminCodes.usedAt), sql`expires_at > ${new Date(nowMs).toISOString()}`))
    .returning({ id: adminCodes.id });
  if (used.length > 0) return { verdict: 'accepted', guesses: { wrongCodes: 0, wrongCodesSince: null } };
  return { verdict: 'wrong', guesses: { ...counted, wrongCodes: counted.wrongCodes + 1 } };
}

const lockTenant = (tx: Tx, tenantId: string) => tx.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tenantId)).for('no key update');

/** Written in any case, with spaces or hyphens. */
const hashOf = (code: string) => createHash('sha256').update(code.toUpperCase().replace(/[\s-]/g, '')).digest('hex');
