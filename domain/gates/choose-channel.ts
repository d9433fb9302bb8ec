import type { Channel } from '../channels/index.ts';
import { channels } from '../channels/index.ts';
import { consentAllows } from '../people/consent.ts';
import type { SkipReason } from '../sequence/plan.ts';
import type { ChannelFacts, Facts } from './facts.ts';

/** Why a channel is impossible for this message. Time is never among the reasons (rule 7). */
export type Impossible = Extract<SkipReason, 'not_connected' | 'no_address' | 'suppressed' | 'no_consent' | 'refused' | 'silent'>;

export type ChannelChoice =
  | { kind: 'chosen'; channel: Channel; passedOver: { channel: Channel; reason: Impossible }[] }
  | { kind: 'impossible'; passedOver: { channel: Channel; reason: Impossible }[] };

/**
 * The first channel of the step's list that can be used at all.
 * Source: docs/rules.md#rule-7, docs/rules.md#rule-14
 */
export function chooseChannel(facts: { step: Pick<Facts['step'], 'channels'> } & Pick<Facts, 'channels'>): ChannelChoice {
  const passedOver: { channel: Channel; reason: Impossible }[] = [];
  for (const channel of facts.step.channels) {
    const reason = impossibility(channel, facts.channels[channel]);
    if (reason === null) return { kind: 'chosen', channel, passedOver };
    passedOver.push({ channel, reason });
  }
  return { kind: 'impossible', passedOver };
}

function impossibility(channel: Channel, known: ChannelFacts | undefined): Impossible | null {
  if (channel === 'none') return 'silent';
  if (known === undefined || !known.connected) return 'not_connected';
  if (known.refused) return 'refused';
  if (channels[channel].address === null) return null;
  if (!known.hasAddress) return 'no_address';
  if (known.suppressed) return 'suppressed';
  return consentAllows(known.consent, known.requiresConsent) ? null : 'no_consent';
}
