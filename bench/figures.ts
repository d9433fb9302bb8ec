import { sql } from 'drizzle-orm';
import type pg from 'pg';
import type { BuiltDeps } from '../operations/create-deps.ts';
import { createCampaign, readCampaign } from '../operations/campaigns/campaigns.ts';
import { listExperiments } from '../operations/experiments/standing.ts';
import { readCapFigures } from '../operations/interventions/cap-figures.ts';
import { readInterventionFigures } from '../operations/interventions/figures.ts';
import { foldInterventions } from '../operations/interventions/kept.ts';
import { readDelays } from '../operations/learning/delays.ts';
import { readDropOffs } from '../operations/learning/drop-offs.ts';
import { readLearnedHours } from '../operations/learning/hours.ts';
import { leaderboardKinds, readLeaderboard } from '../operations/learning/leaderboards.ts';
import { readLearning } from '../operations/learning/overview.ts';
import { readPhrases } from '../operations/learning/phrases.ts';
import { readSuggestions } from '../operations/learning/suggestions.ts';
import { loadPresets, publishPresets } from '../operations/publish-presets.ts';
import { readAnalytics } from '../operations/read/analytics.ts';
import { attributionPlaces, readAttribution } from '../operations/read/attribution.ts';
import { readHoldouts } from '../operations/read/holdouts.ts';
import { readSequenceOutcomes } from '../operations/read/sequence-outcomes.ts';
import { readSequenceStats } from '../operations/read/sequence-stats.ts';
import { readSilentLeadFigures } from '../operations/read/silent-lead-figures.ts';
import { readVariants } from '../operations/read/variants.ts';
import { budgeted, known, type Latency, type Measured, quantile } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { openDeps, openTenant } from './shop.ts';
import { asOwner, type BenchStack } from './stack.ts';

const eachTimes = 40;
const budgetMs = 100;
/** Subjects that are marked and not folded, and the limit of a statement. */
const [backlog, limitMs] = [5_000, 10_000];
const yearMs = 365 * 86_400_000;
/** Of each person: an enrollment, three messages, what providers report about them, and of every tenth an order. */
const eventsEach = 10;
const chunk = 50_000;

