import { v7 as uuidv7 } from 'uuid';
import { callUnawaited } from '../../db/client.ts';
import type { DomainEvent } from '../../domain/events.ts';
import type { ContactDetails } from '../../domain/people/fold-details.ts';
import type { KnownCart } from './cart-world.ts';
import type { EventContext } from './context.ts';
import type { Beginning } from './enroll.ts';
import type { Identity } from './identities.ts';

/** What was decided about one cart, to be written in one statement. What is null or empty is left as it stands. */
export interface CartWrites {
  /** The contact that owns the cart: one that is made now, with its identities, or one that is known. */
  owner: { id: string; details: ContactDetails; lifecycle: string; fresh: { identities: Identity[]; lastSeenAt: number } | null } | null;
  /** A sign of life of a known person. */
  seen: { personId: string; atMs: number } | null;
  consents: { contactId: string; channel: string; state: string; atMs: number }[];
  subject: KnownCart & { contactId: string };
  freshSubject: boolean;
  keys: Extract<DomainEvent, { type: 'cart.updated' }>['keys'];
  enrollments: Beginning[];
  /** The cart was emptied while a sequence ran about it. Ended by the caller, before this is written. */
  emptied: boolean;
  /** A line of the story of this enrollment, or of the one that begins; null: there is none to tell it to. */
  story: { enrollmentId: string | null; data: Record<string, unknown> } | null;
}

const iso = (ms: number) => new Date(ms).toISOString();

/** Write it all, unawaited. Notes in the context whether Temporal is to be told. */
export function writeCart(ctx: EventContext, w: CartWrites): void {
  const { tx, source } = ctx;
  const owner = w.owner === null ? null : ownerRow(w.owner);
  callUnawaited(tx, 'write_cart($1)', [
    JSON.stringify({
      inbox_id: ctx.inboxId,
      ...(owner === null ? {} : w.owner?.fresh == null ? { contact: owner } : { new_contact: owner }),
      ...some('identities', w.owner?.fresh?.identities.map((i) => ({ id: uuidv7(), ...i })) ?? []),
      ...(w.seen === null ? {} : { seen: { person_id: w.seen.personId, at: iso(w.seen.atMs) } }),
      ...some(
        'consents',
        w.consents.map((c) => ({
          id: uuidv7(),
          contact_id: c.contactId,
          channel: c.channel,
          state: c.state,
          source: `connection:${source.connectionId}`,
          occurred_at: iso(c.atMs),
        })),
      ),
      [w.freshSubject ? 'new_subject' : 'subject']: subjectRow(w.subject),
      ...some(
        'keys',
        w.keys.map((k) => ({ id: uuidv7(), subject_id: w.subject.id, connection_id: source.connectionId, kind: k.kind, value: k.value })),
      ),
      ...some('enrollments', w.enrollments),
      ...(w.story === null ? {} : { story: { id: uuidv7(), enrollment_id: w.story.enrollmentId, data: w.story.data } }),
    }),
  ]);
  if (w.enrollments.length > 0) ctx.outboxWritten = true;
}

const some = (name: string, rows: unknown[]) => (rows.length === 0 ? {} : { [name]: rows });

function ownerRow({ id, lifecycle, details: d, fresh }: NonNullable<CartWrites['owner']>) {
  return {
    id,
    lifecycle,
    first_name: d.firstName,
    last_name: d.lastName,
    locale: d.locale,
    time_zone: d.timeZone,
    country: d.country,
    region: d.region,
    order_count: d.orderCount,
    lifetime_value_minor: d.lifetimeValueMinor,
    details_at: d.detailsAt === null ? null : iso(d.detailsAt),
    ...(fresh === null ? {} : { last_seen_at: iso(fresh.lastSeenAt) }),
  };
}

function subjectRow(s: CartWrites['subject']) {
  return {
    id: s.id,
    contact_id: s.contactId,
    currency: s.currency,
    total_minor: s.totalMinor,
    items: s.items,
    restore_url: s.restoreUrl,
    started_at: iso(s.startedAt),
    last_activity_at: iso(s.lastActivityAt),
  };
}
