import { betaCdf, betaQuantile } from './beta.ts';

/** How likely |t| with so many degrees of freedom (not always whole) is as large as this, or larger. Source: Abramowitz and Stegun, 26.7.1 */
export const studentP = (t: number, degrees: number): number => betaCdf(degrees / (degrees + t * t), degrees / 2, 0.5);

/** The t that |t| exceeds with probability `p`. */
export function studentBound(p: number, degrees: number): number {
  const x = betaQuantile(p, degrees / 2, 0.5);
  return Math.sqrt((degrees * (1 - x)) / x);
}
