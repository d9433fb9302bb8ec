/** Who waits, each with a key; those of every key are taken in turn, so that the many of one hold up the few of another by one place each. */
export class WaitingInTurn<T> {
  readonly #lines = new Map<string, T[]>();

  push(key: string, one: T): void {
    const line = this.#lines.get(key);
    if (line === undefined) this.#lines.set(key, [one]);
    else line.push(one);
  }

  /** @returns undefined: nobody waits */
  shift(): T | undefined {
    const [next] = this.#lines;
    if (next === undefined) return undefined;
    const [key, line] = next;
    const one = line.shift();
    // Behind all others: a map keeps the order of insertion.
    this.#lines.delete(key);
    if (line.length > 0) this.#lines.set(key, line);
    return one;
  }
}

/** So many pieces of work at once, those of every key in turn. */
export class LimitInTurn {
  #free: number;
  readonly #waiting = new WaitingInTurn<() => void>();

  constructor(most: number) {
    this.#free = most;
  }

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((begin) => this.#waiting.push(key, begin));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
