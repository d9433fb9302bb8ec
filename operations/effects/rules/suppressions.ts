import { type Channel, channelNames, channels } from '../../../domain/channels/index.ts';
import type { ReportedConsent } from '../../../domain/events.ts';
import { type Identity, isStrong } from '../../../domain/people/choose-contact.ts';
import { deniesEverything } from '../../../domain/people/consent.ts';
import type { Draft } from '../../intake/draft.ts';
import type { KnownSuppression } from '../../intake/world.ts';

/** Hashes of the identities that mean one person. Not of numbers: an opt-out of a number closes the number, not everybody who shares it. */
function personalHashes(draft: Draft, identities: readonly Identity[]): string[] {
  return identities.filter(isStrong).map((i) => draft.context.addressHash(i));
}

/** Whether all marketing to one of these identities is closed. */
function isClosed(draft: Draft, identities: readonly Identity[]): boolean {
  const everywhere = draft.suppressions().filter((s) => s.channel === 'all');
  // Most people have closed nothing, and hashing costs more than asking.
  if (everywhere.length === 0) return false;
  const hashes = personalHashes(draft, identities);
  return everywhere.some((s) => hashes.includes(s.addressHash));
}

/**
 * Whether all marketing to the person is blocked: to any of their addresses or ids, or by their own opt-out. Providers' ids count: an opt-out
 * of somebody known by such an id alone holds for the addresses that become known later.
 */
export function isClosedEverywhere(draft: Draft, personId: string): boolean {
  if (isClosed(draft, draft.identitiesOf([personId]))) return true;
  return deniesEverything(draft.consentsOf(draft.contactsOf([personId]).map((c) => c.id)));
}

export interface Suppression {
  /** A channel, or `all`. */
  channel: Channel | 'all';
  reason: 'opted_out' | 'complaint';
  basis: 'person' | 'record';
  /** When it was last stated, by the provider's clock: an older opt-in lifts nothing, whenever it arrives. */
  sinceMs: number;
}

const numberChannels = channelNames.filter((name) => channels[name].address === 'phone');

/** What an opt-out closes of one identity. A number is closed for texts and calls, whoever else has it, and for nothing else. */
function closedOf(identity: Identity, channel: Suppression['channel']): string[] {
  if (isStrong(identity)) return [channel];
  if (channel === 'all' || channel === 'sms') return numberChannels;
  return numberChannels.filter((name) => name === channel);
}

/** Block marketing to these identities. Each reason has a row of its own: a complaint stays when an opt-out beside it is lifted. */
export function suppress(draft: Draft, identities: readonly Identity[], suppression: Suppression): void {
  for (const identity of identities) {
    const addressHash = draft.context.addressHash(identity);
    for (const channel of closedOf(identity, suppression.channel)) suppressHash(draft, { ...suppression, addressHash, channel });
  }
}

function suppressHash(draft: Draft, said: Omit<KnownSuppression, 'id'>): void {
  const inForce = draft.suppressions().filter((s) => s.addressHash === said.addressHash && s.channel === said.channel && s.reason === said.reason);
  for (const s of inForce) {
    // The person's own statement keeps its basis when the shop's record repeats it.
    const basis = said.basis === 'person' ? 'person' : (s.basis ?? 'person');
    draft.changeSuppression(s.id, { sinceMs: Math.max(s.sinceMs, said.sinceMs), basis });
  }
  if (inForce.length === 0) draft.addSuppression(said);
}

const marketingChannels = channelNames.filter((name) => channels[name].purpose === 'marketing');

export interface OptIn {
  channel: string;
  /** By the provider's clock. */
  saidAtMs: number;
  /** `record`: the shop's record, which takes back only what the shop's record had said. */
  basis: 'person' | 'record';
}

/** Reopen a channel on the person's own opt-in. Bounces and complaints stay, and so does an opt-out that was said later (rule 13). */
export function liftOptOuts(draft: Draft, identities: readonly Identity[], { channel, saidAtMs, basis }: OptIn): void {
  const hashes = identities.map((i) => draft.context.addressHash(i));
  const numbers = identities.filter((i) => !isStrong(i)).map((i) => draft.context.addressHash(i));
  const opens = (s: KnownSuppression) =>
    (hashes.includes(s.addressHash) && (s.channel === channel || s.channel === 'all')) ||
    // START opens what STOP has closed: texts to the number, and calls.
    (channel === 'sms' && numbers.includes(s.addressHash) && numberChannels.some((name) => name === s.channel));
  const lifted = draft
    .suppressions()
    .filter((s) => s.reason === 'opted_out' && s.sinceMs <= saidAtMs && (basis === 'person' || s.basis === 'record') && opens(s));
  for (const s of lifted) draft.liftSuppression(s.id);
  // An opt-in on one channel opens that channel, not the others that "all" had closed.
  for (const wide of lifted.filter((s) => s.channel === 'all')) {
    for (const other of marketingChannels.filter((name) => name !== channel)) {
      suppressHash(draft, {
        addressHash: wide.addressHash,
        channel: other,
        reason: 'opted_out',
        basis: wide.basis ?? 'person',
        sinceMs: wide.sinceMs,
      });
    }
  }
}

/**
 * Open what a switch of the CRM had closed. What the person said themselves stays, and so does what a statement of the shop's record has closed.
 * @param channel - null: all of them. One channel opens itself, and not what is closed for all.
 */
export function liftSwitched(
  draft: Draft,
  identities: readonly Identity[],
  { channel, saidAtMs }: { channel: Channel | null; saidAtMs: number },
): void {
  const hashes = identities.map((i) => draft.context.addressHash(i));
  for (const s of draft.suppressions()) {
    if (s.reason !== 'opted_out' || s.basis !== 'record' || s.sinceMs > saidAtMs || !hashes.includes(s.addressHash)) continue;
    if (channel === null || s.channel === channel) draft.liftSuppression(s.id);
  }
}

/** The shop's record says yes, later than its no: that no is lifted. */
export function liftByRecord(draft: Draft, personId: string, stated: readonly ReportedConsent[]): void {
  for (const { channel, atMs } of stated.filter((t) => t.basis === 'record' && t.state === 'granted')) {
    if (atMs !== null) liftOptOuts(draft, draft.identitiesOf([personId]), { channel, saidAtMs: atMs, basis: 'record' });
  }
}
