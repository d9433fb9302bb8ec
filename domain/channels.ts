/** The ways a touch reaches a person. A new channel is one more entry here; `address` names the identity that it needs. */
export const channels = {
  email: { address: 'email', purpose: 'marketing' },
  sms: { address: 'phone', purpose: 'marketing' },
  call: { address: 'phone', purpose: 'marketing' },
  telegram: { address: 'telegram', purpose: 'marketing' },
  push: { address: 'push', purpose: 'marketing' },
  onsite: { address: 'visitor', purpose: 'marketing' },
  crm: { address: 'external', purpose: 'marketing' },
  task: { address: null, purpose: 'internal' },
  none: { address: null, purpose: 'internal' },
} as const;

export type Channel = keyof typeof channels;
export const channelNames = Object.keys(channels) as [Channel, ...Channel[]];