/** Every figure of a store with so many events over a year, half of its people carts and half of them silent leads, one after another: how long each takes. */
export async function measureFigures(stack: BenchStack, { events, say, part }: BenchOptions): Promise<Measured> {
  const databaseUrl = await stack.newDatabase('figures');
  const deps = openDeps(databaseUrl, stack.masterKey);
  const { tenantId } = await openTenant(deps, 'bench-figures');
  await publishPresets(deps, await loadPresets());
  const campaign = await createCampaign(deps, {
    ...{ tenantId, actor: 'bench', status: 'PAUSED' },
    fields: { name: 'Silent leads', sequence: 'silent-lead', autoAssign: { sources: [], maxLeads: null }, schedule: null, rate: null, call: null },
  });
  if (campaign.kind !== 'done') throw new Error(`the campaign was not made: ${campaign.kind}`);
  const campaignId = campaign.view.campaign.id;
  const figures = [];
  const filled = await asOwner(databaseUrl, async (owner) => {
    await fill(owner, { tenantId, campaignId, people: Math.ceil(events / eventsEach) }, say);
    const rollups = await took(() => owner.query('select rebuild_rollups()'));
    await owner.query('insert into course_marks (tenant_id) values ($1)', [tenantId]);
    await owner.query(
      `insert into course_marks (tenant_id, enrollment_id) select distinct tenant_id, enrollment_id from decisions where tenant_id = $1 and reason = 'cap'`,
      [tenantId],
    );
    const courses = await took(async () => {
      for (let n = 1, all = 0; n > 0; all += n) {
        n = await deps.db.foldCourses(1_000);
        if (n > 0 && all % 100_000 === 0) say(`figures: ${all} changes folded`);
      }
    });
    const interventions = await took(async () => {
      while (await foldInterventions(deps));
    });
    await owner.query('insert into attribution_marks (tenant_id) values ($1)', [tenantId]);
    const credits = await took(async () => {
      while ((await deps.db.foldAttribution(1_000)) > 0);
    });
    await owner.query('vacuum (analyze)');
    await owner.query('checkpoint');
    const { rows } = await owner.query<{ events: number; sums: number; size: string }>(
      `select (select count(*) from enrollments) + (select count(*) from messages) + (select count(*) from message_events) + (select count(*) from conversions)
         + (select count(*) from behaviours) as events,
         (select count(*) from course_sums) as sums, pg_size_pretty(pg_database_size(current_database())) as size`,
    );
    return { rollups, courses, interventions, credits, ...rows[0] };
  });
  figures.push(
    ...[
      known('figures_fold_courses', filled.courses / 1_000, 's'),
      known('figures_fold_interventions', filled.interventions / 1_000, 's'),
      known('figures_fold_credits', filled.credits / 1_000, 's'),
      known('figures_recount_analytics', filled.rollups / 1_000, 's'),
    ],
  );
  const latencies: Latency[] = [];
  for (const [name, read] of Object.entries(asked(deps, tenantId, campaignId))) {
    const measured = await part(`figures, ${name}`, async () => {
      const [valuesMs, floorMs]: [number[], number[]] = [[], []];
      for (let n = -3; n < eachTimes; n++) {
        const ms = await took(read);
        const floor = await took(() => deps.db.withTenant(tenantId, (tx) => tx.execute(sql`select 1`)));
        if (n < 0) continue;
        valuesMs.push(ms);
        floorMs.push(floor);
      }
      return { name: `figure_${name}`, valuesMs, floorMs };
    });
    if (measured !== null) latencies.push(measured);
  }
  // A backlog of the folding, such as an import leaves: every figure is exact meanwhile, and none may run into the limit of a statement.
  await asOwner(databaseUrl, (owner) =>
    owner.query(
      `insert into course_marks (tenant_id, subject_id, contact_id) select e.tenant_id, e.subject_id, e.contact_id from enrollments e where e.tenant_id = $1 order by e.id desc limit ${backlog}`,
      [tenantId],
    ),
  );
  const behind: number[] = [];
  for (const [name, read] of Object.entries(asked(deps, tenantId, campaignId))) {
    const ms = await part(`figures, ${name} with a backlog`, () => took(read));
    if (ms === null) continue;
    behind.push(ms);
    figures.push(known(`figure_${name}_with_backlog`, ms, 'ms'));
  }
  figures.push(budgeted('figure_slowest_with_backlog', Math.max(...behind), 'ms', `< ${limitMs} ms`, (ms) => ms < limitMs));
  await deps.db.close();
  const slowest = Math.max(...latencies.map(({ valuesMs }) => quantile(valuesMs, 0.99)));
  return {
    figures: [budgeted('figure_slowest_p99', slowest, 'ms', `< ${budgetMs} ms`, (ms) => ms < budgetMs), ...figures],
    latencies,
    notes: [
      `${filled.events} events over a year: enrollments, messages, providers’ reports, orders and behaviour of ${Math.ceil(events / eventsEach)} people, every twentieth with an account at risk; ${filled.size} of tables and indexes, ${filled.sums} rows of sums`,
      `each figure ${eachTimes} times, of the whole year, one after another, with nothing left to be folded`,
    ],
  };
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const fromMs = performance.now();
  await work();
  return performance.now() - fromMs;
}

