import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { armPieces } from '../../operations/read/arm-sums.ts';
import { type CourseTopic, courseSums, startOfDay } from '../../operations/read/course-sums.ts';
import { openPool } from '../helpers/open-pool.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { comparable, countCoursesSlowly, countHeldUpSlowly } from '../helpers/slow-courses.ts';

// What became of people is kept in sums by marks and a folding job. At every moment, folded or not, they are what a recount of every row says.

const dayMs = 86_400_000;
const nowMs = Date.now();
const topics: CourseTopic[] = ['course', 'won', 'end', 'watched', 'step', 'revenue', 'silence', 'silence_step', 'funnel', 'cap', 'campaign'];
let shop: Shop;
let owner: pg.Client;
/** The application's role. */
let app: pg.Pool;
let sequences: { id: string; version: string }[];
let connectionId: string;

beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  app = openPool({ connectionString: shop.database.url, options: '-c role=rekindle_app' });
  const { rows } = await owner.query<{ id: string; version: string }>(
    `select id, current_version_id as version from sequences where tenant_id = $1 and slug in ('cart', 'silent-lead') order by slug`,
    [shop.tenant.tenantId],
  );
  sequences = rows;
  connectionId =
    (await owner.query<{ id: string }>('select id from connections where tenant_id = $1 limit 1', [shop.tenant.tenantId])).rows[0]?.id ?? '';
});
afterAll(async () => {
  await app.end();
  await owner.end();
  await shop.close();
});

