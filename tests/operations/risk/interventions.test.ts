import { asc, eq } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrollments, outbox, riskStandings, sequences, subjects } from '../../../db/schema/index.ts';
import { account } from '../../../domain/subjects/account/index.ts';
import { assessAccounts, assessDue, askRisk } from '../../../operations/risk/assess.ts';
import { ask } from '../../api/left-carts.ts';
import { openShop, type Shop } from '../../helpers/shop.ts';

// A band begins its sequence: docs/rules.md#rule-83

const dayMs = 86_400_000;
const slugs = ['churn-early', 'churn-active', 'churn-critical'];
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  for (const slug of slugs) expect((await own(`/api/sequences/${slug}/resume`, 'POST', {})).status).toBe(200);
});
afterAll(() => shop.close());

const own = (url: string, method: 'GET' | 'POST' | 'PATCH' = 'GET', payload?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, url, method, payload);
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);

let made = 0;
/** An account that rules rank as far as it was away: one day is no risk, sixty are much. */
async function anAccount(daysAway: number): Promise<string> {
  const id = `account-${++made}`;
  const behaviour = [0, 2, 4, 6].map((more) => ({ kind: 'visit', at: new Date(Date.now() - (daysAway + more) * dayMs).toISOString() }));
  const { body } = await own('/api/behaviour', 'POST', { account: { id }, contact: { email: `${id}@example.com` }, behaviour });
  return (body as { account: string }).account;
}

/** Rules rank this account by a score; the borders are moved around it, so that its band is the one that is wanted. */
async function assessAs(id: string, band: 'none' | 'early' | 'active' | 'critical', how: 'assess' | 'intervene' = 'assess') {
  const { score } = ((await own(`/api/accounts/${id}`)).body as { rank: { score: number } }).rank;
  const borders = {
    none: { early: score + 0.01, active: score + 0.02, critical: score + 0.03 },
    early: { early: score - 0.01, active: score + 0.01, critical: score + 0.02 },
    active: { early: score - 0.02, active: score - 0.01, critical: score + 0.01 },
    critical: { early: score - 0.03, active: score - 0.02, critical: score - 0.01 },
  };
  expect((await own('/api/settings', 'PATCH', { settings: { riskBands: borders[band] } })).status).toBe(200);
  if (how === 'intervene')
    return (await own('/api/risk/interventions', 'POST', { account: id })).body as { band: string; begun: string | null; kept_from: string | null };
  await assessAccounts(shop.deps, shop.tenant.tenantId, [id], 'time');
  const [latest] = (
    (await own(`/api/risk/assessments?account=${id}&limit=1`)).body as { data: { band: string; begun: string | null; kept_from: string | null }[] }
  ).data;
  expect(latest?.band).toBe(band);
  return latest;
}

const runsOf = (id: string) =>
  inTenant(async (tx) => {
    const rows = await tx
      .select({ slug: sequences.slug, endedAt: enrollments.endedAt, reason: enrollments.stopReason })
      .from(enrollments)
      .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
      .where(eq(enrollments.subjectId, id))
      .orderBy(asc(enrollments.id));
    return rows.map(({ slug, endedAt, reason }) => (endedAt === null ? slug : `${slug} ${reason}`));
  });
const bandOf = async (id: string) =>
  account.details.parse((await inTenant((tx) => tx.select({ details: subjects.details }).from(subjects).where(eq(subjects.id, id))))[0]?.details)
    .band;

