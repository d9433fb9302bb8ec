import { isHigher, type RiskBand } from './bands.ts';

/** A band that interventions are for. */
export type InterventionBand = Exclude<RiskBand, 'none'>;
export const interventionBands = ['early', 'active', 'critical'] as const satisfies readonly InterventionBand[];

/** What starts the sequences about accounts at risk. */
export const riskEntered = 'risk.entered';

/** Where an account stands, as far as interventions go. */
export interface BandStand {
  /** The band that was acted upon last; `none`: the account was in none since, or was never in one. */
  handled: RiskBand;
  now: RiskBand;
  /** The bands of the sequences that run about it. */
  running: readonly InterventionBand[];
}

/** What follows from where an account stands. At most one sequence of those that run is kept. */
export interface BandMove {
  /** The sequences that end, by their bands, and why. */
  end: { band: InterventionBand; reason: 'recovered' | 'band_raised' }[];
  /** The band whose sequence begins; null: none does. */
  begin: InterventionBand | null;
}

/**
 * Decide what an assessment leads to. Upwards, the lower sequence ends and the higher one begins, once for each entry into a band; below the first band
 * all of them end as recovered; downwards between bands what runs goes on.
 * Source: docs/rules.md#rule-83
 */
export function decideBandMove({ handled, now, running }: BandStand): BandMove {
  if (now === 'none') return { end: running.map((band) => ({ band, reason: 'recovered' })), begin: null };
  const highest = running.toSorted((a, b) => interventionBands.indexOf(b) - interventionBands.indexOf(a))[0] ?? null;
  // Two may run where two accounts turned out to be one.
  const lower = (kept: InterventionBand | null) =>
    running.filter((band) => band !== kept).map((band): BandMove['end'][number] => ({ band, reason: 'band_raised' }));
  if (!isHigher(now, handled)) return { end: lower(highest), begin: null };
  if (highest !== null && !isHigher(now, highest)) return { end: lower(highest), begin: null };
  return { end: lower(null), begin: now };
}
