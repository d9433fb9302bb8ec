import { freePort } from '../local/ports.ts';
import { createConnection } from '../operations/connections.ts';
import { type StartedBotApi, startBotApi } from '../tests/helpers/bot-api.ts';
import { budgeted, type Measured, pace, quantile, until } from './measure.ts';
import { openDeps, openTenant } from './shop.ts';
import { type BenchStack, endChild } from './stack.ts';

const tokenOf = (bot: number) => `${bot}:an-invented-token-of-35-characters_`;
const [product, floor] = [tokenOf(987_654_301), tokenOf(987_654_302)];
const warmUps = 10;
const patienceMs = 60_000;

/**
 * From somebody writing in a chat to the first message of the answer at Telegram, by webhook: Telegram delivers to the API, and a worker in a process of
 * its own answers. Beside a bare route that stores the update and sends one message.
 */
export async function measureChats(stack: BenchStack, { people, perSecond }: { people: number; perSecond: number }): Promise<Measured> {
  const databaseUrl = await stack.newDatabase('chats');
  const far = await startBotApi();
  try {
    const [port, floorPort] = [await freePort(), await freePort()];
    const environment = {
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: stack.temporalAddress,
      REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      REKINDLE_PRIVATE_ADDRESSES: 'all',
      LOG_LEVEL: 'fatal',
    };
    const deps = openDeps(databaseUrl, stack.masterKey);
    const { tenantId } = await openTenant(deps, 'bench-chats');
    const config = { token: product, updates: 'webhook', baseUrl: far.url };
    const made = await createConnection(deps, tenantId, { integration: 'telegram', name: 'Bot', config, secrets: [] }, 'bench');
    await deps.db.close();
    if (made.kind !== 'created') throw new Error(JSON.stringify(made));
    const api = await stack.spawn('api/server.ts', { ...environment, PORT: String(port) });
    const worker = await stack.spawn('worker/main.ts', { ...environment, METRICS_PORT: String(await freePort()) });
    const isToldWhere = () => Promise.resolve(far.api.bot(product).webhook !== null);
    await until('the bot to be started', isToldWhere, patienceMs);
    const tookMs = await answersOf(far, product, { people, perSecond });
    await endChild(worker);
    await endChild(api);

    const bare = await stack.spawn('bench/floor-chats.ts', {
      DATABASE_URL: databaseUrl,
      PORT: String(floorPort),
      SEND_MESSAGE_URL: `${far.url}/bot${floor}/sendMessage`,
    });
    await far.api.call(floor, 'setWebhook', { url: `http://127.0.0.1:${floorPort}/` });
    const floorMs = await answersOf(far, floor, { people, perSecond });
    await endChild(bare);
    return {
      figures: [budgeted('chat_answered_p99', quantile(tookMs, 0.99), 'ms', '< 1,000 ms', (ms) => ms < 1_000)],
      latencies: [{ name: 'chat_answered', valuesMs: tookMs, floorMs }],
      notes: [
        `${people} people write for the first time, ${perSecond} a second, by webhook; one API, one worker, and the far end in the client's process`,
      ],
    };
  } finally {
    await far.stop();
  }
}

/** How long each of so many people waits for the first message of the answer, in milliseconds; the first few are not counted. */
async function answersOf({ api }: StartedBotApi, token: string, { people, perSecond }: { people: number; perSecond: number }): Promise<number[]> {
  const waiting = new Map<number, () => void>();
  const unwatch = api.watch(() => {
    for (const [id, done] of waiting)
      if (
        api
          .bot(token)
          .chats.get(id)
          ?.said.some(({ by }) => by === 'bot') === true
      )
        done();
  });
  const answer = async (id: number): Promise<number> => {
    const fromMs = performance.now();
    const answered = new Promise<void>((done) => void waiting.set(id, done));
    api.says(token, { id, first_name: 'Ana', language_code: 'en' }, 'hello');
    await inTime(answered, `the answer to ${id}`);
    waiting.delete(id);
    return performance.now() - fromMs;
  };
  try {
    for (let n = 0; n < warmUps; n++) await answer(1_000 + n);
    const tookMs: number[] = [];
    await pace(people, perSecond, async (index) => void tookMs.push(await answer(10_000 + index)));
    return tookMs;
  } finally {
    unwatch();
  }
}

async function inTime(work: Promise<void>, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_done, refuse) => {
    timer = setTimeout(() => refuse(new Error(`waited ${patienceMs} ms in vain for ${what}`)), patienceMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
