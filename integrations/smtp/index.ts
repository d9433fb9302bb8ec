import type { Integration } from '../port.ts';
import { smtpConnectionSchema } from './connection.ts';
import { createSmtpSender } from './send.ts';

/** Any server that takes emails by SMTP. */
export const smtp: Integration = {
  name: 'smtp',
  title: 'Email server (SMTP)',
  purpose: 'email',
  guide: {
    before: [
      'Your email provider shows the server, the name and the password: smtp://name:password@mail.example.com:587, or smtps:// with port 465. Characters such as @ in the password are written as %40.',
    ],
    after: [],
  },
  config: smtpConnectionSchema,
  sender(config) {
    const { url, dkim } = smtpConnectionSchema.parse(config);
    return createSmtpSender(url, { dkim: dkim ?? null });
  },
};
