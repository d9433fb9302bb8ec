import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { bulkJobs, bulkMembers, contacts, enrollments } from '../../db/schema/index.ts';
import { beginBacktest, readBacktest } from '../../operations/backtest/backtests.ts';
import { beginBulk, type BulkJobView, changeBulk, readBulk } from '../../operations/bulk/bulk-jobs.ts';
import { takeInPass } from '../../operations/bulk/take-in.ts';
import type { BulkProcessConfig } from '../chaos/bulk-process.ts';
import { startScript } from '../chaos/own-process.ts';
import { asOwner } from '../helpers/database.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';

let shop: Shop;
const masterKey = randomBytes(32);
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, masterKey });
  await asOwner(shop.database.url, `update sequences set status = 'ARCHIVED'`);
});
afterAll(() => shop.close());

let slug = '';
let nth = 0;
/** A sequence of its own, that only a bulk enrollment starts. */
const winback = (more = '') =>
  `sequence: ${slug}\nname: Win back\non: bulk\nabout: cart\n${more}\nsteps:\n  - { id: only, at: 1h, channel: email, content: cart/email_2h }\n`;
beforeEach(async () => {
  slug = `winback-${++nth}`;
  await asOwner(shop.database.url, 'update subjects set state = $1', ['gone']);
  await publishYaml(shop, winback());
});

const tenantId = () => shop.tenant.tenantId;
const inStore = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(tenantId(), work);

async function backtested(): Promise<void> {
  const wish = { tenantId: tenantId(), what: { slug, version: null }, days: 1, prices: null, actor: 'test' };
  const begun = await beginBacktest(shop.deps, wish, new AbortController().signal);
  if (begun.kind !== 'begun') throw new Error(begun.kind);
  await until('the backtest', async () => (await readBacktest(shop.deps, tenantId(), begun.backtest.id))?.state === 'done');
}

const fast = { people: 100_000, per: 'hour' as const };
const begin = (wish: Partial<Parameters<typeof beginBulk>[1]> = {}) =>
  beginBulk(shop.deps, {
    ...{ tenantId: tenantId(), slug, filter: { activeFromMs: null, activeUntilMs: null }, ...fast, most: null, actor: 'test' },
    ...wish,
  });
async function begun(wish: Parameters<typeof begin>[0] = {}): Promise<BulkJobView> {
  await backtested();
  const result = await begin(wish);
  if (result.kind !== 'begun') throw new Error(result.kind);
  return result.job;
}
const jobOf = async ({ job }: BulkJobView): Promise<BulkJobView> => {
  const now = await readBulk(shop.deps, tenantId(), job.id);
  if (now === null) throw new Error('the job is gone');
  return now;
};
const over = (job: BulkJobView) =>
  until('the end of the job', async () => {
    await takeInPass(shop.deps);
    const now = await jobOf(job);
    return now.job.state !== 'running' && now;
  });
/** Whom the job took in, each with how often they are in the sequence. */
async function takenIn({ job }: BulkJobView): Promise<number[]> {
  const rows = await inStore((tx) =>
    tx
      .select({ person: contacts.personId })
      .from(enrollments)
      .innerJoin(contacts, eq(contacts.id, enrollments.contactId))
      .where(eq(enrollments.sequenceId, job.sequenceId)),
  );
  const counts = new Map<string, number>();
  for (const { person } of rows) counts.set(person, (counts.get(person) ?? 0) + 1);
  return [...counts.values()];
}
const carts = async (n: number) => {
  for (let i = 0; i < n; i++) await shop.post('cart.updated', aCart(`${slug}-${i}`, `${slug}-${i}@example.com`));
};

test('nothing begins without a backtest of the version in use', async () => {
  expect(await begin({ slug: 'nonsense' })).toEqual({ kind: 'unknown_sequence' });
  expect(await begin()).toEqual({ kind: 'not_backtested', slug, version: 1 });
  await backtested();
  await publishYaml(shop, winback('maxAge: 3d'));
  expect(await begin()).toEqual({ kind: 'not_backtested', slug, version: 2 });
  await backtested();
  expect(await begin()).toMatchObject({ kind: 'begun', job: { version: 2 } });
});

