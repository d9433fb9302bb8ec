import type { Channel } from '../channels/index.ts';
import { channels } from '../channels/index.ts';
import { consentAllows } from '../people/consent.ts';
import type { EpochMs, SkipReason } from '../sequence/plan.ts';
import { legalConsent } from './consent-law.ts';
import type { ChannelFacts, Facts } from './facts.ts';

/** Why a channel is impossible for this message. Time is never among the reasons (rule 7). */
export type Impossible = Extract<
  SkipReason,
  'not_connected' | 'no_address' | 'suppressed' | 'no_consent' | 'consent_required' | 'consent_expired' | 'refused' | 'silent'
>;

export type ChannelChoice =
  | { kind: 'chosen'; channel: Channel; passedOver: { channel: Channel; reason: Impossible }[] }
  | { kind: 'impossible'; passedOver: { channel: Channel; reason: Impossible }[] };

/** Whom the law is asked about, and when. */
type Legally = { facts: Pick<Facts, 'person' | 'settings' | 'subject'>; nowMs: EpochMs } | null;

/** What of a step its channel depends on. */
type StepChannels = Pick<Facts['step'], 'channels' | 'refusals' | 'maxRetries' | 'onFailure'>;

/**
 * The first channel of the step's list that can be used at all.
 * @param legally - about whom the law is asked, and when; left out where the clock is not known: then it is not asked
 * Source: docs/rules.md, rules 7, 8, 14 and 31
 */
export function chooseChannel(facts: { step: StepChannels; channels: Facts['channels'] }, legally: Legally = null): ChannelChoice {
  const passedOver: { channel: Channel; reason: Impossible }[] = [];
  let index = 0;
  for (const channel of facts.step.channels) {
    const reason = impossibility(channel, facts.channels[channel], legally) ?? (isGivenUp(facts.step, index) ? 'refused' : null);
    index += 1;
    if (reason === null) return { kind: 'chosen', channel, passedOver };
    passedOver.push({ channel, reason });
  }
  return { kind: 'impossible', passedOver };
}

/**
 * Where the step goes on with its next channel: its provider has refused the message too often, or a later one was tried since. The ledger
 * counts for the latest channel only.
 */
function isGivenUp({ channels: list, refusals, maxRetries, onFailure }: StepChannels, index: number): boolean {
  if (onFailure !== 'next-channel') return false;
  return list.some((channel, at) => at >= index && refusals[channel] !== undefined && (at > index || refusals[channel] > maxRetries));
}

function impossibility(channel: Channel, known: ChannelFacts | undefined, legally: Legally): Impossible | null {
  if (channel === 'none') return 'silent';
  if (known === undefined || !known.connected) return 'not_connected';
  if (known.refused) return 'refused';
  if (channels[channel].address === null) return null;
  if (!known.hasAddress) return 'no_address';
  if (known.suppressed) return 'suppressed';
  if (!consentAllows(known.consent, known.requiresConsent)) return 'no_consent';
  const legal = legally === null ? null : legalConsent(legally.facts, channel, known, legally.nowMs);
  return legal === null || legal.allowed ? null : legal.reason;
}
