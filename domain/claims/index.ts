import type { EpochMs } from '../sequence/plan.ts';
import type { ClaimKind, Claimed, ClaimWorld, NotClaimed } from './claim.ts';
import { market } from './market.ts';
import { offerEnd } from './offer-end.ts';
import { priceDrop } from './price-drop.ts';
import { reviews } from './reviews.ts';
import { stock } from './stock.ts';

/** What copy may claim. A new claim is a file here and a line in this list. */
export const claimKinds = { stock, price_drop: priceDrop, reviews, market, offer_end: offerEnd } as const;

export type ClaimName = keyof typeof claimKinds;
export const claimNames = Object.keys(claimKinds) as ClaimName[];
export const isClaim = (name: string): name is ClaimName => Object.hasOwn(claimKinds, name);

type ValueOf<N extends ClaimName> = (typeof claimKinds)[N] extends ClaimKind<string, infer V> ? V : never;

/** What each claim comes to. */
export type Claims = { readonly [N in ClaimName]: Claimed<ValueOf<N>> };

/** Judge every claim. */
export function judgeClaims(world: ClaimWorld, nowMs: EpochMs): Claims {
  return {
    stock: stock.judge(world, nowMs),
    price_drop: priceDrop.judge(world, nowMs),
    reviews: reviews.judge(world, nowMs),
    market: market.judge(world, nowMs),
    offer_end: offerEnd.judge(world, nowMs),
  };
}

const notClaimed = (why: string, reason: NotClaimed) => ({ holds: false as const, fact: null, why, reason });

/** Where nothing is known. */
export const noClaims: Claims = {
  stock: notClaimed('its stock is not known', 'unknown'),
  price_drop: notClaimed('its present price is not known', 'unknown'),
  reviews: notClaimed('no reviews of it are known', 'unknown'),
  market: notClaimed('nothing is known about the market there', 'unknown'),
  offer_end: notClaimed('no offer is known', 'unknown'),
};