test('nothing begins where the backtest found people who would have got a message after buying, or where a job is not over', async () => {
  await backtested();
  await asOwner(shop.database.url, `update backtests set report = jsonb_set(report, '{messaged_after_buying,people}', '2') where slug = $1`, [slug]);
  expect(await begin()).toMatchObject({ kind: 'messages_after_buying', people: 2 });
  const { job } = await begun();
  expect(await begin()).toEqual({ kind: 'bulk_running', id: job.id });
  await asOwner(shop.database.url, `update sequences set paused = true where slug = $1`, [slug]);
  expect(await begin()).toEqual({ kind: 'sequence_not_active' });
});

test('each person is taken in once, and who must not be is counted by reason', async () => {
  const email = (name: string) => `${slug}-${name}@example.com`;
  const cart = (name: string, of = name) => shop.post('cart.updated', aCart(`${slug}-${name}`, email(of)));
  for (const name of ['plain', 'opted-out', 'bought', 'replied', 'before']) await cart(name);
  await cart('second', 'plain');
  await cart('nobody', 'x').then(() => asOwner(shop.database.url, `delete from contact_identities where value = $1`, [email('x')]));
  await shop.post('contact.opted_out', { contact: { email: email('opted-out') }, channel: 'all' });
  await shop.post('order.placed', { order: { id: `${slug}-o`, currency: 'EUR', total: '1.00' }, contact: { email: email('bought') } });
  await shop.post('message.received', { contact: { email: email('replied') }, channel: 'email', text: 'Who are you?' });
  const first = await over(await begun({ filter: { activeFromMs: null, activeUntilMs: null } }));
  expect(first).toMatchObject({
    job: { state: 'done', candidates: 7, examined: 7, enrolled: 2 },
    refused: { no_address: 1, opted_out: 1, bought: 1, replied: 1, taken_in: 1 },
  });
  expect(await takenIn(first)).toEqual([1, 1]);
  // Once more: whoever is in it stays in it, and whoever was in it does not come again.
  await asOwner(
    shop.database.url,
    `update enrollments set status = 'COMPLETED', ended_at = now(), activated_at = now() where sequence_id = $1 and contact_id = (select contact_id from contact_identities where value = $2)`,
    [first.job.sequenceId, email('before')],
  );
  const again = await over(await begun());
  expect(again).toMatchObject({ job: { enrolled: 0 }, refused: { already_running: 1, another_running: 1, took_part: 1 } });
  const members = await inStore((tx) => tx.select().from(bulkMembers).where(eq(bulkMembers.jobId, first.job.id)));
  expect(members).toHaveLength(7);
});

test('no more people are taken in than the rate allows, nor more than wanted altogether', async () => {
  await carts(6);
  const slow = await begun({ people: 2, per: 'hour' });
  for (let pass = 0; pass < 5; pass++) await takeInPass(shop.deps);
  expect((await jobOf(slow)).job).toMatchObject({ state: 'running', enrolled: 1 });
  // Half an hour later, the next one; and a worker that was away for a day does not catch up.
  await asOwner(shop.database.url, `update bulk_jobs set next_at = next_at - interval '1 day' where id = $1`, [slow.job.id]);
  for (let pass = 0; pass < 5; pass++) await takeInPass(shop.deps);
  expect((await jobOf(slow)).job.enrolled).toBeLessThanOrEqual(3);
  await changeBulk(shop.deps, { tenantId: tenantId(), id: slow.job.id, does: 'cancel', actor: 'test' });
  const few = await over(await begun({ most: 2 }));
  expect(few.job).toMatchObject({ state: 'done', enrolled: 2 });
});

