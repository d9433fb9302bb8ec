import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Sender, SendOutcome } from '../../integrations/port.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { readSums, startOfHour } from '../../operations/read/sums.ts';
import { recordEngagement } from '../../operations/record-engagement.ts';
import { stopByHand } from '../../operations/stop-one.ts';
import { sweepLeases } from '../../operations/sweep-leases.ts';
import { openPool } from '../helpers/open-pool.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';
import { comparable, countSlowly } from '../helpers/slow-figures.ts';

// The figures are sums kept by triggers and a folding job: at every moment they are what a count of all rows would say.

const hourMs = 3_600_000;
// Windows keep their beginning when the hour turns.
const nowMs = Date.now();
let shop: Shop;
let owner: pg.Client;
/** The application's role, with as many connections as there are lookers. */
let app: pg.Pool;
let base: { sequenceId: string; versionId: string; connectionId: string };

const nextOutcomes: SendOutcome['kind'][] = [];
const asked = new Set<string>();
const notKnownYet = new Error('not known yet');
/** A provider with scripted answers. Asked about a call, it does not know at first; later it has accepted every other one. */
const sender: Sender = {
  channel: 'email',
  account: 'obedient',
  times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
  reconciliation: {
    kind: 'find',
    settleAfterMs: 0,
    async find(key) {
      if (!asked.has(key)) {
        asked.add(key);
        throw notKnownYet;
      }
      return asked.size % 2 === 0 ? 'accepted' : 'not_accepted';
    },
  },
  async open() {
    const send = async (): Promise<SendOutcome> => {
      const kind = nextOutcomes.shift() ?? 'accepted';
      if (kind === 'accepted') return { kind, providerMessageId: null, response: '250' };
      return kind === 'unknown' ? { kind, response: 'no answer' } : { kind, severity: 'soft', response: '451' };
    };
    return { send, close() {} };
  },
};

