import { domainToASCII } from 'node:url';
import { renderEmail } from '../../content/render-email.ts';
import type { CompiledEmail } from '../../domain/compiled-email.ts';
import type { EmailPayload } from '../../domain/channels/index.ts';
import type { LinkTokens } from '../link-tokens.ts';
import type { EnrollmentRow } from './progress.ts';
import type { Reading } from './facts.ts';

export interface ComposeInput {
  compiled: CompiledEmail;
  reading: Reading;
  enrollment: EnrollmentRow;
  stepId: string;
  messageId: string;
  to: string;
  links: LinkTokens;
  publicUrl: string;
  nowMs: number;
}

/** The mail of a step, complete and ready to be pinned: no fact is read after this. */
export function composeEmail({ compiled, reading, enrollment, stepId, messageId, to, links, publicUrl, nowMs }: ComposeInput): EmailPayload {
  const { settings, subject, person, facts } = reading;
  const link = (purpose: 'unsubscribe' | 'open' | 'click') => links.sign({ purpose, tenantId: enrollment.tenantId, messageId });
  const unsubscribeUrl = `${publicUrl}/u/${link('unsubscribe')}`;
  const rendered = renderEmail(compiled, {
    store: {
      name: settings.storeName,
      url: settings.storeUrl,
      logoUrl: settings.logoUrl,
      postalAddress: settings.postalAddress,
      supportEmail: settings.supportEmail,
      brandColor: settings.brandColor,
      locale: settings.locale,
      shippingNote: settings.shippingNote,
      returnsNote: settings.returnsNote,
      lowStockThreshold: settings.lowStockAt,
    },
    contact: { firstName: person.firstName, locale: person.locale },
    cart: {
      items: subject.items,
      totalMinor: subject.totalMinor,
      currency: subject.currency,
      restoreUrl: subject.restoreUrl === null ? null : `${publicUrl}/c/${link('click')}`,
    },
    segment: facts.subject.segment,
    modifiers: facts.subject.modifiers,
    reviews: null,
    offer: null,
    unsubscribeUrl,
    openPixelUrl: settings.trackOpens ? `${publicUrl}/o/${link('open')}` : null,
    synthetic: reading.synthetic,
  });
  const domain = domainToASCII(settings.senderAddress.slice(settings.senderAddress.lastIndexOf('@') + 1)) || 'localhost';
  const name = [person.firstName, person.lastName].filter((part) => part !== null).join(' ');
  return {
    channel: 'email',
    // From the send key alone: every copy of this message, should there ever be one, carries the same id.
    messageId: `<${enrollment.id}.${stepId}@${domain}>`,
    from: { name: settings.senderName, address: settings.senderAddress },
    replyTo: settings.replyTo,
    to: { name: name === '' ? null : name, address: to },
    ...rendered,
    unsubscribeUrl,
    dateMs: nowMs,
  };
}
