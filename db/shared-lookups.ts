import type { Wanted } from './connection-line.ts';

const settled = () => undefined;

/** One lookup, and whether any of those who share it still waits for its answer. */
interface Next<T> {
  askers: Wanted[];
  answer: Promise<T>;
}

/**
 * Lookups of the same thing by many callers at once. While one is under way, those who ask share the next: an answer is never older than the
 * question, and a flood of deliveries to one connection asks the database for it once at a time.
 */
export class SharedLookups<T> {
  readonly #running = new Map<string, { over: Promise<void>; sinceMs: number }>();
  readonly #next = new Map<string, Next<T>>();

  /**
   * @param look - asked with whether anybody still waits
   * @throws what the lookup throws, to all who share it
   */
  ask(key: string, wanted: Wanted, look: (wanted: Wanted) => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    if (running === undefined) return this.#start(key, [wanted], look);
    const next = this.#next.get(key);
    if (next !== undefined) {
      next.askers.push(wanted);
      return next.answer;
    }
    const askers = [wanted];
    const answer = running.over.then(() => {
      this.#next.delete(key);
      return this.#start(key, askers, look);
    });
    this.#next.set(key, { askers, answer });
    return answer;
  }

  #start(key: string, askers: readonly Wanted[], look: (wanted: Wanted) => Promise<T>): Promise<T> {
    const answer = look(() => askers.some((wanted) => wanted()));
    const over = answer.then(settled, settled);
    this.#running.set(key, { over, sinceMs: performance.now() });
    // Registered before anybody can wait for it, so that the next lookup finds the place free.
    void over.then(() => this.#running.delete(key));
    return answer;
  }

  /** How long the oldest lookup has been under way, milliseconds: whoever asks now will hardly wait less. 0: none is. */
  longestWaitMs(): number {
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const { sinceMs } of this.#running.values()) oldestMs = Math.min(oldestMs, sinceMs);
    return Number.isFinite(oldestMs) ? performance.now() - oldestMs : 0;
  }
}
