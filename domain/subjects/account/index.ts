import type { EpochMs } from '../../sequence/plan.ts';
import { foldAddress, foldTimes, isNewer } from '../fold.ts';
import type { SubjectKind } from '../kind.ts';
import { type AccountDetails, accountDetails } from './details.ts';
import { words } from './words.ts';

/** What an event says about an account. */
export interface AccountReport {
  createdAtMs: EpochMs;
  name: string | null;
  url: string | null;
}

/** A customer who comes again, of whom a store wants to know when they are about to leave. It has no end: a purchase converts nothing. */
export const account: SubjectKind<AccountDetails, AccountReport> = {
  kind: 'account',
  trigger: 'risk.entered',
  stopOn: ['purchased', 'replied', 'opted_out', 'contacted'],
  quietForMs: 0,
  // Any order of its person ends its sequences, and none is the account's own: it stays open for the next one.
  boughtBy: 'key',
  details: accountDetails,
  detailsVersion: 1,
  fold(known, event, address) {
    const newer = known === null || isNewer(event, known.lastActivityAt);
    const { createdAtMs, name, url } = event.report;
    const latest = (reported: string | null, before: string | null | undefined) => (newer ? (reported ?? before ?? null) : (before ?? reported));
    return {
      currency: known?.currency ?? null,
      valueMinor: known?.valueMinor ?? null,
      details: { name: latest(name, known?.details.name), url: latest(url, known?.details.url) },
      ...foldAddress(known, address, event.occurredAtMs),
      ...foldTimes(known, createdAtMs, event.occurredAtMs),
    };
  },
  beginsAnew: () => false,
  unite: ([newest, ...others]) => others.reduce((kept, other) => ({ name: kept.name ?? other.name, url: kept.url ?? other.url }), newest),
  convert: (details) => details,
  endsBy: () => null,
  unfit: () => null,
  products: () => [],
  count: () => null,
  attributeNames: [],
  attributes: () => ({}),
  stock: () => [],
  textsInUnitedStates: null,
  modifiers: () => [],
  segment: () => 'customer',
  segments: ['customer'],
  link: ({ url }) => url,
  view: ({ details }, tools) => ({
    account: { name: tools.line(details.name, 80), url: tools.link ?? tools.storeUrl, hasPage: tools.link !== null },
  }),
  words,
};
