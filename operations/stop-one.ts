import { eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { CommitUnclearError, isLockFailure, type Tx } from '../db/client.ts';
import { auditLog, contacts, enrollments, messages, tenants } from '../db/schema/index.ts';
import type { StopReason } from '../domain/sequence/plan.ts';
import { tenantSettings } from '../domain/tenant-settings.ts';
import { answerBudgetMs } from './accept-delivery.ts';
import type { Deps } from './deps.ts';
import { lockStep } from './dispatch/fence.ts';
import type { EventContext } from './events/context.ts';
import { optOutPersons } from './events/contact.ts';
import { MovedError } from './events/identities.ts';
import { coverPersons, stopEnrollments } from './events/stop-enrollments.ts';
import { readLiveClaims } from './lease-watch.ts';

/** `busy`: written or not, a covered call may still be open: the caller must come again. */
export type StopResult = 'stopped' | 'not_found' | 'busy';

/** A person stops a sequence by hand. The text is kept as a note: "purchased" typed here is not a recovery (rule 12). */
export function stopByHand(deps: Deps, input: { tenantId: string; enrollmentId: string; note: string; actor: string; reason?: StopReason }): Promise<StopResult> {
  return stopAndWait(deps, input.tenantId, async (tx) => {
    const locked = await lockStep(tx, input.enrollmentId, '');
    if (locked === null) return null;
    const ctx = await contextOf(tx, deps, input.tenantId, [locked.personId]);
    await coverPersons(ctx, [locked.personId]);
    await stopEnrollments(ctx, [input.enrollmentId], input.reason ?? 'manual', input.note);
    await tx.insert(auditLog).values({
      tenantId: input.tenantId,
      id: uuidv7(),
      actor: input.actor,
      action: 'enrollment.stop',
      subject: input.enrollmentId,
      data: { already_ended: locked.enrollment.endedAt !== null },
    });
    return ctx;
  });
}

/**
 * One-click unsubscribe: takes effect like any stop, on the whole person (rules 10 and 13). Repeating it changes nothing and waits likewise.
 * @param messageId - from the signed token in the mail
 */
export function unsubscribe(deps: Deps, input: { tenantId: string; messageId: string }): Promise<StopResult> {
  return stopAndWait(deps, input.tenantId, async (tx) => {
    const personId = await personOfMessage(tx, input.messageId);
    if (personId === null) return null;
    await tx.select({ id: contacts.id }).from(contacts).where(eq(contacts.id, personId)).for('no key update');
    if ((await personOfMessage(tx, input.messageId)) !== personId) throw new MovedError();
    const ctx = await contextOf(tx, deps, input.tenantId, [personId]);
    await optOutPersons(ctx, [personId], { channel: 'email', final: false, source: 'unsubscribe', occurredAtMs: ctx.nowMs });
    return ctx;
  });
}

async function personOfMessage(tx: Tx, messageId: string): Promise<string | null> {
  const [row] = await tx
    .select({ personId: contacts.personId })
    .from(messages)
    .innerJoin(enrollments, eq(enrollments.id, messages.enrollmentId))
    .innerJoin(contacts, eq(contacts.id, enrollments.contactId))
    .where(eq(messages.id, messageId));
  return row?.personId ?? null;
}

async function contextOf(tx: Tx, deps: Deps, tenantId: string, lockedPersonIds: string[]): Promise<EventContext> {
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
  if (tenant === undefined) throw new Error('the tenant does not exist');
  const settings = tenantSettings.parse(tenant.settings);
  return {
    tx,
    deps,
    source: { tenantId, connectionId: '', country: settings.country },
    tenant: { slug: tenant.slug, settings, timeScale: tenant.timeScale },
    inboxId: null,
    lockedPersonIds,
    covered: new Set(),
    outboxWritten: false,
    nowMs: deps.clock.nowMs(),
  };
}

/** The stop side of the fence for stops that come without a webhook: write, give the connection back, wait for covered calls. */
async function stopAndWait(deps: Deps, tenantId: string, write: (tx: Tx) => Promise<EventContext | null>): Promise<StopResult> {
  const startedMs = deps.clock.monotonicMs();
  const budgetLeft = () => answerBudgetMs - (deps.clock.monotonicMs() - startedMs);
  while (budgetLeft() > 0) {
    try {
      const written = await deps.db.withTenant(tenantId, async (tx) => {
        const ctx = await write(tx);
        if (ctx === null) return null;
        const lockedAtMs = deps.clock.monotonicMs();
        await deps.checkpoints('stop.locked');
        const claims = await readLiveClaims(tx, [...ctx.covered]);
        await deps.checkpoints('stop.before_commit');
        return { claims, lockedAtMs, outboxWritten: ctx.outboxWritten };
      });
      if (written === null) return 'not_found';
      if (written.outboxWritten) deps.kickRelay();
      await deps.checkpoints('stop.committed');
      const waitFromMs = deps.clock.monotonicMs();
      const waited = await deps.leases.wait(tenantId, written.claims, written.lockedAtMs, budgetLeft() + (waitFromMs - written.lockedAtMs));
      deps.telemetry.leaseWait(waited, deps.clock.monotonicMs() - waitFromMs);
      return waited === 'budget_spent' ? 'busy' : 'stopped';
    } catch (error) {
      // Doing it again changes nothing that was done.
      if (!(error instanceof MovedError) && !(error instanceof CommitUnclearError) && !isLockFailure(error)) throw error;
    }
  }
  return 'busy';
}
