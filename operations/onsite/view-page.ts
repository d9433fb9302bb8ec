import { and, eq, isNull, sql } from 'drizzle-orm';
import { isLockFailure, type Tx } from '../../db/client.ts';
import { contactIdentities, contacts, enrollments, popups, subjects, tenants } from '../../db/schema/index.ts';
import { pushAddress, type PushSubscription } from '../../domain/people/push-subscription.ts';
import type { Deps } from '../deps.ts';
import { noteSubscription } from '../effects/rules/note-subscription.ts';
import { noteVisit } from '../effects/rules/note-visit.ts';
import { draftOf } from '../enroll-by-hand.ts';
import { MovedError } from '../intake/found.ts';
import { tellsTemporal, writesOf, writeWorld } from '../intake/writes.ts';
import { findCart, type NamedCart } from './find-cart.ts';
import { type TakenPopup, takePopup } from './take-popup.ts';

/** A sign of life is written once a minute at most: rules count in half hours. */
const noteEveryMs = 60_000;
const attempts = 3;

/** What a page view changes, as far as it can be seen without locks. */
interface Glimpse {
  subjectId: string;
  /** The visit is news. */
  isNews: boolean;
  /** A subscription that is not known, as an identity; null: it brings none. */
  brings: string | null;
  /** A pop-up may wait. */
  waits: boolean;
}

/** Of one subject: people have a few browsers, and whoever holds a token could bring any number. */
const mostSubscriptions = 5;

/** A page view, as the script tells it. */
export interface PageView extends NamedCart {
  /** The subscription of the browser, of a push service that the store sends to; null: it has none. */
  subscription: Omit<PushSubscription, 'subjectId'> | null;
}

/**
 * A page of the store was opened in a browser that names a cart: note the visit and the browser's subscription, and hand out the pop-up that waits for it.
 * A view of a page that names no cart, or one that it cannot prove, changes nothing and is answered alike.
 */
export async function viewPage(deps: Deps, tenantId: string, view: PageView): Promise<TakenPopup | null> {
  const seen = await deps.db.withTenant(tenantId, (tx) => glimpse(tx, deps, view));
  if (seen === null || !(seen.isNews || seen.waits)) return null;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      const { taken, outboxWritten } = await deps.db.withTenant(tenantId, (tx) => note(tx, deps, tenantId, seen));
      if (outboxWritten) deps.kickRelay();
      return taken;
    } catch (error) {
      if (!(error instanceof MovedError) && !isLockFailure(error)) throw error;
    }
  }
  // Somebody else holds the person; the next page view finds what waits.
  return null;
}

async function glimpse(tx: Tx, deps: Deps, view: PageView): Promise<Glimpse | null> {
  const subjectId = await findCart(tx, deps, view);
  if (subjectId === null) return null;
  const push = view.subscription === null ? null : pushAddress({ ...view.subscription, subjectId });
  const [row] = await tx
    .select({
      lastSeenMs: sql<number | null>`(select extract(epoch from p.last_seen_at)::float8 * 1000 from ${contacts} p where p.id = ${contacts.personId})`,
      timeScale: tenants.timeScale,
      isKnown: sql<boolean>`exists (select from ${contactIdentities} i join ${contacts} o on o.id = i.contact_id
        where i.kind = 'visitor' and i.value = ${subjectId} and o.person_id = ${contacts.personId})`,
      isSubscribed: sql<boolean>`exists (select from ${contactIdentities} i join ${contacts} o on o.id = i.contact_id
        where i.kind = 'push' and i.value = ${push} and o.person_id = ${contacts.personId})`,
    })
    .from(subjects)
    .innerJoin(contacts, eq(contacts.id, subjects.contactId))
    .innerJoin(tenants, eq(tenants.id, subjects.tenantId))
    .where(eq(subjects.id, subjectId));
  // A cart that was deleted before anybody owned it.
  if (row === undefined) return null;
  const waiting = await tx
    .select({ id: popups.enrollmentId })
    .from(popups)
    .innerJoin(enrollments, and(eq(enrollments.tenantId, popups.tenantId), eq(enrollments.id, popups.enrollmentId)))
    .where(and(eq(enrollments.subjectId, subjectId), isNull(enrollments.endedAt), isNull(popups.shownAt)))
    .limit(1);
  const sinceMs = deps.clock.nowMs() - (row.lastSeenMs ?? Number.NEGATIVE_INFINITY);
  const brings = push === null || row.isSubscribed ? null : push;
  const isNews = !row.isKnown || brings !== null || sinceMs >= noteEveryMs / (deps.timeScale ?? row.timeScale);
  return { subjectId, isNews, brings, waits: waiting.length > 0 };
}

async function note(
  tx: Tx,
  deps: Deps,
  tenantId: string,
  { subjectId, isNews, brings }: Glimpse,
): Promise<{ taken: TakenPopup | null; outboxWritten: boolean }> {
  const draft = await draftOf(tx, deps, { tenantId, subjectId });
  if (draft === null) return { taken: null, outboxWritten: false };
  if (isNews) noteVisit(draft, subjectId, deps.clock.nowMs());
  if (brings !== null) noteSubscription(draft, { subjectId, address: brings, most: mostSubscriptions }, deps.clock.nowMs());
  const writes = writesOf(draft);
  writeWorld(tx, writes);
  return { taken: await takePopup(tx, deps.versions, draft, subjectId), outboxWritten: tellsTemporal(writes) };
}
