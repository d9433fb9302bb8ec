import { eq, inArray, sql } from 'drizzle-orm';
import { conversions, enrollments, subjectKeys, subjects } from '../../db/schema/index.ts';
import type { EventContext } from './context.ts';
import { endBoughtSubject } from './end-bought-subject.ts';
import { stopEnrollments } from './stop-enrollments.ts';

/**
 * Two subjects turned out to be one cart. The one that a sequence runs about stays, else the oldest; keys, enrollments and orders of the
 * others become its own, so that re-entry and credit see the whole history of the cart.
 * @returns the id of the subject that stays
 */
export async function uniteSubjects(ctx: EventContext, ids: string[]): Promise<string> {
  const runs = await ctx.tx
    .select({
      id: enrollments.id,
      subjectId: enrollments.subjectId,
      sequenceId: enrollments.sequenceId,
      activatedAt: enrollments.activatedAt,
      endedAt: enrollments.endedAt,
    })
    .from(enrollments)
    .where(inArray(enrollments.subjectId, ids))
    .orderBy(sql`activated_at is null`, enrollments.id);
  const open = runs.filter((run) => run.endedAt === null);
  const goingOn = open.filter((run) => goesOn(run, runs));
  const kept = goingOn[0]?.subjectId ?? [...ids].sort()[0];
  if (kept === undefined) throw new TypeError('nothing to unite');
  const others = ids.filter((id) => id !== kept);
  await stopEnrollments(
    ctx,
    open.filter((run) => !goingOn.includes(run)).map((run) => run.id),
    'merged',
  );
  await ctx.tx.update(subjectKeys).set({ subjectId: kept }).where(inArray(subjectKeys.subjectId, others));
  await ctx.tx.update(enrollments).set({ subjectId: kept }).where(inArray(enrollments.subjectId, others));
  await ctx.tx.update(conversions).set({ subjectId: kept }).where(inArray(conversions.subjectId, others));
  await foldInto(ctx, kept, others);
  return kept;
}

interface Run {
  id: string;
  sequenceId: string;
  activatedAt: number | null;
}

/**
 * A cart runs through a sequence once: of several open runs one that was activated goes on, and one that was not yields to any that was.
 * @param runs - of all the subjects, ended ones too; the activated first, each in order of age
 */
function goesOn(run: Run & { endedAt: number | null }, runs: readonly (Run & { endedAt: number | null })[]): boolean {
  const rivals = runs.filter((other) => other.sequenceId === run.sequenceId);
  if (run.activatedAt === null && rivals.some((other) => other.activatedAt !== null)) return false;
  return rivals.find((other) => other.endedAt === null)?.id === run.id;
}

async function foldInto(ctx: EventContext, kept: string, others: string[]): Promise<void> {
  const all = await ctx.tx
    .select()
    .from(subjects)
    .where(inArray(subjects.id, [kept, ...others]))
    .orderBy(sql`last_activity_at desc`);
  const newest = all[0];
  const converted = all.some((s) => s.state === 'converted');
  await ctx.tx
    .update(subjects)
    .set({
      ...(newest === undefined
        ? {}
        : { items: newest.items, totalMinor: newest.totalMinor, currency: newest.currency, lastActivityAt: newest.lastActivityAt }),
      restoreUrl: all.find((s) => s.restoreUrl !== null)?.restoreUrl ?? null,
      contactId: all.find((s) => s.id === kept)?.contactId ?? all.find((s) => s.contactId !== null)?.contactId ?? null,
      ...(converted ? { state: 'converted' as const } : {}),
    })
    .where(eq(subjects.id, kept));
  await ctx.tx.update(subjects).set({ state: 'gone' }).where(inArray(subjects.id, others));
  if (converted) await endBoughtSubject(ctx, kept);
}