/** Every figure, by its name, of a year. */
function asked(deps: BuiltDeps, tenantId: string, campaignId: string): Record<string, () => Promise<unknown>> {
  const sinceMs = Date.now() - yearMs;
  return {
    analytics: () => readAnalytics(deps, tenantId, 365),
    ...Object.fromEntries(
      attributionPlaces.map((by) => [`attribution_by_${by}`, () => readAttribution(deps, tenantId, { days: 365, model: 'position', by })]),
    ),
    sequence_of_carts: () => readSequenceStats(deps, tenantId, 'cart', sinceMs),
    sequence_of_silent_leads: () => readSequenceStats(deps, tenantId, 'silent-lead', sinceMs),
    ends_of_carts: () => readSequenceOutcomes(deps, tenantId, 'cart', sinceMs),
    ends_of_silent_leads: () => readSequenceOutcomes(deps, tenantId, 'silent-lead', sinceMs),
    silent_leads: () => readSilentLeadFigures(deps, tenantId, sinceMs),
    drop_offs: () => readDropOffs(deps, tenantId, sinceMs),
    ...Object.fromEntries(leaderboardKinds.map((kind) => [`leaderboard_of_${kind}`, () => readLeaderboard(deps, tenantId, kind, sinceMs)])),
    learning: () => readLearning(deps, tenantId, sinceMs),
    suggestions: () => readSuggestions(deps, tenantId, sinceMs),
    learned_hours: () => readLearnedHours(deps, tenantId),
    campaign: () => readCampaign(deps, tenantId, campaignId),
    holdouts: () => readHoldouts(deps, tenantId),
    variants: () => readVariants(deps, tenantId),
    experiments: () => listExperiments(deps, tenantId, {}, { limit: 50, after: null }),
    phrases: () => readPhrases(deps, tenantId, 'email'),
    delays: () => readDelays(deps, tenantId),
    interventions: () => readInterventionFigures(deps, tenantId, 365),
    caps: () => readCapFigures(deps, tenantId, 365),
  };
}

