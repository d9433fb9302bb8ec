/** At most so many messages within a time. */
export interface Rate {
  most: number;
  withinMs: number;
}

/** A moment this near is waited for; a later one puts the step off. */
export const waitedForMs = 5_000;
/** A reserved moment counts for so long after it: a worker may be late. */
export const slotLifeMs = 60_000;

/** What the checks of the gate `rate` say. */
export const rateNotes = {
  defer: 'Messages leave at a bounded rate, and its moment comes then.',
  skip: 'Its turn under the rate would come after its expiry.',
} as const;

/** The time between two messages that keeps to the rate at every moment: no burst, whatever the window. Milliseconds. */
export const spacingMs = ({ most, withinMs }: Rate): number => withinMs / most;
