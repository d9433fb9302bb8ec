import type { z } from 'zod';
import type { EpochMs } from '../sequence/plan.ts';
import type { FactKind } from './kind.ts';
import { market } from './market.ts';
import { offerEnd } from './offer-end.ts';
import { price } from './price.ts';
import { review } from './review.ts';
import { stock } from './stock.ts';

/** What messages may state facts about. A new kind is a file here and a line in this list. */
export const factKinds = { stock, price, review, market, offer_end: offerEnd } as const;

export type FactKindName = keyof typeof factKinds;
export const factKindNames = Object.keys(factKinds) as FactKindName[];
export type FactValue<K extends FactKindName> = (typeof factKinds)[K] extends FactKind<string, infer V> ? V : never;

/** Something that a source has stated: true from `observedAtMs` on, to be stated before `expiresAtMs`. */
export interface FactOf<K extends FactKindName> {
  id: string;
  kind: K;
  /** In the spelling of its kind (`subjectKey`). */
  subject: string;
  value: FactValue<K>;
  /** Who says so: `shopify`, `cart`, the name of a feed. */
  source: string;
  observedAtMs: EpochMs;
  expiresAtMs: EpochMs;
}
export type Fact = { [K in FactKindName]: FactOf<K> }[FactKindName];

/** Any kind, where only what all of them have is asked. */
export type AnyFactKind = FactKind<FactKindName, unknown> & { value: z.ZodType };

/** By its name. */
export const factKindOf = (kind: FactKindName): AnyFactKind => factKinds[kind] as unknown as AnyFactKind;

const isFactKind = (name: string): name is FactKindName => Object.hasOwn(factKinds, name);

/** Whether it may be stated at an instant. The expiry itself is too late. */
export const isFresh = ({ observedAtMs, expiresAtMs }: Pick<Fact, 'observedAtMs' | 'expiresAtMs'>, nowMs: EpochMs): boolean =>
  observedAtMs <= nowMs && nowMs < expiresAtMs;

/** A fact as a few words for records, such as `3 left`. */
export const factWords = (fact: Fact): string => factKindOf(fact.kind).words(fact.value);

/** A stored row as a fact; null: no kind of this build can read it. */
export function readStoredFact(row: Omit<Fact, 'kind' | 'value'> & { kind: string; value: unknown }): Fact | null {
  if (!isFactKind(row.kind)) return null;
  const value = factKindOf(row.kind).value.safeParse(row.value);
  return value.success ? ({ ...row, value: value.data } as Fact) : null;
}