const which = fc.nat({ max: 3 });
const nth = fc.nat({ max: 1 });
const daysAgo = fc.double({ min: 0, max: 70, noNaN: true });
const change = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ do: fc.constant('enrollment' as const), which, nth, enrolled: daysAgo, activated: fc.option(daysAgo, { freq: 6 }) },
      ...{ status: fc.constantFrom('ACTIVE', 'COMPLETED', 'CONVERTED', 'EXITED', 'EXITED'), ended: daysAgo },
      ...{ reason: fc.constantFrom(null, 'purchased', 'replied', 'replied', 'opted_out', 'holdout'), campaign: fc.option(fc.nat({ max: 1 })) },
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ do: fc.constant('message' as const), which, nth, step: fc.nat({ max: 1 }), at: daysAgo, live: fc.boolean() },
      ...{
        state: fc.constantFrom('claimed', 'sent', 'sent', 'sent', 'failed', 'unknown', 'skipped'),
        channel: fc.constantFrom(null, 'email', 'sms'),
      },
      ...{ opened: fc.boolean(), clicked: fc.boolean(), suspected: fc.boolean(), settled: fc.boolean() },
    }),
  },
  fc.record({
    do: fc.constant('event' as const),
    which,
    nth,
    step: fc.nat({ max: 1 }),
    type: fc.constantFrom('delivered', 'opened', 'clicked'),
    machine: fc.boolean(),
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ do: fc.constant('decision' as const), which, nth, step: fc.constantFrom('step-0', 'email_2h', 'message_3d'), at: daysAgo },
      decided: fc.constantFrom(
        ['defer', 'cap'] as const,
        ['defer', 'quiet_hours'] as const,
        ['skip', 'capped'] as const,
        ['hold', 'paused'] as const,
      ),
    }),
  },
  fc.record({ do: fc.constant('call' as const), which, nth, step: fc.nat({ max: 1 }), outcome: fc.constantFrom('answered', 'not_reached') }),
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ do: fc.constant('order' as const), order: fc.nat({ max: 3 }), which, nth: fc.option(nth, { freq: 6 }), placed: daysAgo },
      ...{ currency: fc.option(fc.constantFrom('EUR', 'JPY'), { freq: 5 }), value: fc.nat({ max: 5_000 }), refunded: fc.nat({ max: 3_000 }) },
      ...{ reversed: fc.boolean(), noRevenue: fc.option(fc.constantFrom('test', 'declined'), { freq: 2 }) },
    }),
  },
  fc.record({ do: fc.constant('source' as const), which, source: fc.constantFrom(null, 'META', 'BULK'), via: fc.constantFrom(null, 'BULK') }),
  fc.record({ do: fc.constant('state' as const), which, state: fc.constantFrom('open', 'converted', 'gone') }),
  fc.record({ do: fc.constant('moved' as const), which, nth, to: which }),
  fc.record({
    do: fc.constant('in campaign' as const),
    which,
    nth: fc.option(nth),
    campaign: fc.nat({ max: 1 }),
    reason: fc.constantFrom(null, 'no_consent', 'full'),
  }),
  fc.record({ do: fc.constant('zone' as const), zone: fc.constantFrom('UTC', 'Europe/Vienna', 'Asia/Kolkata') }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fold' as const), marks: fc.nat({ max: 30 }) }) },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** The same ids for the same part of a run. */
const part = (run: string, kind: number, a: number, b = 0) => `${run.slice(0, -6)}${kind}0${a.toString(16)}0${b}0`;
const at = (days: number) => new Date(Math.round(nowMs - days * dayMs));
let zone = 'UTC';

async function begin(): Promise<string> {
  const run = randomUUID();
  const t = shop.tenant.tenantId;
  for (const n of [0, 1, 2, 3]) {
    const id = part(run, 1, n);
    await owner.query('insert into contacts (tenant_id, id, person_id) values ($1, $2, $2)', [t, id]);
    // Two leads and two carts.
    await owner.query(
      `insert into subjects (tenant_id, id, contact_id, kind, details, started_at, last_activity_at, created_at) values ($1, $2, $2, $3, '{}', now(), now(), $4)`,
      [t, id, n % 2 === 0 ? 'lead' : 'cart', at(n * 20)],
    );
  }
  for (const n of [0, 1])
    await owner.query(`insert into campaigns (tenant_id, id, name, status) values ($1, $2, $3, 'ACTIVE')`, [t, part(run, 5, n), `${run} ${n}`]);
  return run;
}

async function carryOut(run: string, c: Change): Promise<void> {
  const t = shop.tenant.tenantId;
  const query = (text: string, values: unknown[]) =>
    owner.query(text, [t, ...values]).then(
      () => {},
      // An open enrollment about this subject is there already.
      (error: { constraint?: string }) => (error.constraint === 'enrollments_one_open' ? undefined : Promise.reject(error as Error)),
    );
  const enrollment = 'which' in c && 'nth' in c && c.nth !== null ? part(run, 2, c.which, c.nth) : null;
  switch (c.do) {
    case 'enrollment': {
      const sequence = sequences[c.which % 2 === 0 ? 1 : c.nth % 2];
      const isOpen = c.status === 'ACTIVE';
      return query(
        `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, stop_reason, sequence_type, time_scale, anchor_at, enrolled_at,
           activated_at, ended_at, campaign_id)
         select $1, $2, $3, $4, $5, $5, $6, $7, 'first_time', 1, $8, $8, $9, $10, $11
         where $6 <> 'ACTIVE' or not exists (select from enrollments e where e.sequence_id = $3 and e.subject_id = $5 and e.ended_at is null and e.id <> $2)
         on conflict (tenant_id, id) do update set status = excluded.status, stop_reason = excluded.stop_reason, anchor_at = excluded.anchor_at,
           enrolled_at = excluded.enrolled_at, activated_at = excluded.activated_at, ended_at = excluded.ended_at, campaign_id = excluded.campaign_id`,
        [
          ...[enrollment, sequence?.id, sequence?.version, part(run, 1, c.which), c.status, c.reason, at(c.enrolled)],
          ...[c.activated === null ? null : at(c.activated), isOpen ? null : at(c.ended), c.campaign === null ? null : part(run, 5, c.campaign)],
        ],
      );
    }
    case 'message':
      // A step that goes out is decided about at the same time.
      return query(
        `with decided as (
           insert into decisions (tenant_id, id, enrollment_id, step_id, version_id, at, verdict, reason, checks)
           select $1, gen_random_uuid(), e.id, $4, e.version_id, $7, 'send', 'email', '[]' from enrollments e where e.id = $3 and $5 in ('claimed', 'sent'))
         insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, live, claim, claimed_at, channel, skip_reason, settled_at, opened_at, clicked_at,
           suspected_open_at, created_at)
         select $1, $2, $3, $4, e.contact_id, $5, $6, $2, $7, $8, $9, $10, $11, $12, $13, $7 from enrollments e where e.id = $3
         on conflict (tenant_id, enrollment_id, step_id) do update set state = excluded.state, live = excluded.live, channel = excluded.channel,
           claimed_at = excluded.claimed_at, skip_reason = excluded.skip_reason, settled_at = excluded.settled_at, opened_at = excluded.opened_at,
           clicked_at = excluded.clicked_at, suspected_open_at = excluded.suspected_open_at`,
        [
          ...[part(run, 3, c.which * 3 + c.nth, c.step), enrollment, `step-${c.step}`, c.state, c.live && c.state === 'claimed', at(c.at), c.channel],
          ...[c.state === 'skipped' ? (c.opened ? 'stopped' : 'too_old') : null, c.settled ? at(c.at - 0.01) : null, c.opened ? at(c.at) : null],
          ...[c.clicked ? at(c.at) : null, c.suspected ? at(c.at) : null],
        ],
      );
    case 'event':
      return query(
        `insert into message_events (tenant_id, id, occurred_at, message_id, enrollment_id, type, machine)
         select $1, gen_random_uuid(), now(), m.id, m.enrollment_id, $3, $4 from messages m where m.id = $2`,
        [part(run, 3, c.which * 3 + c.nth, c.step), c.type, c.machine],
      );
    case 'decision':
      return query(
        `insert into decisions (tenant_id, id, enrollment_id, step_id, version_id, at, verdict, reason, checks)
         select $1, gen_random_uuid(), e.id, $3, e.version_id, $4, $5, $6, '[]' from enrollments e where e.id = $2`,
        [enrollment, c.step, at(c.at), ...c.decided],
      );
    case 'call':
      return query(
        `insert into calls (tenant_id, message_id, outcome, reason, keywords) select $1, m.id, $3, 'ended', '[]' from messages m where m.id = $2
         on conflict (tenant_id, message_id) do update set outcome = excluded.outcome`,
        [part(run, 3, c.which * 3 + c.nth, c.step), c.outcome],
      );
    case 'order':
      return query(
        `insert into conversions (tenant_id, id, connection_id, order_id, contact_id, enrollment_id, currency, value_minor, refunded_minor, placed_at, reversed_at, no_revenue)
         select $1, $2, $3, $4, $5, (select e.id from enrollments e where e.id = $6), $7, $8, $9, $10, $11, $12
         on conflict (tenant_id, connection_id, order_id) do update set enrollment_id = excluded.enrollment_id, currency = excluded.currency,
           value_minor = excluded.value_minor, refunded_minor = excluded.refunded_minor, placed_at = excluded.placed_at, reversed_at = excluded.reversed_at,
           no_revenue = excluded.no_revenue`,
        [
          ...[
            randomUUID(),
            connectionId,
            part(run, 4, c.order),
            part(run, 1, c.which),
            enrollment,
            c.currency,
            c.value,
            Math.min(c.refunded, c.value),
          ],
          ...[at(c.placed), c.reversed ? new Date() : null, c.noRevenue ?? null],
        ],
      );
    case 'source':
      return query('update subjects set details = $3 where tenant_id = $1 and id = $2', [
        part(run, 1, c.which),
        JSON.stringify({ source: c.source, via: c.via }),
      ]);
    case 'state':
      return query('update subjects set state = $3 where tenant_id = $1 and id = $2', [part(run, 1, c.which), c.state]);
    case 'moved':
      return query('update enrollments set subject_id = $3 where tenant_id = $1 and id = $2 and ended_at is not null', [
        enrollment,
        part(run, 1, c.to),
      ]);
    case 'in campaign':
      return query(
        `insert into campaign_leads (tenant_id, campaign_id, subject_id, came_by, enrollment_id, reason)
         select $1, $2, $3, 'hand', (select e.id from enrollments e where e.id = $4), $5
         on conflict (tenant_id, campaign_id, subject_id) do update set enrollment_id = excluded.enrollment_id, reason = excluded.reason`,
        [part(run, 5, c.campaign), part(run, 1, c.which), enrollment, c.reason],
      );
    case 'zone':
      zone = c.zone;
      return query(`update tenants set settings = settings || $2 where id = $1`, [JSON.stringify({ timeZone: c.zone })]);
    case 'fold':
      return void (await shop.deps.db.foldCourses(c.marks));
  }
}

type Figures = Record<string, Record<string, number>>;
const nothing = '00000000-0000-0000-0000-000000000000';
const places = new Set([
  'topic',
  'sequence_id',
  'version_id',
  'campaign_id',
  'subject_kind',
  'source',
  'imported',
  'step_id',
  'channel',
  'reason',
  'slot',
  'currency',
  'starts_at',
]);

function addedUp(rows: readonly Record<string, unknown>[]): Figures {
  const found: Figures = {};
  for (const row of rows) {
    const known = Object.entries(row).filter(([name, value]) => places.has(name) && !['', nothing, false, 0].includes(value as string));
    const key = JSON.stringify(Object.fromEntries(known.toSorted(([a], [b]) => a.localeCompare(b))));
    for (const [name, n] of Object.entries(row)) if (!places.has(name)) found[key] = { ...found[key], [name]: (found[key]?.[name] ?? 0) + Number(n) };
  }
  return comparable(found);
}

const startOf = (key: string) => (JSON.parse(key) as { starts_at?: number }).starts_at ?? 0;
const withoutDay = (figures: Figures) =>
  addedUp(Object.entries(figures).map(([key, own]) => ({ ...(JSON.parse(key) as Record<string, unknown>), ...own, starts_at: 0 })));

/** The sums since then as the application reads them, by days and by months, and the recount of every row, in one snapshot. */
async function expectExact(sinceMs: number): Promise<Figures> {
  const { tenantId } = shop.tenant;
  const client = await app.connect();
  try {
    await client.query('begin isolation level repeatable read');
    await client.query(`select set_config('app.tenant', $1, true)`, [tenantId]);
    const read = async (days: boolean) => {
      const { rows } = await drizzle(client).execute<{ row: Record<string, unknown>; day: number }>(
        sql`select to_jsonb(f) as row, extract(epoch from f.starts_at)::float8 * 1000 as day from ${courseSums(tenantId, { topics, sinceMs, days })} f`,
      );
      return addedUp(rows.map(({ row, day }) => ({ ...row, starts_at: days ? day : 0 })));
    };
    const [byDays, byMonths] = [await read(true), await read(false)];
    const counted = await countCoursesSlowly(client, tenantId, zone);
    const from = new Date(startOfDay(sinceMs)).toISOString();
    const { rows: held } = await drizzle(client).execute<{ channel: string; people: number }>(
      sql`select p.variant as channel, sum(p.people)::int as people
        from ${armPieces({ kind: 'cap', scopeId: nothing, stepId: '' }, sql`array[${from}::timestamptz]`)} p where p.at >= ${from}::timestamptz group by 1`,
    );
    const people = held.filter((row) => row.people !== 0).toSorted((a, b) => a.channel.localeCompare(b.channel));
    expect(people).toEqual(await countHeldUpSlowly(client, tenantId, from));
    await client.query('commit');
    const within = Object.fromEntries(Object.entries(counted).filter(([key]) => startOf(key) >= startOfDay(sinceMs)));
    expect(byDays).toEqual(within);
    expect(byMonths).toEqual(withoutDay(within));
    return within;
  } finally {
    client.release();
  }
}

const foldAll = async () => {
  while ((await shop.deps.db.foldCourses(1_000)) > 0);
};

/** People who were begun about in a campaign and written to; some bought, some left, of some it is open. Whatever chance brings, each sum counts something. */
const courses: Change[] = (['CONVERTED', 'CONVERTED', 'ACTIVE', 'EXITED'] as const).flatMap((status, person): Change[] => [
  {
    ...{ do: 'enrollment', which: person, nth: 0, enrolled: 9, activated: 9, status, ended: 5, campaign: 0 },
    reason: status === 'CONVERTED' ? 'purchased' : 'replied',
  },
  { do: 'in campaign', which: person, nth: 0, campaign: 0, reason: null },
  {
    ...{ do: 'message', which: person, nth: 0, step: 0, at: 8, live: false, state: 'sent', channel: 'email' },
    ...{ opened: true, clicked: true, suspected: false, settled: true },
  },
  { do: 'decision', which: person, nth: 0, step: 'email_2h', at: 8, decided: ['defer', 'cap'] },
  { do: 'event', which: person, nth: 0, step: 0, type: 'delivered', machine: false },
  ...(status === 'CONVERTED'
    ? [
        {
          ...{ do: 'order' as const, order: person, which: person, nth: 0, placed: 5, currency: 'EUR' as const, value: 5_000, refunded: 0 },
          ...{ reversed: false, noRevenue: null },
        },
      ]
    : []),
]);

test('after any history, folded or not, every sum is what a recount of every row says', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 20, maxLength: 120 }), fc.nat({ max: 75 }), async (changes, sinceDays) => {
      const run = await begin();
      for (const one of changes) await carryOut(run, one);
      const sinceMs = nowMs - sinceDays * dayMs;
      await expectExact(sinceMs);
      await foldAll();
      for (const [key, figures] of Object.entries(await expectExact(0)))
        for (const name of Object.keys(figures)) seen.add(`${(JSON.parse(key) as { topic: string }).topic} ${name}`);
      await expectExact(sinceMs);
    }),
    { numRuns: 30, endOnFailure: true, examples: [[courses, 75]] },
  );
  // A run in which nothing is counted proves nothing.
  for (const topic of topics) expect([...seen].filter((one) => one.startsWith(`${topic} `)).length, topic).toBeGreaterThan(0);
  expect(seen.size).toBeGreaterThan(20);
});

