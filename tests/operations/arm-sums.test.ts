import { randomUUID } from 'node:crypto';
import { drizzle } from 'drizzle-orm/node-postgres';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tx } from '../../db/client.ts';
import { readRevenue } from '../../operations/interventions/figures.ts';
import { readArms as readBands } from '../../operations/interventions/worth.ts';
import { readTestedArms } from '../../operations/learning/tested-arms.ts';
import { readHoldoutArms } from '../../operations/read/holdouts.ts';
import { type ArmsOf, readArms, readArmsByDay } from '../../operations/read/variants.ts';
import { openPool } from '../helpers/open-pool.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { countArmsSlowly, countBandSlowly, firstsOf, readArmRows, type SlowArm } from '../helpers/slow-arms.ts';

// Holdouts, tests and bands are counted from sums that marks and a folding job keep. At every moment, folded or not, they are what a recount of every row says.

const [dayMs, hourMs] = [86_400_000, 3_600_000];
const nowMs = Date.now();
let shop: Shop;
let owner: pg.Client;
/** The application's role. */
let app: pg.Pool;
/** Of the first, the whole and a step are compared; the second is about risk. Each has two versions, of which the second has another window. */
let sequences: { id: string; versions: [string, string] }[];
let connectionId: string;
const windowsMs = [7 * dayMs, 30 * hourMs + 1_234] as const;
const bothShares = [
  { a: 0.5, b: 0.5 },
  { a: 0.75, b: 0.25 },
];
const steps = ['step-0', '*'];

beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  app = openPool({ connectionString: shop.database.url, options: '-c role=rekindle_app' });
  const t = shop.tenant.tenantId;
  const { rows } = await owner.query<{ id: string; version: string; definition: Record<string, unknown> }>(
    `select s.id, v.id as version, v.definition from sequences s join sequence_versions v on v.id = s.current_version_id where s.tenant_id = $1 and slug in ('cart', 'silent-lead') order by slug`,
    [t],
  );
  sequences = [];
  for (const [n, { id, definition }] of rows.entries()) {
    const versions: [string, string] = [randomUUID(), randomUUID()];
    for (const [i, version] of versions.entries())
      await owner.query(
        `insert into sequence_versions (tenant_id, id, sequence_id, version, source_hash, definition, content) select tenant_id, $2, sequence_id, 100 + $3, gen_random_uuid()::text, $4, content
         from sequence_versions where tenant_id = $1 and sequence_id = $5 limit 1`,
        [
          ...[t, version, i],
          JSON.stringify({
            ...definition,
            goal: { event: 'order.placed', withinMs: windowsMs[i] },
            ...(n === 1 ? { on: 'risk.entered', band: 'active' } : {}),
          }),
          id,
        ],
      );
    sequences.push({ id, versions });
    await owner.query('update sequences set current_version_id = $3 where tenant_id = $1 and id = $2', [t, id, versions[0]]);
  }
  connectionId = (await owner.query<{ id: string }>('select id from connections where tenant_id = $1 limit 1', [t])).rows[0]?.id ?? '';
});
afterAll(async () => {
  await app.end();
  await owner.end();
  await shop.close();
});

