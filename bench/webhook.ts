import { randomUUID } from 'node:crypto';
import { freePort } from '../local/ports.ts';
import { besideFloor, type Figure, flood, known, type Latency, type Measured, median, untilCount } from './measure.ts';
import { cartUpdated, openDeps, openTenant, orderPlaced, post, sign, type Signed } from './shop.ts';
import { asOwner, type BenchStack, endChild } from './stack.ts';

const width = 16;
/** As many as a shop sends when something happens to all of its carts. */
const crowd = 64;
const kinds = ['new_cart', 'cart_update', 'repeat', 'purchase'] as const;
type Kind = (typeof kinds)[number];

/**
 * Webhooks per second and their latency, beside a bare Fastify route with begin, set tenant, insert, commit. `webhook_accepted` is what
 * the budget names: verify, dedupe, fold, commit, 2xx, with Temporal apart: its address answers nobody, so what is accepted waits in the
 * outbox (G3). `webhook_end_to_end` is the same with the relay starting and stopping workflows at the same time on the same machine,
 * `webhook_one_transaction_each` the same without gathering deliveries into sets.
 */
export async function measureWebhooks(stack: BenchStack, rounds: number, perRound: number): Promise<Measured> {
  const sent = { again: 0 };
  const floor = await openFloor(stack, sent);
  const apart = await openApi(stack, 'accepted', `127.0.0.1:${await freePort()}`, sent);
  const together = await openApi(stack, 'end_to_end', stack.temporalAddress, sent);
  const single = await openApi(stack, 'one_transaction_each', `127.0.0.1:${await freePort()}`, sent);
  const apis = [apart, single, together];
  // Signed for the floor too: the client's own work is the same in both.
  const newCarts = (count: number, { tenant } = apart) => Array.from({ length: count }, () => sign(tenant, cartUpdated(randomUUID())));
  await floor.flood(newCarts(200), width);
  // Of every kind: a plan that was made while a table was empty may not fit it later.
  for (const api of apis) for (const [, deliveries] of deliveriesOf(api, 250)) await api.flood(deliveries(), width);
  // As the worker does within seconds: measured is a shop that runs (`growth` shows the first minute too).
  for (const url of [stack.databaseUrl, ...apis.map((api) => api.databaseUrl)]) await asOwner(url, (owner) => owner.query('analyze'));

  const crowded = { rates: [] as number[], floor: [] as number[], ms: [] as number[], floorMs: [] as number[] };
  const bare = { rates: [] as number[], busyMs: [] as number[], aloneMs: [] as number[], postgresMs: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const postgresBefore = stack.postgresCpuMs();
    const run = await floor.flood(newCarts(perRound), width);
    bare.postgresMs.push(...spent(stack, postgresBefore, perRound));
    bare.rates.push(perRound / run.seconds);
    bare.busyMs.push(...run.latenciesMs);
    bare.aloneMs.push(...(await floor.flood(newCarts(100), 1)).latenciesMs);
    const bareCrowd = await floor.flood(newCarts(perRound), crowd);
    const ourCrowd = await apart.flood(newCarts(perRound), crowd);
    crowded.floor.push(perRound / bareCrowd.seconds);
    crowded.rates.push(perRound / ourCrowd.seconds);
    crowded.floorMs.push(...bareCrowd.latenciesMs);
    crowded.ms.push(...ourCrowd.latenciesMs);
    for (const api of apis) {
      for (const [kind, deliveries] of deliveriesOf(api, perRound)) {
        const batch = deliveries();
        const [cpuBefore, pgBefore] = [await api.cpuSeconds(), stack.postgresCpuMs()];
        const { seconds, latenciesMs } = await api.flood(batch, width);
        api.seen[kind].cpuMs.push((((await api.cpuSeconds()) - cpuBefore) * 1_000) / perRound);
        api.seen[kind].postgresMs.push(...spent(stack, pgBefore, perRound));
        api.seen[kind].rates.push(perRound / seconds);
        api.seen[kind].ms.push(...latenciesMs);
      }
      api.aloneMs.push(...(await api.flood(newCarts(100, api), 1)).latenciesMs);
      await api.settled();
    }
  }
  for (const { close } of [...apis, floor]) await close();
  return {
    figures: [...apis.flatMap((api) => figuresOf(api, bare)), crowdedFigure(crowded)],
    latencies: [
      ...apis.flatMap((api) => [
        ...kinds.map((kind): Latency => ({ name: nameOf(api, kind), valuesMs: api.seen[kind].ms, floorMs: bare.busyMs })),
        { name: `webhook_${api.name}_one_by_one`, valuesMs: api.aloneMs, floorMs: bare.aloneMs },
      ]),
      { name: `webhook_accepted_of_${crowd}`, valuesMs: crowded.ms, floorMs: crowded.floorMs },
    ],
    notes: [
      `${width} webhooks at once, one API process, all from one client on the same machine; one_by_one, and ${crowd} at once: new carts`,
      `${sent.again} were answered 5xx and sent again`,
    ],
  };
}

