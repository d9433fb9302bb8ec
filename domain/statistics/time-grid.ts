/**
 * A length of time on the grid on which the database counts lengths, in minutes, rounded up: whole minutes below an hour, and above a thirty-second of the power of two
 * below it, so at most 3.2 % too long. A whole number of hours below two days stays what it is.
 * Source: docs/adr/0110-what-became-of-people-is-kept.md
 */
export function gridMinutes(seconds: number): number {
  const minutes = Math.max(0, Math.ceil(seconds / 60));
  const step = Math.max(1, 2 ** (minutes.toString(2).length - 6));
  return Math.ceil(minutes / step) * step;
}
