import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rowsOf, sumUp } from '../../../domain/interventions/figures.ts';
import { interventionBands } from '../../../domain/risk/band-move.ts';
import { readInterventionFigures } from '../../../operations/interventions/figures.ts';
import { type InterventionView, listInterventions } from '../../../operations/interventions/interventions.ts';
import { foldInterventions } from '../../../operations/interventions/kept.ts';
import { openShop, type Shop } from '../../helpers/shop.ts';

// What interventions count for is kept by marks and a job. At every moment, judged anew or not, the figures are what all interventions add up to that the list shows.

const [dayMs, minuteMs] = [86_400_000, 60_000];
let shop: Shop;
let owner: pg.Client;
let sequences: { id: string; version: string; steps: string[] }[];
/** The time by which everything is judged; it only goes on. */
let nowMs = Date.now();
const clock = { nowMs: () => nowMs, monotonicMs: () => performance.now() };

beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  const { rows } = await owner.query<{ id: string; version: string; steps: string[] }>(
    `select s.id, v.id as version, array(select t ->> 'id' from jsonb_array_elements(v.definition -> 'steps') t) as steps
     from sequences s join sequence_versions v on v.id = s.current_version_id where s.tenant_id = $1 and slug in ('churn-active', 'churn-critical') order by slug`,
    [shop.tenant.tenantId],
  );
  sequences = rows;
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

const which = fc.nat({ max: 2 });
const nth = fc.nat({ max: 1 });
const step = fc.nat({ max: 2 });
const daysAgo = fc.integer({ min: 0, max: 40 * 1_440 }).map((minutes) => minutes / 1_440);
const change = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ do: fc.constant('run' as const), which, nth, began: daysAgo, ended: fc.option(daysAgo) },
      reason: fc.constantFrom(null, 'purchased', 'replied', 'recovered', 'holdout'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      ...{
        do: fc.constant('message' as const),
        which,
        nth,
        step,
        at: daysAgo,
        state: fc.constantFrom('claimed', 'sent', 'sent', 'sent', 'failed', 'skipped'),
      },
      ...{ channel: fc.constantFrom('email', 'sms', 'task'), opened: fc.option(daysAgo), clicked: fc.option(daysAgo, { freq: 2 }) },
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ do: fc.constant('task' as const), which, nth, step, state: fc.constantFrom('open', 'done') },
      suppressed: fc.boolean(),
    }),
  },
  fc.record({ do: fc.constant('text' as const), which, nth, step, cost: fc.nat({ max: 3_000 }) }),
  {
    weight: 4,
    arbitrary: fc.record({
      ...{
        do: fc.constant('behaviour' as const),
        which,
        kind: fc.constantFrom('order', 'order', 'message', 'call', 'visit', 'support'),
        at: daysAgo,
      },
      ...{ amount: fc.nat({ max: 90 }), currency: fc.constantFrom('EUR', 'JPY'), answered: fc.boolean() },
    }),
  },
  fc.record({ do: fc.constant('forgotten' as const), which }),
  fc.record({ do: fc.constant('moved' as const), which, nth, to: which }),
  fc.record({ do: fc.constant('window' as const), days: fc.constantFrom(3, 14, 30) }),
  fc.record({ do: fc.constant('prices' as const), perHour: fc.constantFrom('40', '55') }),
  fc.record({ do: fc.constant('later' as const), ms: fc.constantFrom(1, minuteMs, dayMs, 5 * dayMs) }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('marks folded' as const), marks: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('judged' as const), accounts: fc.integer({ min: 1, max: 3 }) }) },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** The same ids for the same part of a run. */
const part = (run: string, kind: number, a: number, b = 0, c = 0) => `${run.slice(0, -7)}${kind}0${a}0${b}0${c}`;
const at = (days: number) => new Date(Math.round(nowMs - days * dayMs));

async function begin(): Promise<string> {
  const run = randomUUID();
  const t = shop.tenant.tenantId;
  for (const n of [0, 1, 2]) {
    const id = part(run, 1, n);
    await owner.query('insert into contacts (tenant_id, id, person_id) values ($1, $2, $2)', [t, id]);
    await owner.query(
      `insert into subjects (tenant_id, id, contact_id, kind, details, started_at, last_activity_at) values ($1, $2, $2, 'account', '{}', now(), now())`,
      [t, id],
    );
  }
  return run;
}

