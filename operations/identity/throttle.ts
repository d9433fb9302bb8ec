import { createHash } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import type { IdentityDb } from '../../db/identity.ts';
import { signInFailures } from '../../db/schema/index.ts';

const mostFailures = 10;
const windowMs = 15 * 60_000;

const hashOf = (email: string) => createHash('sha256').update(email.trim().toLowerCase()).digest('hex');

/**
 * Count an attempt for an address before its password is looked at, so that attempts made at once count, too.
 * @returns seconds to wait, or null while it may be tried
 */
export async function countAttempt(db: IdentityDb, email: string, most = mostFailures): Promise<number | null> {
  const isOver = sql`${signInFailures.since} < now() - make_interval(secs => ${windowMs / 1_000})`;
  const [row] = await db
    .insert(signInFailures)
    .values({ emailHash: hashOf(email), count: 1, since: sql`now()` })
    .onConflictDoUpdate({
      target: signInFailures.emailHash,
      set: {
        count: sql`case when ${isOver} then 1 else ${signInFailures.count} + 1 end`,
        since: sql`case when ${isOver} then now() else ${signInFailures.since} end`,
      },
    })
    .returning({
      count: signInFailures.count,
      leftSeconds: sql<number>`ceil(extract(epoch from ${signInFailures.since} - now()) + ${windowMs / 1_000})::int`,
    });
  if (row === undefined || row.count <= most) return null;
  return Math.max(1, row.leftSeconds);
}

/** The password was right. */
export async function forgetAttempts(db: IdentityDb, email: string): Promise<void> {
  await db.delete(signInFailures).where(eq(signInFailures.emailHash, hashOf(email)));
}

/** Forget what no longer counts. @returns how many there were */
export async function pruneAttempts(db: IdentityDb): Promise<number> {
  const gone = await db.delete(signInFailures).where(sql`${signInFailures.since} < now() - make_interval(secs => ${windowMs / 1_000})`);
  return gone.rowCount ?? 0;
}