beforeAll(async () => {
  shop = await openShop({ timeScale: 1, sender });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  app = openPool({ connectionString: shop.database.url, options: '-c role=rekindle_app' });
  const { rows } = await owner.query<{ sequence: string; version: string; connection: string }>(
    `select s.id as sequence, s.current_version_id as version, c.id as connection from sequences s join connections c using (tenant_id) limit 1`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the shop has no sequence');
  base = { sequenceId: row.sequence, versionId: row.version, connectionId: row.connection };
});
afterAll(async () => {
  await app.end();
  await owner.end();
  await shop.close();
});

/** Sums and count in one snapshot of the application's role, whatever is written meanwhile. */
async function look(hoursBack: number) {
  const { tenantId } = shop.tenant;
  const fromMs = startOfHour(nowMs - hoursBack * hourMs);
  const client = await app.connect();
  try {
    await client.query('begin isolation level repeatable read');
    await client.query(`select set_config('app.tenant', $1, true)`, [tenantId]);
    const sums = comparable(await readSums(drizzle(client), fromMs));
    const counted = comparable(await countSlowly(client, tenantId, fromMs));
    const open = await client.query('select version_id, sum(change)::int as n from open_counts group by 1 having sum(change) <> 0 order by 1');
    const countedOpen = await client.query('select version_id, count(*)::int as n from enrollments where ended_at is null group by 1 order by 1');
    expect(open.rows).toEqual(countedOpen.rows);
    await client.query('commit');
    return { sums, counted };
  } finally {
    client.release();
  }
}
async function expectExact(hoursBack: number): Promise<void> {
  const { sums, counted } = await look(hoursBack);
  expect(sums).toEqual(counted);
}
const foldAll = async () => {
  while ((await shop.deps.db.foldRollups(1_000)) > 0);
};
const unfolded = async () => Number((await owner.query<{ n: string }>('select count(*) as n from sum_deltas')).rows[0]?.n);

// Any writer, also one that does what the product never does.
const which = fc.nat({ max: 2 });
const hoursAgo = fc.nat({ max: 60 });
const currency = fc.constantFrom('EUR', 'JPY');
const noRevenue = fc.option(fc.constantFrom('test', 'cancelled', 'declined'), { freq: 2 });
const minor = fc.nat({ max: 5_000 });
const minute = fc.nat({ max: 5 });
const change = fc.oneof(
  fc.record({ do: fc.constant('activate' as const), which, hoursAgo: fc.option(hoursAgo, { freq: 5 }) }),
  // The build before writes the old column, this one the new ones.
  fc.record({ do: fc.constant('retype' as const), which, type: fc.constantFrom('first_time', 'low_stock') }),
  fc.record({
    do: fc.constant('regroup' as const),
    which,
    kind: fc.constantFrom('cart', 'lead'),
    segment: fc.constantFrom('first_time', 'new', 'customer'),
  }),
  fc.record({ do: fc.constant('unfill' as const), which }),
  fc.record({ do: fc.constant('stop' as const), which, reason: fc.constantFrom(null, 'purchased', 'replied') }),
  fc.record({
    do: fc.constant('message' as const),
    which,
    step: fc.nat({ max: 1 }),
    state: fc.constantFrom('claimed', 'sent', 'sent', 'failed', 'unknown', 'skipped'),
    channel: fc.constantFrom(null, 'email', 'email', 'sms'),
    opened: fc.boolean(),
    clicked: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom('opened' as const, 'clicked' as const), which, yes: fc.boolean() }),
  fc.record({ do: fc.constant('correct' as const), order: fc.nat({ max: 2 }), value: fc.nat({ max: 5_000 }) }),
  fc.record({
    do: fc.constant('order' as const),
    order: fc.nat({ max: 2 }),
    which: fc.option(which),
    currency: fc.option(currency, { freq: 5 }),
    value: fc.option(minor, { freq: 5 }),
    reversed: fc.boolean(),
    noRevenue,
  }),
  // As the product does it, whatever is known of the order.
  fc.record({
    do: fc.constant('place' as const),
    order: fc.nat({ max: 3 }),
    which: fc.option(which),
    currency: fc.option(currency, { freq: 5 }),
    value: fc.option(minor, { freq: 5 }),
    noRevenue,
    minute,
  }),
  fc.record({
    do: fc.constant('update' as const),
    order: fc.nat({ max: 3 }),
    currency: fc.option(currency, { freq: 5 }),
    total: fc.option(minor),
    refunds: fc.uniqueArray(fc.record({ id: fc.nat({ max: 2 }), amount: minor, besides: fc.constantFrom(0, 0, 1), minute }), {
      selector: (r) => r.id,
      maxLength: 3,
    }),
    cancelled: fc.option(fc.boolean(), { freq: 2 }),
    toTheSecond: fc.boolean(),
    minute,
  }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

async function carryOut(client: pg.ClientBase, run: string, c: Change): Promise<void> {
  const t = shop.tenant.tenantId;
  const id = (kind: number, n: number) => `${run.slice(0, -4)}${kind}00${n}`;
  const call = async (name: string, argument: object) => void (await client.query(`select ${name}($1)`, [JSON.stringify(argument)]));
  const atMinute = (n: number) => new Date(nowMs + n * 60_000).toISOString();
  switch (c.do) {
    case 'activate':
      return void (await client.query(`update enrollments set activated_at = $1 where id = $2`, [
        c.hoursAgo === null ? null : new Date(Date.now() - c.hoursAgo * hourMs),
        id(1, c.which),
      ]));
    case 'retype':
      return void (await client.query('update enrollments set sequence_type = $1 where id = $2', [c.type, id(1, c.which)]));
    case 'regroup':
      return void (await client.query('update enrollments set subject_kind = $1, segment = $2 where id = $3', [c.kind, c.segment, id(1, c.which)]));
    case 'unfill':
      return unfill(client, id(1, c.which));
    case 'stop':
      return void (await client.query('update enrollments set stop_reason = $1 where id = $2', [c.reason, id(1, c.which)]));
    case 'message':
      return void (await client.query(
        `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, channel, opened_at, clicked_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (tenant_id, enrollment_id, step_id) do update set
           state = excluded.state, channel = excluded.channel, opened_at = excluded.opened_at, clicked_at = excluded.clicked_at`,
        [t, randomUUID(), id(1, c.which), `step-${c.step}`, run, c.state, c.channel, c.opened ? new Date() : null, c.clicked ? new Date() : null],
      ));
    case 'opened':
    case 'clicked':
      return void (await client.query(`update messages set ${c.do}_at = $1 where enrollment_id = $2`, [c.yes ? new Date() : null, id(1, c.which)]));
    case 'correct':
      return void (await client.query('update conversions set value_minor = $1 where order_id = $2', [c.value, id(2, c.order)]));
    case 'order':
      return void (await client.query(
        `insert into conversions (tenant_id, id, connection_id, order_id, enrollment_id, currency, value_minor, placed_at, reversed_at, no_revenue)
         values ($1, $2, $3, $4, $5, $6, $7, now(), $8, $9) on conflict (tenant_id, connection_id, order_id) do update set enrollment_id = excluded.enrollment_id,
           currency = excluded.currency, value_minor = excluded.value_minor, reversed_at = excluded.reversed_at, no_revenue = excluded.no_revenue`,
        [
          t,
          randomUUID(),
          base.connectionId,
          id(2, c.order),
          c.which === null ? null : id(1, c.which),
          c.currency,
          c.value,
          c.reversed ? new Date() : null,
          c.noRevenue ?? null,
        ],
      ));
    case 'place':
      return call('credit_order', {
        at: atMinute(c.minute),
        ends: [],
        order: {
          ...{ id: randomUUID(), event_id: randomUUID(), connection_id: base.connectionId, order_id: id(2, c.order) },
          ...{ enrollment_id: c.which === null ? null : id(1, c.which), currency: c.currency, value_minor: c.value, no_revenue: c.noRevenue },
        },
      });
    case 'update':
      return call('update_order', {
        ...{ id: randomUUID(), edited_id: randomUUID(), cancelled_id: randomUUID(), connection_id: base.connectionId, order_id: id(2, c.order) },
        ...{ at: atMinute(c.minute), to_the_second: c.toTheSecond, currency: c.currency, current_minor: c.total },
        ...(c.cancelled === null ? {} : { cancelled: c.cancelled, restored_id: randomUUID() }),
        refunds: c.refunds.map((r) => ({
          ...{ id: randomUUID(), event_id: randomUUID(), refund_id: String(r.id), amount_minor: r.amount },
          ...{ besides_total_minor: Math.min(r.besides, r.amount), at: atMinute(r.minute) },
        })),
      });
  }
}

/** Make a cart's enrollment as it was before the new columns: nobody has written it since. Triggers hold still, as they did then. */
async function unfill(client: pg.ClientBase, enrollmentId: string): Promise<void> {
  await client.query(`set local session_replication_role = 'replica'`);
  await client.query(
    `update enrollments set subject_kind = null, segment = null, value_minor = null
     where id = $1 and subject_kind = 'cart' and segment = sequence_type and value_minor is not distinct from cart_value_minor`,
    [enrollmentId],
  );
  await client.query(`set local session_replication_role = 'origin'`);
}

/** Three enrollments of one person, none of them activated. @returns the name from which their ids are made */
async function begin(): Promise<string> {
  const run = randomUUID();
  const t = shop.tenant.tenantId;
  await owner.query('insert into contacts (tenant_id, id, person_id) values ($1, $2, $2)', [t, run]);
  await owner.query('insert into subjects (tenant_id, id, contact_id, started_at, last_activity_at) values ($1, $2, $2, now(), now())', [t, run]);
  await owner.query(
    `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, ended_at, sequence_type, cart_value_minor,
       currency, time_scale, anchor_at)
     select $1, (left($2::text, -4) || '100' || n)::uuid, $3, $4, $2::uuid, $2::uuid, 'EXITED', now(), 'first_time', 1, 'EUR', 1, now()
     from generate_series(0, 2) n`,
    [t, run, base.sequenceId, base.versionId],
  );
  return run;
}

test('whatever is written to enrollments, messages and conversions, the sums are what a count would say', async () => {
  const transaction = fc.record({
    changes: fc.array(change, { minLength: 1, maxLength: 5 }),
    rolledBack: fc.boolean(),
    folding: fc.constantFrom([], [], [1], [1_000], [2, 2, 2]),
  });
  // Two of three count from the start, of different types and days; both were written to and have bought, by different channels and in different currencies:
  // by chance alone, some runs had none of one of them.
  const opening: Change[] = [
    { do: 'activate', which: 0, hoursAgo: 2 },
    { do: 'activate', which: 1, hoursAgo: 30 },
    { do: 'retype', which: 1, type: 'low_stock' },
    { do: 'message', which: 0, step: 0, state: 'sent', channel: 'email', opened: false, clicked: false },
    { do: 'message', which: 1, step: 0, state: 'sent', channel: 'sms', opened: false, clicked: false },
    { do: 'order', order: 0, which: 0, currency: 'EUR', value: 1_000, reversed: false, noRevenue: null },
    { do: 'order', order: 1, which: 1, currency: 'JPY', value: 1_000, reversed: false, noRevenue: null },
  ];
  let folded = 0;
  const places = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(transaction, { minLength: 3, maxLength: 8 }), hoursAgo, async (history, window) => {
      const run = await begin();
      for (const c of opening) await carryOut(owner, run, c);
      // As the owner: what the application may not change counts right as well.
      for (const { changes, rolledBack, folding } of history) {
        await owner.query('begin');
        await owner.query(`select set_config('app.tenant', $1, true)`, [shop.tenant.tenantId]);
        try {
          for (const c of changes) await carryOut(owner, run, c);
        } catch (error) {
          // What fails here is shown as it is, and fails nothing after it.
          await owner.query('rollback');
          throw error;
        }
        await owner.query(rolledBack ? 'rollback' : 'commit');
        for (const n of await Promise.all(folding.map((max) => shop.deps.db.foldRollups(max)))) folded += n;
        await expectExact(window);
      }
      for (const place of Object.keys((await look(60)).counted)) places.add(place);
    }),
    { numRuns: 40 },
  );
  expect(folded).toBeGreaterThan(50);
  expect([...places]).toEqual(expect.arrayContaining(['cart first_time', 'cart low_stock', 'cart first_time email', 'cart first_time EUR']));
  expect([...places].filter((place) => place.startsWith('lead '))).not.toEqual([]);
  for (const end of [' sms', ' JPY'])
    expect(
      [...places].some((place) => place.endsWith(end)),
      end,
    ).toBe(true);
  await foldAll();
  for (const hours of [0, 1, 23, 24, 25, 47, 61]) await expectExact(hours);
});

test('counting everything anew comes to the same', async () => {
  const before = (await look(61)).sums;
  await owner.query('select rebuild_rollups()');
  expect(await unfolded()).toBe(0);
  expect((await look(61)).sums).toEqual(before);
  for (const hours of [0, 5, 30]) await expectExact(hours);
});

test('old rows that are deleted leave the figures as they were', async () => {
  const run = await begin();
  const sold: Change[] = [
    { do: 'activate', which: 0, hoursAgo: 3 },
    { do: 'message', which: 0, step: 0, state: 'sent', channel: 'email', opened: true, clicked: false },
    { do: 'order', order: 0, which: 0, currency: 'EUR', value: 900, reversed: false, noRevenue: null },
    { do: 'stop', which: 0, reason: 'purchased' },
  ];
  for (const c of sold) await carryOut(owner, run, c);
  const before = (await look(60)).sums;
  const enrollment = `${run.slice(0, -4)}1000`;
  for (const [table, column] of [
    ['conversions', 'enrollment_id'],
    ['messages', 'enrollment_id'],
    ['enrollments', 'id'],
  ])
    expect((await owner.query(`delete from ${table} where ${column} = $1`, [enrollment])).rowCount).toBe(1);
  const after = await look(60);
  expect(after.sums).toEqual(before);
  expect(after.counted).not.toEqual(before);
  await owner.query('select rebuild_rollups()');
});

test('deltas of an erased tenant do not hold up the folding', async () => {
  await foldAll();
  await owner.query(`insert into sum_deltas (tenant_id, hour, subject_kind, segment, started) values ($1, now(), 'cart', 'first_time', 1)`, [
    randomUUID(),
  ]);
  const run = await begin();
  await carryOut(owner, run, { do: 'activate', which: 0, hoursAgo: 1 });
  await foldAll();
  expect(await unfolded()).toBe(0);
  await expectExact(2);
});

test('a reader that meets a folding sees every change once', async () => {
  await foldAll();
  const { tenantId } = shop.tenant;
  const startedSince = async () => {
    const sums = await shop.deps.db.withTenant(tenantId, (tx) => readSums(tx, startOfHour(nowMs)));
    return sums.reduce((total, sum) => total + sum.started, 0);
  };
  const waiting = 600;
  const expected = (await startedSince()) + waiting;
  await owner.query(
    `insert into sum_deltas (tenant_id, hour, subject_kind, segment, started)
     select $1, date_trunc('hour', $2::timestamptz, 'UTC'), 'cart', 'first_time', 1 from generate_series(1, $3::int)`,
    [tenantId, new Date(nowMs), waiting],
  );
  let over = false;
  const folding = (async () => {
    while ((await unfolded()) > 0) await shop.deps.db.foldRollups(2);
  })().finally(() => (over = true));
  const seen: number[] = [];
  const reading = (async () => {
    while (!over) seen.push(await startedSince());
  })();
  await Promise.all([folding, reading]);
  expect(seen.length).toBeGreaterThan(50);
  expect([...new Set(seen)]).toEqual([expected]);
  await owner.query('select rebuild_rollups()');
});

test('a worker folds', async () => {
  const run = await begin();
  await carryOut(owner, run, { do: 'activate', which: 0, hoursAgo: 1 });
  expect(await unfolded()).toBe(1);
  const worker = await shop.startWorker();
  try {
    await until('everything to be folded', async () => (await unfolded()) === 0);
  } finally {
    await worker.stop();
  }
  await expectExact(2);
});

const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });

