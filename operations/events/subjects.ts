import { eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { subjectKeys, subjects } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { isNewEpisode } from '../../domain/episodes.ts';
import { foldCart } from '../../domain/fold-cart.ts';
import type { EventContext } from './context.ts';
import { addressIn } from './decide-cart.ts';
import { type Identity, keysOf, type ScopedKey, subjectsByKey } from './identities.ts';
import { uniteSubjects } from './unite-subjects.ts';

type CartUpdated = Extract<DomainEvent, { type: 'cart.updated' }>;
export type Subject = typeof subjects.$inferSelect;

/**
 * The cart that an event is about, with what the event says folded in by the provider's clock: found, or made one of several.
 * @returns null: it was not heard of before, or the event begins a new cart under the key of a bought one
 */
export async function findSubject(ctx: EventContext, event: CartUpdated, identities: readonly Identity[]): Promise<Subject | null> {
  const keys = keysOf(ctx.source, event.keys);
  const found = await subjectsByKey(ctx.tx, keys);
  const first = found[0];
  if (first === undefined) return null;
  // One cart may be heard of under two names before an event says that they are one.
  const keptId =
    found.length > 1
      ? await uniteSubjects(
          ctx,
          found.map((s) => s.id),
        )
      : first.id;
  await addKeys(ctx, keptId, keys);
  const [old] = await ctx.tx.select().from(subjects).where(eq(subjects.id, keptId));
  if (old === undefined) throw new Error('a subject vanished under its lock');
  if (old.state === 'converted' && isNewEpisode(old, event)) return null;
  const [folded] = await ctx.tx
    .update(subjects)
    .set(foldCart(old, event, addressIn(identities)))
    .where(eq(subjects.id, keptId))
    .returning();
  if (folded === undefined) throw new Error('a subject vanished under its lock');
  return folded;
}

/** A subject that is known by these keys from now on. */
export async function createSubject(
  ctx: EventContext,
  keys: readonly ScopedKey[],
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

async function addKeys(ctx: EventContext, subjectId: string, keys: readonly ScopedKey[]): Promise<void> {
  if (keys.length === 0) return;
  const { tenantId } = ctx.source;
  await ctx.tx
    .insert(subjectKeys)
    .values(keys.map((k) => ({ tenantId, id: uuidv7(), subjectId, connectionId: k.connectionId, kind: k.kind, value: k.value })))
    .onConflictDoNothing();
}
