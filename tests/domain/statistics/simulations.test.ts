import { expect, test } from 'vitest';
import { isWithin, simulate } from '../../statistics-judges/simulations.ts';

// The short run of `npm run simulate:statistics`. It is seeded, so it says the same each time.
test('where the truth is known, what is said of it is right as often as it claims', () => {
  expect(simulate(200).filter((one) => !isWithin(one))).toEqual([]);
});
