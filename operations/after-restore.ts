import { and, asc, eq, gt, isNull } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/client.ts';
import { enrollments, messages } from '../db/schema/index.ts';
import { compilePlan } from '../domain/sequence/compile-plan.ts';
import { readyAt } from '../domain/sequence/due.ts';
import { nextStep } from '../domain/sequence/next-step.ts';
import type { Deps } from './deps.ts';
import { readProgress } from './dispatch/progress.ts';

export interface AfterRestore {
  enrollments: number;
  steps: number;
}

const atOnce = 100;

/**
 * After a backup was restored: every step that was ready before the lost database stopped, and of which the backup knows no outcome, becomes `unknown`. It may
 * have gone out in the time that the backup knows nothing of, so it counts as sent and is never sent again. To be run before any worker. A second run finds
 * nothing.
 * @param lostAtMs - when the database that was lost took its last commit
 * Source: docs/rules.md#rule-135
 */
export async function doubtAfterRestore(deps: Pick<Deps, 'db' | 'versions'>, lostAtMs: number): Promise<AfterRestore> {
  const found: AfterRestore = { enrollments: 0, steps: 0 };
  for (const { id: tenantId } of await deps.db.listTenants()) {
    for (let after: string | null = '00000000-0000-0000-0000-000000000000'; after !== null; ) {
      after = await deps.db.withTenant(tenantId, async (tx): Promise<string | null> => {
        const open = await tx
          .select()
          .from(enrollments)
          .where(and(isNull(enrollments.endedAt), gt(enrollments.id, after ?? '')))
          .orderBy(asc(enrollments.id))
          .limit(atOnce)
          .for('no key update');
        for (const enrollment of open) {
          const steps = await doubtOne(tx, deps, enrollment, lostAtMs);
          found.steps += steps;
          if (steps > 0) found.enrollments += 1;
        }
        return open.length < atOnce ? null : (open.at(-1)?.id ?? null);
      });
    }
  }
  return found;
}

async function doubtOne(tx: Tx, deps: Pick<Deps, 'versions'>, enrollment: typeof enrollments.$inferSelect, lostAtMs: number): Promise<number> {
  const { definition, version } = await deps.versions.load(tx, enrollment.versionId);
  const plan = compilePlan(definition, version, enrollment.timeScale);
  const ledger = await tx.select().from(messages).where(eq(messages.enrollmentId, enrollment.id));
  for (let steps = 0; ; steps += 1) {
    const progress = readProgress(enrollment, ledger);
    const step = nextStep(plan, progress);
    const readyMs = step === null ? Number.POSITIVE_INFINITY : readyAt(plan, progress, step.id);
    const row = ledger.find(({ stepId }) => stepId === step?.id);
    // A call that was under way at the time of the backup becomes `unknown` with its lease.
    if (step === null || readyMs > lostAtMs || row?.live === true) return steps;
    const doubt = {
      ...{ state: 'unknown' as const, inDoubt: true, doubtSince: readyMs, settledAt: readyMs, dueAt: readyMs },
      response: 'It was due when the database was lost, and the backup does not know what became of it.',
    };
    const [stored] = await tx
      .insert(messages)
      .values({
        ...{ tenantId: enrollment.tenantId, id: uuidv7(), enrollmentId: enrollment.id, stepId: step.id, contactId: enrollment.contactId },
        ...{ channel: step.channels[0] ?? null, ...doubt },
      })
      .onConflictDoUpdate({ target: [messages.tenantId, messages.enrollmentId, messages.stepId], set: doubt })
      .returning();
    if (stored === undefined) throw new Error('a message was not stored');
    const known = ledger.findIndex(({ id }) => id === stored.id);
    if (known === -1) ledger.push(stored);
    else ledger[known] = stored;
    if (enrollment.activatedAt !== null) continue;
    // Its first step was due: what happens from now on comes after its beginning.
    await tx.update(enrollments).set({ activatedAt: readyMs }).where(eq(enrollments.id, enrollment.id));
    enrollment.activatedAt = readyMs;
  }
}
