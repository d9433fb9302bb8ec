import { createHash } from 'node:crypto';
import { type Random, seededRandom } from '../chaos/random.ts';
import { drawFaults, type Fault, type FaultOptions } from './faults.ts';
import { drawShopper, type ShopperPlan } from './shopper.ts';
import { otherStores, stores } from './stores.ts';

/** Everything that a run does by itself, with its times; the same seed and options give the same. Milliseconds since the run began. */
export interface Schedule {
  shoppers: ShopperPlan[];
  faults: Fault[];
  /** Of all of it: two runs with the same digest did the same. */
  digest: string;
}

export interface ScheduleOptions {
  seed: number;
  /** How long shoppers arrive. */
  forMs: number;
  /** How many times faster than wall time the tenant's plans run. */
  timeScale: number;
  shoppersPerMinute: number;
  faults: FaultOptions;
}

export function drawSchedule(options: ScheduleOptions): Schedule {
  // Two streams: another choice of faults leaves the shoppers as they are.
  const random = seededRandom(options.seed);
  const hourMs = Math.round(3_600_000 / options.timeScale);
  const shoppers: ShopperPlan[] = [];
  const meanGapMs = 60_000 / options.shoppersPerMinute;
  for (let atMs = 0; atMs < options.forMs; atMs += Math.round(random.real() * 2 * meanGapMs)) {
    shoppers.push(drawShopper(random, drawWho(random, shoppers), atMs, hourMs));
  }
  const faults = drawFaults(seededRandom(options.seed ^ 0x5bd1e995), options.faults);
  const digest = createHash('sha256').update(JSON.stringify({ shoppers, faults })).digest('hex').slice(0, 12);
  return { shoppers, faults, digest };
}

/** Every fourth who can is somebody who came to another store lately, by the same address. */
function drawWho(random: Random, before: readonly ShopperPlan[]): Parameters<typeof drawShopper>[1] {
  const index = before.length + 1;
  const sharedBefore = new Set(before.flatMap((s) => (isOwnAddress(s) ? [] : s.addresses)));
  const lately = before.slice(-4).filter((s) => isOwnAddress(s) && !sharedBefore.has(ownAddress(s)));
  const [first, ...others] = lately;
  if (first === undefined || !random.chance(0.25)) return { index, store: random.pick(stores), email: null };
  const twin = random.pick([first, ...others]);
  return { index, store: random.pick(otherStores(twin.store)), email: ownAddress(twin) };
}

const ownAddress = ({ name }: ShopperPlan) => `${name}@example.com`;
const isOwnAddress = (shopper: ShopperPlan) => shopper.addresses[0] === ownAddress(shopper);