test('whatever happens while it folds, a reader sees no sum twice and misses none', async () => {
  const run = await begin();
  const changes = fc.sample(change, { numRuns: 150, seed: 17 }).filter(({ do: what }) => what !== 'zone');
  let over = false;
  const folding = [1, 2].map(async () => {
    while (!over) await shop.deps.db.foldCourses(3);
  });
  const looking = (async () => {
    while (!over) await expectExact(0);
  })();
  const living = (async () => {
    for (const one of changes) await carryOut(run, one);
  })().finally(() => (over = true));
  for (const ended of await Promise.allSettled([living, looking, ...folding])) if (ended.status === 'rejected') throw ended.reason;
  await foldAll();
  await expectExact(0);
  const { rows } = await owner.query<{ n: number }>('select count(*)::int as n from course_marks');
  expect(rows[0]?.n).toBe(0);
});

test('a call that is answered after all counts, and one that was not after all no more', async () => {
  const run = await begin();
  const about = { which: 0, nth: 0 } as const;
  await carryOut(run, { do: 'enrollment', ...about, enrolled: 3, activated: 3, status: 'COMPLETED', ended: 1, reason: null, campaign: null });
  const sent = { state: 'sent', channel: 'sms', live: false, opened: false, clicked: false, suspected: false, settled: true } as const;
  await carryOut(run, { do: 'message', ...about, step: 0, at: 2, ...sent });
  await foldAll();
  const answeredIn = (figures: Figures) => Object.values(figures).reduce((sum, { answered = 0 }) => sum + answered, 0);
  const before = answeredIn(await expectExact(0));
  for (const [outcome, more] of [
    ['not_reached', 0],
    ['answered', 1],
    ['not_reached', 0],
  ] as const) {
    await carryOut(run, { do: 'call', ...about, step: 0, outcome });
    await foldAll();
    expect(answeredIn(await expectExact(0))).toBe(before + more);
  }
});