async function carryOut(run: string, c: Change): Promise<void> {
  const t = shop.tenant.tenantId;
  const query = async (text: string, values: unknown[] = []) =>
    void (await owner.query(text, [t, ...values]).catch((error: { constraint?: string }) => {
      // An open enrollment about this account is there already.
      if (error.constraint !== 'enrollments_one_open') throw error;
    }));
  const accountId = 'which' in c ? part(run, 1, c.which) : null;
  const enrollmentId = 'nth' in c ? part(run, 2, c.which, c.nth) : null;
  const stepId = 'step' in c && 'nth' in c ? (sequences[c.nth]?.steps[c.step] ?? 'none') : null;
  switch (c.do) {
    case 'run':
      return query(
        `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, subject_kind, segment, status, stop_reason, sequence_type, time_scale, anchor_at,
           enrolled_at, activated_at, ended_at)
         values ($1, $2, $3, $4, $5, $5, 'account', 'new', $6, $7, 'first_time', 1, $8, $8, $8, $9)
         on conflict (tenant_id, id) do update set status = excluded.status, stop_reason = excluded.stop_reason, ended_at = excluded.ended_at`,
        [
          ...[enrollmentId, sequences[c.nth]?.id, sequences[c.nth]?.version, accountId, c.ended === null ? 'ACTIVE' : 'EXITED'],
          ...[c.ended === null ? null : c.reason, at(c.began), c.ended === null ? null : at(c.ended)],
        ],
      );
    case 'message':
      return query(
        `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, claim, claimed_at, channel, skip_reason, settled_at, due_at, opened_at, clicked_at, created_at)
         select $1, $2, $3, $4, e.contact_id, $5, $2, $6, $7, $8, $9, $6, $10, $11, $6 from enrollments e where e.id = $3
         on conflict (tenant_id, enrollment_id, step_id) do update set state = excluded.state, channel = excluded.channel, settled_at = excluded.settled_at,
           skip_reason = excluded.skip_reason, opened_at = excluded.opened_at, clicked_at = excluded.clicked_at`,
        [
          ...[part(run, 3, c.which, c.nth, c.step), enrollmentId, stepId, c.state, at(c.at), c.channel, c.state === 'skipped' ? 'too_old' : null],
          ...[c.state === 'claimed' ? null : at(c.at), c.opened === null ? null : at(c.opened), c.clicked === null ? null : at(c.clicked)],
        ],
      );
    case 'task':
      return query(
        `insert into tasks (tenant_id, id, kind, state, subject_id, send_key, enrollment_id, suppressed)
         select $1, $2, 'agent_call', $3, e.subject_id, e.id || ':' || $4, e.id, $5 from enrollments e where e.id = $6
         on conflict (tenant_id, id) do update set state = excluded.state, suppressed = excluded.suppressed`,
        [part(run, 4, c.which, c.nth, c.step), c.state, stepId, c.suppressed, enrollmentId],
      );
    case 'text':
      return query(
        `insert into compositions (tenant_id, id, enrollment_id, step_id, state, channel, language, fingerprint, subject, body, cta, model, cost_micros, due_at)
         select $1, $2, e.id, $3, 'ready', 'email', 'en', '', 'subject', 'body', 'cta', 'model', $4, now() from enrollments e where e.id = $5
         on conflict (tenant_id, id) do update set cost_micros = excluded.cost_micros`,
        [part(run, 5, c.which, c.nth, c.step), stepId, c.cost, enrollmentId],
      );
    case 'behaviour':
      return query(
        `insert into behaviours (tenant_id, id, subject_id, key, kind, data, occurred_at) values ($1, gen_random_uuid(), $2, gen_random_uuid()::text, $3, $4, $5)`,
        [accountId, c.kind, JSON.stringify({ amount: `${c.amount}.50`, currency: c.currency, answered: c.answered }), at(c.at)],
      );
    case 'forgotten':
      return query('delete from behaviours where tenant_id = $1 and subject_id = $2', [accountId]);
    case 'moved':
      return query(`update enrollments set subject_id = $3, contact_id = $3 where tenant_id = $1 and id = $2 and ended_at is not null`, [
        enrollmentId,
        part(run, 1, c.to),
      ]);
    case 'window':
      return query(`update tenants set settings = settings || $2 where id = $1`, [JSON.stringify({ interventionWindowDays: c.days })]);
    case 'prices': {
      const usd = (amount: string) => ({ amount, currency: 'USD' });
      const interventionCosts = {
        ...{ messages: { email: usd('0.0004') }, peoplePerHour: usd(c.perHour), modelCurrency: 'EUR' },
        minutes: { agent_call: 15, assignment: 30, escalation: 20 },
      };
      return query(`update tenants set settings = settings || $2 where id = $1`, [JSON.stringify({ interventionCosts })]);
    }
    case 'later':
      nowMs += c.ms;
      return;
    case 'marks folded':
      return void (await shop.deps.db.foldCourses(c.marks));
    case 'judged':
      return void (await foldInterventions({ ...shop.deps, clock }, c.accounts));
  }
}

