/** Choices that a seed replays. */
export interface Random {
  /** 0 ≤ x < 1 */
  real(): number;
  /** Both ends included. */
  whole(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<const L extends readonly [unknown, ...unknown[]]>(list: L): L[number];
  /** Weights need not add up to one. */
  weighted<const L extends readonly (readonly [number, unknown])[]>(list: L): L[number][1];
}

/** mulberry32: 32 bits of state are plenty for a schedule, and the same seed gives the same schedule on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const real = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (from: number, to: number) => from + Math.floor(real() * (to - from + 1));
  return {
    real,
    whole,
    chance: (probability) => real() < probability,
    pick: (list) => list[whole(0, list.length - 1)] ?? list[0],
    weighted(list) {
      let left = real() * list.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, value] of list) {
        left -= weight;
        if (left < 0) return value;
      }
      const [first] = list;
      if (first === undefined) throw new TypeError('nothing to choose from');
      return first[1];
    },
  };
}

/** A seed of its own for every history of a run: each can be replayed alone. */
export function seedOfHistory(seed: number, index: number): number {
  return (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(index + 1, 0xc2b2ae35)) >>> 0;
}