test('only what was active in the given time is looked at', async () => {
  await carts(3);
  await asOwner(
    shop.database.url,
    `update subjects s set last_activity_at = last_activity_at - interval '40 days' from subject_keys k where k.subject_id = s.id and k.value = $1`,
    [`${slug}-1`],
  );
  const dayMs = 86_400_000;
  const old = await over(await begun({ filter: { activeFromMs: Date.now() - 50 * dayMs, activeUntilMs: Date.now() - 30 * dayMs } }));
  expect(old.job).toMatchObject({ candidates: 1, examined: 1, enrolled: 1 });
});

test('a paused job takes nobody in; it goes on where it was, and a cancelled one never does', async () => {
  await carts(4);
  const job = await begun({ people: 2 });
  const change = (does: 'pause' | 'resume' | 'cancel') => changeBulk(shop.deps, { tenantId: tenantId(), id: job.job.id, does, actor: 'test' });
  await takeInPass(shop.deps);
  expect(await change('pause')).toMatchObject({ refused: false, view: { job: { state: 'paused' } } });
  await asOwner(shop.database.url, `update bulk_jobs set next_at = now() where id = $1`, [job.job.id]);
  await takeInPass(shop.deps);
  expect((await jobOf(job)).job.enrolled).toBe(1);
  expect(await change('pause')).toMatchObject({ refused: true });
  await change('resume');
  await takeInPass(shop.deps);
  expect((await jobOf(job)).job.enrolled).toBe(2);
  expect(await change('cancel')).toMatchObject({ view: { job: { state: 'cancelled' } } });
  expect(await change('resume')).toMatchObject({ refused: true, view: { job: { state: 'cancelled' } } });
  await asOwner(shop.database.url, `update bulk_jobs set next_at = now() where id = $1`, [job.job.id]);
  await takeInPass(shop.deps);
  expect((await jobOf(job)).job.enrolled).toBe(2);
});

test('a job pauses itself when another version comes into use', async () => {
  await carts(3);
  const job = await begun({ people: 2 });
  await takeInPass(shop.deps);
  await publishYaml(shop, winback('maxAge: 5d'));
  await asOwner(shop.database.url, `update bulk_jobs set next_at = now() where id = $1`, [job.job.id]);
  await takeInPass(shop.deps);
  expect((await jobOf(job)).job).toMatchObject({ state: 'paused', pausedBecause: 'version_changed', enrolled: 1 });
});

test('killed in the middle again and again, it goes on where it was and takes nobody in twice; so do two workers at once', async () => {
  const many = 60;
  await carts(many);
  const job = await begun({ people: 36_000 });
  let seen = 0;
  for (let kill = 0; kill < 3; kill++) {
    const config: BulkProcessConfig = { databaseUrl: shop.database.url, masterKey: masterKey.toString('base64') };
    const workers = await Promise.all([1, 2].map(() => startScript('tests/chaos/bulk-process.ts', { args: [JSON.stringify(config)] })));
    await Promise.all(workers.map(({ ready }) => ready));
    const reached = seen + 5;
    const { enrolled } = await until('some more', async () => {
      const { job: now } = await jobOf(job);
      return now.enrolled >= reached && now;
    });
    for (const { child } of workers) child.kill('SIGKILL');
    await Promise.all(workers.map(({ child }) => new Promise((done) => child.once('exit', done))));
    seen = enrolled;
  }
  const end = await over(job);
  expect(end).toMatchObject({ job: { state: 'done', examined: many, enrolled: many }, refused: {} });
  expect(await takenIn(end)).toEqual(Array.from({ length: many }, () => 1));
  expect(await inStore((tx) => tx.select().from(bulkMembers).where(eq(bulkMembers.jobId, job.job.id)))).toHaveLength(many);
});

test('another store sees nothing of it', async () => {
  const job = await begun();
  const elsewhere = { tenantId: '00000000-0000-4000-8000-000000000000' };
  expect(await readBulk(shop.deps, elsewhere.tenantId, job.job.id)).toBeNull();
  expect(await changeBulk(shop.deps, { ...elsewhere, id: job.job.id, does: 'cancel', actor: 'test' })).toBeNull();
  expect(await shop.deps.db.withTenant(elsewhere.tenantId, (tx) => tx.select().from(bulkJobs))).toEqual([]);
});
