/** How close somebody is to being lost, from afar to near. */
export const riskBands = ['none', 'early', 'active', 'critical'] as const;
export type RiskBand = (typeof riskBands)[number];

/** Where bands begin. A store's own are a new version; what was assessed keeps the version that it was assessed by. */
export interface BandThresholds {
  version: number;
  early: number;
  active: number;
  critical: number;
}

export const usualThresholds: BandThresholds = { version: 1, early: 0.3, active: 0.6, critical: 0.8 };

/** How many days are left, as a range; null at an end: there is no such bound. Estimates by band, not by person. */
export const daysLeft: Record<RiskBand, { atLeast: number | null; below: number | null } | null> = {
  none: null,
  early: { atLeast: 14, below: 30 },
  active: { atLeast: 7, below: 14 },
  critical: { atLeast: null, below: 7 },
};

/** Bands as the stages of an intervention, which is what managers are taught. */
export const riskStages = { none: null, early: 'Early Warning', active: 'Active Risk', critical: 'Critical Risk' } as const satisfies Record<
  RiskBand,
  string | null
>;

export type RiskLevel = 'Low' | 'Medium' | 'High' | 'Critical';

/** How high the risk is, in one word: the band, whose first is Low in its lower half and Medium from its middle on. null: in no band. */
export function riskLevelOf(band: RiskBand, score: number, { early, active }: BandThresholds): RiskLevel | null {
  if (band === 'none') return null;
  if (band !== 'early') return band === 'active' ? 'High' : 'Critical';
  return score < (early + active) / 2 ? 'Low' : 'Medium';
}

/** What is wrong with thresholds, as a sentence; null: nothing. */
export function wrongWithThresholds({ early, active, critical }: Omit<BandThresholds, 'version'>): string | null {
  const ascending = 0 < early && early < active && active < critical && critical < 1;
  return ascending ? null : `the bands have to begin at three ascending chances between 0 and 1, and not at ${early}, ${active} and ${critical}`;
}

/** The band of a chance, or of a rank among all. A border belongs to the band above it. @throws RangeError when it is no number from 0 to 1 */
export function bandOf(chance: number, thresholds: BandThresholds): RiskBand {
  if (!(chance >= 0 && chance <= 1)) throw new RangeError(`${chance} is no chance: it has to be a number from 0 to 1`);
  if (chance >= thresholds.critical) return 'critical';
  if (chance >= thresholds.active) return 'active';
  return chance >= thresholds.early ? 'early' : 'none';
}

/** Whether the first band is nearer to being lost than the second. */
export function isHigher(band: RiskBand, than: RiskBand): boolean {
  return riskBands.indexOf(band) > riskBands.indexOf(than);
}

/**
 * The share of all that have a lower score, with half of those that have the same: 0 to 1. Bands by it are quantiles, for people who are silent already: a
 * calibrated chance of losing them is high for nearly everybody, and would put all of them in the last band.
 * @returns one per score, in the same order
 */
export function quantileRanks(scores: readonly number[]): number[] {
  const sorted = scores.toSorted((a, b) => a - b);
  const below = new Map<number, number>();
  const same = new Map<number, number>();
  for (const [index, score] of sorted.entries()) {
    if (!below.has(score)) below.set(score, index);
    same.set(score, (same.get(score) ?? 0) + 1);
  }
  return scores.map((score) => ((below.get(score) ?? 0) + (same.get(score) ?? 0) / 2) / scores.length);
}
