import type { GatheredDelivery } from './delivery.ts';

/** A delivery that was stored and answered, and is still to be applied. */
export interface StoredFirst extends GatheredDelivery {
  /** When it was stored, by the database's clock, epoch ms. */
  storedAtMs: number;
}

export interface FloodOptions {
  /** How long the first of a tenant's queue has waited when what comes next is stored first, ms. */
  afterMs: number;
  /** How often the database is asked what still waits to be applied, ms. */
  everyMs: number;
  /** How many deliveries of a tenant this process remembers; while there are more, deliveries are applied before they are answered, or refused. */
  most: number;
}

/** What was stored first of one tenant's deliveries. */
class Flood {
  /** Oldest first. */
  readonly stored = new Set<StoredFirst>();
  readonly #byName = new Map<string, Set<StoredFirst>>();
  storing = 0;
  checkedAtMs = performance.now();
  checking = false;

  add(delivery: StoredFirst): void {
    this.stored.add(delivery);
    for (const name of delivery.names) this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(delivery));
  }

  delete(delivery: StoredFirst): void {
    this.stored.delete(delivery);
    for (const name of delivery.names) {
      const holders = this.#byName.get(name);
      holders?.delete(delivery);
      if (holders?.size === 0) this.#byName.delete(name);
    }
  }

  /** Deliveries that share a name with these, or with one that does, oldest first. */
  relatedTo(names: ReadonlySet<string>): StoredFirst[] {
    const related = new Set<StoredFirst>();
    // A set grows while it is walked, and what is added is walked too.
    const seen = new Set(names);
    for (const name of seen) {
      for (const delivery of this.#byName.get(name) ?? []) {
        related.add(delivery);
        for (const another of delivery.names) seen.add(another);
      }
    }
    return [...this.stored].filter((delivery) => related.has(delivery));
  }
}

/**
 * Which tenants' deliveries come faster than they can be applied. While a tenant is flooded, what cannot be a stop is stored, answered, and
 * applied afterwards. A flood lasts until everything that was stored first has been applied, so that nothing overtakes what came before it.
 * Source: docs/adr/0023-a-flood-is-stored-first.md
 */
export class Floods {
  readonly #options: FloodOptions;
  readonly #floods = new Map<string, Flood>();

  constructor(options: FloodOptions = { afterMs: 500, everyMs: 250, most: 20_000 }) {
    this.#options = options;
  }

  /**
   * Whether a tenant's next delivery is to be stored first.
   * @param waitedMs - how long the first of the tenant's queue has been waiting
   */
  isFlooded(tenantId: string, waitedMs: number): boolean {
    const flood = this.#floods.get(tenantId);
    if (flood === undefined && waitedMs > this.#options.afterMs) this.#floods.set(tenantId, new Flood());
    return (this.#floods.get(tenantId)?.stored.size ?? Number.POSITIVE_INFINITY) < this.#options.most;
  }

  /** Whether any tenant is flooded. */
  any(): boolean {
    return this.#floods.size > 0;
  }

  /**
   * Store a delivery of a flooded tenant.
   * @param store - returns what was stored, null: it must be applied before it is answered
   */
  async store(tenantId: string, store: () => Promise<StoredFirst | null>): Promise<boolean> {
    const flood = this.#floods.get(tenantId) ?? new Flood();
    flood.storing += 1;
    try {
      const stored = await store();
      if (stored !== null) flood.add(stored);
      return stored !== null;
    } finally {
      flood.storing -= 1;
    }
  }

  /**
   * What was stored first and shares a name with these, or with what shares one with these, oldest first: whoever is applied directly is
   * applied after it.
   */
  before(tenantId: string, names: () => ReadonlySet<string>): StoredFirst[] {
    return this.#floods.get(tenantId)?.relatedTo(names()) ?? [];
  }

  /**
   * Forget what has been applied, and end the flood when nothing is left. Asks at most every `everyMs`.
   * @param oldestWaiting - when the oldest delivery was stored that still waits, epoch ms; null: none waits
   */
  async check(tenantId: string, oldestWaiting: () => Promise<number | null>): Promise<void> {
    const flood = this.#floods.get(tenantId);
    if (flood === undefined || flood.checking || performance.now() - flood.checkedAtMs < this.#options.everyMs) return;
    flood.checking = true;
    // What is stored while the question is under way is not in its answer.
    const asked = [...flood.stored];
    try {
      const oldestMs = await oldestWaiting();
      for (const delivery of asked) if (oldestMs === null || delivery.storedAtMs < oldestMs) flood.delete(delivery);
      if (flood.stored.size === 0 && flood.storing === 0) this.#floods.delete(tenantId);
    } finally {
      flood.checkedAtMs = performance.now();
      flood.checking = false;
    }
  }
}
