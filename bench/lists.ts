import type { ChildProcess } from 'node:child_process';
import { Agent, request } from 'node:http';
import { freePort } from '../local/ports.ts';
import { loadPresets, publishPresets } from '../operations/publish-presets.ts';
import { fillAsleep, fillHistory, placeOf } from './growth/fill.ts';
import { fillLists } from './growth/fill-lists.ts';
import { budgeted, flood, known, type Latency, type Measured, quantile } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { openDeps, openTenant } from './shop.ts';
import { asOwner, type BenchStack, endChild } from './stack.ts';

const width = 8;
const each = 400;
const warmUps = 40;
const asleep = 10_000;
/** Of each kind of entry besides: audit log, tasks, offers, deliveries … */
const others = 20_000;
/** Within which a page that somebody waits for has to be there, as a request of the dashboard. */
const budgetMs = 500;

/**
 * Lists and searches of the API where a store has a million people, each asked for by eight clients at once, beside a route that reads one row by its
 * key.
 */
export async function measureLists(stack: BenchStack, { contacts, part, say }: BenchOptions): Promise<Measured> {
  const databaseUrl = await stack.newDatabase('lists');
  const deps = openDeps(databaseUrl, stack.masterKey);
  const tenant = { ...(await openTenant(deps, 'bench-lists')), slug: 'bench-lists' };
  await publishPresets(deps, await loadPresets());
  await deps.db.close();
  await asOwner(databaseUrl, async (owner) => {
    const place = await placeOf(owner, tenant);
    await fillHistory(owner, place, { contacts, events: 0 }, say);
    await fillAsleep(owner, place, { from: 0, to: asleep });
    await fillLists(owner, place, others);
    await owner.query('update api_keys set requests_per_minute = 10000000 where tenant_id = $1', [tenant.tenantId]);
  });
  const [port, floorPort] = [await freePort(), await freePort()];
  const environment = { DATABASE_URL: databaseUrl, LOG_LEVEL: 'fatal' };
  const api = await stack.spawn('api/server.ts', {
    ...environment,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    REKINDLE_MASTER_KEY: stack.masterKey.toString('base64'),
    PORT: String(port),
  });
  const bare = await stack.spawn('bench/floor-read.ts', { ...environment, PORT: String(floorPort) });
  const [asks, floor] = [openClient(port, tenant.apiKey ?? ''), openClient(floorPort, '')];
  try {
    const latencies: Latency[] = [];
    for (const [name, pathOf] of Object.entries(asked(contacts))) {
      const measured = await part(`lists, ${name}`, async () => {
        // In turns: whatever else the machine does meets both.
        await flood(warmUps, width, async (n) => void (await asks.get(pathOf(n))));
        await flood(warmUps, width, async () => void (await floor.get('/')));
        const { latenciesMs: valuesMs } = await flood(each, width, async (n) => void (await asks.get(pathOf(n + warmUps))));
        const { latenciesMs: floorMs } = await flood(each, width, async () => void (await floor.get('/')));
        return { name: `list_${name}`, valuesMs, floorMs };
      });
      if (measured !== null) latencies.push(measured);
    }
    const deepMs = await part('lists, through all pages', () => throughPages(asks, 200));
    const slowest = latencies.map(({ valuesMs }) => quantile(valuesMs, 0.99));
    return {
      figures: [
        ...(slowest.length === 0 ? [] : [budgeted('list_slowest_p99', Math.max(...slowest), 'ms', `<= ${budgetMs} ms`, (ms) => ms <= budgetMs)]),
        ...(deepMs === null ? [] : [known('list_page_200', deepMs, 'ms')]),
      ],
      latencies,
      notes: [
        `${contacts} people with a cart and three emails each, ${asleep} more in a sequence; ${width} clients at once, pages of 50, ${each} requests each; the floor is a route that reads one row by its key`,
      ],
    };
  } finally {
    for (const child of [api, bare] satisfies ChildProcess[]) await endChild(child);
    asks.close();
    floor.close();
  }
}

/** What is asked for, by its name; `n` varies who is looked for. */
function asked(contacts: number): Record<string, (n: number) => string> {
  const person = (n: number) => 1 + ((n * 7_919) % Math.max(1, contacts));
  return {
    contacts_newest: () => '/api/contacts?limit=50',
    contacts_by_name: () => '/api/contacts?limit=50&sort=last_name',
    contact_by_email: (n) => `/api/contacts?email=shopper-${person(n)}%40example.com`,
    subject_by_outside_id: (n) => `/api/subjects?external_id=old-cart-${person(n)}`,
    subjects_open: () => '/api/subjects?state=open&limit=50',
    subjects_gone: () => '/api/subjects?state=gone&limit=50',
    enrollments_newest: () => '/api/enrollments?limit=50',
    enrollments_active: () => '/api/enrollments?status=ACTIVE&limit=50',
    enrollments_paused: () => '/api/enrollments?status=PAUSED&limit=50',
    enrollments_exited: () => '/api/enrollments?status=EXITED&limit=50',
    enrollments_exited_latest: () => '/api/enrollments?status=EXITED&sort=-ended_at&limit=50',
    enrollments_bought_latest: () => '/api/enrollments?status=CONVERTED&sort=-ended_at&limit=50',
    enrollments_of_person: (n) => `/api/enrollments?email=shopper-${person(n)}%40example.com`,
    messages_sent: () => '/api/messages?state=sent&limit=50',
    messages_failed: () => '/api/messages?state=failed&limit=50',
    messages_claimed: () => '/api/messages?state=claimed&limit=50',
    messages_by_text: () => '/api/messages?channel=sms&limit=50',
    decisions_to_send: () => '/api/decisions?verdict=send&limit=50',
    decisions_stopped: () => '/api/decisions?verdict=stop&limit=50',
    decisions_why: () => '/api/decisions?reason=quiet_hours&limit=50',
    attempts_failed: () => '/api/attempts?status=FAILED&limit=50',
    offers_revoked: () => '/api/offers?state=revoked&limit=50',
    tasks_open: () => '/api/tasks?state=open&limit=50',
  };
}

/** Follow the cursors of a list. @returns how long the last page took, milliseconds */
async function throughPages(asks: Client, pages: number): Promise<number> {
  let [cursor, tookMs] = ['', 0];
  for (let page = 0; page < pages; page++) {
    const fromMs = performance.now();
    const { nextCursor } = JSON.parse(await asks.get(`/api/contacts?limit=50${cursor}`)) as { nextCursor: string | null };
    tookMs = performance.now() - fromMs;
    if (nextCursor === null) break;
    cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
  }
  return tookMs;
}

interface Client {
  /** @throws Error unless it was answered 200 */
  get(path: string): Promise<string>;
  close(): void;
}

function openClient(port: number, apiKey: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: width });
  return {
    get: (path) =>
      new Promise((resolve, reject) => {
        const headers = apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` };
        request({ host: '127.0.0.1', port, path, agent, headers }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
          response.on('end', () => (response.statusCode === 200 ? resolve(body) : reject(new Error(`${path}: ${response.statusCode} ${body}`))));
          response.on('error', reject);
        })
          .on('error', reject)
          .end();
      }),
    close: () => agent.destroy(),
  };
}
