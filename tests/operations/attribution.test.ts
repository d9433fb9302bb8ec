import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attributionModels, shareOut, weightsOf } from '../../domain/attribution/models.ts';
import { type AttributionPlace, attributionPlaces, readAttribution } from '../../operations/read/attribution.ts';
import { ask } from '../api/left-carts.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';

// What messages are credited with is kept by triggers and a folding job. At every moment it is what a recount of the rows by the rules of `domain/attribution` says.

const dayMs = 86_400_000;
const nowMs = Date.now();
let shop: Shop;
let owner: pg.Client;
let base: { sequenceId: string; versionId: string; connectionId: string };

beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  const { rows } = await owner.query<{ sequence: string; version: string; connection: string }>(
    `select s.id as sequence, s.current_version_id as version, c.id as connection from sequences s join connections c using (tenant_id) limit 1`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the shop has no sequence');
  base = { sequenceId: row.sequence, versionId: row.version, connectionId: row.connection };
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

const person = fc.nat({ max: 2 });
const daysAgo = fc.double({ min: 0, max: 40, noNaN: true });
const change = fc.oneof(
  fc.record({
    do: fc.constant('message' as const),
    person,
    step: fc.nat({ max: 3 }),
    state: fc.constantFrom('claimed', 'sent', 'sent', 'sent', 'failed', 'unknown'),
    channel: fc.constantFrom('email', 'sms'),
    variant: fc.constantFrom(null, 'a', 'b'),
    daysAgo,
  }),
  fc.record({
    do: fc.constant('order' as const),
    order: fc.nat({ max: 3 }),
    person: fc.option(person, { freq: 8 }),
    currency: fc.option(fc.constantFrom('EUR', 'JPY'), { freq: 8 }),
    value: fc.nat({ max: 5_000 }),
    reversed: fc.boolean(),
    noRevenue: fc.option(fc.constantFrom('test', 'cancelled'), { freq: 2 }),
    refunded: fc.nat({ max: 3_000 }),
    daysAgo: fc.double({ min: 0, max: 20, noNaN: true }),
  }),
  fc.record({ do: fc.constant('merge' as const), person, into: person }),
  fc.record({ do: fc.constant('source' as const), person, source: fc.constantFrom(null, 'META', 'website') }),
  fc.record({ do: fc.constant('settings' as const), windowDays: fc.integer({ min: 1, max: 40 }), halfLifeDays: fc.integer({ min: 1, max: 10 }) }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

const part = (run: string, kind: number, n: number) => `${run.slice(0, -4)}${kind}00${n}`;
const at = (days: number) => new Date(nowMs - days * dayMs);

async function begin(): Promise<string> {
  const run = randomUUID();
  const t = shop.tenant.tenantId;
  for (const n of [0, 1, 2]) {
    const id = part(run, 1, n);
    await owner.query('insert into contacts (tenant_id, id, person_id) values ($1, $2, $2)', [t, id]);
    await owner.query(
      `insert into subjects (tenant_id, id, contact_id, kind, details, started_at, last_activity_at) values ($1, $2, $2, 'lead', '{}', now(), now())`,
      [t, id],
    );
    await owner.query(
      `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, ended_at, sequence_type, time_scale, anchor_at)
       values ($1, $2, $3, $4, $2, $2, 'EXITED', now(), 'first_time', 1, now())`,
      [t, id, base.sequenceId, base.versionId],
    );
  }
  return run;
}

async function carryOut(run: string, c: Change): Promise<void> {
  const t = shop.tenant.tenantId;
  switch (c.do) {
    case 'message':
      return void (await owner.query(
        `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, channel, variant, settled_at)
         values ($1, $2, $3, $4, $3, $5, $6, $7, $8) on conflict (tenant_id, enrollment_id, step_id) do update set
           state = excluded.state, channel = excluded.channel, variant = excluded.variant, settled_at = excluded.settled_at`,
        [t, randomUUID(), part(run, 1, c.person), `step-${c.step}`, c.state, c.channel, c.variant, at(c.daysAgo)],
      ));
    case 'order':
      return void (await owner.query(
        `insert into conversions (tenant_id, id, connection_id, order_id, contact_id, currency, value_minor, refunded_minor, placed_at, reversed_at, no_revenue)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (tenant_id, connection_id, order_id) do update set contact_id = excluded.contact_id,
           currency = excluded.currency, value_minor = excluded.value_minor, refunded_minor = excluded.refunded_minor, placed_at = excluded.placed_at,
           reversed_at = excluded.reversed_at, no_revenue = excluded.no_revenue`,
        [
          ...[t, randomUUID(), base.connectionId, part(run, 2, c.order), c.person === null ? null : part(run, 1, c.person), c.currency, c.value],
          ...[c.refunded, at(c.daysAgo), c.reversed ? new Date() : null, c.noRevenue ?? null],
        ],
      ));
    case 'merge':
      return void (await owner.query('update contacts set person_id = $1 where id = $2', [part(run, 1, c.into), part(run, 1, c.person)]));
    case 'source':
      return void (await owner.query('update subjects set details = $1 where id = $2', [
        JSON.stringify({ source: c.source }),
        part(run, 1, c.person),
      ]));
    case 'settings':
      return void (await owner.query(`update tenants set settings = settings || $1 where id = $2`, [
        JSON.stringify({ attribution: { windowDays: c.windowDays, halfLifeDays: c.halfLifeDays } }),
        t,
      ]));
  }
}

interface Touch {
  id: string;
  person: string;
  at: Date;
  slug: string;
  step: string;
  channel: string;
  variant: string | null;
  source: string | null;
}
interface Order {
  person: string;
  at: Date;
  currency: string | null;
  value: string | null;
  refunded: string;
  reversed: boolean;
}
type Figures = Record<string, number[]>;

/** Every order that counts is shared out among the messages before it, once more and from the rows. Figures by model, place, key and currency. */
async function recount(days: number): Promise<Figures> {
  const t = shop.tenant.tenantId;
  const { rows: touches } = await owner.query<Touch>(
    `select m.id, c.person_id as person, m.settled_at as at, s.slug, m.step_id as step, m.channel, m.variant, u.details ->> 'source' as source
     from messages m join contacts c on c.id = m.contact_id join enrollments e on e.id = m.enrollment_id join sequences s on s.id = e.sequence_id
       join subjects u on u.id = e.subject_id
     where m.tenant_id = $1 and m.state = 'sent' order by m.settled_at, m.id`,
    [t],
  );
  const { rows: orders } = await owner.query<Order>(
    `select c.person_id as person, o.placed_at as at, o.currency, o.value_minor as value, o.refunded_minor as refunded, o.reversed_at is not null as reversed
     from conversions o join contacts c on c.id = o.contact_id where o.tenant_id = $1 and o.no_revenue is null`,
    [t],
  );
  const [settings] = (
    await owner.query<{ settings: { attribution?: { windowDays: number; halfLifeDays: number } } }>('select settings from tenants where id = $1', [t])
  ).rows;
  const { windowDays, halfLifeDays } = settings?.settings.attribution ?? { windowDays: 30, halfLifeDays: 7 };
  const fromMs = Math.floor(nowMs / dayMs - days) * dayMs;
  const figures: Figures = {};
  for (const order of orders) {
    if (Math.floor(order.at.getTime() / dayMs) * dayMs < fromMs) continue;
    const before = touches.filter(
      ({ person: of, at: when }) => of === order.person && when <= order.at && order.at.getTime() - when.getTime() < windowDays * dayMs,
    );
    const isKnown = order.currency !== null && order.value !== null;
    const gross = isKnown ? Number(order.value) : 0;
    const refunded = isKnown ? Number(order.refunded) : 0;
    const amounts = [order.reversed ? 0 : 1_000_000, gross, refunded, order.reversed ? 0 : Math.max(0, gross - refunded)];
    for (const model of attributionModels) {
      const weights = weightsOf(
        model,
        before.map(({ at: when }) => order.at.getTime() - when.getTime()),
        halfLifeDays,
      );
      const parts = amounts.map((amount) => shareOut(amount, weights));
      for (const [index, touch] of before.entries()) {
        const keys: Record<AttributionPlace, string> = {
          sequence: touch.slug,
          step: `${touch.slug}/${touch.step}`,
          channel: touch.channel,
          variant: touch.variant === null ? '' : `${touch.slug}/${touch.step}/${touch.variant}`,
          campaign: '',
          source: touch.source ?? '',
        };
        for (const by of attributionPlaces) {
          const name = `${model} ${by} ${keys[by]} ${isKnown ? order.currency : ''}`;
          const sofar = figures[name] ?? [0, 0, 0, 0];
          figures[name] = sofar.map((value, at) => value + (parts[at]?.[index] ?? 0));
        }
      }
    }
  }
  return figures;
}

/** The same as the product says it. Orders of unknown value are in no currency, and so are those of a place in several: they are compared as a whole. */
async function shown(days: number, places: readonly AttributionPlace[] = attributionPlaces): Promise<Figures> {
  const figures: Figures = {};
  for (const model of attributionModels)
    for (const by of places) {
      const { credits } = await readAttribution(shop.deps, shop.tenant.tenantId, { days, model, by });
      for (const { key, orders, revenue } of credits) {
        figures[`${model} ${by} ${key} orders`] = [Math.round(orders * 1_000_000)];
        for (const { currency, grossMinor, refundedMinor, netMinor } of revenue)
          figures[`${model} ${by} ${key} ${currency}`] = [grossMinor, refundedMinor, netMinor];
      }
    }
  return withoutNothing(figures);
}

const withoutNothing = (figures: Figures): Figures =>
  Object.fromEntries(
    Object.entries(figures)
      .filter(([, values]) => values.some((value) => value !== 0))
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );

function asShown(counted: Figures): Figures {
  const figures: Figures = {};
  for (const [name, [micros = 0, ...amounts]] of Object.entries(counted)) {
    const place = name.slice(0, name.lastIndexOf(' '));
    const orders = `${place} orders`;
    figures[orders] = [(figures[orders]?.[0] ?? 0) + micros];
    if (!name.endsWith(' ')) figures[name] = amounts;
  }
  return withoutNothing(figures);
}

/** Whatever can be done now: what waits for other transactions stays. */
const foldSome = async () => {
  // A mark is done at the second folding at the earliest: at the first it is seen.
  for (let seen = 0; seen < 2; seen += 1) while ((await shop.deps.db.foldAttribution(200)) > 0);
};
/** Transactions of other databases hold marks up for a moment, too. */
const foldAll = () =>
  until('all marks are folded', async () => {
    await foldSome();
    return (await owner.query('select from attribution_marks')).rowCount === 0;
  });

test('whatever becomes of messages, orders, persons and settings, credits are what a recount says', async () => {
  let credited = 0;
  let checks = 0;
  const step = fc.record({ changes: fc.array(change, { minLength: 1, maxLength: 6 }), folding: fc.constantFrom([], [1], [1_000, 1_000], [2, 2, 2]) });
  const opening: Change[] = [
    { do: 'message', person: 0, step: 0, state: 'sent', channel: 'email', variant: 'a', daysAgo: 12 },
    { do: 'message', person: 0, step: 1, state: 'sent', channel: 'sms', variant: null, daysAgo: 6 },
    { do: 'message', person: 1, step: 0, state: 'sent', channel: 'email', variant: 'b', daysAgo: 3 },
    { do: 'order', order: 0, person: 0, currency: 'EUR', value: 1_001, reversed: false, noRevenue: null, refunded: 100, daysAgo: 2 },
    { do: 'order', order: 1, person: 1, currency: 'JPY', value: 500, reversed: false, noRevenue: null, refunded: 0, daysAgo: 1 },
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 5 }), async (history) => {
      const run = await begin();
      await owner.query('begin');
      for (const c of opening) await carryOut(run, c);
      await owner.query('commit');
      for (const { changes, folding } of history) {
        await owner.query('begin');
        for (const c of changes) await carryOut(run, c);
        await owner.query('commit');
        for (const most of folding) await shop.deps.db.foldAttribution(most);
        const counted = asShown(await recount(10));
        credited += Object.keys(counted).length;
        // One place at a time: all of them are compared at the end.
        const [place] = attributionPlaces.slice((checks += 1) % attributionPlaces.length);
        const own = Object.entries(counted).filter(([name]) => name.split(' ')[1] === place);
        expect(await shown(10, place === undefined ? [] : [place])).toEqual(Object.fromEntries(own));
      }
      await foldAll();
      expect(await shown(10)).toEqual(asShown(await recount(10)));
      // What is kept adds up to what the sums say, without any order beside them.
      const { rows } = await owner.query<{ marks: string; differ: string }>(
        `select (select count(*) from attribution_marks) as marks, (select count(*) from (
           select model, day, step_id, channel, variant, source, currency, sum(order_micros), sum(gross_minor), sum(refunded_minor), sum(net_minor)
           from attribution_credits group by 1, 2, 3, 4, 5, 6, 7 having (sum(order_micros), sum(gross_minor), sum(refunded_minor), sum(net_minor)) <> (0, 0, 0, 0)
           except select model, day, step_id, channel, variant, source, currency, order_micros, gross_minor, refunded_minor, net_minor from attribution_sums) x) as differ`,
      );
      expect(rows[0]).toEqual({ marks: '0', differ: '0' });
    }),
    { numRuns: 4 },
  );
  expect(credited).toBeGreaterThan(50);
}, 300_000);

