import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { enrollmentEvents } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import type { Deps } from '../deps.ts';
import { type LiveClaim, readLiveClaims } from '../lease-watch.ts';
import { applyCartDeleted, applyCartUpdated } from './carts.ts';
import { applyContactUpdated, applyMessageReceived, applyPrivacyRequest, applyUninstalled } from './contact.ts';
import { type EventContext, startContext } from './context.ts';
import { openEnrollmentOf } from './enroll.ts';
import { namedBy, subjectsByKey } from './identities.ts';
import { findNamed, lockNamed } from './lock-named.ts';
import { applyOptedIn, applyOptedOut } from './opt-outs.ts';
import { applyOrderCancelled, applyOrderPlaced } from './orders.ts';
import { isStop } from './stops.ts';

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
  const ctx = await startContext(tx, deps, where);
  const names = events.map((event) => ({ ...namedBy(ctx.source, event), stops: isStop(event) }));
  const locked = await lockNamed(tx, ctx.source, {
    identities: names.flatMap((n) => n.identities),
    keys: names.flatMap((n) => n.keys),
    stops: names.some((n) => n.stops),
  });
  const lockedAtMs = deps.clock.monotonicMs();
  await deps.checkpoints('stop.locked');
  for (const [index, event] of events.entries()) {
    const own = names[index];
    // Several events in one delivery may name different people: each reaches its own.
    const found = events.length > 1 && own !== undefined ? await findNamed(tx, ctx.source, own) : locked;
    ctx.namedPersonIds = [...found.namedPersonIds];
    ctx.reachedPersonIds = [...found.reachedPersonIds];
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