const which = fc.nat({ max: 4 });
const nth = fc.nat({ max: 1 });
const daysAgo = fc.double({ min: 0, max: 40, noNaN: true });
const arm = fc.constantFrom('a', 'b');
const change = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('held out' as const), which, nth, arm: fc.constantFrom('treated', 'holdout'), at: daysAgo }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('in variant' as const), which, step: nth, arm, shares: nth, at: daysAgo }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('in test' as const), which, nth, arm, at: daysAgo }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('merged' as const), which, into: which }) },
  fc.record({ do: fc.constant('apart' as const), which }),
  fc.record({ do: fc.constant('lifecycle' as const), which, lifecycle: fc.constantFrom('NEW', 'DO_NOT_CONTACT') }),
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ do: fc.constant('order' as const), order: fc.nat({ max: 5 }), which: fc.option(which, { freq: 8 }), placed: daysAgo },
      ...{ currency: fc.option(fc.constantFrom('EUR', 'JPY'), { freq: 5 }), value: fc.nat({ max: 5_000 }), refunded: fc.nat({ max: 3_000 }) },
      ...{ refunds: fc.boolean(), reversed: fc.boolean(), noRevenue: fc.option(fc.constantFrom('test', 'declined'), { freq: 3 }) },
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('consent' as const),
      which,
      state: fc.constantFrom('denied', 'granted'),
      basis: fc.constantFrom('person', 'box'),
      at: daysAgo,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ do: fc.constant('message' as const), which, nth, step: nth, at: daysAgo, state: fc.constantFrom('claimed', 'sent', 'sent', 'failed') },
      ...{ variant: fc.option(arm), test: fc.option(nth), opened: fc.boolean(), clicked: fc.boolean() },
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ do: fc.constant('behaviour' as const), which, kind: fc.constantFrom('order', 'order', 'message', 'call', 'visit'), at: daysAgo },
      ...{ amount: fc.option(fc.nat({ max: 90 })), currency: fc.constantFrom('EUR', 'JPY'), answered: fc.boolean() },
    }),
  },
  fc.record({ do: fc.constant('forgotten' as const), which }),
  fc.record({ do: fc.constant('moved' as const), which, to: which }),
  fc.record({ do: fc.constant('window' as const), nth, version: nth }),
  fc.record({ do: fc.constant('prediction' as const), what: fc.constantFrom('no_purchase', 'no_answer'), withinDays: fc.constantFrom(5, 20) }),
  fc.record({ do: fc.constant('scale' as const), scale: fc.constantFrom(1, 2) }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fold' as const), marks: fc.integer({ min: 1, max: 20 }) }) },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** The same ids for the same part of a run. */
const part = (run: string, kind: number, a: number, b = 0) => `${run.slice(0, -6)}${kind}0${a.toString(16)}0${b}0`;
const at = (days: number) => new Date(Math.round(nowMs - days * dayMs));
const world = { version: [0, 0], what: 'no_purchase' as 'no_purchase' | 'no_answer', withinDays: 60, scale: 1 };

async function begin(): Promise<string> {
  const run = randomUUID();
  const t = shop.tenant.tenantId;
  for (const n of [0, 1, 2, 3, 4]) {
    const id = part(run, 1, n);
    await owner.query('insert into contacts (tenant_id, id, person_id) values ($1, $2, $2)', [t, id]);
    await owner.query(
      `insert into subjects (tenant_id, id, contact_id, kind, details, started_at, last_activity_at) values ($1, $2, $2, 'cart', '{}', now(), now())`,
      [t, id],
    );
    for (const i of [0, 1])
      await owner.query(
        `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, sequence_type, time_scale, anchor_at, enrolled_at, activated_at)
         values ($1, $2, $3, $4, $5, $5, 'first_time', 1, $6, $6, $6)`,
        [t, part(run, 2, n, i), sequences[i]?.id, sequences[i]?.versions[0], id, at(30)],
      );
  }
  for (const n of [0, 1]) {
    await owner.query(`insert into campaigns (tenant_id, id, name, status) values ($1, $2, $3, 'ACTIVE')`, [t, part(run, 5, n), `${run} ${n}`]);
    await owner.query(
      `insert into experiments (tenant_id, id, campaign_id, channel, scripts, shares, window_ms, status, started_at, ended_at) values ($1, $2, $3, 'email', '{}', $4, $5, $6, $7, $8)`,
      [t, part(run, 6, n), part(run, 5, n), bothShares[n], windowsMs[n], n === 0 ? 'RUNNING' : 'STOPPED', at(40), n === 0 ? null : at(10)],
    );
  }
  return run;
}

async function carryOut(run: string, c: Change): Promise<void> {
  const t = shop.tenant.tenantId;
  const query = async (text: string, values: unknown[] = []) => void (await owner.query(text, [t, ...values]));
  const contact = 'which' in c && c.which !== null ? part(run, 1, c.which) : null;
  switch (c.do) {
    case 'held out':
      return query(
        `insert into assignments (tenant_id, id, sequence_id, contact_id, arm, share, assigned_at) values ($1, $2, $3, $4, $5, 0.25, $6) on conflict do nothing`,
        [randomUUID(), sequences[c.nth]?.id, contact, c.arm, at(c.at)],
      );
    case 'in variant':
      return query(
        `insert into variant_assignments (tenant_id, id, sequence_id, step_id, contact_id, variant, shares, assigned_at) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
        [randomUUID(), sequences[0]?.id, steps[c.step], contact, c.arm, bothShares[c.shares], at(c.at)],
      );
    case 'in test':
      return query(
        `insert into experiment_assignments (tenant_id, id, experiment_id, contact_id, variant, assigned_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
        [randomUUID(), part(run, 6, c.nth), contact, c.arm, at(c.at)],
      );
    case 'merged':
      return query(
        `update contacts set person_id = (select r.person_id from contacts r where r.id = $3) where tenant_id = $1 and person_id = (select o.person_id from contacts o where o.id = $2)`,
        [contact, part(run, 1, c.into)],
      );
    case 'apart':
      return query(
        `update contacts set person_id = id where tenant_id = $1 and id = $2 and not exists (select from contacts o where o.person_id = $2 and o.id <> $2)`,
        [contact],
      );
    case 'lifecycle':
      return query('update contacts set lifecycle = $3 where tenant_id = $1 and id = $2', [contact, c.lifecycle]);
    case 'order':
      return query(
        `insert into conversions (tenant_id, id, connection_id, order_id, contact_id, currency, value_minor, refunded_minor, placed_at, reversed_at, no_revenue)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (tenant_id, connection_id, order_id) do update set contact_id = excluded.contact_id, currency = excluded.currency,
           value_minor = excluded.value_minor, refunded_minor = excluded.refunded_minor, placed_at = excluded.placed_at, reversed_at = excluded.reversed_at,
           no_revenue = excluded.no_revenue`,
        [
          ...[randomUUID(), connectionId, part(run, 4, c.order), contact, c.currency, c.value, c.refunds ? Math.min(c.refunded, c.value) : 0],
          ...[at(c.placed), c.reversed ? new Date() : null, c.noRevenue ?? null],
        ],
      );
    case 'consent':
      return query(
        `insert into consents (tenant_id, id, contact_id, channel, state, source, basis, occurred_at) values ($1, gen_random_uuid(), $2, 'email', $3, 'test', $4, $5)`,
        [contact, c.state, c.basis, at(c.at)],
      );
    case 'message': {
      const experiment = c.test === null || c.variant === null ? null : part(run, 6, c.test);
      return query(
        `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, claimed_at, channel, variant, experiment_id, opened_at, clicked_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, 'email', $8, $9, $10, $11, $7)
         on conflict (tenant_id, enrollment_id, step_id) do update set state = excluded.state, variant = excluded.variant, experiment_id = excluded.experiment_id,
           opened_at = excluded.opened_at, clicked_at = excluded.clicked_at`,
        [
          ...[randomUUID(), part(run, 2, c.which, c.nth), `step-${c.step}`, contact, c.state, at(c.at), c.variant, experiment],
          ...[c.opened ? at(c.at) : null, c.clicked ? at(c.at) : null],
        ],
      );
    }
    case 'behaviour':
      return query(
        `insert into behaviours (tenant_id, id, subject_id, key, kind, data, occurred_at) values ($1, gen_random_uuid(), $2, gen_random_uuid()::text, $3, $4, $5)`,
        [
          ...[
            contact,
            c.kind,
            JSON.stringify({ ...(c.amount === null ? {} : { amount: `${c.amount}.50`, currency: c.currency }), answered: c.answered }),
          ],
          at(c.at),
        ],
      );
    case 'forgotten':
      return query('delete from behaviours where tenant_id = $1 and subject_id = $2', [contact]);
    case 'moved':
      return query(
        `update enrollments e set subject_id = $3, contact_id = $3 where tenant_id = $1 and id = $2
         and not exists (select from enrollments o where o.subject_id = $3 and o.sequence_id = e.sequence_id)`,
        [part(run, 2, c.which, 1), part(run, 1, c.to)],
      );
    case 'window':
      world.version[c.nth] = c.version;
      return query('update sequences set current_version_id = $3 where tenant_id = $1 and id = $2', [
        sequences[c.nth]?.id,
        sequences[c.nth]?.versions[c.version],
      ]);
    case 'prediction':
      Object.assign(world, { what: c.what, withinDays: c.withinDays });
      return query(`update tenants set settings = settings || $2 where id = $1`, [
        JSON.stringify({ riskPrediction: { what: c.what, withinDays: c.withinDays } }),
      ]);
    case 'scale':
      world.scale = c.scale;
      return query('update tenants set time_scale = $2 where id = $1', [c.scale]);
    case 'fold':
      return void (await shop.deps.db.foldCourses(c.marks));
  }
}

const nobody: SlowArm = {
  ...{ people: 0, complete: 0, converted: 0, optOuts: 0, complaints: 0, refunds: 0, sent: 0, opened: 0, clicked: 0, revenue: [] },
};

/** Every reader and the recount of every row, in one snapshot. @returns which figures were not 0 */
async function expectExact(run: string): Promise<Set<string>> {
  const seen = new Set<string>();
  const { tenantId } = shop.tenant;
  const client = await app.connect();
  try {
    await client.query('begin isolation level repeatable read');
    await client.query(`select set_config('app.tenant', $1, true)`, [tenantId]);
    const tx = drizzle(client) as unknown as Tx;
    const rows = await readArmRows(client, tenantId);
    const [compared, risky] = sequences;
    if (compared === undefined || risky === undefined) throw new Error('no sequences');
    const windowOf = (n: number) => Math.round((windowsMs[n] ?? 0) / world.scale);
    const windowMs = windowOf(world.version[0] ?? 0);

    const check = async (of: ArmsOf, name: string) => {
      const place =
        'experimentId' in of
          ? ({ kind: 'test', scope: of.experimentId, step: '' } as const)
          : ({ kind: 'variant', scope: of.sequenceId, step: of.stepId } as const);
      const { test: only } = 'experimentId' in of ? { test: { shares: null, fromMs: -Infinity, untilMs: of.untilMs } } : of;
      const firsts = firstsOf(rows, place.kind, place.scope, place.step).filter(
        (one) =>
          only === undefined ||
          ((only.shares === null || JSON.stringify(one.shares) === JSON.stringify(only.shares)) &&
            one.at >= only.fromMs &&
            one.at < (only.untilMs ?? Infinity)),
      );
      const counted = countArmsSlowly(rows, firsts, { windowMs: of.windowMs, nowMs, cancelledCount: false });
      const told = rows.letters.filter((one) =>
        place.kind === 'test' ? one.experiment === place.scope : one.sequence === place.scope && one.step === place.step && one.experiment === null,
      );
      const arms = firsts.length === 0 ? [] : ['a', 'b'];
      const { variants, outcomes } = await readArms(tx, of);
      expect(variants.map(({ variant }) => variant)).toEqual(arms);
      for (const variant of arms) {
        const want = counted[variant] ?? nobody;
        const letters = told.filter((one) => one.variant === variant);
        const { sent, opened, clicked } =
          place.step === '*'
            ? want
            : { sent: letters.length, opened: letters.filter((one) => one.opened).length, clicked: letters.filter((one) => one.clicked).length };
        const { people, complete, converted, optOuts, complaints, refunds, revenue } = want;
        const has = variants.find((one) => one.variant === variant);
        expect(has, name).toMatchObject({ people, complete, converted, sent, opened, clicked });
        expect(
          outcomes.find((one) => one.variant === variant),
          name,
        ).toEqual({ variant, people, complete, optOuts, complaints, refunds, revenue });
        const shares = firsts.map((one) => ('experimentId' in of ? of.shares : one.shares)[variant] ?? 0);
        expect(has?.expected).toBeCloseTo(
          shares.reduce((sum, share) => sum + share, 0),
          9,
        );
        for (const [figure, n] of Object.entries({ ...want, sent, opened, clicked })) if (n !== 0 && n !== null) seen.add(`${place.kind} ${figure}`);
      }
      const days = await readArmsByDay(tx, of);
      const ends = new Map<string, { complete: number; converted: number }>();
      for (const one of firsts)
        if (one.at + of.windowMs <= nowMs) {
          const key = `${one.variant} ${(Math.floor((one.at + of.windowMs) / dayMs) + 1) * dayMs}`;
          const { complete = 0, converted = 0 } =
            countArmsSlowly(rows, [one], { windowMs: of.windowMs, nowMs, cancelledCount: false })[one.variant] ?? {};
          const known = ends.get(key) ?? { complete: 0, converted: 0 };
          ends.set(key, { complete: known.complete + complete, converted: known.converted + converted });
        }
      expect(
        Object.fromEntries(days.map((day) => [`${day.variant} ${day.untilMs}`, { complete: day.complete, converted: day.converted }])),
        name,
      ).toEqual(Object.fromEntries(ends));
    };
    for (const stepId of steps) {
      await check({ sequenceId: compared.id, stepId, windowMs }, `all of ${stepId}`);
      const times = firstsOf(rows, 'variant', compared.id, stepId).map((one) => one.at);
      // Bounds that are the very moment of somebody's assignment.
      const fromMs = Math.min(...times, nowMs - dayMs);
      const untilMs = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? null;
      const [first = {}, second = {}] = bothShares;
      await check({ sequenceId: compared.id, stepId, windowMs, test: { shares: first, fromMs, untilMs: null } }, `a test of ${stepId}`);
      await check({ sequenceId: compared.id, stepId, windowMs, test: { shares: second, fromMs, untilMs } }, `an ended test of ${stepId}`);
    }
    const tested = await readTestedArms(tx, tenantId);
    for (const n of [0, 1]) {
      const [experimentId, shares, untilMs] = [part(run, 6, n), bothShares[n] ?? {}, n === 0 ? null : Math.round(nowMs - 10 * dayMs)];
      await check({ experimentId, shares, windowMs: windowOf(n), untilMs }, `campaign test ${n}`);
      const firsts = firstsOf(rows, 'test', experimentId, '').filter((one) => one.at < (untilMs ?? Infinity));
      const counted = countArmsSlowly(rows, firsts, { windowMs: windowOf(n), nowMs, cancelledCount: false });
      expect(tested.find(({ experiment }) => experiment.id === experimentId)?.arms).toEqual(
        ['a', 'b'].map((variant) => {
          const { people: assigned, complete: people, converted } = counted[variant] ?? nobody;
          return { variant, assigned, people, converted };
        }),
      );
    }
    for (const [i, { id }] of sequences.entries()) {
      const own = windowOf(world.version[i] ?? 0);
      const firsts = firstsOf(rows, 'holdout', id, '');
      const counted = countArmsSlowly(rows, firsts, { windowMs: own, nowMs, cancelledCount: true });
      for (const { arm: name, people, complete, converted, revenue, expected } of await readHoldoutArms(tx, id, own)) {
        const want = counted[name] ?? nobody;
        expect({ people, complete, converted, revenue }).toEqual({
          people: want.people,
          complete: want.complete,
          converted: want.converted,
          revenue: want.revenue,
        });
        expect(expected).toBeCloseTo(firsts.length * (name === 'holdout' ? 0.25 : 0.75), 9);
        if (want.converted > 0) seen.add('holdout converted');
      }
    }
    const prediction = { what: world.what, withinDays: world.withinDays };
    const bands = countBandSlowly(rows, risky.id, { what: world.what, withinMs: world.withinDays * dayMs, nowMs });
    const { active } = await readBands(tx, prediction);
    const revenue = await readRevenue(tx, prediction);
    for (const name of ['treated', 'holdout'] as const) {
      const want = bands[name] ?? { complete: 0, stayed: 0, revenue: [] };
      expect(active[name]).toEqual({ complete: want.complete, stayed: want.stayed });
      const has = revenue
        .filter((row) => row.arm === name && row.total !== 0)
        .map(({ currency, total, squares }) => ({ currency, sum: total, squares }));
      expect(has.toSorted((a, b) => a.currency.localeCompare(b.currency))).toEqual(want.revenue);
      if (want.stayed > 0) seen.add('band stayed');
      if (want.revenue.length > 0) seen.add('band revenue');
    }
    await client.query('commit');
    return seen;
  } finally {
    client.release(true);
  }
}

/** A history in which each figure of each kind counts somebody, so that what a run proves is no matter of chance. */
const everything: Change[] = [
  { do: 'window', nth: 0, version: 0 },
  { do: 'scale', scale: 1 },
  { do: 'prediction', what: 'no_purchase', withinDays: 5 },
  ...[0, 1].map((nth): Change => ({ do: 'held out', which: 0, nth, arm: 'holdout', at: 30 })),
  ...[0, 1].map((step): Change => ({ do: 'in variant', which: 0, step, arm: 'a', shares: 0, at: 30 })),
  { do: 'in test', which: 0, nth: 0, arm: 'a', at: 30 },
  { do: 'message', which: 0, nth: 0, step: 0, at: 29, state: 'sent', variant: 'a', test: null, opened: true, clicked: true },
  { do: 'message', which: 0, nth: 0, step: 1, at: 29, state: 'sent', variant: 'a', test: 0, opened: true, clicked: true },
  { do: 'order', order: 0, which: 0, placed: 28, currency: 'EUR', value: 5_000, refunded: 100, refunds: true, reversed: false, noRevenue: null },
  { do: 'consent', which: 0, state: 'denied', basis: 'person', at: 28 },
  { do: 'lifecycle', which: 0, lifecycle: 'DO_NOT_CONTACT' },
  { do: 'behaviour', which: 0, kind: 'order', at: 28, amount: 20, currency: 'EUR', answered: false },
];

const foldAll = async () => {
  while ((await shop.deps.db.foldCourses(1_000)) > 0);
};

test('after any history, folded or not, every arm is what a recount of every row says', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 30, maxLength: 120 }), async (changes) => {
      const run = await begin();
      for (const one of changes) await carryOut(run, one);
      await expectExact(run);
      await foldAll();
      for (const figure of await expectExact(run)) seen.add(figure);
    }),
    { numRuns: 8, endOnFailure: true, examples: [[everything]] },
  );
  // A run in which nothing is counted proves nothing.
  for (const kind of ['variant', 'test'])
    for (const figure of ['people', 'complete', 'converted', 'optOuts', 'complaints', 'refunds', 'sent', 'opened', 'clicked', 'revenue'])
      expect(seen).toContain(`${kind} ${figure}`);
  for (const figure of ['holdout converted', 'band stayed', 'band revenue']) expect(seen).toContain(figure);
});

