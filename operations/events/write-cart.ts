import { v7 as uuidv7 } from 'uuid';
import { callUnawaited } from '../../db/client.ts';
import type { DecidedCart } from './cart-world.ts';
import type { EventContext } from './context.ts';
import type { Beginning } from './enroll.ts';
import type { ScopedKey } from './identities.ts';
import { iso } from './stored-rows.ts';
import { type End, endRows } from './write-ends.ts';
import { keyRows, type PeopleWrites, peopleRows, some } from './write-people.ts';

/** What was decided about one cart, to be written in one statement. What is null or empty is left as it stands. */
export interface CartWrites extends PeopleWrites {
  /** A sign of life of a known person whose row is not written anyway. */
  seen: { personId: string; atMs: number } | null;
  subject: DecidedCart;
  /** A subject that is made now; `previousId`: the bought one whose keys it takes over. */
  fresh: { previousId: string | null } | null;
  keys: ScopedKey[];
  /** Runs about older carts that give way to this one. */
  ends: End[];
  enrollments: Beginning[];
  /** The cart was emptied while a sequence ran about it. Ended by the caller, before this is written. */
  emptied: boolean;
  /** A line of the story of this enrollment, or of the one that begins; null: there is none to tell it to. */
  story: { enrollmentId: string | null; data: Record<string, unknown> } | null;
}

/** Write it all, unawaited. Notes in the context whether Temporal is to be told. */
export function writeCart(ctx: EventContext, w: CartWrites): void {
  callUnawaited(ctx.tx, 'write_cart_2($1)', [
    JSON.stringify({
      inbox_id: ctx.inboxId,
      ...peopleRows(ctx.source, w),
      ...(w.seen === null ? {} : { seen: { person_id: w.seen.personId, at: iso(w.seen.atMs) } }),
      [w.fresh === null ? 'subject' : 'new_subject']: { ...subjectRow(w.subject), previous_subject_id: w.fresh?.previousId ?? null },
      ...(w.fresh?.previousId == null ? {} : { moved_keys: keyRows(w.subject.id, w.keys) }),
      ...some('keys', keyRows(w.subject.id, w.keys)),
      ...some('ends', endRows(w.ends)),
      ...some('enrollments', w.enrollments),
      ...(w.story === null ? {} : { story: { id: uuidv7(), enrollment_id: w.story.enrollmentId, data: w.story.data } }),
    }),
  ]);
  if (w.enrollments.length > 0 || w.ends.length > 0) ctx.outboxWritten = true;
}

function subjectRow(s: DecidedCart) {
  return {
    id: s.id,
    contact_id: s.contactId,
    currency: s.currency,
    total_minor: s.totalMinor,
    items: s.items,
    restore_url: s.restoreUrl,
    email: s.email,
    email_at: s.emailAt === null ? null : iso(s.emailAt),
    phone: s.phone,
    phone_at: s.phoneAt === null ? null : iso(s.phoneAt),
    origin: s.origin,
    started_at: iso(s.startedAt),
    last_activity_at: iso(s.lastActivityAt),
  };
}