describe('the band of an account', () => {
  test('rises: the lower sequence ends and the higher one begins; below the first it ends as recovered', async () => {
    const id = await anAccount(20);
    await assessAs(id, 'none');
    expect(await runsOf(id)).toEqual([]);
    await assessAs(id, 'early');
    expect(await runsOf(id)).toEqual(['churn-early']);
    expect(await bandOf(id)).toBe('early');
    await assessAs(id, 'early');
    await assessAs(id, 'active');
    await assessAs(id, 'critical');
    expect(await runsOf(id)).toEqual(['churn-early band_raised', 'churn-active band_raised', 'churn-critical']);
    await assessAs(id, 'active');
    expect(await runsOf(id), 'downwards it runs on').toEqual(['churn-early band_raised', 'churn-active band_raised', 'churn-critical']);
    await assessAs(id, 'none');
    expect((await runsOf(id)).at(-1)).toBe('churn-critical recovered');
    await assessAs(id, 'early');
    expect((await runsOf(id)).at(-1), 'another entry').toBe('churn-early');
    expect((await own(`/api/accounts/${id}`)).body).toMatchObject({ band: 'early' });
  });

  test('an entry is not used up while the sequence is paused', async () => {
    const id = await anAccount(21);
    await own('/api/sequences/churn-active/pause', 'POST', {});
    expect(await assessAs(id, 'active')).toMatchObject({ begun: null, kept_from: 'no_sequence' });
    await own('/api/sequences/churn-active/resume', 'POST', {});
    expect(await assessAs(id, 'active')).toMatchObject({ kept_from: null, begun: expect.any(String) as unknown });
    expect(await runsOf(id)).toEqual(['churn-active']);
  });

  test('an opt-out keeps everything from beginning; an order of before does not', async () => {
    const id = await anAccount(22);
    await own('/api/behaviour', 'POST', {
      account: { id: `account-${made}` },
      behaviour: [{ kind: 'order', at: new Date(Date.now() - 22 * dayMs).toISOString() }],
    });
    expect(await assessAs(id, 'early')).toMatchObject({ kept_from: null, begun: expect.any(String) as unknown });
    const other = await anAccount(23);
    await shop.post('contact.opted_out', { contact: { email: `account-${made}@example.com` } });
    expect(await assessAs(other, 'critical')).toMatchObject({ begun: null, kept_from: 'opted_out' });
    expect(await runsOf(other)).toEqual([]);
  });

  test('somebody triggers the intervention by hand, and one that runs goes on', async () => {
    const id = await anAccount(24);
    await assessAs(id, 'early');
    const [first] = await inTenant((tx) => tx.select({ id: enrollments.id }).from(enrollments).where(eq(enrollments.subjectId, id)));
    expect(await assessAs(id, 'early', 'intervene')).toMatchObject({ begun: null, kept_from: null });
    await own(`/api/enrollments/${first?.id}/stop`, 'POST', {});
    expect(await assessAs(id, 'early')).toMatchObject({ begun: null });
    expect(await assessAs(id, 'early', 'intervene')).toMatchObject({ begun: expect.any(String) as unknown });
    expect(await assessAs(id, 'none', 'intervene')).toMatchObject({ begun: null, band: 'none' });
    const refused = await own('/api/enrollments', 'POST', { subject_id: id, sequence: 'churn-early' });
    expect(refused.status).toBe(201);
    expect(await own('/api/enrollments', 'POST', { subject_id: id, sequence: 'churn-active' })).toMatchObject({
      status: 409,
      body: { code: 'another_running' },
    });
  });

  test('many assess and trigger at once: one sequence runs', async () => {
    const ids = [await anAccount(25), await anAccount(25), await anAccount(25)];
    await assessAs(ids[0] ?? '', 'active');
    await Promise.all(
      ids.flatMap((id) => [
        assessAccounts(shop.deps, shop.tenant.tenantId, [id], 'time'),
        own('/api/risk/interventions', 'POST', { account: id }),
        askRisk(shop.deps, shop.tenant.tenantId, id, { fresh: true }),
        assessAccounts(shop.deps, shop.tenant.tenantId, ids, 'portfolio'),
      ]),
    );
    for (const id of ids) expect(await runsOf(id)).toEqual(['churn-active']);
  });
});

test('random accounts: bands and sequences agree at every moment', async () => {
  const ids = [await anAccount(30), await anAccount(30)];
  const moves = fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.constantFrom('none', 'early', 'active', 'critical')), {
    minLength: 4,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(moves, async (steps) => {
      for (const [which, band] of steps) {
        const id = ids[which] ?? '';
        await assessAs(id, band as 'none');
        const open = (await runsOf(id)).filter((run) => slugs.includes(run));
        expect(open.length).toBeLessThanOrEqual(1);
        if (band === 'none') expect(open).toEqual([]);
        else expect(slugs.indexOf(open[0] ?? ''), 'of its band or a higher one').toBeGreaterThanOrEqual(slugs.indexOf(`churn-${band}`));
        expect(await bandOf(id)).toBe(band);
        const [standing] = await inTenant((tx) => tx.select().from(riskStandings).where(eq(riskStandings.subjectId, id)));
        expect(standing).toMatchObject({ band, handled: band });
      }
    }),
    { numRuns: 4 },
  );
}, 60_000);

test('from detection to intervention by itself, and a workflow is to start', async () => {
  await own('/api/settings', 'PATCH', { settings: { riskBands: { early: 0.01, active: 0.02, critical: 0.03 } } });
  const id = await anAccount(40);
  await assessDue(shop.deps);
  expect(await runsOf(id)).toEqual(['churn-critical']);
  const [run] = await inTenant((tx) => tx.select({ id: enrollments.id }).from(enrollments).where(eq(enrollments.subjectId, id)));
  const waiting = await inTenant((tx) =>
    tx
      .select()
      .from(outbox)
      .where(eq(outbox.enrollmentId, run?.id ?? '')),
  );
  expect(waiting.length, 'its workflow is started by the relay').toBeGreaterThan(0);
});
