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
  config: resendConfig,
  receiver: resendReceiver,
  unusableSecret: unusableStandardSecret,
  sender: (config) => createResendSender(resendConfig.parse(config)),
};
