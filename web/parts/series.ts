/** The colours of parts of a whole, the largest part first. What is beyond them has the last one. */
export const seriesColours = [
  'bg-[var(--series-1)]',
  'bg-[var(--series-2)]',
  'bg-[var(--series-3)]',
  'bg-[var(--series-4)]',
  'bg-[var(--series-6)]',
  'bg-[var(--series-5)]',
] as const;

/** The same for shapes of a picture. */
export const seriesFills = [
  'fill-[var(--series-1)]',
  'fill-[var(--series-2)]',
  'fill-[var(--series-3)]',
  'fill-[var(--series-4)]',
  'fill-[var(--series-6)]',
  'fill-[var(--series-5)]',
] as const;
