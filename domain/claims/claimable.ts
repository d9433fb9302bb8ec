import type { EpochMs } from '../sequence/plan.ts';

/** A product that a subject holds, as far as claims are about it. */
export interface ClaimableProduct {
  title: string;
  /** How facts name it, the most exact first: its variant, then the product. */
  ids: readonly string[];
  /** What one cost when it was left, in minor units of the subject's currency; null: not known. */
  priceMinor: number | null;
  /** How many were left then; null: not known. */
  stock: number | null;
}

/** What claims may be about. */
export interface Claimable {
  products: readonly ClaimableProduct[];
  /** Areas that the person asked about, as they wrote them. */
  areas: readonly string[];
}

/** What is claimable about a subject, and since when its person left it alone. */
export interface ClaimSubject extends Claimable {
  /** ISO 4217; null: not known. */
  currency: string | null;
  leftAtMs: EpochMs;
}