test('an order and a message that are committed at once find each other', async () => {
  const run = await begin();
  const other = new pg.Client({ connectionString: shop.database.url });
  await other.connect();
  try {
    // The message looks for orders before the order is committed, and is committed after it.
    await other.query('begin');
    await other.query(
      `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, channel, settled_at) values ($1, $2, $3, 'raced', $3, 'sent', 'email', $4)`,
      [shop.tenant.tenantId, randomUUID(), part(run, 1, 0), at(0.5)],
    );
    await carryOut(run, {
      do: 'order',
      order: 0,
      person: 0,
      currency: 'EUR',
      value: 700,
      reversed: false,
      noRevenue: null,
      refunded: 0,
      daysAgo: 0.1,
    });
    await foldSome();
    await other.query('commit');
    const { credits } = await readAttribution(shop.deps, shop.tenant.tenantId, { days: 5, model: 'last', by: 'step' });
    expect(credits.find(({ key }) => key.endsWith('/raced'))?.revenue).toEqual([
      { currency: 'EUR', grossMinor: 700, refundedMinor: 0, netMinor: 700 },
    ]);
    await foldAll();
    expect((await owner.query('select from attribution_marks')).rowCount).toBe(0);
    expect(await shown(5)).toEqual(asShown(await recount(5)));
  } finally {
    await other.end();
  }
});

