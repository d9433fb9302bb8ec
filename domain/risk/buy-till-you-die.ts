import { logGamma } from '../statistics/log-gamma.ts';

/** A repeat buyer as the BG/NBD model sees them. Times in one unit of any length, from the first purchase on. */
export interface BuyingHistory {
  /** Purchases after the first. */
  repeats: number;
  /** When the last purchase was; 0 without repeats. */
  lastAt: number;
  /** How long they have been known. */
  age: number;
}

/** Purchases come at rates that vary among people as a gamma (r, α); after each one a share leaves for good, which varies as a beta (a, b). */
export interface BuyingModel {
  r: number;
  alpha: number;
  a: number;
  b: number;
}

/**
 * The chance that a buyer is still one. Who bought once only counts as one, whatever time went by: the model lets nobody leave before a repeat.
 * Source: Fader, Hardie & Lee, "Counting your customers" the easy way, Marketing Science 2005; Fader & Hardie, note 21 (2008)
 */
export function chanceAlive({ r, alpha, a, b }: BuyingModel, { repeats, lastAt, age }: BuyingHistory): number {
  if (repeats === 0) return 1;
  return 1 / (1 + (a / (b + repeats - 1)) * ((alpha + age) / (alpha + lastAt)) ** (r + repeats));
}

/** The logarithm of how likely a history is. */
export function logLikelihood({ r, alpha, a, b }: BuyingModel, { repeats, lastAt, age }: BuyingHistory): number {
  return constantPart({ r, alpha, a, b }, repeats) + lastingPart({ r, alpha, a, b }, { repeats, lastAt, age });
}

/** The part that depends on nothing but the number of repeats: many buyers share it. */
function constantPart({ r, alpha, a, b }: BuyingModel, repeats: number): number {
  return (
    logGamma(r + repeats) - logGamma(r) + r * Math.log(alpha) + logGamma(a + b) + logGamma(b + repeats) - logGamma(b) - logGamma(a + b + repeats)
  );
}

function lastingPart({ r, alpha, a, b }: BuyingModel, { repeats, lastAt, age }: BuyingHistory): number {
  const still = -(r + repeats) * Math.log(alpha + age);
  if (repeats === 0) return still;
  const left = Math.log(a) - Math.log(b + repeats - 1) - (r + repeats) * Math.log(alpha + lastAt);
  const larger = Math.max(still, left);
  return larger + Math.log(Math.exp(still - larger) + Math.exp(left - larger));
}

/** Below this many buyers with a repeat there is nothing to fit. */
const fewestRepeaters = 10;
/** No parameter leaves e^±9: data that want more have no maximum, such as buyers none of whom ever left. */
const mostLog = 9;

/**
 * Fit the model by maximum likelihood.
 * @param histories - ages above 0
 * @returns null where there is too little to fit: fewer than ten buyers with a repeat, or unusable times
 */
export function fitBuying(histories: readonly BuyingHistory[]): BuyingModel | null {
  const sound = histories.every(({ repeats, lastAt, age }) => Number.isInteger(repeats) && repeats >= 0 && lastAt >= 0 && lastAt <= age && age > 0);
  if (!sound || histories.filter(({ repeats }) => repeats > 0).length < fewestRepeaters) return null;
  const counts = new Map<number, number>();
  for (const { repeats } of histories) counts.set(repeats, (counts.get(repeats) ?? 0) + 1);
  const scale = histories.reduce((most, { age }) => Math.max(most, age), 0);
  // Ages up to 1 keep all four parameters in the same range.
  const scaled = histories.map(({ repeats, lastAt, age }) => ({ repeats, lastAt: lastAt / scale, age: age / scale }));
  const modelAt = (logs: readonly number[]): BuyingModel => {
    const [r = 1, alpha = 1, a = 1, b = 1] = logs.map(Math.exp);
    return { r, alpha, a, b };
  };
  const loss = (logs: readonly number[]) => {
    if (logs.some((log) => Math.abs(log) > mostLog)) return Number.POSITIVE_INFINITY;
    const model = modelAt(logs);
    let sum = 0;
    for (const [repeats, count] of counts) sum -= count * constantPart(model, repeats);
    for (const history of scaled) sum -= lastingPart(model, history);
    return sum / scaled.length;
  };
  // The second search starts afresh where the first one ended, as the simplex may have collapsed on the way.
  const first = lowest(loss, [0, 0, 0, 0], 0.5);
  const { r, alpha, a, b } = modelAt(lowest(loss, first, 0.1));
  return { r, alpha: alpha * scale, a, b };
}

/** The point with the lowest value, by the simplex of Nelder and Mead, 1965. */
function lowest(of: (point: readonly number[]) => number, start: readonly number[], size: number): number[] {
  const measured = (point: readonly number[]) => ({ point: [...point], value: of(point) });
  let simplex = [measured(start), ...start.map((_, axis) => measured(start.map((x, index) => (index === axis ? x + size : x))))];
  for (let step = 0; step < 1_000; step += 1) {
    simplex = simplex.toSorted((a, b) => a.value - b.value);
    const [best] = simplex;
    const worst = simplex.at(-1);
    if (best === undefined || worst === undefined) break;
    const spread = Math.max(...start.map((_, axis) => Math.abs((worst.point[axis] ?? 0) - (best.point[axis] ?? 0))));
    if (spread < 1e-8 && worst.value - best.value < 1e-12) break;
    const others = simplex.slice(0, -1);
    const centre = start.map((_, axis) => others.reduce((sum, { point }) => sum + (point[axis] ?? 0), 0) / others.length);
    const along = (factor: number) => measured(centre.map((x, axis) => x + factor * ((worst.point[axis] ?? 0) - x)));
    const reflected = along(-1);
    const secondWorst = others.at(-1)?.value ?? Number.POSITIVE_INFINITY;
    if (reflected.value < best.value) {
      const expanded = along(-2);
      simplex = [...others, expanded.value < reflected.value ? expanded : reflected];
    } else if (reflected.value < secondWorst) simplex = [...others, reflected];
    else {
      const contracted = reflected.value < worst.value ? along(-0.5) : along(0.5);
      if (contracted.value < Math.min(reflected.value, worst.value)) simplex = [...others, contracted];
      else simplex = simplex.map(({ point }, index) => (index === 0 ? best : measured(point.map((x, axis) => ((best.point[axis] ?? 0) + x) / 2))));
    }
  }
  return simplex.toSorted((a, b) => a.value - b.value)[0]?.point ?? [...start];
}
