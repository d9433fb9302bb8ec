import { asc, eq, inArray, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { behaviours, riskAssessments, riskModels, riskStandings, riskTrainings, subjects } from '../../../db/schema/index.ts';
import type { Example } from '../../../domain/risk/example.ts';
import type { Checkpoint } from '../../../operations/deps.ts';
import { assessAccounts, assessDue, askRisk } from '../../../operations/risk/assess.ts';
import { learn } from '../../../operations/risk/learn-now.ts';
import { learnInThread } from '../../../operations/risk/learn.ts';
import { beginRun, readRun, workOnRun } from '../../../operations/risk/runs.ts';
import { trainTenant } from '../../../operations/risk/train-models.ts';
import { anotherStore, ask } from '../../api/left-carts.ts';
import { openShop, type Shop } from '../../helpers/shop.ts';

// Accounts are assessed, and the assessments kept: docs/rules.md#rule-82

const dayMs = 86_400_000;
let shop: Shop;
let now = Date.now();
let monotonic = 0;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, clock: { nowMs: () => now, monotonicMs: () => monotonic } });
});
afterAll(() => shop.close());

const own = (url: string, method: 'GET' | 'POST' | 'PATCH' = 'GET', payload?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, url, method, payload);
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const ago = (days: number) => new Date(now - days * dayMs).toISOString();

let made = 0;
/** An account that did something on each of these days ago. */
async function anAccount(days: readonly number[], kind: 'visit' | 'order' = 'visit'): Promise<string> {
  const id = `account-${++made}`;
  const payload = { account: { id }, contact: { email: `${id}@example.com` }, behaviour: days.map((day) => ({ kind, at: ago(day) })) };
  const { status, body } = await own('/api/behaviour', 'POST', payload);
  expect(status, JSON.stringify(body)).toBe(200);
  return (body as { account: string }).account;
}
/** What this build cannot read. */
const unreadable = (subjectId: string, id: string) => ({
  ...{ tenantId: shop.tenant.tenantId, id, subjectId, key: 'bad', kind: 'order' as const },
  ...{ data: { amount: {} }, occurredAt: now - dayMs },
});
const assessmentsOf = (id: string) =>
  inTenant((tx) => tx.select().from(riskAssessments).where(eq(riskAssessments.subjectId, id)).orderBy(asc(riskAssessments.id)));
const standingOf = async (id: string) => (await inTenant((tx) => tx.select().from(riskStandings).where(eq(riskStandings.subjectId, id))))[0];

