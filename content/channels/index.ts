import { type Channel, channels, type MessagePayload, type PayloadOf } from '../../domain/channels/index.ts';
import type { ClaimName } from '../../domain/claims/index.ts';
import { claimsNamedIn } from '../claim-tag.ts';
import type { CopyFacts } from '../copy-facts.ts';
import type { ChannelContent } from './channel-content.ts';
import { emailContent } from './email/index.ts';
import { smsContent } from './sms/index.ts';

/** The channels whose messages leave through a provider: each needs a line in the registry. */
type MessageChannelName = { [C in Channel]: [PayloadOf<C>] extends [never] ? never : C }[Channel];

/** How the messages of each of them are made. A new one is a folder here and a line in this list. */
export const channelContents: { [C in MessageChannelName]: ChannelContent<C> } = { email: emailContent, sms: smsContent };

/** How messages of a channel are made; null: its steps have no text. */
export function channelContentOf(channel: Channel): ChannelContent | null {
  const known: Partial<Record<Channel, ChannelContent>> = channelContents;
  return known[channel] ?? null;
}

/** The name under which a version stores the text of a step on a channel, and the name of its file in the preset's folder. */
export function copyNameOf(content: string, channel: Channel): string {
  return `${content}${channelContentOf(channel)?.suffix ?? `.${channel}`}`;
}

/**
 * Whether a version has what a message on this channel is made of. Versions published before a channel existed have nothing for it; a channel
 * without texts of ours needs nothing.
 */
export function hasCopy(stored: Readonly<Record<string, unknown>>, content: string | null, channel: Channel): boolean {
  if (channelContentOf(channel) === null) return false;
  return !channels[channel].carriesCopy || (content !== null && Object.hasOwn(stored, copyNameOf(content, channel)));
}

/**
 * What the texts of that name claim, on any channel. Texts that were published before there were claims ask for the same facts by `if`.
 * @param stored - of a published version, which never changes
 */
export function claimsIn(stored: Readonly<Record<string, unknown>>, content: string | null): readonly ClaimName[] {
  if (content === null) return [];
  const known = claimsOf.get(stored) ?? new Map<string, readonly ClaimName[]>();
  claimsOf.set(stored, known);
  const found = known.get(content) ?? claimsNamedIn(Object.keys(channelContents).map((channel) => stored[copyNameOf(content, channel as Channel)]));
  known.set(content, found);
  return found;
}

const claimsOf = new WeakMap<object, Map<string, readonly ClaimName[]>>();

/**
 * Make the message of a step, complete and ready to be pinned.
 * @param to - the address; empty on a channel that needs none
 * @throws Error when the version has no text for it, which `hasCopy` tells beforehand
 */
export function composeMessage(
  stored: Readonly<Record<string, unknown>>,
  content: string | null,
  channel: Channel,
  facts: CopyFacts,
  to: string,
): MessagePayload {
  const made = channelContentOf(channel);
  if (made === null || !hasCopy(stored, content, channel)) throw new Error(`there is no text ${content} for ${channel}`);
  const text = content === null ? null : stored[copyNameOf(content, channel)];
  return made.compose(made.read(text), facts, to);
}
