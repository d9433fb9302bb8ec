import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { freePort } from '../local/ports.ts';
import { openListeners, tellAll } from './listeners.ts';
import { budgeted, type Measured, quantile } from './measure.ts';
import { openDeps, openTenant } from './shop.ts';
import { type BenchStack, endChild } from './stack.ts';

const warmUps = 5;

/** From a commit to each of so many listeners of a store, beside a bare WebSocket server that sends as large a text to as many. */
export async function measureLive(stack: BenchStack, { listeners: count, events }: { listeners: number; events: number }): Promise<Measured> {
  const databaseUrl = await stack.newDatabase('live');
  const deps = openDeps(databaseUrl, stack.masterKey);
  const tenant = await openTenant(deps, 'bench-live');
  await deps.db.close();
  const [port, floorPort] = [await freePort(), await freePort()];
  const api = await stack.spawn('api/server.ts', {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
    PORT: String(port),
    LOG_LEVEL: 'fatal',
  });
  const listeners = await openListeners(`ws://127.0.0.1:${port}/api/live`, count, { authorization: `Bearer ${tenant.apiKey ?? ''}` });
  await tellAll(databaseUrl, tenant.tenantId, listeners, warmUps);
  const toldMs = await tellAll(databaseUrl, tenant.tenantId, listeners, events);
  listeners.close();
  await endChild(api);

  const bare = await stack.spawn('bench/floor-live.ts', { PORT: String(floorPort) });
  const floorListeners = await openListeners(`ws://127.0.0.1:${floorPort}/`, count);
  const speaker = new WebSocket(`ws://127.0.0.1:${floorPort}/`, ['rekindle.live']);
  await new Promise((done) => speaker.once('message', done));
  const floorMs: number[] = [];
  for (let n = 0; n < warmUps + events; n++) {
    // As large as the message of an event.
    const text = randomUUID().padEnd(700, '.');
    const atMs = performance.now();
    speaker.send(text);
    const tookMs = await floorListeners.received(text, atMs);
    if (n >= warmUps) floorMs.push(...tookMs);
  }
  speaker.terminate();
  floorListeners.close();
  await endChild(bare);
  return {
    figures: [budgeted('live_told_p99', quantile(toldMs, 0.99), 'ms', '< 100 ms (S2-9)', (ms) => ms < 100)],
    latencies: [{ name: 'live_told', valuesMs: toldMs, floorMs }],
    notes: [`${count} listeners of one store, all in one client process on the same machine; ${events} events, one after the other`],
  };
}