describe('asking for one account', () => {
  test('it is assessed, stored and kept for five minutes', async () => {
    const id = await anAccount([1, 8, 15, 22]);
    const first = await askRisk(shop.deps, shop.tenant.tenantId, id);
    expect(first).toMatchObject({ source: 'computed', by: 'rules', basis: 'rank', rulesBecause: 'no_model', band: 'none', bandBefore: 'none' });
    expect(first?.sentence).toContain('This is no chance of no purchase within 60 days');
    expect(first?.factors.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(first?.score ?? -1, 12);
    monotonic += 299_000;
    expect(await askRisk(shop.deps, shop.tenant.tenantId, id)).toMatchObject({ id: first?.id, source: 'cache' });
    shop.deps.risk.drop(shop.tenant.tenantId, id);
    expect(await askRisk(shop.deps, shop.tenant.tenantId, id), 'another process').toMatchObject({ id: first?.id, source: 'stored' });
    shop.deps.risk.drop(shop.tenant.tenantId, id);
    await inTenant((tx) =>
      tx
        .update(riskStandings)
        .set({ assessedAt: now - 300_001 })
        .where(eq(riskStandings.subjectId, id)),
    );
    expect(await askRisk(shop.deps, shop.tenant.tenantId, id), 'after five minutes').toMatchObject({ source: 'computed' });
    expect(await assessmentsOf(id)).toHaveLength(2);
    expect(await askRisk(shop.deps, shop.tenant.tenantId, id, { fresh: true })).toMatchObject({ source: 'computed' });
    const { body } = await own('/api/risk');
    const { cache } = body as { cache: { cache: number; stored: number; computed: number; hit_rate: number } };
    expect(cache).toEqual({ cache: 1, stored: 1, computed: 3, hit_rate: 0.4 });
  });

  test('what it did since is in it, whatever was kept', async () => {
    const id = await anAccount([60, 67, 74, 81]);
    const before = await askRisk(shop.deps, shop.tenant.tenantId, id);
    expect(before?.band).not.toBe('none');
    await own('/api/behaviour', 'POST', { account: { id: `account-${made}` }, behaviour: [{ kind: 'order', at: ago(0) }] });
    shop.deps.risk.drop(shop.tenant.tenantId, id);
    const after = await askRisk(shop.deps, shop.tenant.tenantId, id);
    expect(after).toMatchObject({ source: 'computed', band: 'none', bandBefore: before?.band });
    expect(after?.score).toBeLessThan(before?.score ?? 0);
  });

  test('the list has how accounts stand now, once each, with whose they are', async () => {
    const id = await anAccount([1, 8]);
    for (const _again of [1, 2]) await askRisk(shop.deps, shop.tenant.tenantId, id, { fresh: true });
    await own('/api/behaviour', 'POST', { account: { id: `account-${made}`, name: 'Example Gardens' }, behaviour: [{ kind: 'visit', at: ago(2) }] });
    type Listed = { data: { id: string; account: string; name: string | null; contact: string | null }[] };
    const list = async (query: string) => ((await own(`/api/risk/assessments?${query}`)).body as Listed).data;
    const every = await list(`account=${id}`);
    expect(every).toHaveLength(2);
    expect(await list(`account=${id}&latest=true`)).toEqual(every.slice(0, 1));
    expect(every[0]).toMatchObject({ name: 'Example Gardens', contact: expect.any(String) as unknown });
    const accounts = (await list('latest=true&limit=200')).map(({ account }) => account);
    expect(new Set(accounts).size).toBe(accounts.length);
  });

  test('there is none of another store', async () => {
    const other = await anotherStore(shop, 'another-risk');
    const id = await anAccount([1]);
    const asked = await ask(shop, other.apiKey, '/api/risk/assessments', 'POST', { account: id });
    expect(asked).toMatchObject({ status: 404, body: { code: 'unknown_account' } });
    expect((await ask(shop, other.apiKey, '/api/risk/assessments')).body).toMatchObject({ data: [] });
  });

  test('a model that cannot be read is replaced by rules, which say so', async () => {
    const id = await anAccount([1, 2, 3]);
    const quality = { examples: 1, lost: 1, brier: 1, brierSkill: 0, logLoss: 1, auc: 1, calibrationSlope: 1, calibrationIntercept: 0 };
    const row = {
      tenantId: shop.tenant.tenantId,
      version: 900,
      prediction: { what: 'no_purchase' as const, withinDays: 60 },
      role: 'champion' as const,
    };
    const broken = { ...row, id: '0190ffff-0000-7000-8000-000000000001', name: 'x', model: {} as never, quality, examples: 1, lost: 1 };
    await inTenant((tx) => tx.insert(riskModels).values(broken));
    expect(await askRisk(shop.deps, shop.tenant.tenantId, id)).toMatchObject({ by: 'rules', rulesBecause: 'model_unavailable', basis: 'rank' });
    await inTenant((tx) => tx.update(riskModels).set({ role: 'retired' }).where(eq(riskModels.id, broken.id)));
  });
});

describe('by itself', () => {
  test('an account is assessed as soon as it has done something, and a day later because of the time', async () => {
    const id = await anAccount([2, 9, 16, 23]);
    await assessDue(shop.deps);
    const [first] = await assessmentsOf(id);
    expect(first).toMatchObject({ cause: 'behaviour' });
    expect(await standingOf(id)).toMatchObject({ dueAt: now + dayMs, assessmentId: first?.id });
    const at = now;
    await assessDue(shop.deps);
    expect(await assessmentsOf(id)).toHaveLength(1);
    // A day later by the database's clock, too.
    await inTenant((tx) =>
      tx
        .update(riskStandings)
        .set({ dueAt: at - 1_000, assessedAt: at - 1_000 - dayMs })
        .where(eq(riskStandings.subjectId, id)),
    );
    await assessDue(shop.deps);
    expect((await assessmentsOf(id)).map(({ cause }) => cause)).toEqual(['behaviour', 'time']);
  });

  test('ten whose bands change share a transaction, and one that cannot be assessed keeps its set from none but itself', async () => {
    const { tenantId } = shop.tenant;
    const ids: string[] = [];
    for (let n = 0; n < 12; n++) ids.push(await anAccount([60, 67, 74, 81]));
    const committed = async (some: string[]) => {
      let count = 0;
      const checkpoints = (at: Checkpoint) => Promise.resolve(void (count += at === 'risk.committed' ? 1 : 0));
      const { assessed, failed } = await assessAccounts({ ...shop.deps, checkpoints }, tenantId, some, 'time');
      return { count, failed, bands: assessed.map(({ bandBefore, band }) => `${bandBefore} → ${band}`) };
    };
    const first = await committed(ids);
    expect(first).toMatchObject({ count: 2, failed: [] });
    expect(new Set(first.bands).size).toBe(1);
    expect(first.bands).toHaveLength(12);

    const [bad = '', ...others] = ids;
    await own('/api/settings', 'PATCH', { settings: { riskBands: { early: 0.001, active: 0.002, critical: 0.003 } } });
    await inTenant((tx) => tx.insert(behaviours).values(unreadable(bad, '0190ffff-0000-7000-8000-0000000000ab')));
    const again = await committed(ids);
    expect(again).toMatchObject({ count: 9 + 1, failed: [bad] });
    expect(again.bands).toHaveLength(11);
    for (const id of others) expect(await assessmentsOf(id)).toHaveLength(2);
    await own('/api/settings', 'PATCH', { settings: { riskBands: { early: 0.3, active: 0.6, critical: 0.8 } } });
    await inTenant((tx) => tx.update(subjects).set({ state: 'gone' }).where(inArray(subjects.id, ids)));
  });

  test('one history that cannot be read holds up no other', async () => {
    const [bad, good] = [await anAccount([3]), await anAccount([4])];
    await inTenant((tx) => tx.insert(behaviours).values(unreadable(bad, '0190ffff-0000-7000-8000-0000000000aa')));
    const { assessed, failed } = await assessAccounts(shop.deps, shop.tenant.tenantId, [bad, good], 'portfolio');
    expect(failed).toEqual([bad]);
    expect(assessed.map(({ accountId }) => accountId)).toEqual([good]);
    const run = await beginRun(shop.deps, shop.tenant.tenantId, 'test');
    await workOnRun(shop.deps, { tenantId: shop.tenant.tenantId, runId: run.id });
    const { body } = await own(`/api/risk/runs/${run.id}`);
    expect(body).toMatchObject({ state: 'done', failed: 1, failures: [bad] });
    await inTenant((tx) =>
      tx
        .update(riskStandings)
        .set({ dueAt: now + 90 * dayMs })
        .where(eq(riskStandings.subjectId, bad)),
    );
  });

  test('accounts that are silent already are ranked among each other', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 24; index += 1) ids.push(await anAccount([95 + index * 3, 100 + index * 4], index % 2 === 0 ? 'visit' : 'order'));
    await assessAccounts(shop.deps, shop.tenant.tenantId, ids, 'portfolio');
    const { assessed } = await assessAccounts(shop.deps, shop.tenant.tenantId, ids, 'portfolio');
    expect(assessed.every(({ basis, rulesBecause }) => basis === 'quantile' && rulesBecause === 'silent')).toBe(true);
    const critical = assessed.filter(({ band }) => band === 'critical').length;
    expect(critical / assessed.length).toBeLessThan(0.5);
    expect(assessed[0]?.sentence).toContain('silent already');
  });
});

