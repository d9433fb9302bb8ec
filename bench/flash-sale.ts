import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { freePort } from '../local/ports.ts';
import { besideFloor, budgeted, known, type Latency, type Measured, pace, quantile, until } from './measure.ts';
import { cartUpdated, emailOf, openDeps, openTenant, orderPlaced, postOnce, sign, type ShopEvent, type Signed } from './shop.ts';
import { asOwner, type BenchStack, endChild } from './stack.ts';

const updatesOfCart = 4;
/** One cart in so many is bought, in the last quarter of the sale. */
const boughtOneIn = 6;
/** How long shops wait for an answer, ms. */
const patienceMs = 5_000;

/**
 * A flash sale: many events in few seconds, evenly, to one API process, with one worker, Postgres, Temporal and the shop's client on the same
 * machine; beside it, the same events at the same pace to a bare route that inserts one row. Nothing is sent a second time. Afterwards it is
 * counted whether anything was lost and whether each cart's last update is the one that stands.
 */
export async function measureFlashSale(stack: BenchStack, sale: { events: number; seconds: number }): Promise<Measured> {
  const perSecond = sale.events / sale.seconds;
  const databaseUrl = await stack.newDatabase('flash_sale');
  const deps = openDeps(databaseUrl, stack.masterKey);
  const tenant = await openTenant(deps, 'flash-sale');
  await deps.db.close();
  const [port, floorPort] = [await freePort(), await freePort()];
  const environment = {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
    LOG_LEVEL: 'fatal',
  };
  const floor = await stack.spawn('bench/floor-webhook.ts', { DATABASE_URL: stack.databaseUrl, PORT: String(floorPort) });
  const bare = await play(floorPort, signed(tenant, eventsOf(sale.events).events, '/'), perSecond);
  await endChild(floor);

  const api = await stack.spawn('api/server.ts', { ...environment, PORT: String(port) });
  const worker = await stack.spawn('worker/main.ts', { ...environment, METRICS_PORT: String(await freePort()) });
  // As autovacuum does within the first minute.
  await asOwner(databaseUrl, (owner) => owner.query('analyze'));
  await play(port, signed(tenant, eventsOf(200).events), perSecond / 10);

  const { events, carts, bought } = eventsOf(sale.events);
  const deliveries = signed(tenant, events);
  const fromMs = performance.now();
  const run = await play(port, deliveries, perSecond);
  const foldedSeconds = await asOwner(databaseUrl, async (owner) => {
    const left = async () => (await owner.query(`select 1 from inbox where state = 'pending' limit 1`)).rowCount === 0;
    await until('everything that was stored to be applied', left, 300_000);
    return (performance.now() - fromMs) / 1_000;
  });
  const kept = await asOwner(databaseUrl, (owner) =>
    owner.query<{ email: string; value: string; state: string }>('select email, value_minor as value, state from subjects'),
  );
  await endChild(worker);
  await endChild(api);

  const found = new Map(kept.rows.map((row) => [row.email, row]));
  const answered = (cart: string) => run.accepted.has(`update ${cart}`);
  const lost = [...carts].filter((cart) => answered(cart) && found.get(emailOf(cart)) === undefined);
  // A purchase may be on its way together with the update before it: what is bought then stays as it was bought.
  const stale = [...carts].filter(
    (cart) => answered(cart) && !bought.has(cart) && Number(found.get(emailOf(cart))?.value ?? 0) !== totalOf(updatesOfCart - 1) * 100,
  );
  const unstopped = [...bought].filter((cart) => run.accepted.has(`order ${cart}`) && found.get(emailOf(cart))?.state !== 'converted');
  const latencies: Latency[] = [
    { name: 'flash_sale_answer', valuesMs: run.latenciesMs, floorMs: bare.latenciesMs },
    { name: 'flash_sale_purchase', valuesMs: run.stopsMs, floorMs: null },
  ];
  return {
    figures: [
      known('flash_sale_accepted', run.accepted200, 'events', bare.accepted200),
      budgeted('flash_sale_refused', run.refused, 'events', '0', (n) => n === 0),
      known('flash_sale_stored_first', run.storedFirst, 'events'),
      besideFloor('flash_sale_last_answer', run.lastAnswerSeconds, 's', bare.lastAnswerSeconds, '<= 1.5 × the floor', (ratio) => ratio <= 1.5),
      budgeted('flash_sale_purchase_p99', quantile(run.stopsMs, 0.99), 'ms', `<= ${patienceMs} ms`, (ms) => ms <= patienceMs),
      known('flash_sale_all_applied', foldedSeconds, 's'),
      budgeted('flash_sale_lost', lost.length, 'carts', '0', (n) => n === 0),
      budgeted('flash_sale_not_the_last_update', stale.length, 'carts', '0', (n) => n === 0),
      budgeted('flash_sale_bought_and_open', unstopped.length, 'carts', '0', (n) => n === 0),
    ],
    latencies,
    notes: [`${sale.events} events in ${sale.seconds} s: ${carts.size} carts with ${updatesOfCart} updates each, ${bought.size} of them bought`],
  };
}

