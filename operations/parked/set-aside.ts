import type { AnyColumn, SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { parkedSkips } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import type { ParkedDone, ParkedKindName, ParkedWish } from './kind.ts';

/** Not yet dismissed by a person. @param more - what it was said about, besides its id */
export const notSetAside = (kind: ParkedKindName, id: AnyColumn, more: SQL = sql`''`) =>
  sql`not exists (select from ${parkedSkips} where ${parkedSkips.kind} = ${kind} and ${parkedSkips.ref} = ${id}::text || ${more})`;

/** A person has seen it, and nothing is to be done: it is not listed any more. What the tables know of it stays as it is. */
export async function setAside(
  deps: Pick<Deps, 'db'>,
  kind: ParkedKindName,
  { tenantId, id, actor, note }: ParkedWish,
  ref: string = id,
): Promise<ParkedDone> {
  await deps.db.withTenant(tenantId, async (tx) => {
    const said = await tx.insert(parkedSkips).values({ tenantId, kind, ref, actor, note }).onConflictDoNothing().returning({ ref: parkedSkips.ref });
    if (said.length > 0) await recordAudit(tx, { tenantId, actor, action: 'parked.skip', subject: id, data: { kind, note } });
  });
  return { kind: 'done' };
}