async function everyIntervention(): Promise<InterventionView[]> {
  const all: InterventionView[] = [];
  for (let after: string | null = null; ; ) {
    const page = await listInterventions({ db: shop.deps.db, clock }, shop.tenant.tenantId, {}, { limit: 200, after });
    all.push(...page.items);
    after = page.next;
    if (after === null) return all;
  }
}

/** @returns which figures were not 0 */
async function expectExact(): Promise<Set<string>> {
  const { tenantId } = shop.tenant;
  for (const days of [366, 20]) {
    const has = await readInterventionFigures({ db: shop.deps.db, clock }, tenantId, days);
    const all = (await everyIntervention()).filter(({ beganAtMs }) => beganAtMs >= has.fromMs);
    const want = all.flatMap(rowsOf);
    expect(has.all).toMatchObject(sumUp(want));
    for (const band of interventionBands)
      expect(has.bands.find((one) => one.band === band)).toMatchObject(sumUp(want.filter((row) => row.band === band)));
    for (const { channel, ...own } of has.channels) {
      const { actions, outcomes, cost } = sumUp(want.filter((row) => row.channel === channel));
      expect(own).toEqual({ actions, outcomes, cost });
    }
    const took = all.flatMap(({ actions, beganAtMs }) => {
      const done = actions.flatMap(({ atMs }) => atMs ?? []);
      return done.length === 0 ? [] : [Math.max(0, Math.min(...done) - beganAtMs)];
    });
    expect(has.firstActionMs?.p99 ?? null).toBe(took.length === 0 ? null : took.toSorted((a, b) => a - b)[Math.ceil(took.length * 0.99) - 1]);
  }
  const { all } = await readInterventionFigures({ db: shop.deps.db, clock }, tenantId, 366);
  const { outcomes, cost, expected: _e, attributed, rate: _r, interval: _i, returnOnAttributed: _a, ...counted } = all;
  const figures = { ...counted, ...outcomes, cost: cost.amounts.length, unknown: cost.unknown.length, attributed: attributed.length };
  return new Set(Object.entries(figures).flatMap(([name, n]) => (n > 0 ? [name] : [])));
}

/** What went out yesterday, and nothing came of it yet; what failed; and what came of another one. */
const everything: Change[] = [
  { do: 'window', days: 14 },
  { do: 'prices', perHour: '40' },
  ...[0, 1, 2].map((n): Change => ({ do: 'run', which: n, nth: 0, began: 30, ended: n === 2 ? 29 : null, reason: n === 2 ? 'holdout' : null })),
  ...([1, 25] as const).map(
    (days, n): Change => ({ do: 'message', which: n, nth: 0, step: 0, at: days, state: 'sent', channel: 'email', opened: null, clicked: null }),
  ),
  { do: 'message', which: 0, nth: 0, step: 1, at: 2, state: 'failed', channel: 'sms', opened: null, clicked: null },
  { do: 'behaviour', which: 1, kind: 'order', at: 24, amount: 40, currency: 'EUR', answered: false },
];

const judgeAll = async () => {
  while ((await shop.deps.db.foldCourses(1_000)) > 0);
  while (await foldInterventions({ ...shop.deps, clock }));
};

test('after any history, judged anew or not, the figures are what all interventions add up to', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 30, maxLength: 120 }), async (changes) => {
      const run = await begin();
      for (const one of changes) await carryOut(run, one);
      await expectExact();
      await judgeAll();
      for (const figure of await expectExact()) seen.add(figure);
    }),
    { numRuns: 12, endOnFailure: true, examples: [[everything]] },
  );
  // A run in which nothing is counted proves nothing.
  for (const figure of [
    'begun',
    'heldOut',
    'complete',
    'successes',
    'actions',
    'delivered',
    'engaged',
    'converted',
    'failed',
    'ignored',
    'cost',
    'attributed',
  ])
    expect(seen).toContain(figure);
});

