/** One figure beside its bare floor, both from the same run. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** The bare floor, same unit; null: the figure has none and stands against its budget alone. */
  floor: number | null;
  ratio: number | null;
  /** In words, from design section 10. */
  budget: string;
  met: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - 1], sorted[middle]];
  if (high === undefined) throw new RangeError('no values');
  return sorted.length % 2 === 0 && low !== undefined ? (low + high) / 2 : high;
}

/** @param q - 0 to 1 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))];
  if (found === undefined) throw new RangeError('no values');
  return found;
}

export interface Spread {
  p50: number;
  p99: number;
  p999: number;
}

export const spreadOf = (values: readonly number[]): Spread => ({
  p50: quantile(values, 0.5),
  p99: quantile(values, 0.99),
  p999: quantile(values, 0.999),
});

/** Run `work` `total` times with at most `width` at once. @returns seconds taken and each one's milliseconds */
export async function flood(
  total: number,
  width: number,
  work: (index: number) => Promise<void>,
): Promise<{ seconds: number; latenciesMs: number[] }> {
  const latenciesMs: number[] = [];
  let next = 0;
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < total) {
        const index = next++;
        const fromMs = performance.now();
        await work(index);
        latenciesMs.push(performance.now() - fromMs);
      }
    }),
  );
  return { seconds: (performance.now() - startMs) / 1_000, latenciesMs };
}
