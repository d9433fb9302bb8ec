import { randomUUID } from 'node:crypto';
import { freePort } from '../local/ports.ts';
import { budgeted, flood, known, type Measured } from './measure.ts';
import { cartUpdated, openDeps, openTenant, orderPlaced, post, sign } from './shop.ts';
import { asOwner, type BenchStack, endChild } from './stack.ts';

const atOnce = 500;
/** Shops wait that long for an answer, and repeat the delivery afterwards. */
const patienceMs = 5_000;

/** Purchases that all come at once to one API process, whose relay stops the workflows meanwhile on the same machine. */
export async function measurePurchases(stack: BenchStack, rounds: number): Promise<Measured> {
  const deps = openDeps(stack.databaseUrl, stack.masterKey);
  const tenant = await openTenant(deps, 'bench-purchases');
  await deps.db.close();
  const port = await freePort();
  const api = await stack.spawn('api/server.ts', {
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
    PORT: String(port),
    LOG_LEVEL: 'fatal',
  });
  const valuesMs: number[] = [];
  let again = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      const carts = Array.from({ length: atOnce }, () => randomUUID());
      await flood(atOnce, 16, async (i) => void (await post(port, sign(tenant, cartUpdated(carts[i] ?? '')))));
      await asOwner(stack.databaseUrl, (owner) => owner.query('analyze'));
      const purchases = carts.map((cart) => sign(tenant, orderPlaced(cart)));
      const { latenciesMs } = await flood(atOnce, atOnce, async (i) => {
        const purchase = purchases[i];
        if (purchase !== undefined) again += await post(port, purchase);
      });
      valuesMs.push(...latenciesMs);
    }
  } finally {
    await endChild(api);
  }
  return {
    figures: [
      budgeted('purchases_at_once_slowest', Math.max(...valuesMs), 'ms', `< ${patienceMs} ms: ${atOnce} at once`, (ms) => ms < patienceMs),
      known('purchases_at_once_again', again, 'answers'),
    ],
    latencies: [{ name: 'purchases_at_once', valuesMs, floorMs: null }],
    notes: [`${atOnce} purchases at once, ${rounds} times; ${again} were answered 503 and sent again at once, which counts in their time`],
  };
}
