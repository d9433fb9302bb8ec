import type { Integration } from '../port.ts';
import { resendConfig } from './config.ts';
import { resendReceiver } from './receive.ts';
import { createResendSender } from './send.ts';
import { unusableStandardSecret } from '../standard-webhooks.ts';

/** Emails by Resend. The secret of its webhooks is made there, and is entered. */
export const resend: Integration = {
  name: 'resend',
  title: 'Resend',
  purpose: 'email',
  guide: {
    before: [
      'In Resend, under API Keys, make a key that may send.',
      'Leave the secret empty for now: Resend shows it once its webhook has the address.',
    ],
    secret: 'Resend shows it once the webhook is made: whsec_…',
    after: [
      'In Resend, under Webhooks, add the address for each of: email.delivered, email.bounced, email.suppressed, email.failed, email.complained.',
      'Enter the signing secret that it shows then by “New secret” of this connection.',
      'Switch Resend’s own tracking of opens and clicks off: Rekindle counts both.',
    ],
  },
  config: resendConfig,
  receiver: resendReceiver,
  unusableSecret: unusableStandardSecret,
  sender: (config) => createResendSender(resendConfig.parse(config)),
};