interface Said extends ShopEvent {
  /** What it is, for the count afterwards. */
  what: string;
}

const totalOf = (update: number) => 100 + update;

/** Carts appear, change and are bought, each in its own order, all of them mixed. */
function eventsOf(count: number): { events: Said[]; carts: Set<string>; bought: Set<string> } {
  const carts = Array.from({ length: Math.round(count / (updatesOfCart + 1 / boughtOneIn)) }, () => randomUUID());
  const bought = new Set<string>();
  const events: Said[] = [];
  let atMs = Date.now() - count;
  for (let update = 0; update < updatesOfCart; update++) {
    for (const [index, cart] of carts.entries()) {
      const last = update === updatesOfCart - 1;
      events.push({ ...cartUpdated(cart, (atMs += 1), `${totalOf(update)}.00`), what: last ? `update ${cart}` : 'update' });
      // Some time after its last update.
      const buyer = last && index % boughtOneIn === boughtOneIn - 1 ? carts[index - boughtOneIn + 1] : undefined;
      if (buyer === undefined) continue;
      bought.add(buyer);
      events.push({ ...orderPlaced(buyer), atMs: (atMs += 1), what: `order ${buyer}` });
    }
  }
  return { events, carts: new Set(carts), bought };
}

/** Signed beforehand: the client's own work is not what is measured. @param path - instead of the webhook's own */
function signed(tenant: Parameters<typeof sign>[0], events: readonly Said[], path?: string): (Signed & { what: string })[] {
  return events.map((event) => ({ ...sign(tenant, event), ...(path === undefined ? {} : { path }), what: event.what }));
}

interface Played {
  accepted: Set<string>;
  accepted200: number;
  refused: number;
  storedFirst: number;
  lastAnswerSeconds: number;
  latenciesMs: number[];
  /** Of the purchases among them. */
  stopsMs: number[];
}

/** Send each delivery once, at its time. */
async function play(port: number, deliveries: readonly (Signed & { what: string })[], perSecond: number): Promise<Played> {
  const played: Played = { accepted: new Set(), accepted200: 0, refused: 0, storedFirst: 0, lastAnswerSeconds: 0, latenciesMs: [], stopsMs: [] };
  const agent = new Agent({ keepAlive: true, maxSockets: 1_000 });
  const startMs = performance.now();
  await pace(deliveries.length, perSecond, async (index) => {
    const delivery = deliveries[index];
    if (delivery === undefined) return;
    const fromMs = performance.now();
    const { status, said } = await postOnce(port, delivery, agent).catch((error: unknown) => ({ status: 0, said: String(error) }));
    const ms = performance.now() - fromMs;
    played.latenciesMs.push(ms);
    if (delivery.what.startsWith('order')) played.stopsMs.push(ms);
    if (status !== 200) played.refused += 1;
    else {
      played.accepted200 += 1;
      played.accepted.add(delivery.what);
      if (said.includes('pending')) played.storedFirst += 1;
    }
    played.lastAnswerSeconds = (performance.now() - startMs) / 1_000;
  });
  agent.destroy();
  return played;
}
