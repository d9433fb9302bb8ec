import { desc, isNull } from 'drizzle-orm';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nullSender } from '../../bench/five-mails.ts';
import { fillAsleep, fillBacklog, fillHistory, type Place, placeOf } from '../../bench/growth/fill.ts';
import { fillLists, type Listed } from '../../bench/growth/fill-lists.ts';
import { largeTables, offence, type PlanRecorder, recordPlans } from '../../bench/growth/plans.ts';
import { hotActions } from '../../bench/hot-actions.ts';
import { enrollmentEvents, enrollments } from '../../db/schema/index.ts';
import { readNewestStories, readNews } from '../../operations/read/live-stories.ts';
import { readSums, startOfHour } from '../../operations/read/sums.ts';
import { reconcile } from '../../operations/reconcile.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { comparable, countSlowly } from '../helpers/slow-figures.ts';

// What every event, every step, every pass of a job and every request for a page reads a bounded number of rows, however large the
// tables are. Postgres itself explains each statement as it really runs, those inside functions and of foreign keys included.

const size = { contacts: 20_000, events: 30_000 };
const asleep = 6_000;
/** Far below the size of any table here, and more than a page of a list reads. */
const mostRows = 300;

let shop: Shop;
let owner: pg.Client;
let place: Place;
let plans: PlanRecorder;
let large: Set<string>;
let listed: Listed;
beforeAll(async () => {
  shop = await openShop({ sender: nullSender, timeScale: 1, maxConnections: 4 });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  place = await placeOf(owner, shop.tenant);
});
// Hooks of their own, so that each ends within its time where the machine is busy.
beforeAll(async () => {
  await fillHistory(owner, place, size);
});
beforeAll(async () => {
  await fillAsleep(owner, place, { from: 0, to: asleep });
  await fillBacklog(owner, place, 2_000);
  listed = await fillLists(owner, place, 5_000);
  large = await largeTables(owner, 1_000);
  plans = await recordPlans(owner);
  // The module is loaded when a connection is opened: those that were used until now have to go.
  await owner.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`);
});
afterAll(async () => {
  await plans.stop();
  await owner.end();
  await shop.close();
});

test('the tables that grow are there', () => {
  const grown = ['contacts', 'contact_identities', 'subjects', 'subject_keys', 'enrollments', 'messages', 'decisions', 'enrollment_events', 'inbox'];
  expect([...large]).toEqual(expect.arrayContaining([...grown, 'consents', 'suppressions', 'conversions', 'refunds', 'outbox', 'sums']));
  expect([...large].filter((table) => table.startsWith('message_events_')).length).toBeGreaterThan(1);
});

test('no hot path reads more as tables grow', async () => {
  const offences: Record<string, string[]> = {};
  let statements = 0;
  for (const action of hotActions(shop)) {
    const act = await action.prepare();
    plans.take();
    await act();
    const seen = plans.take();
    statements += seen.length;
    expect(seen.length, `${action.name} was explained`).toBeGreaterThan(0);
    const found = seen.flatMap((s) => {
      const fault = offence(s, large, mostRows);
      return fault === null ? [] : [`${fault}: ${s.text.replaceAll(/\s+/g, ' ').slice(0, 1_000)}`];
    });
    if (found.length > 0) offences[action.name] = found;
  }
  expect(offences).toEqual({});
  expect(statements).toBeGreaterThan(200);
});

test('no list reads more as tables grow, whatever it is asked for', async () => {
  const { rows: some } = await owner.query<Record<'contact' | 'enrollment' | 'subject' | 'notified' | 'target', string>>(
    `select e.contact_id as contact, e.id as enrollment, e.subject_id as subject, n.task_id as notified, n.target_id as target
     from (select * from enrollments where ended_at is not null order by id desc limit 1) e, (select * from notifications order by id desc limit 1) n`,
  );
  const [{ contact, enrollment, subject, notified, target } = { contact: '', enrollment: '', subject: '', notified: '', target: '' }] = some;
  const { campaignId: campaign, endpointId, importId } = listed;
  const shopper = 'shopper-7@example.com';
  /** What is asked for where the description names no values: first what all lists mean by it, then what one does. Rare values find what is old. */
  const named: Record<string, string[]> = {
    ...{ email: [shopper], phone: ['+12025550111'], contact: [contact], enrollment: [enrollment], enrollment_id: [enrollment], lead: [subject] },
    ...{
      account: [subject],
      campaign: [campaign],
      campaign_id: [campaign],
      sequence: ['cart', 'lead-nurture'],
      step: ['email_2h', 'rare_step', 'none'],
      lastStep: ['email_2h', 'rare_step', '-'],
    },
    ...{ external_id: ['old-cart-7'], externalId: ['old-cart-7'], subject_id: [subject], cart_id: ['old-cart-7'], ids: [contact] },
    ...{ since: ['2020-01-01T00:00:00Z', new Date().toISOString()], enrolled_from: ['2020-01-01T00:00:00Z', new Date().toISOString()] },
    ...{ enrolled_until: ['2020-01-01T00:00:00Z', new Date().toISOString()], request_id: ['unknown'], delivery_id: ['delivery-7'], code: ['CODE-7'] },
    ...{
      channel: ['sms', 'email', 'call'],
      task: [notified],
      target: [target],
      owner: ['rare', 'usual', 'none'],
      reason: ['no_channel', 'purchased', 'sms', 'email', 'none'],
    },
    ...{ actor: ['rare', 'api_key:usual'], action: ['rare.', 'rare.action', 'enrollment.stop'], after: [] },
    'kind /api/subjects': ['lead', 'cart', 'account'],
    'kind /api/tasks': ['rare', 'question', 'none'],
    'subject /api/facts': ['product-7'],
    'subject /api/audit': ['none'],
  };
  const places: Record<string, string | string[]> = {
    ...{ '/api/campaigns/{id}/leads': campaign, '/api/contacts/{id}/timeline': contact, '/api/imports/{id}/errors': importId },
    ...{
      '/api/sequences/{slug}/versions': 'cart',
      // Also of one that is older than the others.
      '/api/sequences/{slug}/enrollments': ['cart', 'lead-nurture'],
      '/api/webhook-endpoints/{id}/deliveries': endpointId,
    },
  };
  /** Rows that a page may read where it counts or joins more than it shows, by what its address begins with. */
  const more: [RegExp, number][] = [
    // Each message with its enrollment, call, events and version.
    [/^\/api\/attempts/, 1_000],
    // The last messages of those that ended, or of all, until a page is full.
    [/^\/api\/sequences\/[^/]+\/enrollments\?.*lastStep/, Infinity],
    // The decisions of a sequence that is large and older than others.
    [/^\/api\/decisions\?.*sequence=lead-nurture/, Infinity],
    // Fifty enrollments with all their attempts, each with its events.
    [/^\/api\/sequences\/[^/]+\/enrollments/, 2_000],
    // The orders and merges of a person, among few enough that reading them all is quicker.
    [/^\/api\/contacts\/[^/]+\/timeline/, Infinity],
  ];
  const headers = { authorization: `Bearer ${shop.tenant.apiKey}` };
  // As where a worker folds: figures of what is marked are computed when they are read.
  await owner.query('delete from course_marks');
  const offences: Record<string, string[]> = {};
  let asked = 0;
  for (const [path, { get }] of Object.entries(shop.app.swagger().paths ?? {}) as [string, { get?: { parameters?: Parameter[] } }][]) {
    const query = (get?.parameters ?? []).filter((parameter) => parameter.in === 'query');
    // Lists that span stores are asked for by whoever runs the installation.
    // Consents are always somebody's.
    if (!query.some(({ name }) => name === 'cursor') || path.startsWith('/api/tenants') || path === '/api/consents') continue;
    const wishes = query.flatMap(({ name, schema: { enum: values, anyOf } }) => {
      if (name === 'cursor' || name === 'limit') return [];
      const chosen = values ?? anyOf?.flatMap((one) => one.enum ?? []) ?? named[`${name} ${path}`] ?? named[name];
      expect(chosen, `${name} of ${path}: name a value to ask for`).toBeDefined();
      // All types of events are found alike.
      return (chosen ?? []).slice(0, 10).map((value) => `${name}=${encodeURIComponent(value)}`);
    });
    const needed = query.filter(({ required }) => required === true);
    expect(needed, path).toEqual([]);
    const asks = [places[path] ?? 'unknown'].flat().flatMap((place) => ['', ...wishes].map((wish) => ({ place, wish })));
    for (const { place: id, wish } of asks) {
      const url = `${path.replaceAll(/\{\w+\}/g, id)}?limit=50&${wish}`;
      plans.take();
      let answer = await shop.app.inject({ url, headers });
      const refused: string[] = [];
      if (answer.statusCode !== 200) refused.push(`answered ${answer.statusCode} ${answer.body}`);
      const { nextCursor } = answer.json() as { nextCursor?: string | null };
      if (nextCursor != null && wish.startsWith('sort=') && path.startsWith('/api/')) {
        answer = await shop.app.inject({ url: `${url}&cursor=${nextCursor}`, headers });
        if (answer.statusCode !== 200) refused.push(`answered ${answer.statusCode} ${answer.body}`);
      }
      asked++;
      const found = plans.take().flatMap((s) => {
        const allowed = more.find(([begins]) => begins.test(url))?.[1] ?? mostRows;
        const fault = allowed === Infinity ? null : offence(s, large, allowed);
        return fault === null ? [] : [`${fault}: ${s.text.replaceAll(/\s+/g, ' ').slice(0, 300)}`];
      });
      if (found.length + refused.length > 0) offences[url] = [...refused, ...found];
    }
  }
  expect(offences).toEqual({});
  expect(asked).toBeGreaterThan(150);
}, 600_000);

test('interventions are listed by the band of their own version, also where their sequence was about another band before', async () => {
  const { tenantId } = shop.tenant;
  const headers = { authorization: `Bearer ${shop.tenant.apiKey}` };
  const listedIn = async (band: string) => {
    const answer = await shop.app.inject({ url: `/api/interventions?limit=50&band=${band}&sort=created_at`, headers });
    return (answer.json() as { data: { id: string }[] }).data.map(({ id }) => id);
  };
  const early = await listedIn('early');
  const [first = ''] = early;
  await owner.query(
    `update sequence_versions v set definition = jsonb_set(v.definition, '{band}', '"active"')
     from enrollments e where v.tenant_id = $1 and e.tenant_id = $1 and e.id = $2 and v.id = e.version_id`,
    [tenantId, first],
  );
  expect(await listedIn('early')).not.toContain(first);
  expect(await listedIn('early')).toContain(early[1]);
  expect(await listedIn('active')).toContain(first);
});

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema: { enum?: string[]; anyOf?: { enum?: string[] }[] };
}

test('figures are read from sums that are right, whatever waits to be folded', async () => {
  const { tenantId } = shop.tenant;
  // A worker was away: much waits, of another store and of hours before the window.
  await owner.query(
    `insert into sum_deltas (tenant_id, hour, subject_kind, segment, started)
     select case when n % 2 = 0 then $1 else gen_random_uuid() end, now() - interval '2 years', 'cart', 'first_time', 1 from generate_series(1, 10000) n`,
    [tenantId],
  );
  await owner.query('analyze sum_deltas');
  large.add('sum_deltas');
  for (const days of [1, 7, 30]) {
    const fromMs = startOfHour(Date.now() - days * 24 * 3_600_000);
    plans.take();
    const sums = await shop.deps.db.withTenant(tenantId, (tx) => readSums(tx, fromMs));
    const seen = plans.take();
    expect(seen.some((s) => s.text.includes('sum_deltas'))).toBe(true);
    expect(seen.flatMap((s) => offence(s, large, mostRows) ?? [])).toEqual([]);
    expect(comparable(sums)).toEqual(comparable(await countSlowly(owner, tenantId, fromMs)));
  }
  plans.take();
  expect(await shop.deps.db.foldRollups(200)).toBe(200);
  expect(plans.take().flatMap((s) => offence(s, large, 2 * 200 + mostRows) ?? [])).toEqual([]);
});

test('of a busy store a page gets the newest stories, and of each the latest events', async () => {
  const { tenantId } = shop.tenant;
  const tenant = { ...shop.tenant, id: tenantId, name: 'Test Store', timeScale: 1, synthetic: true };
  const sinceMs = Date.now() - 1_000;
  const open = await shop.deps.db.withTenant(tenantId, (tx) =>
    tx.select({ id: enrollments.id }).from(enrollments).where(isNull(enrollments.endedAt)).orderBy(desc(enrollments.id)).limit(40),
  );
  // Forty carts are changed, the last of them for hours.
  const changes = [...open.toReversed().map(({ id }) => id), ...Array.from({ length: 1_000 }, () => open[0]?.id ?? '')];
  const events = changes.map((enrollmentId, n) => ({ tenantId, id: uuidv7(), enrollmentId, type: 'cart.updated', at: Date.now() + n }));
  await shop.deps.db.withTenant(tenantId, (tx) => tx.insert(enrollmentEvents).values(events));
  plans.take();
  const news = await readNews(shop.deps, tenant, { sinceMs, told: new Set(), limit: 25 });
  const told = await readNews(shop.deps, tenant, { sinceMs, told: new Set(news.eventIds), limit: 25 });
  const newest = await readNewestStories(shop.deps, tenant, 25);
  expect(plans.take().flatMap((s) => offence(s, large, mostRows) ?? [])).toEqual([]);
  expect(news.stories.map((s) => s.enrollmentId)).toEqual([open[0]?.id]);
  expect(news.stories[0]?.happenings.map((h) => h.atMs)).toEqual(events.slice(-100).map((e) => e.at));
  expect(told.stories).toEqual([]);
  expect(newest).toHaveLength(25);
});

test('the reconciler walks open enrollments only, page by page', async () => {
  const asked: string[] = [];
  plans.take();
  await reconcile(
    {
      ...shop.deps,
      engine: {
        start: async () => {},
        stop: async () => {},
        wake: async () => {},
        describe: async ({ enrollmentId }) => (asked.push(enrollmentId), 'running'),
        async *listRunning() {},
      },
    },
    { graceMs: 0 },
  );
  expect(asked.length).toBeGreaterThanOrEqual(asleep);
  // A page is 500 enrollments beside their sequence; an outbox of four times as many is hashed rather than asked 500 times.
  const others = new Set([...large].filter((table) => table !== 'outbox'));
  const offences = plans.take().flatMap((s) => offence(s, others, 4_000) ?? []);
  expect(offences).toEqual([]);
});
