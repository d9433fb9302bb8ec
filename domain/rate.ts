/** At most so many messages within a time. */
export interface Rate {
  most: number;
  withinMs: number;
}

/** The time between two messages that keeps to the rate at every moment: no burst, whatever the window. Milliseconds. */
export const spacingMs = ({ most, withinMs }: Rate): number => withinMs / most;
