import { randomUUID } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contacts, conversions, experimentAssignments, messages } from '../../db/schema/index.ts';
import { armInTest } from '../../domain/experiments/campaign-test.ts';
import { createVapiSender } from '../../integrations/vapi/send.ts';
import { routingPass } from '../../operations/campaigns/route-leads.ts';
import { experimentsPass } from '../../operations/experiments/experiments.ts';
import { ask, dispatch, type Method } from '../api/left-carts.ts';
import { asOwner } from '../helpers/database.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { testConfig, vapiDialect } from '../integrations/vapi/conformance.ts';

// Tests of a campaign's scripts: docs/rules.md#rule-79

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
let shop: Shop;
let lines: StubProvider;
beforeAll(async () => {
  lines = await startStubProvider(false, vapiDialect);
  shop = await openShop({ timeScale: 1, moreSenders: [createVapiSender(testConfig(lines.port))], settings: { requireConsent: [] } });
  for (const name of ['garden', 'orchard', 'meadow'])
    await make('/api/scripts', { name, channel: 'call', content: `Hello, {{ store.name }} here. The ${name} is open.` });
  await make('/api/scripts', { name: 'in-writing', channel: 'sms', content: 'Hello, {{ store.name }} here: {{ link.url }} {{ optOut }}' });
});
afterAll(async () => {
  await shop.close();
  await lines.stop();
});

const api = (path: string, method: Method = 'GET', body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, path, method, body);
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
async function make(path: string, body: Record<string, unknown>): Promise<{ id: string }> {
  const made = await api(path, 'POST', body);
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body as { id: string };
}

let count = 0;
const aCampaign = async (more: Record<string, unknown> = {}) => {
  const name = `campaign-${++count}`;
  return { name, ...(await make('/api/campaigns', { name, autoAssign: { sources: [name] }, sequence: 'lead-nurture', ...more })) };
};
const compared = (campaign: string) =>
  make('/api/experiments', {
    ...{ campaign, channel: 'CALL' },
    variants: [
      { variant: 'A', script: 'garden' },
      { variant: 'B', script: 'orchard' },
    ],
  });

/** A lead that is in the campaign's sequence, with its key. */
async function enter(source: string): Promise<{ key: string; enrollmentId: string }> {
  const key = `lead-${++count}`;
  const who = { email: `${key}@example.com`, phone: `+43664${4_000_000 + count}`, time_zone: 'Europe/Vienna' };
  await shop.post('lead.created', { lead: { id: key, source }, contact: who }, { at: Date.now() - 48 * hourMs });
  while (await routingPass(shop.deps));
  const enrollment = await shop.enrollmentOf(key);
  return { key, enrollmentId: enrollment?.id ?? '' };
}
/** Call them, and say what they heard. */
async function call({ enrollmentId }: { enrollmentId: string }) {
  await dispatch(shop, enrollmentId, 'call_2d');
  const [row] = await inTenant((tx) =>
    tx
      .select()
      .from(messages)
      .where(and(eq(messages.enrollmentId, enrollmentId), eq(messages.stepId, 'call_2d'))),
  );
  const attempt = ((await api(`/api/attempts/${row?.id ?? ''}`)).body ?? {}) as Record<string, unknown>;
  return { id: row?.id ?? '', attempt, contactId: row?.contactId ?? '' };
}

