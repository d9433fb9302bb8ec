import type pg from 'pg';

/** Thrown when the answer is no longer awaited: nothing was begun, and the next in line gets the connection. */
export class NobodyWaitsError extends Error {
  constructor() {
    super('nobody waits for the answer any more');
    this.name = 'NobodyWaitsError';
  }
}

/** Whether the result is still awaited. */
export type Wanted = () => boolean;

/** The queue for a connection of a pool, in order of arrival. */
export interface ConnectionLine {
  /**
   * Wait for a connection.
   * @throws NobodyWaitsError when `wanted` says no by then
   */
  take(wanted?: Wanted): Promise<pg.PoolClient>;
  /** How long the first in line has been waiting, milliseconds; a new request will hardly wait less. 0: the queue is empty. */
  longestWaitMs(): number;
}

export function lineOf(pool: pg.Pool): ConnectionLine {
  const waiting = new Set<{ sinceMs: number }>();
  return {
    async take(wanted = () => true) {
      if (!wanted()) throw new NobodyWaitsError();
      const place = { sinceMs: performance.now() };
      waiting.add(place);
      const client = await pool.connect().finally(() => waiting.delete(place));
      if (wanted()) return client;
      client.release();
      throw new NobodyWaitsError();
    },
    longestWaitMs() {
      const [first] = waiting;
      return first === undefined ? 0 : performance.now() - first.sinceMs;
    },
  };
}