/** A cart that was left so long ago that `stepId` is due now. @returns the enrollment's id */
async function leave(cart: string, stepHours: number): Promise<string> {
  await shop.deliver('cart.updated', aCart(cart, `${cart}@example.com`), { at: Date.now() - stepHours * hourMs - 60_000 });
  return (await shop.enrollmentOf(cart))?.id ?? '';
}

test('figures make no writer wait: neither for a dispatch of the same hour nor for the folding', async () => {
  const [held, other] = [await leave('held', 2), await leave('other', 2)];
  for (const id of [held, other]) await dispatch(id, 'popup_1h');
  await dispatch(held, 'email_2h');
  await foldAll();
  const before = (await look(1)).sums['cart first_time email'];
  const holder = new pg.Client({ connectionString: shop.database.url });
  await holder.connect();
  try {
    // Somebody of the same hour and type has counted and does not commit.
    await holder.query('begin');
    const changed = await holder.query(`update messages set opened_at = now() where enrollment_id = $1 and state = 'sent'`, [held]);
    expect(changed.rowCount).toBe(1);
    // Whoever would wait, waits 0.8 s and fails.
    expect(await dispatch(other, 'email_2h')).toMatchObject({ kind: 'done', progress: { settled: { email_2h: { outcome: 'sent' } } } });
    expect(await shop.deps.db.foldRollups(1_000)).toBe(1);
    expect((await look(1)).sums['cart first_time email']).toEqual({ ...before, steps: (before?.steps ?? 0) + 1, sent: (before?.sent ?? 0) + 1 });
    await expectExact(1);
    await holder.query('commit');
  } finally {
    await holder.end();
  }
  expect((await look(1)).sums['cart first_time email']?.opened).toBe((before?.opened ?? 0) + 1);
  await expectExact(1);
}, 120_000);

