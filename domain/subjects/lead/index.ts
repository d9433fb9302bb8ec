import { chatGhosted, leadSilent } from '../../people/silence.ts';
import type { ChatAttributes } from '../attributes.ts';
import type { SubjectKind } from '../kind.ts';
import { type LeadDetails, leadDetails } from './details.ts';
import { fold, type LeadReport } from './fold.ts';
import { view } from './view.ts';
import { uniteViewings } from './viewings.ts';
import { words } from './words.ts';

const cameBy = ({ source, via }: LeadDetails) => ({ source, ...(via === undefined ? {} : { via }) });

const neverChatted: ChatAttributes = { viewingScheduled: false, ghostReminderSent: false };

/** Somebody who asked about something and left an address. */
export const lead: SubjectKind<LeadDetails, LeadReport> = {
  kind: 'lead',
  trigger: 'lead.created',
  silentTrigger: leadSilent,
  chatTrigger: chatGhosted,
  stopOn: ['purchased', 'replied', 'opted_out', 'contacted'],
  // The welcome goes out at once.
  quietForMs: 0,
  boughtBy: 'person',
  isInquiry: true,
  details: leadDetails,
  detailsVersion: 1,
  fold,
  beginsAnew: () => false,
  unite: ([newest, ...others]) =>
    others.reduce(
      (kept, other) => ({
        ...(kept.source === null && kept.via === undefined ? cameBy(other) : cameBy(kept)),
        interest: kept.interest ?? other.interest,
        message: kept.message ?? other.message,
        url: kept.url ?? other.url,
        ...((kept.area ?? other.area) == null ? {} : { area: kept.area ?? other.area }),
        ...((kept.preferences ?? other.preferences) === undefined ? {} : { preferences: kept.preferences ?? other.preferences }),
        ...((kept.botType ?? other.botType) === undefined ? {} : { botType: kept.botType ?? other.botType }),
        ...((kept.subId ?? other.subId) === undefined ? {} : { subId: kept.subId ?? other.subId }),
        ...((kept.clickId ?? other.clickId) === undefined ? {} : { clickId: kept.clickId ?? other.clickId }),
        ...(kept.viewings === undefined && other.viewings === undefined
          ? {}
          : { viewings: uniteViewings(kept.viewings ?? {}, other.viewings ?? {}) }),
        ...(kept.attributes === undefined && other.attributes === undefined ? {} : { attributes: { ...other.attributes, ...kept.attributes } }),
      }),
      newest,
    ),
  convert: (details) => details,
  endsBy: () => null,
  unfit: () => null,
  products: () => [],
  count: () => null,
  attributeNames: ['source', 'interest', 'viewingScheduled', 'ghostReminderSent'],
  attributes: ({ source, interest }, { viewingScheduled, ghostReminderSent } = neverChatted) => ({
    source,
    interest,
    viewingScheduled,
    ghostReminderSent,
  }),
  stock: () => [],
  textsInUnitedStates: null,
  modifiers: () => [],
  segment: (base) => (base === 'FIRST_TIME' ? 'new' : 'customer'),
  segments: ['new', 'customer'],
  claimable: { claims: ['market', 'offer_end'], of: ({ area }) => ({ products: [], areas: area == null ? [] : [area] }) },
  link: ({ url }) => url,
  view,
  words,
};
