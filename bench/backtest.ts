import { setTimeout } from 'node:timers/promises';
import type pg from 'pg';
import { countPasses, readHistory } from '../operations/backtest/history.ts';
import { readPeople } from '../operations/backtest/people.ts';
import { runBacktest, type Tried } from '../operations/backtest/run-backtest.ts';
import type { BuiltDeps } from '../operations/create-deps.ts';
import { publishPreset } from '../operations/publish-sequence.ts';
import { loadPresets } from '../operations/publish-presets.ts';
import { settingsOf, tenantSettings } from '../domain/tenant-settings.ts';
import { besideFloor, budgeted, known, type Measured } from './measure.ts';
import { openDeps, openTenant } from './shop.ts';
import { asOwner, type BenchStack } from './stack.ts';

const dayMs = 86_400_000;
const days = 90;
const mostSeconds = 60;
const budgetOf = 100_000;

/**
 * A backtest of the cart preset over 90 days of many people: each left a cart and changed it, every third bought a day later, every twentieth
 * opted out. Its floor is reading the same rows and doing nothing with them. Processor time stands beside the clock, because it says the same on a
 * machine that has other work.
 */
export async function measureBacktest(stack: BenchStack, people: number, say: (line: string) => void): Promise<Measured> {
  // Nothing is ever sent there: it is what makes emails possible.
  const deps = openDeps(stack.databaseUrl, stack.masterKey, { smtpUrl: 'smtp://127.0.0.1:9' });
  try {
    const tenant = await openTenant(deps, 'bench-backtest');
    const preset = (await loadPresets()).find(({ definition }) => definition.sequence === 'cart');
    if (preset === undefined) throw new Error('there is no preset for carts');
    await publishPreset(deps, tenant.tenantId, preset);
    say(`backtest: a history of ${people} people`);
    await asOwner(stack.databaseUrl, (owner) => fill(owner, tenant.tenantId, people));
    const tried: Tried = { version: 1, definition: preset.definition, content: null };
    say('backtest: reading alone');
    const floor = await timed(() => readAll(deps, tenant.tenantId));
    say('backtest: reading and deciding');
    let peakMb = 0;
    const watch = setInterval(() => (peakMb = Math.max(peakMb, process.memoryUsage().rss / 1_048_576)), 100);
    const before = process.memoryUsage().rss / 1_048_576;
    const { result, seconds, cpuSeconds } = await timed(() =>
      runBacktest(deps, { tenantId: tenant.tenantId, tried, days, prices: null, onProgress: () => undefined }),
    );
    clearInterval(watch);
    const { begun } = result.enrollments;
    if (begun < people * 0.99) throw new Error(`only ${begun} enrollments began`);
    if (result.messaged_after_buying.people > 0) throw new Error('somebody would have got a message after buying');
    return {
      figures: [
        budgeted('backtest', seconds, 's', `<= ${mostSeconds} s for 100,000 enrollments`, (s) => s <= (mostSeconds * people) / budgetOf),
        known('backtest_cpu', cpuSeconds, 's of this process', floor.cpuSeconds),
        besideFloor('backtest_rate', begun / seconds, 'enrollments/s', floor.result / floor.seconds, 'measured to know it', () => true),
      ],
      notes: [
        `backtest: ${begun} enrollments of ${result.people} people, ${result.messages.total} messages; the floor reads the same rows and does nothing with them; the process grew by ${(peakMb - before).toFixed(0)} MB at most`,
      ],
    };
  } finally {
    await deps.db.close();
  }
}

