import { and, eq, inArray } from 'drizzle-orm';
import { enrollments, sequences, subjects, subjectKeys } from '../db/schema/index.ts';
import type { Database } from '../db/client.ts';

export interface Begun {
  id: string;
  sequence: string;
}

/** The enrollment of each of these carts, in their order. @throws Error when one has none */
export async function enrollmentsOf(deps: { db: Database }, tenantId: string, carts: readonly string[]): Promise<Begun[]> {
  const rows = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ id: enrollments.id, sequence: sequences.slug, cart: subjectKeys.value })
      .from(subjectKeys)
      .innerJoin(subjects, and(eq(subjects.tenantId, subjectKeys.tenantId), eq(subjects.id, subjectKeys.subjectId)))
      .innerJoin(enrollments, and(eq(enrollments.tenantId, subjects.tenantId), eq(enrollments.subjectId, subjects.id)))
      .innerJoin(sequences, and(eq(sequences.tenantId, enrollments.tenantId), eq(sequences.id, enrollments.sequenceId)))
      .where(inArray(subjectKeys.value, [...carts])),
  );
  const byCart = new Map(rows.map(({ cart, ...begun }) => [cart, begun]));
  return carts.map((cart) => {
    const begun = byCart.get(cart);
    if (begun === undefined) throw new Error(`cart ${cart} has no enrollment`);
    return begun;
  });
}
