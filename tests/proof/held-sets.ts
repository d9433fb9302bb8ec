import type { Attempt, GatheredDelivery } from '../../operations/intake/delivery.ts';
import { DeliverySets, type SetSteps } from '../../operations/intake/delivery-sets.ts';

type Steps = SetSteps<GatheredDelivery, Attempt>;

/**
 * The product's own sets, of a process that is busy until as many deliveries wait as are expected: they find themselves in one transaction, as
 * far as the product allows. Real arrival would leave that to chance.
 */
export class HeldSets extends DeliverySets<GatheredDelivery, Attempt> {
  #expected = 1;
  #held: (() => void)[] = [];
  #patience: NodeJS.Timeout | undefined;

  constructor() {
    super({ atOnce: 1, most: 16 });
  }

  /** How many deliveries arrive in the same moment. */
  expect(deliveries: number): void {
    this.#expected = deliveries;
  }

  override apply(tenantId: string, delivery: GatheredDelivery, steps: Steps): Promise<Attempt> {
    if (this.#expected < 2) return super.apply(tenantId, delivery, steps);
    return new Promise((resolve, reject) => {
      this.#held.push(() => void super.apply(tenantId, delivery, steps).then(resolve, reject));
      // One that is refused before it comes here is not waited for.
      if (this.#held.length === 1) this.#patience = setTimeout(() => this.#release(tenantId, delivery, steps), 150);
      if (this.#held.length === this.#expected) this.#release(tenantId, delivery, steps);
    });
  }

  #release(tenantId: string, delivery: GatheredDelivery, steps: Steps): void {
    clearTimeout(this.#patience);
    this.#expected = 1;
    // The one transaction that may run is taken until all of them stand in line.
    void super.apply(tenantId, delivery, { ...steps, applyOne: () => Promise.resolve({ kind: 'locked' }) });
    for (const join of this.#held.splice(0)) join();
  }
}
