import { call } from './call.ts';
import type { AddressKind, ChannelTraits, MessageChannel } from './channel.ts';
import { crm } from './crm.ts';
import { email } from './email.ts';
import { none } from './none.ts';
import { onsite } from './onsite.ts';
import { push } from './push.ts';
import { sms } from './sms.ts';
import { task } from './task.ts';
import { telegram } from './telegram.ts';
import { whatsapp } from './whatsapp.ts';

export { callConfiguration, readCallConfiguration } from './call.ts';
export type { CallConfiguration, CallPayload } from './call.ts';
export type { CrmPayload } from './crm.ts';
export type { EmailPayload } from './email.ts';
export type { OnsitePayload } from './onsite.ts';
export type { PushPayload } from './push.ts';
export type { SmsPayload } from './sms.ts';
export type { TaskPayload } from './task.ts';
export type { ChatButton, TelegramPayload } from './telegram.ts';
export { isInServiceWindow } from './whatsapp.ts';
export type { WhatsappForm, WhatsappPayload } from './whatsapp.ts';

/** The ways in which a sequence reaches a person. A new channel is a file here and a line in this list. */
export const channels = { email, sms, whatsapp, call, telegram, push, onsite, crm, task, none };

export type Channel = keyof typeof channels;
export const channelNames = Object.keys(channels) as [Channel, ...Channel[]];

/** What is handed to a provider on a channel; `never` where nothing is sent yet. */
export type PayloadOf<C extends Channel> = C extends Channel ? ((typeof channels)[C] extends MessageChannel<infer P> ? P : never) : never;

/** A message of any channel, as the ledger stores it. */
export type MessagePayload = PayloadOf<Channel>;

export function isChannel(name: string | null): name is Channel {
  return name !== null && Object.hasOwn(channels, name);
}

/**
 * The address that a message goes to, with the kind under which it is known and hashed.
 * @returns null: its channel needs no address, or is one of a later version of the product
 */
export function addressOf(payload: MessagePayload): { kind: AddressKind; value: string } | null {
  if (!isChannel(payload.channel)) return null;
  const channel: MessageChannel<MessagePayload> = channels[payload.channel];
  const value = channel.addressOf(payload);
  if (channel.address === null || value === null) return null;
  const isOther = channel.orAddress !== undefined && channel.address === 'email' && !value.includes('@');
  return { kind: isOther ? (channel.orAddress ?? channel.address) : channel.address, value };
}

/** The kinds of identity that messages of a channel may go to, in the order in which they are tried; none: it needs no address. */
export function addressKindsOf(name: Channel): readonly AddressKind[] {
  const { address, orAddress }: ChannelTraits = channels[name];
  let kinds = kindsOf.get(channels[name]);
  if (kinds === undefined) kindsOf.set(channels[name], (kinds = [address, orAddress].filter((kind) => kind != null)));
  return kinds;
}

// Asked for several times in each decision; a backtest makes millions of them.
const kindsOf = new Map<ChannelTraits, readonly AddressKind[]>();

/** The channel whose statements of consent decide about this one. */
export const consentChannelOf = (name: Channel): Channel => {
  const { consentOf }: ChannelTraits = channels[name];
  return consentOf ?? name;
};
