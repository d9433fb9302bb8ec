import { eq, sql } from 'drizzle-orm';
import { type Tx, unawaited } from '../../db/client.ts';
import { inbox } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import type { FieldNote } from '../../domain/field-note.ts';
import type { Deps } from '../deps.ts';
import { type LiveClaim, readLiveClaims } from '../lease-watch.ts';
import { applyCartDeleted, applyCartUpdated } from './carts.ts';
import { applyContactUpdated, applyMessageReceived, applyPrivacyRequest, applyUninstalled } from './contact.ts';
import type { EventContext } from './context.ts';
import { type EventSource, namedBy } from './identities.ts';
import { type Found, findNamed, lockNamed, type Names, noteCrowded } from './lock-named.ts';
import { applyOptedIn, applyOptedOut } from './opt-outs.ts';
import { applyOrderCancelled, applyOrderUpdated } from './order-updates.ts';
import { applyOrderPlaced } from './orders.ts';
import { isStop } from './stops.ts';
import type { World } from './world.ts';

/** What a transaction of events has written, for whoever answers the delivery. */
export interface Applied {
  coveredContactIds: string[];
  /** Calls that may be running and that the answer waits for; read under the locks, so that no new one can have begun. */
  liveClaims: LiveClaim[];
  /** The monotonic clock when the locks were held (`s0`). */
  lockedAtMs: number;
  outboxWritten: boolean;
}

/** What one delivery names, in all and event by event. */
export function namesOf(source: EventSource, events: DomainEvent[]): { all: Names; each: Names[] } {
  const each = events.map((event) => ({ ...namedBy(source, event), stops: isStop(event) }));
  const all = { identities: each.flatMap((n) => n.identities), keys: each.flatMap((n) => n.keys), stops: each.some((n) => n.stops) };
  return { all, each };
}

/**
 * Write the effects of one delivery's events. Runs inside the inbox row's transaction: identities and persons are locked first, in the
 * order of design section 7, and the facts are read only then.
 * @param opened - the locks and the world, where they came with the inbox row
 * @throws MovedError when persons moved while their locks were awaited: the whole transaction is to be done again
 */
export async function applyEvents(
  ctx: EventContext,
  deps: Pick<Deps, 'clock' | 'checkpoints'>,
  events: DomainEvent[],
  opened: { named: Found; world: World | null } | null,
): Promise<Applied> {
  const names = namesOf(ctx.source, events);
  const locked = opened?.named ?? (await lockNamed(ctx.tx, names.all));
  ctx.world = opened?.world ?? null;
  const lockedAtMs = deps.clock.monotonicMs();
  await deps.checkpoints('stop.locked');
  const notes: FieldNote[] = [];
  for (const [index, event] of events.entries()) {
    const own = names.each[index];
    // Several events in one delivery may name different people: each reaches its own.
    ctx.found = events.length > 1 && own !== undefined ? await findNamed(ctx.tx, own) : locked;
    notes.push(...noteCrowded(ctx.found.crowded));
    await applyEvent(ctx, event);
  }
  if (notes.length > 0 && ctx.inboxId !== null) addNotes(ctx.tx, ctx.inboxId, notes);
  const coveredContactIds = [...ctx.covered].sort();
  const liveClaims = ctx.claims ?? (await readLiveClaims(ctx.tx, coveredContactIds));
  return { coveredContactIds, liveClaims, lockedAtMs, outboxWritten: ctx.outboxWritten };
}

/** What was found out about an event's fields only when it was applied. */
function addNotes(tx: Tx, inboxId: string, notes: FieldNote[]): void {
  const fresh = sql`${inbox.notes} || ${JSON.stringify(notes)}::jsonb`;
  unawaited(tx, tx.update(inbox).set({ notes: fresh }).where(eq(inbox.id, inboxId)));
}

async function applyEvent(ctx: EventContext, event: DomainEvent): Promise<void> {
  switch (event.type) {
    case 'cart.updated':
      return applyCartUpdated(ctx, event);
    case 'cart.deleted':
      return applyCartDeleted(ctx, event);
    case 'order.placed':
      return applyOrderPlaced(ctx, event);
    case 'order.updated':
      return applyOrderUpdated(ctx, event);
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
    // Their effects follow; no receiver reports them yet.
    case 'lead.created':
    case 'lead.contacted':
    case 'subject.reported':
    case 'message.delivered':
    case 'message.failed':
      return;
  }
}
