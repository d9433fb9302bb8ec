import type { EpochMs } from '../../sequence/plan.ts';
import { riskEntered } from '../../risk/band-move.ts';
import { foldAddress, foldTimes, isNewer } from '../fold.ts';
import type { SubjectKind } from '../kind.ts';
import { type AccountDetails, accountDetails } from './details.ts';
import { words } from './words.ts';

/** What an event says about an account. */
export interface AccountReport {
  createdAtMs: EpochMs;
  name: string | null;
  url: string | null;
  /** Absent, as in reports of before it existed: not known. */
  area?: string | null;
}

/** A customer who comes again, of whom a store wants to know when they are about to leave. It has no end: a purchase converts nothing. */
export const account: SubjectKind<AccountDetails, AccountReport> = {
  kind: 'account',
  trigger: riskEntered,
  stopOn: ['purchased', 'replied', 'opted_out', 'contacted'],
  quietForMs: 0,
  // Any order of its person ends its sequences, and none is the account's own: it stays open for the next one.
  boughtBy: 'key',
  details: accountDetails,
  detailsVersion: 1,
  fold(known, event, address) {
    const newer = known === null || isNewer(event, known.lastActivityAt);
    const { createdAtMs, name, url, area = null } = event.report;
    const latest = (reported: string | null, before: string | null | undefined) => (newer ? (reported ?? before ?? null) : (before ?? reported));
    return {
      currency: known?.currency ?? null,
      valueMinor: known?.valueMinor ?? null,
      details: {
        name: latest(name, known?.details.name),
        url: latest(url, known?.details.url),
        area: latest(area, known?.details.area),
        band: known?.details.band ?? 'none',
      },
      ...foldAddress(known, address, event.occurredAtMs),
      ...foldTimes(known, createdAtMs, event.occurredAtMs),
    };
  },
  beginsAnew: () => false,
  unite: ([newest, ...others]) =>
    others.reduce((kept, other) => ({ ...kept, name: kept.name ?? other.name, url: kept.url ?? other.url, area: kept.area ?? other.area }), newest),
  convert: (details) => details,
  endsBy: () => null,
  unfit: () => null,
  products: () => [],
  count: () => null,
  claimable: { claims: ['market', 'offer_end'], of: ({ area }) => ({ products: [], areas: area === null ? [] : [area] }) },
  attributeNames: ['band'],
  attributes: ({ band }) => ({ band }),
  stock: () => [],
  textsInUnitedStates: null,
  modifiers: () => [],
  segment: () => 'customer',
  segments: ['customer'],
  link: ({ url }) => url,
  view: ({ details }, tools) => ({
    account: {
      name: tools.line(details.name, 80),
      area: tools.line(details.area, 80),
      url: tools.link ?? tools.storeUrl,
      hasPage: tools.link !== null,
    },
  }),
  words,
};
