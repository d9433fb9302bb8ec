import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { pino } from 'pino';
import { signStandardWebhook } from '../integrations/generic/sign.ts';
import { freePort } from '../local/ports.ts';
import { createDeps } from '../operations/create-deps.ts';
import { provisionTenant } from '../operations/provision-tenant.ts';
import { type Figure, flood, median, spreadOf } from './measure.ts';
import type { BenchStack } from './stack.ts';

const width = 16;

/** Webhooks accepted per second (verify, dedupe, fold, commit, 2xx) beside a bare Fastify route with one insert. */
export async function measureWebhooks(stack: BenchStack, rounds: number, perRound: number): Promise<{ figures: Figure[]; notes: string[] }> {
  const deps = createDeps({
    databaseUrl: stack.databaseUrl,
    masterKey: stack.masterKey,
    publicUrl: 'http://localhost',
    smtpUrl: null,
    timeScale: null,
    log: pino({ level: 'silent' }),
    applicationName: 'bench',
  });
  const tenant = await provisionTenant(deps, { slug: 'bench', name: 'Bench', timeScale: 1, synthetic: true, settings: {} });
  await deps.db.close();
  const [apiPort, floorPort] = [await freePort(), await freePort()];
  const api = await stack.spawn('api/server.ts', {
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
    PORT: String(apiPort),
    LOG_LEVEL: 'error',
  });
  const floor = await stack.spawn('bench/floor-webhook.ts', { DATABASE_URL: stack.databaseUrl, PORT: String(floorPort) });

  const { path, secret } = tenant.webhooks.generic;
  const body = () => {
    const id = randomUUID();
    const cart = {
      id,
      currency: 'EUR',
      total: '129.90',
      items: [{ title: 'Lamp', quantity: 1, price: '129.90' }],
      restore_url: 'https://shop.example.com/c',
    };
    return JSON.stringify({
      type: 'cart.updated',
      timestamp: new Date().toISOString(),
      data: { cart, contact: { email: `${id}@example.com`, first_name: 'Ada' } },
    });
  };
  const signed = (payload: string) => {
    const [id, time] = [randomUUID(), Math.floor(Date.now() / 1_000)];
    return { 'webhook-id': id, 'webhook-timestamp': String(time), 'webhook-signature': signStandardWebhook(secret, id, time, payload) };
  };
  const product = async () => {
    const payload = body();
    await post(apiPort, path, payload, signed(payload));
  };
  const bare = async () => {
    const payload = body();
    // Signed too: the client's own work is the same in both.
    await post(floorPort, '/', payload, signed(payload));
  };
  await flood(200, width, bare);
  await flood(200, width, product);
  const rates: { product: number[]; floor: number[] } = { product: [], floor: [] };
  const latencies: number[] = [];
  for (let round = 0; round < rounds; round++) {
    rates.floor.push(perRound / (await flood(perRound, width, bare)).seconds);
    const run = await flood(perRound, width, product);
    rates.product.push(perRound / run.seconds);
    latencies.push(...run.latenciesMs);
  }
  api.kill('SIGTERM');
  floor.kill('SIGTERM');
  const [value, floorValue] = [median(rates.product), median(rates.floor)];
  const ratio = value / floorValue;
  const spread = spreadOf(latencies);
  return {
    figures: [{ name: 'webhook_accepted', value, unit: '1/s', floor: floorValue, ratio, budget: '>= 60 % of the floor', met: ratio >= 0.6 }],
    notes: [
      `webhook to 2xx at ${width} at once: p50 ${spread.p50.toFixed(1)} ms, p99 ${spread.p99.toFixed(1)} ms, p99.9 ${spread.p999.toFixed(1)} ms`,
    ],
  };
}

const agent = new Agent({ keepAlive: true, maxSockets: width });

function post(port: number, path: string, payload: string, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = request(
      { agent, host: '127.0.0.1', port, path, method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      (res) => {
        res.resume();
        res.on('end', () => (res.statusCode === 200 ? resolve() : reject(new Error(`answered ${res.statusCode}`))));
      },
    );
    req.on('error', reject);
    req.end(payload);
  });
}
