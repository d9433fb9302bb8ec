import type { DomainEvent } from '../../domain/events.ts';
import { appUninstalled } from './app-uninstalled.ts';
import { behaviourReported } from './behaviour-reported.ts';
import { callEnded } from './call-ended.ts';
import { cartDeleted } from './cart-deleted.ts';
import { cartUpdated } from './cart-updated.ts';
import { contactOptedIn } from './contact-opted-in.ts';
import { contactOptedOut } from './contact-opted-out.ts';
import { contactUpdated } from './contact-updated.ts';
import { conversionReported } from './conversion-reported.ts';
import type { Effect, EventOf } from './effect.ts';
import { factsReported } from './facts-reported.ts';
import { leadContacted } from './lead-contacted.ts';
import { leadCreated } from './lead-created.ts';
import { messageReceipt } from './message-receipt.ts';
import { messageReceived } from './message-received.ts';
import { orderPlaced } from './order-placed.ts';
import { orderCancelled, orderUpdated } from './order-updated.ts';
import { privacyRequested } from './privacy-requested.ts';
import { subjectReported } from './subject-reported.ts';
import { viewingReported } from './viewing-reported.ts';

type Effects = { readonly [T in DomainEvent['type']]: Effect<EventOf<T>> };

/**
 * What every event leads to. Which calls a 2xx waits for, which locks are taken, what is read and how it is applied all follow from this table; an
 * event without a line here does not compile.
 */
const effects: Effects = {
  'cart.updated': cartUpdated,
  'cart.deleted': cartDeleted,
  'lead.created': leadCreated,
  'lead.contacted': leadContacted,
  'viewing.reported': viewingReported,
  'subject.reported': subjectReported,
  'behaviour.reported': behaviourReported,
  'order.placed': orderPlaced,
  'order.updated': orderUpdated,
  'order.cancelled': orderCancelled,
  'contact.updated': contactUpdated,
  'contact.opted_out': contactOptedOut,
  'contact.opted_in': contactOptedIn,
  'call.ended': callEnded,
  'conversion.reported': conversionReported,
  'message.received': messageReceived,
  'message.delivered': messageReceipt,
  'message.failed': messageReceipt,
  'facts.reported': factsReported,
  'privacy.requested': privacyRequested,
  'app.uninstalled': appUninstalled,
};

export function effectOf<E extends DomainEvent>(event: E): Effect<E> {
  // The table's type ties each effect to its event; TypeScript cannot follow that through an index by a union.
  return effects[event.type] as unknown as Effect<E>;
}

/** Events after whose 2xx no covered provider call may start or still be open (guarantee G2). */
export const isStop = (event: DomainEvent): boolean => effectOf(event).stops === 'always';