/** Postgres's processor time per delivery since `before`: nothing where the system does not report it. */
function spent(stack: BenchStack, before: number | null, deliveries: number): number[] {
  const after = stack.postgresCpuMs();
  return before === null || after === null ? [] : [(after - before) / deliveries];
}

const nameOf = (api: Api, kind: Kind) => (kind === 'new_cart' ? `webhook_${api.name}` : `webhook_${api.name}_${kind}`);

/** The budget names what comes before the answer; what Temporal does beside it is measured without a budget. */
function figuresOf(api: Api, floor: { rates: number[]; postgresMs: number[] }): Figure[] {
  const floorRate = median(floor.rates);
  return kinds.flatMap((kind) => {
    const [name, { rates, cpuMs, postgresMs }] = [nameOf(api, kind), api.seen[kind]];
    if (api.name !== 'accepted') return [known(name, median(rates), '1/s', floorRate)];
    const accepted = besideFloor(name, median(rates), '1/s', floorRate, '>= 60 % of the floor', (ratio) => ratio >= 0.6);
    const postgres = postgresMs.length === 0 ? [] : [known(`${name}_postgres_cpu`, median(postgresMs), 'ms', median(floor.postgresMs))];
    return [accepted, known(`${name}_api_cpu`, median(cpuMs), 'ms'), ...postgres];
  });
}

/** More deliveries at once make larger sets, and each costs less. */
const crowdedFigure = ({ rates, floor }: { rates: number[]; floor: number[] }): Figure =>
  besideFloor(`webhook_accepted_of_${crowd}`, median(rates), '1/s', median(floor), '>= 60 % of the floor', (ratio) => ratio >= 0.6);

interface Api {
  name: 'accepted' | 'one_transaction_each' | 'end_to_end';
  databaseUrl: string;
  tenant: Parameters<typeof sign>[0];
  /** Its measurements so far. */
  seen: Record<Kind, { rates: number[]; ms: number[]; cpuMs: number[]; postgresMs: number[] }>;
  aloneMs: number[];
  flood(deliveries: Signed[], atOnce: number): ReturnType<typeof flood>;
  /** Processor time of its process since it began. */
  cpuSeconds(): Promise<number>;
  /** Wait until the relay has nothing left to do, where it can reach Temporal. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

interface Sent {
  again: number;
}

async function openFloor(stack: BenchStack, sent: Sent): Promise<Pick<Api, 'flood' | 'close'>> {
  const port = await freePort();
  const child = await stack.spawn('bench/floor-webhook.ts', { DATABASE_URL: stack.databaseUrl, PORT: String(port) });
  return {
    flood: (deliveries, atOnce) =>
      flood(deliveries.length, atOnce, async (i) => void (sent.again += await post(port, { ...at(deliveries, i), path: '/' }))),
    close: () => endChild(child),
  };
}

/** An API process with a database of its own: a relay takes every row it finds. */
async function openApi(stack: BenchStack, name: Api['name'], temporalAddress: string, sent: Sent): Promise<Api> {
  const databaseUrl = await stack.newDatabase(name);
  const deps = openDeps(databaseUrl, stack.masterKey);
  const tenant = await openTenant(deps, `bench-${name.replaceAll('_', '-')}`);
  await deps.db.close();
  const port = await freePort();
  const child = await stack.spawn(name === 'one_transaction_each' ? 'bench/api-one-by-one.ts' : 'api/server.ts', {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
    PORT: String(port),
    LOG_LEVEL: 'fatal',
  });
  const nothing = () => ({ rates: [], ms: [], cpuMs: [], postgresMs: [] });
  return {
    name,
    databaseUrl,
    tenant,
    seen: { new_cart: nothing(), cart_update: nothing(), repeat: nothing(), purchase: nothing() },
    aloneMs: [],
    flood: (deliveries, atOnce) => flood(deliveries.length, atOnce, async (i) => void (sent.again += await post(port, at(deliveries, i)))),
    async cpuSeconds() {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1]);
    },
    async settled() {
      if (name !== 'end_to_end') return;
      await asOwner(databaseUrl, async (owner) => {
        const waiting = async () => Number((await owner.query<{ n: string }>('select count(*) as n from outbox')).rows[0]?.n);
        const before = await waiting();
        await untilCount({ what: 'rows of the outbox sent', target: before, count: async () => before - (await waiting()) });
      });
    },
    close: () => endChild(child),
  };
}

/** One round's deliveries: carts appear, change, are delivered again, are bought. Each is signed right before it is sent. */
function deliveriesOf(api: Api, count: number): [Kind, () => Signed[]][] {
  const carts = Array.from({ length: count }, () => randomUUID());
  const first = carts.map((cart) => sign(api.tenant, cartUpdated(cart)));
  return [
    ['new_cart', () => first],
    ['cart_update', () => carts.map((cart) => sign(api.tenant, cartUpdated(cart, Date.now(), '159.90')))],
    ['repeat', () => first],
    ['purchase', () => carts.map((cart) => sign(api.tenant, orderPlaced(cart)))],
  ];
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`no value ${index}`);
  return value;
}
