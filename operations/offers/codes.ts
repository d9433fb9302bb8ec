import { and, count, gte, isNotNull, isNull, lt, or } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { offerCodes } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';

/** How many codes there are. Which ones nobody shows: a code that is read is as good as one that is given. */
export interface CodeCounts {
  free: number;
  given: number;
  /** Free, and the shop takes them no more. */
  expired: number;
}

/**
 * Put codes into the store's pool, each for one person.
 * @param expiresAtMs - when the shop stops taking them; null: it does not
 * @returns how many are new; those that are there already stay as they are
 */
export function addCodes(
  { db }: Pick<Deps, 'db'>,
  tenantId: string,
  { codes, expiresAtMs }: { codes: readonly string[]; expiresAtMs: number | null },
  actor: string,
): Promise<number> {
  const written = [...new Set(codes.map((code) => code.trim().toUpperCase()))];
  return db.withTenant(tenantId, async (tx) => {
    const added = await tx
      .insert(offerCodes)
      .values(written.map((code) => ({ tenantId, id: uuidv7(), code, expiresAt: expiresAtMs })))
      .onConflictDoNothing()
      .returning({ id: offerCodes.id });
    await recordAudit(tx, {
      tenantId,
      actor,
      action: 'offer_codes.add',
      subject: null,
      data: { added: added.length, known: written.length - added.length },
    });
    return added.length;
  });
}

export function countCodes({ db, clock }: Pick<Deps, 'db' | 'clock'>, tenantId: string): Promise<CodeCounts> {
  return db.withTenant(tenantId, async (tx) => {
    const nowMs = clock.nowMs();
    const one = async (where: ReturnType<typeof and>) => (await tx.select({ n: count() }).from(offerCodes).where(where))[0]?.n ?? 0;
    const free = isNull(offerCodes.offerId);
    return {
      free: await one(and(free, or(isNull(offerCodes.expiresAt), gte(offerCodes.expiresAt, nowMs)))),
      given: await one(and(isNotNull(offerCodes.offerId))),
      expired: await one(and(free, lt(offerCodes.expiresAt, nowMs))),
    };
  });
}
