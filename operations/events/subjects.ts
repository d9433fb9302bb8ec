import { eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { subjectKeys, subjects } from '../../db/schema/index.ts';
import type { DomainEvent, SubjectKey } from '../../domain/events.ts';
import { foldCart } from '../../domain/fold-cart.ts';
import type { EventContext } from './context.ts';
import { subjectsByKey } from './identities.ts';
import { uniteSubjects } from './unite-subjects.ts';

type CartUpdated = Extract<DomainEvent, { type: 'cart.updated' }>;
export type Subject = typeof subjects.$inferSelect;

/**
 * The cart that an event is about, with what the event says folded in by the provider's clock: found, made one of several, or made new.
 */
export async function foldSubject(ctx: EventContext, event: CartUpdated): Promise<Subject> {
  const found = await subjectsByKey(ctx.tx, ctx.source, event.keys);
  const first = found[0];
  if (first === undefined) return createSubject(ctx, event.keys, foldCart(null, event));
  // One cart may be heard of under two names before an event says that they are one.
  const keptId =
    found.length > 1
      ? await uniteSubjects(
          ctx,
          found.map((s) => s.id),
        )
      : first.id;
  await addKeys(ctx, keptId, event.keys);
  const [old] = await ctx.tx.select().from(subjects).where(eq(subjects.id, keptId));
  if (old === undefined) throw new Error('a subject vanished under its lock');
  const [folded] = await ctx.tx.update(subjects).set(foldCart(old, event)).where(eq(subjects.id, keptId)).returning();
  if (folded === undefined) throw new Error('a subject vanished under its lock');
  return folded;
}

/** A subject that is known by these keys from now on. */
export async function createSubject(
  ctx: EventContext,
  keys: SubjectKey[],
  fields: Pick<typeof subjects.$inferInsert, 'startedAt' | 'lastActivityAt'> & Partial<typeof subjects.$inferInsert>,
): Promise<Subject> {
  const [made] = await ctx.tx
    .insert(subjects)
    .values({ ...fields, tenantId: ctx.source.tenantId, id: uuidv7() })
    .returning();
  if (made === undefined) throw new Error('insert returned nothing');
  await addKeys(ctx, made.id, keys);
  return made;
}

async function addKeys(ctx: EventContext, subjectId: string, keys: SubjectKey[]): Promise<void> {
  if (keys.length === 0) return;
  const { tenantId, connectionId } = ctx.source;
  await ctx.tx
    .insert(subjectKeys)
    .values(keys.map((k) => ({ tenantId, id: uuidv7(), subjectId, connectionId, kind: k.kind, value: k.value })))
    .onConflictDoNothing();
}
