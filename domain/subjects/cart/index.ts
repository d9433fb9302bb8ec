import type { SubjectKind } from '../kind.ts';
import { type CartDetails, cartDetails } from './details.ts';
import { isNewEpisode } from './episodes.ts';
import { type CartReport, fold } from './fold.ts';
import { segmentModifiers, sequenceType, sequenceTypes } from './segment.ts';
import { unfit } from './unfit.ts';
import { view } from './view.ts';
import { words } from './words.ts';

/** A cart that its shopper has left. */
export const cart: SubjectKind<CartDetails, CartReport> = {
  kind: 'cart',
  trigger: 'cart.abandoned',
  stopOn: ['purchased', 'replied', 'opted_out'],
  quietForMs: 3_600_000,
  boughtBy: 'key',
  details: cartDetails,
  detailsVersion: 1,
  fold,
  beginsAnew: ({ convertedAt, details: { bought, items } }, event) =>
    isNewEpisode({ convertedAt, bought, items }, { occurredAtMs: event.occurredAtMs, cart: event.report }),
  unite: ([newest, ...others]) => ({ ...newest, restoreUrl: [newest, ...others].find((d) => d.restoreUrl !== null)?.restoreUrl ?? null }),
  convert: (details, products) => ({ ...details, bought: details.bought ?? products.map(({ title, productId }) => ({ title, productId })) }),
  endsBy: ({ details, valueMinor }) => (details.items.length === 0 && valueMinor === 0 ? 'emptied' : null),
  unfit,
  products: ({ items }) => items,
  count: ({ items }) => items.length,
  attributeNames: ['origin', 'products', 'units'],
  attributes: ({ origin, items }) => ({ origin, products: items.length, units: items.reduce((sum, { quantity }) => sum + quantity, 0) }),
  stock: ({ items }) => items.map(({ stock }) => stock),
  regularMinor: ({ items }) => {
    const each = items.map(({ priceMinor, compareAtMinor, quantity }) => (priceMinor === null ? null : (compareAtMinor ?? priceMinor) * quantity));
    return items.length === 0 || each.includes(null) ? null : Math.round(each.reduce<number>((sum, price) => sum + (price ?? 0), 0));
  },
  textsInUnitedStates: { most: 1, withinMs: 48 * 3_600_000 },
  modifiers: ({ items }, thresholds) => segmentModifiers(items, thresholds),
  segment: (base, { items }, _owner, settings) => sequenceType(base, segmentModifiers(items, settings)),
  segments: sequenceTypes,
  claimable: {
    claims: ['stock', 'price_drop', 'reviews', 'offer_end'],
    of: ({ items }) => ({
      areas: [],
      products: items.map(({ title, variantId, productId, priceMinor, stock }) => ({
        title,
        ids: [variantId, productId].filter((id) => typeof id === 'string'),
        priceMinor,
        stock,
      })),
    }),
  },
  link: ({ restoreUrl }) => restoreUrl,
  view,
  words,
};
