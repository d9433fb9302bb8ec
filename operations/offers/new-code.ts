import { randomInt } from 'node:crypto';

/** Without letters and digits that are mistaken for each other. */
const signs = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';

/** A code that nobody guesses (50 bits), short enough to be typed. */
export function newOfferCode(): string {
  const part = () => Array.from({ length: 5 }, () => signs[randomInt(signs.length)]).join('');
  return `RK-${part()}-${part()}`;
}
