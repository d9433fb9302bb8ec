import { renderPlainEmail } from '../../../content/notifications/email.ts';
import { linkDays } from '../../../domain/notifications/links.ts';
import { normaliseEmail } from '../../../domain/people/identity.ts';
import { bySender } from './by-sender.ts';
import { actionLabels } from './labels.ts';
import type { NotificationOutlet } from './outlet.ts';

/** By the store's own sender, with a button for each action. */
export const email: NotificationOutlet = {
  readAddress(text) {
    const address = normaliseEmail(text);
    return address === null ? { fault: 'is no email address' } : { address };
  },
  show: (address) => address,
  isRepeatable: false,
  isSigned: false,
  missing: 'The store has no account for emails: connect one, or set SMTP_URL for the installation.',
  way: ({ address }, context) =>
    bySender(context, 'email', ({ id, subject, body, links, atMs }) => {
      const { storeName, brandColor, senderName, senderAddress, replyTo } = context.settings;
      const line = subject ?? 'A task for you';
      const buttons = actionLabels.map(([action, label]) => ({ label, url: links[action] }));
      const footer = `Each button works once, within ${linkDays} days, and asks before anything happens. You get this because a task of ${storeName} is yours.`;
      return {
        channel: 'email',
        messageId: `<notification.${id}@${new URL(context.publicUrl).hostname}>`,
        from: { name: senderName, address: senderAddress },
        replyTo,
        to: { name: null, address },
        subject: line,
        ...renderPlainEmail({ subject: line, body, buttons, footer, storeName, color: brandColor }),
        unsubscribeUrl: null,
        dateMs: atMs,
      };
    }),
};
