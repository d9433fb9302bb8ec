import { sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';

/** Grants of a store wait for each other, because they share a budget and a pool. Taken after every other lock, until the end of the transaction. */
export async function lockGrants(tx: Tx, tenantId: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended('offers ' || ${tenantId}, 0))`);
}

/**
 * Grants whose sequence ended before their message could have gone out are taken back, and their codes may be given to others. What may have gone out
 * stands until its end: the message says so.
 */
export async function freeUnsent(tx: Tx): Promise<void> {
  await tx.execute(sql`
    with back as (
      update offers o set state = 'revoked', revoked_at = clock_timestamp(), note = 'its sequence ended before it was sent'
      where o.state in ('granted', 'minted')
        and exists (select from enrollments e where e.tenant_id = o.tenant_id and e.id = o.enrollment_id and e.ended_at is not null)
        and not exists (select from messages m where m.tenant_id = o.tenant_id and m.enrollment_id = o.enrollment_id and m.step_id = o.step_id
          and m.state in ('claimed', 'sent', 'unknown'))
      returning o.id)
    update offer_codes c set offer_id = null from back where c.offer_id = back.id`);
}