test('each change by itself is noticed, with everything judged before it, and time by itself too', async () => {
  const run = await begin();
  const about = { which: 0, nth: 0 } as const;
  const sent = { do: 'message', ...about, state: 'sent', opened: null, clicked: null } as const;
  await carryOut(run, { do: 'window', days: 14 });
  await carryOut(run, { do: 'prices', perHour: '40' });
  await carryOut(run, { do: 'run', ...about, began: 5, ended: null, reason: null });
  await carryOut(run, { ...sent, step: 0, at: 4, channel: 'email' });
  await judgeAll();
  const alone: Change[] = [
    { ...sent, step: 1, at: 3, channel: 'task' },
    { do: 'task', ...about, step: 1, state: 'open', suppressed: false },
    { do: 'task', ...about, step: 1, state: 'done', suppressed: false },
    { do: 'text', ...about, step: 0, cost: 100 },
    { do: 'text', ...about, step: 0, cost: 900 },
    { do: 'behaviour', which: 0, kind: 'visit', at: 3.5, amount: 0, currency: 'EUR', answered: false },
    { do: 'behaviour', which: 0, kind: 'order', at: 2, amount: 40, currency: 'EUR', answered: false },
    { do: 'forgotten', which: 0 },
    { ...sent, step: 0, at: 4, channel: 'email', opened: 3.9 },
    { do: 'prices', perHour: '55' },
    { do: 'window', days: 3 },
    { do: 'window', days: 30 },
    { do: 'run', ...about, began: 5, ended: 1, reason: 'purchased' },
    { do: 'moved', ...about, to: 1 },
    ...Array.from({ length: 8 }, (): Change => ({ do: 'later', ms: 5 * dayMs })),
  ];
  const before = { ...(await readInterventionFigures({ db: shop.deps.db, clock }, shop.tenant.tenantId, 366)).all };
  for (const one of alone) {
    await carryOut(run, one);
    await expectExact();
    await judgeAll();
    await expectExact();
  }
  expect((await readInterventionFigures({ db: shop.deps.db, clock }, shop.tenant.tenantId, 366)).all).not.toEqual(before);
});

test('whatever happens while two processes judge, no intervention is counted twice and none is missed', async () => {
  const run = await begin();
  const changes = fc.sample(change, { numRuns: 200, seed: 23 }).filter(({ do: what }) => what !== 'later');
  let over = false;
  const judging = [1, 2].map(async () => {
    while (!over) {
      await shop.deps.db.foldCourses(3);
      await foldInterventions({ ...shop.deps, clock }, 2);
    }
  });
  const living = (async () => {
    for (const one of changes) await carryOut(run, one);
  })().finally(() => (over = true));
  for (const ended of await Promise.allSettled([living, ...judging])) if (ended.status === 'rejected') throw ended.reason;
  await expectExact();
  await judgeAll();
  await expectExact();
  const { rows } = await owner.query<{ marks: number; kept: number; all: number }>(
    `select (select count(*)::int from intervention_marks) as marks, (select count(*)::int from intervention_figures) as kept,
       (select count(*)::int from enrollments where subject_kind = 'account') as all`,
  );
  expect(rows[0]).toMatchObject({ marks: 0, kept: rows[0]?.all });
});

test('a store whose interventions cannot be judged holds up no other, and is tried again', async () => {
  const run = await begin();
  const sent = { do: 'message', which: 0, nth: 0, step: 0, at: 1, state: 'sent', channel: 'email', opened: null, clicked: null } as const;
  await carryOut(run, { do: 'run', which: 0, nth: 0, began: 3, ended: null, reason: null });
  await carryOut(run, sent);
  while ((await shop.deps.db.foldCourses(1_000)) > 0);
  const errors: unknown[] = [];
  const log = { ...shop.deps.log, error: (about: unknown) => void errors.push(about) } as typeof shop.deps.log;
  const withTenant: typeof shop.deps.db.withTenant = (tenantId, work) =>
    tenantId === shop.tenant.tenantId ? Promise.reject(new Error('damaged')) : shop.deps.db.withTenant(tenantId, work);
  expect(await foldInterventions({ ...shop.deps, clock, log, db: { ...shop.deps.db, withTenant } })).toBe(false);
  expect(errors).toEqual([expect.objectContaining({ tenantId: shop.tenant.tenantId })]);
  await judgeAll();
  const { rows } = await owner.query<{ n: number }>('select count(*)::int as n from intervention_marks');
  expect(rows[0]?.n).toBe(0);
  await expectExact();
});
