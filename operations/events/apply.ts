import { eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { enrollmentEvents, tenants } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { type LiveClaim, readLiveClaims } from '../lease-watch.ts';
import { applyCartDeleted, applyCartUpdated } from './carts.ts';
import { applyContactUpdated, applyMessageReceived, applyOptedIn, applyOptedOut, applyPrivacyRequest, applyUninstalled } from './contact.ts';
import type { EventContext } from './context.ts';
import { openEnrollmentOf } from './enroll.ts';
import { findNamed, lockNamed, namedBy, subjectsByKey } from './identities.ts';
import { applyOrderCancelled, applyOrderPlaced } from './orders.ts';

/** Events after whose 2xx no covered provider call may start or still be open (design, section 7, stop side). */
export function isStop(event: DomainEvent): boolean {
  return event.type === 'order.placed' || event.type === 'message.received' || event.type === 'contact.opted_out';
}

/** What a transaction of events has written, for whoever answers the delivery. */
export interface Applied {
  coveredContactIds: string[];
  /** Calls that may be running and that the answer waits for; read under the locks, so that no new one can have begun. */
  liveClaims: LiveClaim[];
  /** The monotonic clock when the locks were held (`s0`). */
  lockedAtMs: number;
  outboxWritten: boolean;
}

/**
 * Write the effects of one delivery's events. Runs inside the inbox row's transaction: identities and persons are locked first, in the
 * order of design section 7, and the facts are read only then.
 * @throws MovedError when persons moved while their locks were awaited: the whole transaction is to be done again
 */
export async function applyEvents(
  tx: Tx,
  deps: Pick<Deps, 'sealing' | 'clock' | 'checkpoints' | 'timeScale'>,
  where: { tenantId: string; connectionId: string; inboxId: string },
  events: DomainEvent[],
): Promise<Applied> {
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, where.tenantId));
  if (tenant === undefined) throw new Error('the tenant does not exist');
  const settings = tenantSettings.parse(tenant.settings);
  const source = { tenantId: where.tenantId, connectionId: where.connectionId, country: settings.country };
  const named = events.map((event) => namedBy(source, event));
  const locked = await lockNamed(
    tx,
    source,
    named.flatMap((n) => n.identities),
    named.flatMap((n) => n.keys),
  );
  const lockedAtMs = deps.clock.monotonicMs();
  await deps.checkpoints('stop.locked');
  const ctx: EventContext = {
    tx,
    deps,
    source,
    tenant: { slug: tenant.slug, settings, timeScale: deps.timeScale ?? tenant.timeScale },
    inboxId: where.inboxId,
    lockedPersonIds: [...locked.personIds],
    covered: new Set(),
    outboxWritten: false,
    nowMs: deps.clock.nowMs(),
  };
  for (const [index, event] of events.entries()) {
    const own = named[index];
    // Several events in one delivery may name different people: each reaches its own.
    if (events.length > 1 && own !== undefined) ctx.lockedPersonIds = (await findNamed(tx, source, own.identities, own.keys)).personIds;
    await applyEvent(ctx, event);
  }
  const coveredContactIds = [...ctx.covered].sort();
  const liveClaims = await readLiveClaims(tx, coveredContactIds);
  return { coveredContactIds, liveClaims, lockedAtMs, outboxWritten: ctx.outboxWritten };
}

async function applyEvent(ctx: EventContext, event: DomainEvent): Promise<void> {
  switch (event.type) {
    case 'cart.updated':
      await applyCartUpdated(ctx, event);
      return tellStory(ctx, event);
    case 'cart.deleted':
      return applyCartDeleted(ctx, event);
    case 'order.placed':
      return applyOrderPlaced(ctx, event);
    case 'order.cancelled':
      return applyOrderCancelled(ctx, event);
    case 'contact.updated':
      return applyContactUpdated(ctx, event);
    case 'message.received':
      return applyMessageReceived(ctx, event);
    case 'contact.opted_out':
      return applyOptedOut(ctx, event);
    case 'contact.opted_in':
      return applyOptedIn(ctx, event);
    case 'privacy.requested':
      return applyPrivacyRequest(ctx, event);
    case 'app.uninstalled':
      return applyUninstalled(ctx);
  }
}

/** Activity on a cart belongs to the story of its sequence; it costs no workflow history. */
async function tellStory(ctx: EventContext, event: Extract<DomainEvent, { type: 'cart.updated' }>): Promise<void> {
  const [subject] = await subjectsByKey(ctx.tx, ctx.source, event.keys);
  if (subject === undefined) return;
  const [open] = await openEnrollmentOf(ctx, subject.id);
  if (open === undefined) return;
  await ctx.tx.insert(enrollmentEvents).values({
    tenantId: ctx.source.tenantId,
    id: uuidv7(),
    enrollmentId: open.id,
    type: 'cart.updated',
    inboxId: ctx.inboxId,
    data: { occurred_at_ms: event.occurredAtMs, value_minor: event.cart.totalMinor, currency: event.cart.currency, items: event.cart.items.length },
  });
}
