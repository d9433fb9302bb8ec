/** The share of a sequence's people who may be held out, percent. */
export const mostHeldOut = 50;

/** Whether somebody gets what a sequence sends, or nothing, so that its effect can be measured. */
export type Arm = 'treated' | 'holdout';

/**
 * The arm of one person.
 * @param point - where the person lies in [0, 1): the same for the same person and sequence, evenly spread over people
 * @param holdoutPercent - 0 to 50
 */
export function armOf(point: number, holdoutPercent: number): Arm {
  return point * 100 < holdoutPercent ? 'holdout' : 'treated';
}