describe('a portfolio', () => {
  test('is assessed page by page, and goes on where it was left', async () => {
    const run = await beginRun(shop.deps, shop.tenant.tenantId, 'test');
    expect((await beginRun(shop.deps, shop.tenant.tenantId, 'test')).id).toBe(run.id);
    const stopped = await workOnRun(shop.deps, { tenantId: shop.tenant.tenantId, runId: run.id }, { signal: AbortSignal.abort() });
    expect(stopped.ended).toBe(false);
    const done = await workOnRun(shop.deps, { tenantId: shop.tenant.tenantId, runId: run.id });
    expect(done).toMatchObject({ ended: true });
    const ended = await readRun(shop.deps, shop.tenant.tenantId, run.id);
    const { rows } = await inTenant((tx) =>
      tx.execute<{ count: number }>(sql`select count(*)::int as count from subjects where kind = 'account' and state = 'open'`),
    );
    expect((ended?.assessed ?? 0) + (ended?.failed ?? 0)).toBe(rows[0]?.count);
    expect(Object.values(ended?.bands ?? {}).reduce((sum, count) => sum + count, 0)).toBe(ended?.assessed);
    const again = await workOnRun(shop.deps, { tenantId: shop.tenant.tenantId, runId: run.id });
    expect(again).toEqual(done);
  });
});