// Through the API: what a shopper, a provider and a merchant may do, in any order.
const doing = fc.constantFrom(
  ...([
    'dispatch',
    'dispatch',
    'dispatch',
    'dispatch',
    'in doubt',
    'in doubt',
    'refused',
    'open',
    'click',
    'buy',
    'buy',
    'correct',
    'cancel',
  ] as const),
  ...(['other currency', 'merge', 'stop', 'settle doubts', 'new cart'] as const),
  ...(['refund', 'edit', 'test order', 'buy, refund and cancel at once', 'unreadable amount'] as const),
);
type Doing = typeof doing extends fc.Arbitrary<infer T> ? T : never;
const stepsAt = [2, 24, 48, 72];
const steps = ['popup_1h', 'email_2h', 'email_24h', 'email_48h', 'email_72h'];

let settledLate = 0;

/** One shopper, one thing after the other; shares a telephone with a neighbour, if they ever say so. */
async function live(n: number, startHours: number, doings: readonly Doing[]): Promise<void> {
  const { tenantId } = shop.tenant;
  const name = `shopper-${n}`;
  const phone = `+4366012345${String(n >> 1).padStart(2, '0')}`;
  let carts = 0;
  let cart = '';
  let id = '';
  const another = async () => {
    cart = `${name}-${carts++}`;
    await shop.deliver('cart.updated', aCart(cart, `${name}@example.com`), { at: Date.now() - startHours * hourMs - 60_000 });
    id = (await shop.enrollmentOf(cart))?.id ?? id;
  };
  /** What is due: steps that are too old by now are skipped on the way. */
  const run = async () => {
    for (const step of steps) {
      const row = (await shop.ledgerOf(id)).find((m) => m.stepId === step);
      if (row !== undefined && row.state !== 'failed') continue;
      // Temporal would try again later, as `settle doubts` does.
      await dispatch(id, step).catch((error: unknown) => {
        if (error !== notKnownYet) throw error;
      });
      if ((await shop.ledgerOf(id)).find((m) => m.stepId === step)?.state !== 'skipped') return;
    }
  };
  const became = (order: Record<string, unknown>) => shop.deliver('order.updated', { order: { id: `order-${cart}`, currency: 'EUR', ...order } });
  const order = (total: string, currencyOf = 'EUR', more: Record<string, unknown> = {}) =>
    shop.deliver('order.placed', {
      order: { id: `order-${cart}`, currency: currencyOf, total, ...more },
      cart_id: cart,
      contact: { email: `${name}@example.com` },
    });
  const engage = async (type: 'opened' | 'clicked') => {
    // A click right after the send would be a scanner's.
    await shop.deps.db.withTenant(tenantId, (tx) =>
      tx.execute(sql`update messages set settled_at = settled_at - interval '2 minutes', claimed_at = claimed_at - interval '2 minutes'
        where enrollment_id = ${id} and state in ('sent', 'unknown')`),
    );
    for (const m of await shop.ledgerOf(id))
      if (m.payload !== null) await recordEngagement(shop.deps, { tenantId, messageId: m.id, type, machine: false });
  };
  const acts: Record<Doing, () => Promise<unknown>> = {
    dispatch: run,
    'in doubt': () => (nextOutcomes.push('unknown'), run()),
    refused: () => (nextOutcomes.push('refused'), run()),
    open: () => engage('opened'),
    click: () => engage('clicked'),
    buy: () => order('80.50'),
    correct: () => order('75.00'),
    'other currency': () => order('79.00', 'CHF'),
    cancel: () => shop.deliver('order.cancelled', { order: { id: `order-${cart}` } }),
    refund: () => became({ refunds: [{ id: `refund-${randomUUID()}`, amount: '5.00' }] }),
    edit: () => became({ current_total: '60.00' }),
    'test order': () => order('80.50', 'EUR', { id: `test-${cart}`, test: true }),
    'buy, refund and cancel at once': () =>
      Promise.all([order('80.50'), became({ refunds: [{ id: 'refund-1', amount: '5.00' }] }), acts.cancel(), order('80.50')]),
    'unreadable amount': () => order('many'),
    merge: () => shop.deliver('contact.updated', { contact: { email: `${name}@example.com`, phone } }),
    stop: () => stopByHand(shop.deps, { tenantId, enrollmentId: id, note: 'enough', actor: 'test' }),
    'settle doubts': async () => (settledLate += await sweepLeases(shop.deps)),
    'new cart': another,
  };
  await another();
  for (const what of doings) await acts[what]();
}

