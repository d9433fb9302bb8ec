import type { EmailPayload } from '../../integrations/port.ts';

/** A recovery email as the ledger pins it. */
export function aMail(changes: Partial<EmailPayload> = {}): EmailPayload {
  return {
    channel: 'email',
    messageId: '<0192f0c1.email_2h@mail.example.com>',
    from: { name: 'Tea & Tin', address: 'hello@shop.example.com' },
    replyTo: null,
    to: { name: 'Ada Example', address: 'ada@example.com' },
    subject: 'Your cart is waiting',
    html: '<p>Your tea is <b>waiting</b>.</p>',
    text: 'Your tea is waiting.',
    unsubscribeUrl: 'https://shop.example.com/u/token',
    dateMs: Date.UTC(2026, 10, 20, 9, 30),
    ...changes,
  };
}
