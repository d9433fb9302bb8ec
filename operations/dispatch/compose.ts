import { type Composed, composeMessage, composeWritten } from '../../content/channels/index.ts';
import type { CopyFacts, OfferFacts, StoreFacts } from '../../content/copy-facts.ts';
import type { StepTexts } from '../../content/step-texts.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import { callConfiguration, type Channel, channels, isInServiceWindow } from '../../domain/channels/index.ts';
import { latestOf } from '../../domain/gates/latest.ts';
import { claimsAt } from '../../domain/gates/claims.ts';
import type { WrittenWords } from '../../domain/composition/words.ts';
import type { Deps } from '../deps.ts';
import type { EnrollmentRow } from './progress.ts';
import type { Reading } from './facts.ts';
import type { Version } from './versions.ts';

export interface ComposeInput {
  deps: Pick<Deps, 'links' | 'publicUrl'>;
  version: Version;
  /** From which texts it is made. */
  texts: StepTexts;
  reading: Reading;
  enrollment: EnrollmentRow;
  stepId: string;
  messageId: string;
  channel: Channel;
  /** What a model has written; null: the template goes out. */
  words: WrittenWords | null;
  /** What the person was granted with this message; null: nothing. */
  offer: OfferFacts | null;
  nowMs: number;
}

/** The message of a step on a channel, complete and ready to be pinned: nothing is read after this. */
export function compose({ deps, version, texts, reading, enrollment, stepId, messageId, channel, words, offer, nowMs }: ComposeInput): Composed {
  const content = texts.nameOf(reading.variant?.variant.content ?? version.definition.steps.find((s) => s.id === stepId)?.content ?? null);
  const call = texts.scripts[channel]?.call ?? null;
  const to = channels[channel].address === null ? '' : reading.addresses[channel];
  if (to === undefined) throw new Error(`step ${stepId} of ${version.slug} v${version.version} goes to no address by ${channel}`);
  const target = { tenantId: enrollment.tenantId, messageId };
  const link = (path: string, purpose: 'unsubscribe' | 'open' | 'click') => `${deps.publicUrl}/${path}/${deps.links.sign({ purpose, ...target })}`;
  const copyFacts = copyFactsOf(reading, {
    links: {
      click: () => link('c', 'click'),
      short: () => `${(reading.settings.smsLinkUrl ?? deps.publicUrl).replace(/\/$/, '')}/s/${deps.links.signShort(target)}`,
      open: () => (reading.settings.trackOpens ? link('o', 'open') : null),
      unsubscribe: () => link('u', 'unsubscribe'),
    },
    offer,
    subId: messageId,
    ...(call === null && reading.campaignCall === null ? {} : { callConfiguration: callConfiguration(call, reading.campaignCall) }),
    isFirst: !reading.usedChannels.has(channel),
    sendKey: { enrollmentId: enrollment.id, stepId },
    nowMs,
  });
  if (words !== null && content !== null) return composeWritten(version.content, content, channel, { ...copyFacts, words }, to);
  return composeMessage(texts.stored, content, channel, copyFacts, to);
}

/** What a message may say, from what was read about its person. */
export function copyFactsOf(
  reading: Pick<Reading, 'settings' | 'subject' | 'person' | 'locale' | 'facts' | 'synthetic'>,
  own: Pick<CopyFacts, 'links' | 'isFirst' | 'sendKey' | 'nowMs'> & Partial<Pick<CopyFacts, 'offer' | 'subId' | 'callConfiguration'>>,
): CopyFacts {
  const { settings, subject, person, locale, facts, synthetic } = reading;
  return {
    store: storeFactsOf(settings),
    settings,
    contact: { firstName: person.firstName, lastName: person.lastName, locale, timeZone: facts.person.zones.timeZones[0] ?? settings.timeZone },
    subject,
    segment: facts.subject.segment,
    reviews: null,
    claims: claimsAt(facts, own.nowMs),
    offer: null,
    inServiceWindow: isInServiceWindow(latestOf(facts.person.contacts, 'lastWhatsappMs'), own.nowMs),
    synthetic,
    ...own,
  };
}

export function storeFactsOf(settings: TenantSettings): StoreFacts {
  return {
    name: settings.storeName,
    url: settings.storeUrl,
    logoUrl: settings.logoUrl,
    postalAddress: settings.postalAddress,
    supportEmail: settings.supportEmail,
    brandColor: settings.brandColor,
    locale: settings.locale,
    shippingNote: settings.shippingNote,
    returnsNote: settings.returnsNote,
    lowStockThreshold: settings.lowStockAt,
  };
}