/** @returns seconds by the clock, and of this process's processor time with its garbage collection */
async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number; cpuSeconds: number }> {
  // What the part before has left to the garbage collector and to Postgres's background falls into this second.
  await setTimeout(1_000);
  const [startMs, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { result, seconds: (performance.now() - startMs) / 1_000, cpuSeconds: (user + system) / 1_000_000 };
}

/** @returns how many people were read */
function readAll(deps: BuiltDeps, tenantId: string): Promise<number> {
  return deps.db.snapshot(tenantId, async (tx) => {
    const untilMs = Date.now();
    const span = { fromMs: untilMs - (days + 30) * dayMs, untilMs };
    const settings = settingsOf({ settings: tenantSettings.parse({}) });
    const passes = await countPasses(tx, span);
    const ask = {
      slug: 'cart',
      sequenceId: null,
      fromMs: span.fromMs,
      hashOf: ({ kind, value }: { kind: string; value: string }) => `${kind} ${value}`,
    };
    let read = 0;
    for (let part = 0; part < passes; part++) {
      const found = [...(await readHistory(tx, { tenantId, settings }, span, { part, of: passes })).events];
      for (let at = 0; at < found.length; at += 400) read += (await readPeople(tx, new Map(found.slice(at, at + 400)), ask)).length;
    }
    return read;
  });
}

/** Rows alone, as the owner. */
async function fill(owner: pg.Client, tenantId: string, people: number): Promise<void> {
  const { rows } = await owner.query<{ id: string }>(`select id from connections where tenant_id = $1 and integration = 'generic'`, [tenantId]);
  const connection = rows[0]?.id;
  if (connection === undefined) throw new Error('the tenant has no connection');
  const endMs = Date.now() - 10 * dayMs;
  const spanMs = (days - 20) * dayMs;
  // Version 7, with the number of a row for its randomness.
  await owner.query(`create or replace function pg_temp.made(at timestamptz, kind int, n bigint) returns uuid language sql immutable as $$
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000' || lpad(to_hex(n), 12, '0'))::uuid $$`);
  const at = `(timestamptz '${new Date(endMs - spanMs).toISOString()}' + make_interval(secs => (n * ${spanMs / 1_000 / people})::float8))`;
  const t = `'${tenantId}'::uuid`;
  const ms = (of: string) => `(extract(epoch from ${of}) * 1000)::bigint`;
  const person = `jsonb_build_object('email', 'shopper-' || n || '@example.com', 'phone', null, 'externalId', null, 'firstName', 'Ada', 'lastName', null,
    'locale', null, 'timeZone', null, 'country', null, 'region', null, 'orderCount', null, 'lifetimeValueMinor', null, 'consents', '[]'::jsonb)`;
  const keys = `jsonb_build_array(jsonb_build_object('kind', 'external', 'value', 'cart-' || n))`;
  const lamp = `jsonb_build_object('title', 'Walnut desk lamp', 'variant', null, 'quantity', 1, 'priceMinor', 8990, 'compareAtMinor', null, 'productId', null,
    'imageUrl', null, 'productUrl', 'https://shop.example.com/lamp', 'stock', null)`;
  const cartAt = (
    of: string,
  ) => `jsonb_build_array(jsonb_build_object('type', 'cart.updated', 'occurredAtMs', ${ms(of)}, 'keys', ${keys}, 'person', ${person},
    'cart', jsonb_build_object('createdAtMs', ${ms(at)}, 'currency', 'EUR', 'totalMinor', 8990, 'items', jsonb_build_array(${lamp}),
      'restoreUrl', 'https://shop.example.com/cart/' || n, 'origin', null, 'completed', false)))`;
  const deliver = (kind: number, when: string, events: string, only: string) =>
    `insert into inbox (tenant_id, id, connection_id, dedupe_key, topic, state, events, received_at, applied_at)
     select ${t}, pg_temp.made(${when}, ${kind}, n), '${connection}', '${kind}-' || n, 'event', 'applied', ${events}, ${when}, ${when}
     from generate_series(1, ${people}) n where ${only}`;
  const later = `(${at} + interval '20 minutes')`;
  const ordered = `(${at} + interval '1 day')`;
  const left = `(${at} + interval '5 hours')`;
  const order = `jsonb_build_array(jsonb_build_object('type', 'order.placed', 'occurredAtMs', ${ms(ordered)}, 'keys', ${keys}, 'person', ${person},
    'order', jsonb_build_object('externalId', 'order-' || n, 'currency', 'EUR', 'totalMinor', 8990, 'products', '[]'::jsonb, 'noRevenue', null)))`;
  const optOut = `jsonb_build_array(jsonb_build_object('type', 'contact.opted_out', 'occurredAtMs', ${ms(left)},
    'person', jsonb_build_object('email', 'shopper-' || n || '@example.com', 'phone', null, 'externalId', null),
    'channel', null, 'final', false, 'source', 'webhook', 'basis', 'person'))`;
  const statements = [
    `insert into contacts (tenant_id, id, person_id, created_at) select ${t}, pg_temp.made(${at}, 1, n), pg_temp.made(${at}, 1, n), ${at} from generate_series(1, ${people}) n`,
    `insert into contact_identities (tenant_id, id, contact_id, kind, value, created_at)
     select ${t}, pg_temp.made(${at}, 2, n), pg_temp.made(${at}, 1, n), 'email', 'shopper-' || n || '@example.com', ${at} from generate_series(1, ${people}) n`,
    `insert into subjects (tenant_id, id, kind, contact_id, state, started_at, last_activity_at, created_at)
     select ${t}, pg_temp.made(${at}, 3, n), 'cart', pg_temp.made(${at}, 1, n), 'open', ${at}, ${later}, ${at} from generate_series(1, ${people}) n`,
    `insert into subject_keys (tenant_id, id, subject_id, connection_id, kind, value)
     select ${t}, pg_temp.made(${at}, 4, n), pg_temp.made(${at}, 3, n), '${connection}', 'external', 'cart-' || n from generate_series(1, ${people}) n`,
    deliver(5, at, cartAt(at), 'true'),
    deliver(6, later, cartAt(later), 'true'),
    deliver(7, ordered, order, 'n % 3 = 0'),
    deliver(8, left, optOut, 'n % 20 = 1'),
    'analyze contacts, contact_identities, subjects, subject_keys, inbox',
  ];
  await owner.query('set session_replication_role = replica');
  for (const statement of statements) await owner.query(statement);
  await owner.query('set session_replication_role = origin');
}
