/**
 * The ways a touch reaches a person. A new channel is one more entry here.
 * `address` names the identity that it needs. `disturbs`: it reaches people wherever they are, so quiet hours, the wait for a
 * shopper who is active, and the gap between sends apply to it; a pop-up on the page or a task for a colleague disturbs nobody.
 */
export const channels = {
  email: { address: 'email', purpose: 'marketing', disturbs: true },
  sms: { address: 'phone', purpose: 'marketing', disturbs: true },
  call: { address: 'phone', purpose: 'marketing', disturbs: true },
  telegram: { address: 'telegram', purpose: 'marketing', disturbs: true },
  push: { address: 'push', purpose: 'marketing', disturbs: true },
  onsite: { address: 'visitor', purpose: 'marketing', disturbs: false },
  crm: { address: 'external', purpose: 'marketing', disturbs: true },
  task: { address: null, purpose: 'internal', disturbs: false },
  none: { address: null, purpose: 'internal', disturbs: false },
} as const;

export type Channel = keyof typeof channels;
export const channelNames = Object.keys(channels) as [Channel, ...Channel[]];