test('each lead hears one script by chance; the attempt says which, and a sale counts for it until it is taken back', async () => {
  const campaign = await aCampaign();
  const { id } = await compared(campaign.id);
  const heard: Record<string, number> = { A: 0, B: 0 };
  const calls = [];
  for (let n = 0; n < 12; n++) {
    const called = await call(await enter(campaign.name));
    const { variant, script, notes, experiment } = called.attempt;
    expect([variant, script]).toEqual(variant === 'A' ? ['A', 'garden'] : ['B', 'orchard']);
    expect([experiment, notes]).toEqual([id, `Test ${id}, variant ${String(variant)}.`]);
    heard[String(variant)] = (heard[String(variant)] ?? 0) + 1;
    calls.push(called);
  }
  // By the hash of the test and the person: all twelve alike would be one case of 2,048.
  const [first] = calls;
  const kept = await inTenant((tx) => tx.select().from(experimentAssignments).where(eq(experimentAssignments.experimentId, id)));
  expect(Object.fromEntries(['A', 'B'].map((arm) => [arm, kept.filter(({ variant }) => variant === arm).length]))).toEqual(heard);

  const arms = async () => ((await api(`/api/experiments/${id}`)).body as { arms: Record<string, unknown>[] }).arms;
  expect(await arms()).toMatchObject([
    { variant: 'A', people: heard['A'], sent: heard['A'], share: 0.5, complete: 0 },
    { variant: 'B', people: heard['B'], sent: heard['B'], share: 0.5, complete: 0 },
  ]);
  const sold = async (status: string) => api('/api/conversions', 'POST', { sub_id: first?.id, status, payout: '30.50', currency: 'USD', tid: 'T-1' });
  expect((await sold('sale')).status).toBe(201);
  // As if the window were over.
  const back = `interval '${35 * 24} hours'`;
  await asOwner(shop.database.url, `update experiments set window_ms = ${30 * dayMs} where id = '${id}'`);
  await asOwner(shop.database.url, `update experiment_assignments set assigned_at = assigned_at - ${back} where experiment_id = '${id}'`);
  await asOwner(shop.database.url, `update conversions set placed_at = placed_at - ${back}`);
  const converted = async () => (await arms()).map((arm) => arm['converted']);
  const mine = first?.attempt['variant'] === 'A' ? [1, 0] : [0, 1];
  expect(await converted()).toEqual(mine);
  await sold('sale');
  expect(await converted()).toEqual(mine);
  expect((await sold('reject')).status).toBe(201);
  expect(await converted()).toEqual([0, 0]);
});

/** So many people in each arm, of whom so many have bought on the day after. */
async function assign(experimentId: string, arms: Record<string, [people: number, bought: number]>): Promise<void> {
  const { tenantId } = shop.tenant;
  const connectionId = shop.tenant.webhooks.generic.path.split('/').at(-1) ?? '';
  const assignedAt = Date.now() - 40 * dayMs;
  for (const [variant, [people, bought]] of Object.entries(arms)) {
    const ids = Array.from({ length: people }, () => randomUUID());
    await inTenant(async (tx) => {
      await tx.insert(contacts).values(ids.map((id) => ({ tenantId, id, personId: id })));
      await tx
        .insert(experimentAssignments)
        .values(ids.map((contactId) => ({ tenantId, id: randomUUID(), experimentId, contactId, variant, assignedAt })));
      const orders = ids.slice(0, bought).map((contactId) => ({ tenantId, id: randomUUID(), connectionId, orderId: randomUUID(), contactId }));
      if (orders.length > 0) await tx.insert(conversions).values(orders.map((order) => ({ ...order, placedAt: assignedAt + dayMs })));
    });
  }
  await asOwner(shop.database.url, `update experiments set started_at = started_at - interval '50 days' where id = '${experimentId}'`);
  await asOwner(shop.database.url, 'analyze contacts, experiment_assignments, conversions');
}