test('whatever happens while two processes fold, a reader sees nobody twice and misses nobody', async () => {
  const run = await begin();
  // What `world` says of the windows is not of the reader's snapshot.
  const changes = fc.sample(change, { numRuns: 200, seed: 17 }).filter(({ do: what }) => !['window', 'prediction', 'scale'].includes(what));
  let over = false;
  const folding = [1, 2].map(async () => {
    while (!over) await shop.deps.db.foldCourses(3);
  });
  const looking = (async () => {
    while (!over) await expectExact(run);
  })();
  const living = (async () => {
    for (const one of changes) await carryOut(run, one);
  })().finally(() => (over = true));
  for (const ended of await Promise.allSettled([living, looking, ...folding])) if (ended.status === 'rejected') throw ended.reason;
  await foldAll();
  await expectExact(run);
  const { rows } = await owner.query<{ n: number }>('select count(*)::int as n from course_marks');
  expect(rows[0]?.n).toBe(0);
});

test('each change by itself is noticed, with everything folded before it', async () => {
  const run = await begin();
  for (const one of everything) await carryOut(run, one);
  await carryOut(run, { do: 'held out', which: 1, nth: 0, arm: 'treated', at: 35 });
  await carryOut(run, { do: 'in variant', which: 1, step: 0, arm: 'b', shares: 0, at: 35 });
  await foldAll();
  await expectExact(run);
  const alone: Change[] = [
    { do: 'merged', which: 0, into: 1 },
    { do: 'lifecycle', which: 0, lifecycle: 'NEW' },
    { do: 'apart', which: 0 },
    { do: 'order', order: 0, which: 0, placed: 28, currency: 'EUR', value: 5_000, refunded: 0, refunds: false, reversed: true, noRevenue: null },
    { do: 'order', order: 0, which: 1, placed: 34, currency: 'JPY', value: 900, refunded: 0, refunds: false, reversed: false, noRevenue: null },
    { do: 'consent', which: 1, state: 'denied', basis: 'person', at: 34 },
    { do: 'message', which: 0, nth: 0, step: 0, at: 29, state: 'sent', variant: 'b', test: null, opened: false, clicked: false },
    { do: 'forgotten', which: 0 },
    { do: 'behaviour', which: 0, kind: 'message', at: 29, amount: null, currency: 'EUR', answered: false },
    { do: 'prediction', what: 'no_answer', withinDays: 20 },
    { do: 'window', nth: 0, version: 1 },
    { do: 'scale', scale: 2 },
  ];
  for (const one of alone) {
    await carryOut(run, one);
    await foldAll();
    await expectExact(run);
  }
});
