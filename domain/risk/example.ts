import type { EpochMs } from '../sequence/plan.ts';

/** What is known about somebody in one respect; null: it is not known. A number that is not finite counts as unknown. */
export type FeatureValue = string | number | boolean | null;

/** What is known about somebody at one moment, by the names of the features. A name that is left out is unknown. */
export type Features = Readonly<Record<string, FeatureValue>>;

/** Somebody at one moment, and what came of it. */
export interface Example {
  /** The moment that the features describe: nothing that happened later is in them. */
  atMs: EpochMs;
  features: Features;
  /** Whether what is predicted has happened: no purchase, or no answer, within the horizon. */
  lost: boolean;
}
