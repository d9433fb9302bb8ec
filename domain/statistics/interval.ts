/** Two bounds between which a figure lies with a stated confidence. */
export interface Interval {
  low: number;
  high: number;
}

/** Conversions among people. */
export interface Cases {
  people: number;
  converted: number;
}