test('what shoppers, providers and merchants do at once is in the figures at every moment', async () => {
  await foldAll();
  const shopper = fc.record({ startHours: fc.constantFrom(...stepsAt), doings: fc.array(doing, { minLength: 4, maxLength: 14 }) });
  // Whatever the seed, each kind happens at least once.
  const everything: { startHours: number; doings: Doing[] }[] = [
    { startHours: 2, doings: ['dispatch', 'open', 'click', 'buy', 'correct', 'other currency'] },
    { startHours: 2, doings: ['refused', 'dispatch', 'stop', 'new cart', 'merge', 'buy', 'correct', 'cancel', 'buy'] },
    { startHours: 24, doings: ['in doubt', 'settle doubts', 'dispatch', 'open', 'buy'] },
    { startHours: 48, doings: ['dispatch', 'in doubt', 'settle doubts', 'buy', 'correct'] },
    { startHours: 2, doings: ['dispatch', 'test order', 'buy, refund and cancel at once', 'refund', 'edit'] },
    { startHours: 2, doings: ['dispatch', 'refund', 'edit', 'unreadable amount'] },
    { startHours: 2, doings: ['dispatch', 'unreadable amount'] },
    { startHours: 2, doings: ['dispatch', 'buy', 'refund', 'edit', 'refund'] },
  ];
  const before = (await look(1)).counted;
  let looks = 0;
  let shoppers = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(shopper, { minLength: 3, maxLength: 5 }), async (lanes) => {
      let over = false;
      const folding = [1, 2].map(async () => {
        while (!over) await shop.deps.db.foldRollups(3);
      });
      const looking = (async () => {
        for (; !over; looks++) await expectExact(1);
      })();
      const living = Promise.all(lanes.map(({ startHours, doings }) => live(shoppers++, startHours, doings))).finally(() => (over = true));
      for (const ended of await Promise.allSettled([living, looking, ...folding])) if (ended.status === 'rejected') throw ended.reason;
      await expectExact(1);
    }),
    { numRuns: 9, endOnFailure: true, examples: [[everything]] },
  );
  // How many there are is up to the machine.
  expect(looks).toBeGreaterThan(9);
  // A run in which nothing happens proves nothing.
  const after = (await look(1)).counted;
  const grown = (place: string) => {
    const then = before[place];
    return Object.fromEntries(Object.entries(after[place] ?? {}).map(([figure, n]) => [figure, n - (then?.[figure as keyof typeof then] ?? 0)]));
  };
  const counts = grown('cart first_time');
  for (const figure of ['started', 'purchased']) expect(counts[figure], figure).toBeGreaterThan(0);
  const emails = grown('cart first_time email');
  for (const figure of ['steps', 'sent', 'opened', 'clicked']) expect(emails[figure], figure).toBeGreaterThan(0);
  expect(settledLate).toBeGreaterThan(0);
  expect(counts['unknownOrders']).toBeGreaterThan(0);
  for (const figure of ['refundedMinor', 'cancelledOrders']) expect(grown('cart first_time EUR')[figure], figure).toBeGreaterThan(0);
  for (const place of ['cart first_time EUR', 'cart first_time CHF']) expect(grown(place)['orders'], place).toBeGreaterThan(0);
  await foldAll();
  expect(await unfolded()).toBe(0);
  await expectExact(1);
});
