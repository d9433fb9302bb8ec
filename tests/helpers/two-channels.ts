import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import type { Shop } from './shop.ts';

const email = '---\nsubject: Your cart\npreheader: It waits\nheading: Your cart\ncta: Back to it\n---\nHello.\n\n[cart]\n';
const sms = '{{ store.name }}: your cart is waiting: {{ cart.url }} {{ optOut }}';

export interface NudgeGiven {
  /** In order of preference. Default: a text message, else an email. */
  channels?: string;
  maxRetries?: number;
  onFailure?: 'skip' | 'next-channel' | 'end';
  /** A second step, a day later. */
  more?: string;
}

/** Replace the shop's sequence by one step that may go out on two channels, two hours after the cart was left. */
export async function publishNudge(
  shop: Shop,
  { channels = '[sms, email]', maxRetries = 3, onFailure = 'skip', more = '' }: NudgeGiven = {},
): Promise<void> {
  const yaml = `
sequence: cart
name: Cart recovery
on: cart.abandoned
quietFor: 1h
maxAge: 7d
steps:
  - { id: nudge, at: 2h, channel: ${channels}, content: cart/nudge, maxRetries: ${maxRetries}, onFailure: ${onFailure} }
${more}`;
  const copy = { 'cart/nudge': { file: 'nudge.liquid', text: email }, 'cart/nudge.sms': { file: 'nudge.sms.liquid', text: sms } };
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'cart.yaml', yaml, copy }));
}
