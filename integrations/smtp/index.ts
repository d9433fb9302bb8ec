import type { Integration } from '../port.ts';
import { smtpConnectionSchema } from './connection.ts';
import { createSmtpSender } from './send.ts';

/** Any server that takes emails by SMTP. */
export const smtp: Integration = {
  name: 'smtp',
  title: 'Email server (SMTP)',
  purpose: 'email',
  config: smtpConnectionSchema,
  sender(config) {
    const { url, dkim } = smtpConnectionSchema.parse(config);
    return createSmtpSender(url, { dkim: dkim ?? null });
  },
};
