import type { Integration } from '../port.ts';
import { genericReceiver } from './receive.ts';
import { newStandardWebhookSecret } from './sign.ts';

/** A merchant's own systems. */
export const generic: Integration = { name: 'generic', newSecret: newStandardWebhookSecret, receiver: genericReceiver };
