import { type Channel, channels } from '../channels/index.ts';
import type { ChannelTraits } from '../channels/channel.ts';
import { consentLawVersion, type SoftGround } from '../law/consent-law.ts';
import { consentByLaw, type LegalConsent, type SoftEvidence } from '../people/consent-by-law.ts';
import type { EpochMs } from '../sequence/plan.ts';
import type { ChannelFacts, Facts } from './facts.ts';
import type { GateCheck } from './verdict.ts';
import { latestOf } from './latest.ts';

type Asked = Pick<Facts, 'person' | 'settings' | 'subject'>;

/**
 * What the law where the person is says about writing to them on a channel.
 * @returns null: no law is known there, or the store sees to it itself
 * Source: docs/rules.md#rule-31
 */
export function legalConsent({ person, settings, subject }: Asked, channel: Channel, known: ChannelFacts, nowMs: EpochMs): LegalConsent | null {
  const { consentClass }: ChannelTraits = channels[channel];
  const { consentLaw: reading } = settings;
  if (consentClass === undefined || reading === 'off') return null;
  const { countries, place } = person.zones;
  // The hot path of rehearsals: nothing is made where nothing is known.
  if (countries === undefined ? place.country === null : countries.length === 0) return null;
  const all = countries ?? (place.country === null ? [] : [place.country]);
  return consentByLaw({ of: consentClass, countries: all, consent: known.consent, reading, evidence: evidenceOf(person, subject) }, nowMs);
}

function evidenceOf({ contacts }: Facts['person'], { lastActivityMs, isInquiry }: Facts['subject']): SoftEvidence {
  const reply = latestOf(contacts, 'lastReplyMs');
  const inquiry = isInquiry === true ? Math.max(reply ?? 0, lastActivityMs) : reply;
  return { purchase: latestOf(contacts, 'lastOrderMs'), inquiry, negotiation: Math.max(inquiry ?? 0, lastActivityMs) };
}

/** What of it stands in a decision. */
export function legalConsentInput(found: LegalConsent): GateCheck['input'] {
  const input: GateCheck['input'] = { law: found.law.id, source: found.law.source, version: consentLawVersion };
  if (found.allowed) {
    input['restsOn'] = found.restsOn;
    if (found.untilMs !== null) input['untilMs'] = found.untilMs;
  } else if (found.sinceMs !== null) input['endedMs'] = found.sinceMs;
  return input;
}

const grounds: Record<SoftGround, string> = { purchase: 'the last purchase', inquiry: 'the last question', negotiation: 'the cart' };

/** `in DE the law asks for consent (UWG § 7)`, for a sentence about a step that was not sent. */
export function consentLawWords({ law, source, endedMs }: GateCheck['input']): string {
  if (typeof law !== 'string') return 'the law where the person is asks for consent';
  const ended = typeof endedMs === 'number' ? `; what stood for it ended on ${new Date(endedMs).toISOString().slice(0, 10)}` : '';
  return `in ${law} the law asks for consent (${String(source)})${ended}`;
}

/** What a message rests on, for the note of a decision; null: on consent, or on nothing that the law asks for. */
export function softGroundWords({ law, restsOn, untilMs }: GateCheck['input']): string | null {
  if (typeof restsOn !== 'string' || !Object.hasOwn(grounds, restsOn)) return null;
  const until = typeof untilMs === 'number' ? `, until ${new Date(untilMs).toISOString().slice(0, 10)}` : '';
  return `In ${String(law)} ${grounds[restsOn as SoftGround]} stands for consent${until}.`;
}