describe('learning', () => {
  test('says what is missing while there are too few outcomes', async () => {
    const training = await trainTenant(shop.deps, shop.tenant.tenantId, { learn: (lesson) => Promise.resolve(learn(lesson)) });
    expect(training).toMatchObject({ outcome: 'too_few' });
    expect(training?.detail).toContain('200 of each are needed');
    expect((await own('/api/risk')).body).toMatchObject({ by: 'rules', model: null, training: { outcome: 'too_few' } });
  });

  test('a model comes into use, gives chances, is challenged, and comes back in one call', async () => {
    const { tenantId } = shop.tenant;
    const examples = someExamples(700);
    const taught = (some: Example[]) =>
      trainTenant(shop.deps, tenantId, { learn: ({ champion }) => Promise.resolve(learn({ examples: some, champion })) });
    const first = await taught(examples);
    expect(first).toMatchObject({ outcome: 'promoted' });
    const id = await anAccount([1, 2, 5, 9, 14]);
    const assessed = await askRisk(shop.deps, tenantId, id);
    expect(assessed).toMatchObject({ by: 'model', basis: 'chance', rulesBecause: null, modelVersion: 901 });
    const logit = Math.log((assessed?.score ?? 0) / (1 - (assessed?.score ?? 0)));
    expect((assessed?.base ?? 0) + (assessed?.factors.reduce((sum, { weight }) => sum + weight, 0) ?? 0)).toBeCloseTo(logit, 9);

    // The same once more is not better in both respects.
    expect(await taught(examples)).toMatchObject({ outcome: 'not_promoted' });
    const { body } = await own('/api/risk/models');
    expect((body as { data: { version: number; role: string }[] }).data.slice(0, 2)).toMatchObject([
      { version: 902, role: 'challenger' },
      { version: 901, role: 'champion' },
    ]);
    expect(await own('/api/risk/models/use', 'POST', { version: 902 })).toMatchObject({ status: 200, body: { version: 902, role: 'champion' } });
    expect(await own('/api/risk/models/use', 'POST', {})).toMatchObject({ status: 200, body: { version: 901, role: 'champion' } });
    const champions = await inTenant((tx) => tx.select({ version: riskModels.version }).from(riskModels).where(eq(riskModels.role, 'champion')));
    expect(champions).toEqual([{ version: 901 }]);
    expect((await inTenant((tx) => tx.select().from(riskTrainings))).length).toBe(3);

    // What another prediction taught says nothing about this one.
    await own('/api/settings', 'PATCH', { settings: { riskPrediction: { what: 'no_answer', withinDays: 30 } } });
    expect(await askRisk(shop.deps, tenantId, id, { fresh: true })).toMatchObject({ by: 'rules', prediction: { what: 'no_answer', withinDays: 30 } });
    expect(await own('/api/risk/models/use', 'POST', { version: 902 })).toMatchObject({ status: 409, body: { code: 'other_prediction' } });
  });

  test('happens in a thread of its own', async () => {
    const before = vi.fn();
    const timer = setInterval(before, 5);
    const { training } = await learnInThread({ examples: someExamples(600), champion: null });
    clearInterval(timer);
    expect(training.trained).toBe(true);
    expect(before.mock.calls.length, 'this thread went on').toBeGreaterThan(5);
  }, 120_000);
});

/** Whoever was away long is lost more often. */
function someExamples(count: number): Example[] {
  let seed = 7;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  return Array.from({ length: count }, (_, index) => {
    const away = random() * 60;
    return { atMs: index, features: { daysSinceAny: away, ordersIn90Days: Math.floor(random() * 5) }, lost: random() < 0.15 + (0.7 * away) / 60 };
  });
}