test('currencies are added up by the rates that the store states, and by no other', async () => {
  const { credits, total } = await readAttribution(shop.deps, shop.tenant.tenantId, { days: 10, model: 'linear', by: 'channel' });
  expect(credits.length).toBeGreaterThan(0);
  await owner.query(`update tenants set settings = settings || '{"currency": "EUR", "exchangeRates": {"JPY": 0.006}}' where id = $1`, [
    shop.tenant.tenantId,
  ]);
  const { converted } = await readAttribution(shop.deps, shop.tenant.tenantId, { days: 10, model: 'linear', by: 'channel' });
  const netOf = (currency: string) => total.revenue.find((one) => one.currency === currency)?.netMinor ?? 0;
  expect(converted?.netMinor).toBe(netOf('EUR') + Math.round(netOf('JPY') * 0.006 * 100));
  await owner.query(`update tenants set settings = settings || '{"exchangeRates": {}}' where id = $1`, [shop.tenant.tenantId]);
  // Also where all of it was refunded.
  const missing = total.revenue.some(({ currency }) => currency === 'JPY') ? ['JPY'] : [];
  const unstated = (await readAttribution(shop.deps, shop.tenant.tenantId, { days: 10, model: 'linear', by: 'channel' })).converted;
  expect(unstated).toEqual({ currency: 'EUR', netMinor: netOf('EUR'), rates: {}, missing });
});

test('the API shows credit, and beside it what the holdouts say', async () => {
  const { status, body } = await ask(shop, shop.tenant.apiKey, '/api/attribution?model=time_decay&by=step&days=10');
  expect(status).toBe(200);
  expect(body).toMatchObject({ model: 'time_decay', by: 'step', incremental: { sequences: [] } });
  expect((body as { credits: unknown[] }).credits.length).toBeGreaterThan(0);
  expect((await ask(shop, shop.tenant.apiKey, '/api/attribution?model=first')).status).toBe(400);
});
