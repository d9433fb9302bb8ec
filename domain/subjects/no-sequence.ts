import type { EpochMs } from '../sequence/plan.ts';

/**
 * Why no sequence was begun about a subject when it was reported. Reaches the API: renaming one is a breaking change. `operations/read/words.ts` has the
 * sentences.
 */
export const noSequenceReasons = [
  'bought',
  'gone',
  /** What its kind says about it (`SubjectKind.unfit`). */
  'unfit',
  'nothing_left',
  'do_not_contact',
  'opted_out',
  'ordered_since',
  'no_sequence',
  /** The active sequences about it are used by campaigns, which begin them for the leads that they take in. */
  'campaigns_alone',
  'contacted',
  'replied',
  'declined',
  'took_part',
  'cooldown',
  'took_over_too_often',
  'too_old',
  'unknown_person',
  'no_address',
  'newer_runs',
  /** Interventions reach a share of people so far (`interventionRollout`). */
  'not_rolled_out',
] as const;
export type NoSequenceReason = (typeof noSequenceReasons)[number];

/** What kept one sequence, or all of them, from beginning. */
export interface KeptFrom {
  /** The sequence's slug; null: no sequence could begin. */
  sequence: string | null;
  reason: NoSequenceReason;
  /** Of `unfit`: what its kind says, which completes "No sequence was begun about this cart: …". Never personal data. */
  detail: string | null;
}

/** Stored with the subject, and replaced whenever it is reported again. */
export interface NoSequence {
  atMs: EpochMs;
  keptFrom: KeptFrom[];
}
