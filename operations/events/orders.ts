import { v7 as uuidv7 } from 'uuid';
import { callFunction } from '../../db/client.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { chooseContact } from '../../domain/people/choose-contact.ts';
import type { EventContext } from './context.ts';
import { decideOrder } from './decide-order.ts';
import { identitiesOf, keysOf, namedBy } from './identities.ts';
import { findNamed, usableOf } from './lock-named.ts';
import { type OrderWorld, parseOrderWorld, type StoredOrderWorld } from './order-world.ts';
import { resolveContact } from './persons.ts';
import { writeOrder } from './write-order.ts';

type OrderPlaced = Extract<DomainEvent, { type: 'order.placed' }>;

/**
 * A purchase. Persons whom it makes one, and an address that it tells, are settled first, statement by statement; what is left is the
 * same for every order: one look at the world, one decision, one write.
 */
export async function applyOrderPlaced(ctx: EventContext, event: OrderPlaced): Promise<void> {
  const identities = usableOf(ctx.found, identitiesOf(ctx.source, event.person));
  let world = ctx.world?.kind === 'order' ? ctx.world : await readWorld(ctx, event);
  let chosen = chooseContact(identities, world.identities);
  const settled = chosen === null || (chosen.together.length === 1 && chosen.missing.length === 0);
  if (!settled) {
    await resolveContact(ctx, identities);
    ctx.found = await findNamed(ctx.tx, { ...namedBy(ctx.source, event), stops: true });
    world = await readWorld(ctx, event);
    chosen = chooseContact(identities, world.identities);
  }
  const keys = keysOf(ctx.source, event.keys);
  const writes = decideOrder(event, { identities, keys, found: ctx.found, world, chosen, deliveryId: ctx.inboxId ?? uuidv7() });
  // Whom it covers is what was read: nobody has joined them since.
  if (settled && ctx.world !== null) ctx.claims = world.claims.filter((claim) => writes.covered.includes(claim.contact_id));
  writeOrder(ctx, writes);
}

/** Read the world anew: the event before this one, in the same delivery, or a merge may have changed it. */
async function readWorld({ tx, source, found }: EventContext, { order }: OrderPlaced): Promise<OrderWorld> {
  const values = [found.reached, found.near, found.subjects, source.connectionId, order.externalId];
  return parseOrderWorld(await callFunction<StoredOrderWorld>(tx, 'read_order_2($1, $2, $3, $4, $5)', values));
}
