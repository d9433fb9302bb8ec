import { setTimeout as sleep } from 'node:timers/promises';
import type { Signed } from '../shop.ts';
import type { Balancer } from './balancer.ts';

/** The delivery of one event: it counts as delivered at its first 2xx, however often it was sent. */
export interface Delivered {
  attempts: number;
  /** From the first attempt to the 2xx, repeats included. */
  latencyMs: number;
  /** Epoch milliseconds of the 2xx. */
  ackedAtMs: number;
}

const pauseMs = 200;

/** Post one event until it is answered 2xx, as shops do: the same id and body each time. @throws Error after `patienceMs` */
export async function deliver(balancer: Balancer, signed: Signed, patienceMs = 60_000): Promise<Delivered> {
  const fromMs = performance.now();
  let last = '';
  for (let attempts = 1; performance.now() - fromMs < patienceMs; attempts++) {
    try {
      const status = await balancer.post(signed);
      if (status >= 200 && status < 300) return { attempts, latencyMs: performance.now() - fromMs, ackedAtMs: Date.now() };
      last = `answered ${status}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(pauseMs);
  }
  throw new Error(`not accepted within ${patienceMs / 1_000} s: ${last}`);
}
