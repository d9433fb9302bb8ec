import { v7 as uuidv7 } from 'uuid';
import { callUnawaited } from '../../db/client.ts';
import type { NoRevenue, ProductRef } from '../../domain/events.ts';
import type { EventContext } from './context.ts';
import type { ScopedKey } from './identities.ts';
import { iso } from './stored-rows.ts';
import { type End, endRows } from './write-ends.ts';
import { keyRows, type PeopleWrites, peopleRows, some } from './write-people.ts';

/** What was decided about one purchase, to be written in one statement. */
export interface OrderWrites extends PeopleWrites {
  atMs: number;
  /** Persons whose last order this may be, besides a contact that is written anyway. */
  buyers: string[];
  /** The subject that waits for the order's cart; null: the cart is known, or the order names none. */
  cartToCome: { id: string; contactId: string | null } | null;
  keys: ScopedKey[];
  /** Subjects that are converted for good. */
  bought: string[];
  /** Enrollments that end. */
  ends: End[];
  /** What was bought, as the order names it. */
  products: ProductRef[];
  order: {
    externalId: string;
    currency: string | null;
    totalMinor: number | null;
    /** Why it is no revenue; null: it counts. */
    noRevenue: NoRevenue | null;
    contactId: string | null;
    subjectId: string | null;
    /** The recovery that it is credited to. */
    enrollmentId: string | null;
  };
  /** Contacts whose running calls the answer waits for. */
  covered: string[];
}

/** Write it all, unawaited. Notes in the context whom it covers and whether Temporal is to be told. */
export function writeOrder(ctx: EventContext, w: OrderWrites): void {
  const { connectionId } = ctx.source;
  callUnawaited(ctx.tx, 'write_order_2($1)', [
    JSON.stringify({
      inbox_id: ctx.inboxId,
      at: iso(w.atMs),
      ...peopleRows(ctx.source, w),
      ...some('buyers', w.buyers),
      ...(w.cartToCome === null
        ? {}
        : { new_subject: { id: w.cartToCome.id, contact_id: w.cartToCome.contactId }, keys: keyRows(w.cartToCome.id, w.keys) }),
      ...some('bought', w.bought),
      ...some('products', w.products),
      ...some('ends', endRows(w.ends)),
      order: {
        id: uuidv7(),
        event_id: uuidv7(),
        connection_id: connectionId,
        order_id: w.order.externalId,
        contact_id: w.order.contactId,
        subject_id: w.order.subjectId,
        enrollment_id: w.order.enrollmentId,
        currency: w.order.currency,
        value_minor: w.order.totalMinor,
        no_revenue: w.order.noRevenue,
      },
    }),
  ]);
  for (const id of w.covered) ctx.covered.add(id);
  if (w.ends.length > 0) ctx.outboxWritten = true;
}
