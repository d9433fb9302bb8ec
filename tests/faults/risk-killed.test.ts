import { randomBytes } from 'node:crypto';
import { asc, eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { enrollments, messages, outbox, riskAssessments, riskStandings, tasks } from '../../db/schema/index.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { assessAccounts, assessDue } from '../../operations/risk/assess.ts';
import { beginRun, readRun, workOnRun } from '../../operations/risk/runs.ts';
import { ask } from '../api/left-carts.ts';
import { startScript } from '../chaos/own-process.ts';
import type { RiskProcessConfig } from '../chaos/risk-process.ts';
import { asOwner } from '../helpers/database.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

// Real processes are killed while accounts at risk are assessed and acted upon: each is assessed once by a portfolio, and no action is taken twice.

const dayMs = 86_400_000;
const masterKey = randomBytes(32);
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, masterKey });
  for (const slug of ['churn-early', 'churn-active', 'churn-critical']) await own(`/api/sequences/${slug}/resume`, 'POST', {});
});
afterAll(() => shop.close());

const own = (url: string, method: 'GET' | 'POST' | 'PATCH' = 'GET', payload?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, url, method, payload);
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);

let made = 0;
let ids: string[] = [];
/** Accounts that nobody has assessed, and that nobody will until they are due. */
async function accounts(count: number): Promise<string[]> {
  const found: string[] = [];
  for (let n = 0; n < count; n++) {
    const id = `account-${++made}`;
    const behaviour = [40, 42, 44, 46].map((days) => ({ kind: 'visit', at: new Date(Date.now() - days * dayMs).toISOString() }));
    const { body } = await own('/api/behaviour', 'POST', { account: { id }, contact: { email: `${id}@example.com` }, behaviour });
    found.push((body as { account: string }).account);
  }
  return found;
}
beforeEach(async () => {
  // Those of the test before are of no interest any more.
  if (ids.length > 0) await asOwner(shop.database.url, `update subjects set state = 'gone' where id = any($1)`, [ids]);
  ids = [];
});

/** Let a process do it, and kill it where it stands at that point. */
async function killedAt(hangAt: Checkpoint, does: RiskProcessConfig['does'], time = 1): Promise<void> {
  const config: RiskProcessConfig = {
    ...{ databaseUrl: shop.database.url, masterKey: masterKey.toString('base64'), tenantId: shop.tenant.tenantId },
    ...{ does, hangAt, time },
  };
  const { child, ready } = await startScript('tests/chaos/risk-process.ts', { args: [JSON.stringify(config)] });
  await ready;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await ended;
}

const bands = (early: number, active: number, critical: number) =>
  own('/api/settings', 'PATCH', { settings: { riskBands: { early, active, critical } } });
const assessmentsOf = (id: string) =>
  inTenant((tx) => tx.select().from(riskAssessments).where(eq(riskAssessments.subjectId, id)).orderBy(asc(riskAssessments.id)));
/** As if the time had passed in which a call of a dead worker may still arrive. */
const leasesEnd = () => asOwner(shop.database.url, `update messages set claimed_at = claimed_at - interval '1 hour' where live`);
const runsOf = (id: string) => inTenant((tx) => tx.select({ id: enrollments.id }).from(enrollments).where(eq(enrollments.subjectId, id)));

test.each([
  { at: 'risk.committed', time: 1, what: 'in the middle of a page, after some accounts' },
  { at: 'risk.before_commit', time: 2, what: 'in the middle of a set of accounts' },
  { at: 'risk.page_assessed', time: 1, what: 'after a page, before its place is stored' },
] as const)(
  'a portfolio that is killed $what goes on and assesses each account once, with figures as if nothing had been',
  async ({ at, time }) => {
    ids = await accounts(27);
    await bands(0.01, 0.02, 0.03);
    // Nothing else assesses them meanwhile. Four stay in their band and are written together; the others in sets, each under the locks of its people.
    await assessAccounts(shop.deps, shop.tenant.tenantId, ids.slice(0, 4), 'asked');
    const before = new Map(await Promise.all(ids.map(async (id) => [id, (await assessmentsOf(id)).length] as const)));
    const run = await beginRun(shop.deps, shop.tenant.tenantId, 'test');
    await killedAt(at, { kind: 'portfolio', runId: run.id }, time);
    expect(await readRun(shop.deps, shop.tenant.tenantId, run.id)).toMatchObject({ endedAt: null, assessed: 0, cursor: null });
    const done = await workOnRun(shop.deps, { tenantId: shop.tenant.tenantId, runId: run.id });
    expect(done).toEqual({ assessed: 27, failed: 0, ended: true });
    for (const id of ids) {
      const all = await assessmentsOf(id);
      expect(all.length - (before.get(id) ?? 0), id).toBe(1);
      expect(all.at(-1)).toMatchObject({ cause: 'portfolio', band: 'critical' });
      expect(await runsOf(id)).toHaveLength(1);
    }
    expect(await readRun(shop.deps, shop.tenant.tenantId, run.id)).toMatchObject({ assessed: 27, changed: 23, failed: 0, bands: { critical: 27 } });
  },
  600_000,
);

test('a worker that is killed between the assessment and the action: one action, never two', async () => {
  ids = await accounts(1);
  const [id = ''] = ids;
  await bands(0.01, 0.02, 0.03);
  await inTenant((tx) =>
    tx
      .update(riskStandings)
      .set({ dueAt: Date.now() - 1_000 })
      .where(eq(riskStandings.subjectId, id)),
  );
  await killedAt('risk.before_commit', { kind: 'assess' });
  expect([await assessmentsOf(id), await runsOf(id)], 'neither without the other').toEqual([[], []]);
  await killedAt('risk.committed', { kind: 'assess' });
  expect(await assessmentsOf(id)).toHaveLength(1);
  const [run] = await runsOf(id);
  expect(run).toBeDefined();
  const enrollmentId = run?.id ?? '';
  const toStart = () => inTenant((tx) => tx.select({ seq: outbox.seq }).from(outbox).where(eq(outbox.enrollmentId, enrollmentId)));
  expect(await toStart(), 'its workflow will be started').toHaveLength(1);
  await inTenant((tx) =>
    tx
      .update(riskStandings)
      .set({ dueAt: Date.now() - 1_000 })
      .where(eq(riskStandings.subjectId, id)),
  );
  await assessDue(shop.deps);
  expect(await runsOf(id)).toEqual([run]);
  expect(await toStart()).toHaveLength(1);

  // The action itself, killed wherever it may be, each time by another worker.
  const does = { kind: 'dispatch', enrollmentId, stepId: 'escalate_now' } as const;
  const escalations = () => inTenant((tx) => tx.select().from(tasks).where(eq(tasks.subjectId, id)));
  for (const at of ['dispatch.before_commit', 'dispatch.claimed'] as const) {
    await killedAt(at, does);
    expect(await escalations(), at).toEqual([]);
    await leasesEnd();
  }
  await killedAt('dispatch.called', does);
  expect(await escalations(), 'it is made, and nobody has noted so').toHaveLength(1);
  await leasesEnd();
  for (;;) {
    const result = await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'escalate_now' });
    if (result.kind === 'again') await new Promise((go) => setTimeout(go, result.inMs));
    else break;
  }
  expect(await escalations()).toMatchObject([{ kind: 'escalation', suppressed: false, sendKey: `${enrollmentId}:escalate_now` }]);
  expect(await inTenant((tx) => tx.select().from(messages).where(eq(messages.enrollmentId, enrollmentId)))).toMatchObject([
    { stepId: 'escalate_now', state: 'sent' },
  ]);
}, 600_000);
