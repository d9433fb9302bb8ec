import type { AnySubjectKind } from '../domain/subjects/index.ts';
import { tenantSettings, type TenantSettings } from '../domain/tenant-settings.ts';
import type { CopyFacts, MessageLinks, StoreFacts } from './copy-facts.ts';
import { samplesOf } from './samples.ts';

/** The names of the samples of a kind of subject. */
export const sampleNames = (kind: AnySubjectKind): string[] => samplesOf(kind).map(({ name }) => name);

/** What a preview is made of, where nobody real is shown. */
export interface SampleWish {
  kind: AnySubjectKind;
  /** Its name, or a part of it; null: the first, of which everything is known. */
  sample: string | null;
  /** BCP 47, the reader's; null: the sample's own. */
  locale: string | null;
  /** The store that sends it; null: the sample's. */
  store: { settings: TenantSettings; facts: StoreFacts } | null;
  nowMs: number;
}

/** @returns null where there is no such sample */
export function sampleFacts({ kind, sample, locale, store, nowMs }: SampleWish): CopyFacts | null {
  const wanted = sample?.toLowerCase() ?? '';
  const all = samplesOf(kind);
  const found = all.find(({ name }) => name.toLowerCase() === wanted) ?? all.find(({ name }) => name.toLowerCase().includes(wanted));
  if (found === undefined) return null;
  const { facts } = found;
  const storeFacts = store?.facts ?? facts.store;
  return {
    ...facts,
    store: storeFacts,
    contact: { ...facts.contact, lastName: null, locale: locale ?? facts.contact.locale, timeZone: store?.settings.timeZone ?? 'UTC' },
    settings: store?.settings ?? tenantSettings.parse({}),
    synthetic: false,
    links: linksOfNobody(storeFacts.url, kind.link(facts.subject.details)),
    isFirst: false,
    sendKey: { enrollmentId: 'preview', stepId: 'preview' },
    nowMs,
  };
}

/** Why a sample has an offer, or none. */
export const sampleOffer = (offer: CopyFacts['offer']): string =>
  offer === null ? 'nothing is known in this sample' : 'it is taken to be so in a sample';

/** Links that count nothing and unsubscribe nobody: straight to the subject or the store. */
export function linksOfNobody(storeUrl: string, subjectUrl: string | null): MessageLinks {
  const url = subjectUrl ?? storeUrl;
  return { click: () => url, short: () => url, open: () => null, unsubscribe: () => storeUrl };
}
