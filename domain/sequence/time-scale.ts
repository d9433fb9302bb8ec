/**
 * A span under a time scale: an hour at scale 3600 is a second.
 * @param spanMs - milliseconds as the sequence or a rule states them
 * @returns whole wall-clock milliseconds
 */
export function scaled(spanMs: number, timeScale: number): number {
  return timeScale === 1 ? spanMs : Math.round(spanMs / timeScale);
}
