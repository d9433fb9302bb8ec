import { and, asc, eq, isNull } from 'drizzle-orm';
import { enrollments, tenants } from '../db/schema/index.ts';
import type { Deps } from './deps.ts';
import { stopByHand } from './stop-one.ts';

/** Thrown when somebody asks to restart a tenant that is not a demo. */
export class NotSyntheticError extends Error {
  readonly code = 'not_synthetic';
  constructor() {
    super('only a synthetic tenant can be restarted: a real shop’s sequences resume where they were');
    this.name = 'NotSyntheticError';
  }
}

/**
 * End everything that an earlier run of the demo store left behind, before it is seeded anew.
 * @returns how many enrollments were ended
 */
export async function restartDemo(deps: Deps, tenantId: string): Promise<number> {
  const open = await deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select({ synthetic: tenants.synthetic }).from(tenants).where(eq(tenants.id, tenantId));
    if (tenant?.synthetic !== true) throw new NotSyntheticError();
    return tx
      .select({ id: enrollments.id })
      .from(enrollments)
      .where(and(eq(enrollments.tenantId, tenantId), isNull(enrollments.endedAt)))
      .orderBy(asc(enrollments.id));
  });
  for (const { id } of open) {
    await stopByHand(deps, { tenantId, enrollmentId: id, note: 'the demo store was started again', actor: 'demo store', reason: 'demo_restarted' });
  }
  return open.length;
}