test('it ends by itself; approved, whoever begins from then on hears the winner, and whoever ran keeps their script; dismissed, the campaign’s own is back', async () => {
  const campaign = await aCampaign();
  await make('/api/scripts', { name: `own-${count}`, channel: 'call', content: 'Hello, {{ store.name }} here. As ever.', campaign: campaign.id });
  const own = `own-${count}`;
  const { id } = await compared(campaign.id);
  const before = await enter(campaign.name);
  const after = await enter(campaign.name);
  const heardBefore = (await call(before)).attempt['variant'];
  await experimentsPass(shop.deps);
  expect((await api(`/api/experiments/${id}`)).body).toMatchObject({ status: 'RUNNING', goes_on_because: 'too_young' });
  expect((await api(`/api/experiments/${id}/approve`, 'POST')).status).toBe(409);

  await assign(id, { A: [60, 3], B: [60, 40] });
  await Promise.all([1, 2, 3].map(() => experimentsPass(shop.deps)));
  await experimentsPass(shop.deps);
  expect((await api(`/api/experiments/${id}`)).body).toMatchObject({
    ...{ status: 'DECIDED', winner: 'B', takeover: 'suggested', sequence: null, step: null, campaign: campaign.id, campaign_name: campaign.name },
    decided_by: [
      { variant: 'A', people: 60, converted: 3 },
      { variant: 'B', people: 60, converted: 40 },
    ],
  });
  const approved = await Promise.all([1, 2, 3].map(() => api(`/api/experiments/${id}/approve`, 'POST')));
  expect(approved.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([200, 409, 409]);

  // It runs since before the winner took over, and is called only now.
  expect((await call(after)).attempt).toMatchObject({ experiment: id });
  const fresh = await call(await enter(campaign.name));
  expect(fresh.attempt).toMatchObject({ script: 'orchard', variant: null, experiment: null });
  expect((await inTenant((tx) => tx.select().from(experimentAssignments).where(eq(experimentAssignments.contactId, fresh.contactId)))).length).toBe(
    0,
  );
  // A test that is over counts nobody who came later.
  expect((await api(`/api/experiments?campaign=${campaign.id}`)).body).toMatchObject({
    data: [{ arms: [{ people: 60 + (heardBefore === 'A' ? 1 : 0) }, { people: 60 + (heardBefore === 'B' ? 1 : 0) }] }],
  });
  expect((await api(`/api/scripts/${scriptOf(approved)}`, 'DELETE')).status).toBe(409);

  expect((await api(`/api/experiments/${id}/dismiss`, 'POST')).body).toMatchObject({ takeover: 'dismissed' });
  expect((await call(await enter(campaign.name))).attempt).toMatchObject({ script: own, variant: null });
});
interface Answer {
  status: number;
  body: unknown;
}
function scriptOf(answers: readonly Answer[]): string {
  const body = answers.find(({ status }) => status === 200)?.body as { arms: { variant: string; script: string }[] } | undefined;
  return body?.arms.find(({ variant }) => variant === 'B')?.script ?? '';
}

test('where the store says so, the winner takes over by itself; another test of the campaign may follow', async () => {
  expect((await api('/api/settings', 'PATCH', { settings: { winnersTakeOver: true } })).status).toBe(200);
  const campaign = await aCampaign();
  const { id } = await compared(campaign.id);
  await assign(id, { A: [60, 40], B: [60, 3] });
  await experimentsPass(shop.deps);
  expect((await api(`/api/experiments/${id}`)).body).toMatchObject({ winner: 'A', takeover: 'applied', version: null, resolved_by: 'tests' });
  expect((await call(await enter(campaign.name))).attempt).toMatchObject({ script: 'garden', experiment: null });
  const next = await make('/api/experiments', {
    ...{ campaign: campaign.id, channel: 'call' },
    variants: [
      { variant: 'A', script: 'garden' },
      { variant: 'C', script: 'meadow', weight: 1000 },
    ],
  });
  expect((await call(await enter(campaign.name))).attempt).toMatchObject({ experiment: next.id });
  // Stopped, what was before holds again.
  expect((await api(`/api/experiments/${next.id}/stop`, 'POST')).body).toMatchObject({ status: 'STOPPED' });
  expect((await api(`/api/experiments/${next.id}/stop`, 'POST')).status).toBe(409);
  expect((await call(await enter(campaign.name))).attempt).toMatchObject({ script: 'garden', experiment: null });
  await api('/api/settings', 'PATCH', { settings: { winnersTakeOver: false } });
});

test('a bandit gives more leads what brings more, judges nothing, and goes on until it is stopped', async () => {
  const campaign = await aCampaign();
  const { id } = await make('/api/experiments', {
    ...{ campaign: campaign.id, channel: 'call', mode: 'bandit' },
    variants: [
      { variant: 'A', script: 'garden' },
      { variant: 'B', script: 'orchard' },
    ],
  });
  await assign(id, { A: [60, 3], B: [60, 40] });
  await experimentsPass(shop.deps);
  await experimentsPass(shop.deps);
  const { body } = await api(`/api/experiments/${id}`);
  expect(body).toMatchObject({
    ...{ mode: 'bandit', status: 'RUNNING', goes_on_because: 'bandit', winner: null, p: null, z: null, comparisons: [], guardrails: [] },
    arms: [
      { variant: 'A', chance_best: expect.closeTo(0, 6) },
      { variant: 'B', share: expect.closeTo(0.9, 6), chance_best: expect.closeTo(1, 6) },
    ],
  });
  expect((await api(`/api/experiments/${id}/approve`, 'POST')).status).toBe(409);
  // Nine of ten get B from now on; whoever has an arm keeps it.
  expect(
    armInTest({ id, shares: { A: 0.1, B: 0.9 }, winner: null, takeover: null, resolvedAtMs: null }, { has: 'A', enrolledAtMs: 0, point: 0.5 }),
  ).toEqual({
    variant: 'A',
    by: 'kept',
  });
  expect((await api(`/api/experiments/${id}/stop`, 'POST')).body).toMatchObject({ status: 'STOPPED' });
});

test('a test of a campaign is stopped where an arm does harm, unless the store only wants to see it', async () => {
  await api('/api/settings', 'PATCH', { settings: { guardrailsStop: false } });
  const campaign = await aCampaign();
  const { id } = await compared(campaign.id);
  await assign(id, { A: [120, 10], B: [120, 100] });
  await asOwner(
    shop.database.url,
    `update conversions set refunded_minor = 100 where contact_id in (select contact_id from experiment_assignments where experiment_id = '${id}' and variant = 'B')`,
  );
  await experimentsPass(shop.deps);
  const worse = { metric: 'refunds', variant: 'B', people: 120, cases: 100, others: { people: 120, cases: 0 }, worse: true };
  expect((await api(`/api/experiments/${id}`)).body).toMatchObject({
    ...{ status: 'RUNNING', goes_on_because: 'harm', winner: null },
    guardrails: expect.arrayContaining([expect.objectContaining(worse)]),
  });
  await api('/api/settings', 'PATCH', { settings: { guardrailsStop: true } });
  await experimentsPass(shop.deps);
  expect((await api(`/api/experiments/${id}`)).body).toMatchObject({ status: 'STOPPED', winner: null });
});

test('an end of the campaign stops its test, and what cannot be compared is refused with the reason', async () => {
  const campaign = await aCampaign();
  const variants = (a: string, b: string) => ({
    ...{ campaign: campaign.id, channel: 'call' },
    variants: [
      { variant: 'A', script: a },
      { variant: 'B', script: b },
    ],
  });
  const begin = async (body: Record<string, unknown>) => {
    const { status, body: answer } = await api('/api/experiments', 'POST', body);
    return [status, (answer as { code?: string }).code];
  };
  expect(await begin(variants('garden', 'garden'))).toEqual([400, 'invalid_request']);
  expect(await begin(variants('garden', 'nowhere'))).toEqual([404, 'unknown_script']);
  expect(await begin(variants('garden', 'in-writing'))).toEqual([409, 'script_does_not_fit']);
  expect(await begin({ ...variants('garden', 'orchard'), campaign: randomUUID() })).toEqual([404, 'unknown_campaign']);
  expect(await begin({ ...variants('garden', 'orchard'), campaign: (await aCampaign({ sequence: null })).id })).toEqual([409, 'no_sequence']);
  const begun = await Promise.all([1, 2, 3].map(() => begin(variants('garden', 'orchard'))));
  expect(begun.map(([status]) => Number(status)).toSorted((x, y) => x - y)).toEqual([201, 409, 409]);
  expect(await begin(variants('garden', 'orchard'))).toEqual([409, 'test_runs']);
  await api(`/api/campaigns/${campaign.id}`, 'PATCH', { status: 'ENDED' });
  await experimentsPass(shop.deps);
  expect((await api(`/api/experiments?campaign=${campaign.id}`)).body).toMatchObject({ data: [{ status: 'STOPPED', winner: null }] });
  expect(await begin(variants('garden', 'orchard'))).toEqual([409, 'campaign_ended']);
});

test('an arm is kept whatever the weights, drawn by them else, and the winner is for whoever began after it took over', () => {
  const shares = { A: 0.3, B: 0.7 };
  fc.assert(
    fc.property(
      fc.record({
        has: fc.constantFrom(null, 'A', 'B', 'gone'),
        point: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        enrolledAtMs: fc.constantFrom(0, 5, 10),
        takeover: fc.constantFrom(null, 'suggested' as const, 'applied' as const, 'dismissed' as const),
      }),
      ({ has, point, enrolledAtMs, takeover }) => {
        const arm = armInTest(
          { id: 't', shares, winner: takeover === null ? null : 'B', takeover, resolvedAtMs: takeover === 'applied' ? 5 : null },
          { has, enrolledAtMs, point },
        );
        const drawn = { variant: point < 0.3 ? 'A' : 'B', by: 'drawn' };
        const running = has === 'A' || has === 'B' ? { variant: has, by: 'kept' } : drawn;
        const winner = takeover === 'applied' && enrolledAtMs >= 5 ? { variant: 'B', by: 'winner' } : running;
        expect(arm).toEqual(takeover === 'dismissed' ? null : winner);
      },
    ),
  );
});

test('a preview for a lead says which arm is theirs before it is sent, and shows its script', async () => {
  const campaign = await aCampaign();
  const { id } = await compared(campaign.id);
  const shownTo = async (key: string) =>
    (await api(`/api/sequences/lead-nurture/steps/call_2d/preview?contact=${key}@example.com`)).body as Record<string, unknown>;
  const by: Record<string, string> = { A: 'garden', B: 'orchard' };
  for (let n = 0; n < 6; n++) {
    const lead = await enter(campaign.name);
    const before = await shownTo(lead.key);
    const { variant } = before['arm'] as { variant: string };
    expect(before).toMatchObject({
      arm: { experiment: id, by: 'drawn' },
      script: by[variant],
      text: expect.stringContaining(`The ${by[variant]} is open`),
    });
    expect((await call(lead)).attempt).toMatchObject({ variant, script: by[variant] });
    expect(await shownTo(lead.key)).toEqual({ ...before, arm: { variant, experiment: id, by: 'kept' } });
  }
  expect(await inTenant((tx) => tx.$count(experimentAssignments, eq(experimentAssignments.experimentId, id)))).toBe(6);
  // Nobody in particular is in no arm, and whoever came before the test is over keeps theirs.
  expect((await api('/api/sequences/lead-nurture/steps/call_2d/preview')).body).toMatchObject({ arm: null, script: null });
  const late = await enter(campaign.name);
  await assign(id, { A: [60, 3], B: [60, 40] });
  await experimentsPass(shop.deps);
  expect((await api(`/api/experiments/${id}/approve`, 'POST')).status).toBe(200);
  expect(await shownTo((await enter(campaign.name)).key)).toMatchObject({ arm: { variant: 'B', experiment: id, by: 'winner' }, script: 'orchard' });
  expect(await shownTo(late.key)).toMatchObject({ arm: { experiment: id, by: 'drawn' } });
});
