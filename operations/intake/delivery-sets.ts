import { NobodyWaitsError } from '../../db/connection-line.ts';
import { currentRequestId, joinedRequestIds, withRequestId } from '../request-context.ts';

/** A delivery in the queue, and the promise of its caller. */
interface Waiting<D, R> {
  delivery: D;
  steps: SetSteps<D, R>;
  sinceMs: number;
  /** Of the request that brought it. */
  requestId: string | null;
  resolve: (result: R | PromiseLike<R>) => void;
  reject: (error: unknown) => void;
}

/** How the deliveries of a set are applied. */
export interface SetSteps<D, R> {
  applyOne(delivery: D): Promise<R>;
  /** All of them or none. @returns null for a delivery that is to be applied by itself. @throws when the set cannot be applied as one */
  applySet(tenantId: string, deliveries: D[]): Promise<(R | null)[]>;
  /** Whether two deliveries may have something in common: then they do not go into the same set. */
  overlap(a: D, b: D): boolean;
  /** Whether the answer is still awaited: a delivery that nobody waits for leaves the queue. */
  wanted(delivery: D): boolean;
}

export interface SetOptions {
  /** How many transactions of one tenant run at once before deliveries are gathered. */
  atOnce: number;
  /** How many deliveries one transaction takes at most. */
  most: number;
  /** Whether a delivery waits for those that it overlaps and that run: for deliveries that nobody waits for, and whose order counts. */
  inOrder?: boolean;
}

/** How many waiting deliveries are compared for each place of a set: without a bound, a long queue about one person would be compared with itself again and again. */
const comparedPerPlace = 8;

/**
 * Gathers deliveries of one tenant that arrive while others are being applied, so that one transaction takes many of them. A delivery that comes
 * alone starts at once; those that come while `atOnce` transactions run go with the next one, in order of arrival.
 * Source: docs/adr/0020-deliveries-in-sets.md
 */
export class DeliverySets<D, R> {
  readonly #options: SetOptions;
  readonly #waiting = new Map<string, Waiting<D, R>[]>();
  readonly #running = new Map<string, Set<Waiting<D, R>[]>>();

  constructor(options: SetOptions = { atOnce: 2, most: 16 }) {
    this.#options = options;
  }

  /** @param steps - how a set that begins with this delivery is applied */
  apply(tenantId: string, delivery: D, steps: SetSteps<D, R>): Promise<R> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(tenantId) ?? [];
      waiting.push({ delivery, steps, sinceMs: performance.now(), requestId: currentRequestId(), resolve, reject });
      this.#waiting.set(tenantId, waiting);
      this.#next(tenantId);
    });
  }

  /** How long the first in a tenant's line has been waiting. */
  waitMs(tenantId: string): number {
    const [first] = this.#waiting.get(tenantId) ?? [];
    return first === undefined ? 0 : performance.now() - first.sinceMs;
  }

  /** How long the first in any tenant's line has been waiting. */
  longestWaitMs(): number {
    return Math.max(0, ...[...this.#waiting.keys()].map((tenantId) => this.waitMs(tenantId)));
  }

  #next(tenantId: string): void {
    const running = this.#running.get(tenantId) ?? new Set();
    const waiting = this.#waiting.get(tenantId) ?? [];
    while (running.size < this.#options.atOnce && waiting.length > 0) {
      const set = this.#take(waiting, this.#options.inOrder === true ? [...running].flat() : []);
      if (set.length === 0) break;
      running.add(set);
      this.#running.set(tenantId, running);
      void this.#run(tenantId, set).finally(() => {
        running.delete(set);
        if (running.size === 0) this.#running.delete(tenantId);
        this.#next(tenantId);
      });
    }
    if (waiting.length === 0) this.#waiting.delete(tenantId);
  }

  /** Those in the queue that have nothing in common with any before them. The others keep their places. @param ahead - what comes before the queue */
  #take(waiting: Waiting<D, R>[], ahead: readonly Waiting<D, R>[]): Waiting<D, R>[] {
    const set: Waiting<D, R>[] = [];
    const passed: Waiting<D, R>[] = [];
    for (let left = comparedPerPlace * this.#options.most; left > 0 && set.length < this.#options.most; left -= 1) {
      const next = waiting.shift();
      if (next === undefined) break;
      if (!next.steps.wanted(next.delivery)) {
        next.reject(new NobodyWaitsError());
        continue;
      }
      const apart = [...ahead, ...set, ...passed].every((other) => !next.steps.overlap(other.delivery, next.delivery));
      (apart ? set : passed).push(next);
    }
    waiting.unshift(...passed);
    return set;
  }

  async #run(tenantId: string, set: Waiting<D, R>[]): Promise<void> {
    const results = set.length === 1 ? [] : await this.#together(tenantId, set);
    await Promise.all(
      set.map(async ({ delivery, steps, requestId, resolve, reject }, index) => {
        const result = results[index] ?? null;
        if (result !== null) resolve(result);
        // Deliveries that fail as a set, or are left out of it, are applied one by one.
        else await withRequestId(requestId, () => steps.applyOne(delivery)).then(resolve, reject);
      }),
    );
  }

  async #together(tenantId: string, set: Waiting<D, R>[]): Promise<(R | null)[]> {
    const deliveries = set.map((w) => w.delivery);
    const requestIds = joinedRequestIds(set.map((w) => w.requestId));
    return (await withRequestId(requestIds, () => set[0]?.steps.applySet(tenantId, deliveries).catch(() => []))) ?? [];
  }
}