/** A year of people: rows alone, as the owner; keys are not checked while filling, yet all of them hold. */
async function fill(
  owner: pg.Client,
  { tenantId, campaignId, people }: { tenantId: string; campaignId: string; people: number },
  say: (line: string) => void,
): Promise<void> {
  const { rows } = await owner.query<{ slug: string; id: string; version: string; connection: string }>(
    `select s.slug, s.id, s.current_version_id as version, (select c.id from connections c where c.tenant_id = s.tenant_id limit 1) as connection
     from sequences s where s.tenant_id = $1 and s.slug in ('cart', 'silent-lead', 'churn-active')`,
    [tenantId],
  );
  const cart = rows.find(({ slug }) => slug === 'cart');
  const silent = rows.find(({ slug }) => slug === 'silent-lead');
  const churn = rows.find(({ slug }) => slug === 'churn-active');
  if (cart === undefined || silent === undefined || churn === undefined) throw new Error('the store has no sequences');
  await owner.query(`
    set session_replication_role = replica; set synchronous_commit = off;
    create or replace function pg_temp.made(kind int, n bigint) returns uuid language sql immutable as $$
      select ('01900000-0000-7' || lpad(to_hex(kind), 3, '0') || '-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
    create or replace function pg_temp.made_at(kind int, n bigint, at timestamptz) returns uuid language sql immutable as $$
      select (substr(h.ms, 1, 8) || '-' || substr(h.ms, 9) || '-7' || lpad(to_hex(kind), 3, '0') || '-8000-' || lpad(to_hex(n), 12, '0'))::uuid
      from (select lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') as ms) h $$;
    create or replace function pg_temp.whenever(n bigint) returns timestamptz language sql immutable as $$
      select date_trunc('milliseconds', timestamptz '${new Date().toISOString()}' - interval '1 day' - (${people} - n) * (interval '360 days' / ${people})) $$;
    do $do$
    declare month date;
    begin
      for i in 1..13 loop
        month := (date_trunc('month', now() at time zone 'UTC') - make_interval(months => i))::date;
        execute format('create table if not exists public.%I partition of public.message_events for values from (%L) to (%L)',
          'message_events_' || to_char(month, 'YYYY_MM'), month::text || ' 00:00+00', (month + interval '1 month')::date::text || ' 00:00+00');
      end loop;
    end $do$`);
  const t = `'${tenantId}'::uuid`;
  const at = 'pg_temp.whenever(n)';
  const id = (kind: number) => `pg_temp.made(${kind}, n)`;
  const isLead = 'n % 2 = 0';
  /** How they end, by what is random and yet always the same. */
  const end = `case when n % 10 = 0 then 'bought' when n % 10 in (1, 2) then 'replied' when n % 10 = 3 then 'opted_out' when n % 10 = 4 and n > ${Math.floor(people * 0.99)} then 'open' else 'completed' end`;
  const hours = `(1 + (n::bigint * 7919) % 200)`;
  // Of every twentieth person an account at risk: an intervention of two messages, and what it did then.
  const isAccount = 'n % 20 = 1';
  const inserts: [string, string][] = [
    ['contacts', `insert into contacts (tenant_id, id, person_id, created_at) select ${t}, ${id(1)}, ${id(1)}, ${at} from $ n`],
    [
      'subjects',
      `insert into subjects (tenant_id, id, contact_id, kind, state, details, started_at, last_activity_at, created_at)
       select ${t}, ${id(2)}, ${id(1)}, case when ${isLead} then 'lead' else 'cart' end, case when n % 10 = 0 then 'converted' else 'open' end,
         case when ${isLead} then jsonb_build_object('source', (array['META', 'GOOGLE', 'WEBSITE', 'BULK'])[1 + (n / 2) % 4]) else '{}' end, ${at}, ${at}, ${at} from $ n`,
    ],
    [
      'enrollments',
      `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, stop_reason, subject_kind, segment, sequence_type, time_scale,
         anchor_at, enrolled_at, activated_at, ended_at, campaign_id)
       select ${t}, ${id(3)}, case when ${isLead} then '${silent.id}'::uuid else '${cart.id}'::uuid end,
         case when ${isLead} then '${silent.version}'::uuid else '${cart.version}'::uuid end, ${id(1)}, ${id(2)},
         case e.how when 'bought' then 'CONVERTED' when 'open' then 'ACTIVE' when 'completed' then 'COMPLETED' else 'EXITED' end,
         case e.how when 'bought' then 'purchased' when 'open' then null when 'completed' then null else e.how end,
         case when ${isLead} then 'lead' else 'cart' end, case when ${isLead} then 'new' else 'first_time' end, 'first_time', 1, ${at}, ${at}, ${at} + interval '1 hour',
         case when e.how <> 'open' then ${at} + make_interval(hours => ${hours}::int + 2) end, case when ${isLead} then '${campaignId}'::uuid end
       from $ n cross join lateral (select ${end} as how) e`,
    ],
    [
      'campaign_leads',
      `insert into campaign_leads (tenant_id, campaign_id, subject_id, came_by, enrollment_id, at)
       select ${t}, '${campaignId}', ${id(2)}, 'routing', ${id(3)}, ${at} from $ n where ${isLead}`,
    ],
    [
      'messages',
      `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, claim, claimed_at, channel, due_at, settled_at, opened_at, clicked_at, local_slot, created_at)
       select ${t}, pg_temp.made(10 + k, n), ${id(3)},
         case when ${isLead} then (array['message_3d', 'message_7d', 'message_14d'])[k + 1] else (array['email_2h', 'email_24h', 'email_48h'])[k + 1] end, ${id(1)}, 'sent',
         ${id(3)}, m.at, 'email', m.at, m.at, case when (n + k) % 3 = 0 then m.at + interval '1 hour' end, case when (n + k) % 9 = 0 then m.at + interval '1 hour' end,
         (n * 31 + k) % 168, m.at
       from $ n cross join generate_series(0, 2) k cross join lateral (select ${at} + make_interval(hours => 2 + k * ${hours}::int / 3) as at) m`,
    ],
    [
      'message_events',
      `insert into message_events (tenant_id, id, occurred_at, message_id, enrollment_id, type)
       select ${t}, pg_temp.made(20 + k, n), ${at} + make_interval(hours => 2 + k), pg_temp.made(10 + k % 3, n), ${id(3)}, case when k < 3 then 'delivered' else 'opened' end
       from $ n cross join generate_series(0, case when n % 10 < 9 then 5 else 4 end) k`,
    ],
    [
      'conversions',
      `insert into conversions (tenant_id, id, connection_id, order_id, contact_id, subject_id, enrollment_id, currency, value_minor, placed_at, created_at)
       select ${t}, ${id(4)}, '${cart.connection}', 'order-' || n, ${id(1)}, ${id(2)}, ${id(3)}, 'EUR', 8990 + n % 1000, ${at} + make_interval(hours => ${hours}::int + 2), ${at}
       from $ n where n % 10 = 0`,
    ],
    [
      'decisions',
      `insert into decisions (tenant_id, id, enrollment_id, step_id, version_id, at, verdict, reason, checks)
       select ${t}, pg_temp.made_at(30 + k, n, ${at}), ${id(3)},
         case when ${isLead} then (array['message_3d', 'message_3d', 'message_7d', 'message_14d'])[k + 1] else (array['email_2h', 'email_2h', 'email_24h', 'email_48h'])[k + 1] end,
         case when ${isLead} then '${silent.version}'::uuid else '${cart.version}'::uuid end, ${at} + make_interval(hours => 2 + k),
         case k when 0 then 'defer' else 'send' end, case k when 0 then 'cap' else 'email' end, '[]'
       from $ n cross join generate_series(case when n % 25 = 0 then 0 else 1 end, 3) k`,
    ],
    [
      'accounts',
      `insert into subjects (tenant_id, id, contact_id, kind, state, details, started_at, last_activity_at, created_at)
       select ${t}, ${id(7)}, ${id(1)}, 'account', 'open', '{}', ${at}, ${at}, ${at} from $ n where ${isAccount}`,
    ],
    [
      'interventions',
      `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, subject_kind, segment, sequence_type, time_scale, anchor_at, enrolled_at,
         activated_at, ended_at)
       select ${t}, ${id(8)}, '${churn.id}', '${churn.version}', ${id(1)}, ${id(7)}, 'COMPLETED', 'account', 'new', 'first_time', 1, ${at}, ${at}, ${at}, ${at} + interval '10 days'
       from $ n where ${isAccount}`,
    ],
    [
      'their messages',
      `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, claim, claimed_at, channel, due_at, settled_at, opened_at, created_at)
       select ${t}, pg_temp.made(40 + k, n), ${id(8)}, (select d.step ->> 'id' from jsonb_array_elements(v.definition -> 'steps') with ordinality d(step, n) where d.n = k + 1), ${id(1)},
         'sent', ${id(8)}, m.at, 'email', m.at, m.at, case when n % 3 = k then m.at + interval '1 hour' end, m.at
       from $ n cross join generate_series(0, 1) k cross join lateral (select ${at} + make_interval(hours => 1 + k * 72) as at) m join sequence_versions v on v.id = '${churn.version}'
       where ${isAccount}`,
    ],
    [
      'behaviours',
      `insert into behaviours (tenant_id, id, subject_id, key, kind, data, occurred_at)
       select ${t}, pg_temp.made(50 + k, n), ${id(7)}, n || ' ' || k, (array['visit', 'order', 'message'])[k + 1], '{"amount": "49.90", "currency": "EUR"}', ${at} + make_interval(hours => 30 * k)
       from $ n cross join generate_series(0, n % 3) k where ${isAccount}`,
    ],
    [
      'assignments',
      `insert into assignments (tenant_id, id, sequence_id, contact_id, arm, share, assigned_at)
       select ${t}, ${id(5)}, '${cart.id}', ${id(1)}, case when n % 20 = 1 then 'holdout' else 'treated' end, 0.1, ${at} from $ n where not ${isLead}`,
    ],
    [
      'variant_assignments',
      `insert into variant_assignments (tenant_id, id, sequence_id, step_id, contact_id, variant, shares, assigned_at)
       select ${t}, ${id(6)}, '${cart.id}', 'email_2h', ${id(1)}, case when n % 4 = 1 then 'a' else 'b' end, '{"a": 0.5, "b": 0.5}', ${at} from $ n where not ${isLead}`,
    ],
  ];
  for (const [name, insert] of inserts) {
    for (let from = 1; from <= people; from += chunk)
      await owner.query(insert.replace('from $ n', `from generate_series(${from}, ${Math.min(people, from + chunk - 1)}) n`));
    say(`figures: ${name} filled`);
  }
  await owner.query(
    `insert into experiments (tenant_id, id, sequence_id, step_id, shares, started_at) values ($1, gen_random_uuid(), $2, 'email_2h', '{"a": 0.5, "b": 0.5}', now() - interval '300 days')`,
    [tenantId, cart.id],
  );
  await owner.query('set session_replication_role = origin; set synchronous_commit = on');
  await owner.query('vacuum (analyze)');
}
