import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditLog, enrollments } from '../../db/schema/index.ts';
import { openShop, letTimePass, type Shop } from '../helpers/shop.ts';
import { ask, dispatch, type Method } from './left-carts.ts';

// Sequences as a retention center edits them, and what they came to (docs/adr/0062-sequences-step-by-step.md).

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { postalAddress: '1 Test Street, Vienna', requireConsent: [] } });
});
afterAll(() => shop.close());

interface Step {
  id: string;
  order: number;
  channel: string;
  scriptId: string | null;
  content: string | null;
}
interface Detail {
  id: string;
  slug: string;
  status: string;
  version: number | null;
  steps: Step[];
  draftSteps: Step[] | null;
  campaignId: string | null;
}
const api = async (path: string, method: Method = 'GET', body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, path, method, body);
async function done(path: string, method: Method, body?: Record<string, unknown>): Promise<Detail> {
  const answer = await api(`/api/sequences${path}`, method, body);
  expect([200, 201], JSON.stringify(answer.body)).toContain(answer.status);
  return answer.body as Detail;
}
const email = '---\nsubject: Hello\npreheader: A visit\nheading: Hello\ncta: Go on\n---\nHello.\n\n[lead]\n';
const ids = (steps: readonly Step[] | null) => steps?.map(({ id }) => id);
async function aLead(key: string): Promise<string> {
  await shop.post('lead.created', {
    lead: { id: key, source: 'quiet' },
    contact: { email: `${key}@example.com`, first_name: 'Ada', time_zone: 'Europe/Vienna' },
  });
  const { body } = await api(`/api/leads?email=${key}@example.com`);
  return (body as { data: { id: string }[] }).data[0]?.id ?? '';
}
const enrollmentOf = async (lead: string, slug: string) => {
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(enrollments).where(eq(enrollments.subjectId, lead)));
  const { body } = await api(`/api/sequences/${slug}/enrollments?limit=100`);
  const of = new Set((body as { data: { id: string }[] }).data.map(({ id }) => id));
  return rows.find(({ id }) => of.has(id));
};

test('a sequence grows step by step from nothing, and is activated by the linter’s leave', async () => {
  await api('/api/sequences/lead-nurture/archive', 'POST');
  const made = await done('', 'POST', { name: 'Flats in spring', description: 'For those who asked about flats.' });
  expect(made).toMatchObject({ slug: 'flats-in-spring', status: 'DRAFT', version: null, steps: [], draftSteps: [] });
  expect(await api('/api/sequences/flats-in-spring/activate', 'POST', {})).toMatchObject({ status: 400 });
  const first = await done('/flats-in-spring/steps', 'POST', { channel: 'EMAIL', text: email });
  expect(first.draftSteps).toMatchObject([
    {
      id: 'email_1',
      order: 0,
      channel: 'email',
      delayValue: 0,
      delayUnit: 'minutes',
      anchor: 'enrollment',
      scriptId: null,
      conditions: null,
      maxRetries: 3,
    },
  ]);
  await done(`/${made.id}/steps`, 'POST', {
    channel: ['EMAIL'],
    delayValue: 2,
    delayUnit: 'days',
    text: email,
    conditions: [{ not: 'converted' }],
    maxRetries: 1,
  });
  const between = await done('/flats-in-spring/steps', 'POST', {
    channel: 'EMAIL',
    order: 1,
    delayValue: 12,
    delayUnit: 'hours',
    text: email,
    id: 'between',
  });
  expect(ids(between.steps)).toEqual(['email_1', 'between', 'email_2']);
  const moved = await done('/flats-in-spring/steps/between', 'PUT', {
    delayValue: 6,
    anchor: 'previous',
    conditions: { not: { opened: 'email_1' } },
  });
  expect(moved.steps[1]).toMatchObject({ delayValue: 6, delayUnit: 'hours', anchor: 'previous', conditions: { not: { opened: 'email_1' } } });
  const removed = await done('/flats-in-spring/steps/between', 'DELETE');
  expect(removed.steps.map(({ id, order }) => [id, order])).toEqual([
    ['email_1', 0],
    ['email_2', 1],
  ]);
  expect(await done('/flats-in-spring', 'PUT', { name: 'Flats' })).toMatchObject({ description: 'For those who asked about flats.' });
  expect(await api('/api/sequences/flats-in-spring/activate', 'POST', {})).toMatchObject({ status: 200, body: { version: 1 } });
  expect(await done('/flats-in-spring', 'GET')).toMatchObject({ status: 'ACTIVE', name: 'Flats', version: 1, draftSteps: null });
  const log = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(auditLog).where(eq(auditLog.subject, made.id)));
  expect(log.map(({ action }) => action)).toContain('sequence.publish');
});

test('what is changed while it is active is the next version, and those who run stay unless they are told to move', async () => {
  const lead = await aLead('running');
  expect(await api('/api/sequences/flats-in-spring/enroll', 'POST', { leads: [lead] })).toMatchObject({
    status: 200,
    body: { results: [{ reason: null }] },
  });
  const before = await enrollmentOf(lead, 'flats-in-spring');
  const changed = await done('/flats-in-spring/steps', 'POST', { channel: 'EMAIL', delayValue: 4, delayUnit: 'days', text: email });
  expect([ids(changed.steps), ids(changed.draftSteps)]).toEqual([
    ['email_1', 'email_2'],
    ['email_1', 'email_2', 'email_3'],
  ]);
  expect(await api('/api/sequences/flats-in-spring/preview')).toMatchObject({
    body: { steps: [{ step: 'email_3', change: 'added' }], open_enrollments: 1 },
  });
  expect(await api('/api/sequences/flats-in-spring/activate', 'POST')).toMatchObject({ status: 200, body: { version: 2, open_enrollments: 1 } });
  expect((await enrollmentOf(lead, 'flats-in-spring'))?.versionId).toBe(before?.versionId);
  expect(await api('/api/sequences/flats-in-spring/versions')).toMatchObject({
    body: { data: [{ version: 2 }, { version: 1, running: { choice: 'stay' } }] },
  });
  // Somebody waits for the step that is taken out: what becomes of them has to be said.
  await done('/flats-in-spring/steps/email_1', 'DELETE');
  expect(await api('/api/sequences/flats-in-spring/activate', 'POST', {})).toMatchObject({ status: 409, body: { code: 'choice_needed' } });
  expect(await api('/api/sequences/flats-in-spring/activate', 'POST', { running: 'stay' })).toMatchObject({ status: 200, body: { version: 3 } });
});

test('only a draft is deleted', async () => {
  const { id } = await done('', 'POST', { name: 'Short-lived', slug: 'short-lived' });
  expect(await api('/api/sequences', 'POST', { name: 'Another', slug: 'short-lived' })).toMatchObject({ status: 409, body: { code: 'slug_taken' } });
  expect(await api(`/api/sequences/${id}`, 'DELETE')).toMatchObject({ status: 204 });
  expect(await api('/api/sequences/short-lived')).toMatchObject({ status: 404 });
  expect(await api('/api/sequences/short-lived', 'DELETE')).toMatchObject({ status: 404 });
  // Its slug is free again.
  expect(await api('/api/sequences', 'POST', { name: 'Another', slug: 'short-lived' })).toMatchObject({
    status: 201,
    body: { slug: 'short-lived', name: 'Another' },
  });
  expect(await api('/api/sequences/short-lived', 'DELETE')).toMatchObject({ status: 204 });
  expect(await api('/api/sequences/flats-in-spring', 'DELETE')).toMatchObject({ status: 409, body: { code: 'not_a_draft' } });
});

test('a campaign uses a sequence from when it is named, and contacts nobody until that is active', async () => {
  const campaign = ((await api('/api/campaigns', 'POST', { name: 'By the sequence' })).body as { id: string }).id;
  expect(await done('', 'POST', { name: 'Of a campaign', campaignId: campaign })).toMatchObject({ campaignId: campaign });
  const lead = await aLead('early');
  expect(await api(`/api/campaigns/${campaign}/leads`, 'POST', { lead })).toMatchObject({ body: { reason: 'no_sequence' } });
  await done('/of-a-campaign/steps', 'POST', { channel: 'email', text: email });
  await api('/api/sequences/of-a-campaign/activate', 'POST', {});
  expect(await api(`/api/campaigns/${campaign}/leads`, 'POST', { lead })).toMatchObject({ body: { reason: null } });
  expect(await done('/of-a-campaign', 'PUT', { campaignId: null })).toMatchObject({ campaignId: null });
  const nowhere = '00000000-0000-4000-8000-000000000000';
  expect(await api('/api/sequences/of-a-campaign', 'PUT', { campaignId: nowhere })).toMatchObject({
    status: 404,
    body: { code: 'unknown_campaign' },
  });
});

test('a draft takes the place of an active sequence when it is activated, and nobody is lost until then', async () => {
  const slugOf = async () => ((await api(`/api/campaigns/${campaign}`)).body as { sequence: string | null }).sequence;
  const campaign = ((await api('/api/campaigns', 'POST', { name: 'Goes on', sequence: 'flats-in-spring' })).body as { id: string }).id;
  expect(await done('', 'POST', { name: 'The next one', campaignId: campaign })).toMatchObject({ campaignId: campaign, campaigns: [] });
  expect(await slugOf()).toBe('flats-in-spring');
  expect(await api(`/api/campaigns/${campaign}/leads`, 'POST', { lead: await aLead('meanwhile') })).toMatchObject({ body: { reason: null } });
  await done('/the-next-one/steps', 'POST', { channel: 'email', text: email });
  expect(await slugOf()).toBe('flats-in-spring');
  await api('/api/sequences/the-next-one/activate', 'POST', {});
  expect(await slugOf()).toBe('the-next-one');
  // Who takes the campaign away from a draft again leaves it as it is.
  expect(await done('', 'POST', { name: 'Thought better', campaignId: campaign })).toMatchObject({ campaignId: campaign });
  expect(await done('/thought-better', 'PUT', { campaignId: null })).toMatchObject({ campaignId: null });
  await done('/thought-better/steps', 'POST', { channel: 'email', text: email });
  await api('/api/sequences/thought-better/activate', 'POST', {});
  expect(await slugOf()).toBe('the-next-one');
});

test('a step goes out by a script: named by id or name, or chosen; without one it is not published', async () => {
  await done('', 'POST', { name: 'By scripts' });
  // The draft may wait for its scripts.
  const waiting = await done('/by-scripts/steps', 'POST', { channel: 'CALL', scriptId: null });
  expect(waiting.steps).toMatchObject([{ id: 'call_1', scriptId: null, content: null }]);
  const none = await api('/api/sequences/by-scripts/activate', 'POST', {});
  expect(none).toMatchObject({ status: 400, body: { errors: [{ message: expect.stringContaining('can be sent by no script') }] } });
  expect((await done('/by-scripts', 'GET')).status).toBe('DRAFT');
  await done('/by-scripts/steps/call_1', 'DELETE');
  const made = await api('/api/scripts', 'POST', { name: 'hello', channel: 'call', content: 'Hello, {{ store.name }} here.' });
  const { id } = made.body as { id: string };
  const named = await done('/by-scripts/steps', 'POST', { channel: 'CALL', scriptId: id });
  expect(named.steps).toMatchObject([{ id: 'call_1', scriptId: 'hello', content: null }]);
  await api(`/api/scripts/${id}`, 'PATCH', { isDefault: true });
  expect((await done('/by-scripts/steps/call_1', 'PUT', { scriptId: null })).steps).toMatchObject([{ scriptId: null, content: null }]);
  expect(await api('/api/sequences/by-scripts/steps/call_1', 'PUT', { scriptId: 'nobody' })).toMatchObject({
    status: 404,
    body: { code: 'unknown_script' },
  });
});

test.each([
  ['an unknown channel', '/steps', 'POST', { channel: 'PIGEON' }, 400],
  ['an unknown condition', '/steps', 'POST', { channel: 'email', text: email, conditions: { when: 'x' } }, 400],
  ['a text that cannot be used', '/steps', 'POST', { channel: 'email', text: 'Hello {{ nickname }}' }, 400],
  ['a step that comes too early for its place', '/steps', 'POST', { channel: 'email', text: email, order: 9, delayValue: 0 }, 400],
  ['a field that does not exist', '/steps', 'POST', { channel: 'email', text: email, colour: 'red' }, 400],
  ['a step that does not exist', '/steps/nothing', 'PUT', { delayValue: 1 }, 404],
  ['a step to delete that does not exist', '/steps/nothing', 'DELETE', undefined, 404],
] as const)('%s is refused, and the draft stays as it was', async (_, path, method, body, status) => {
  await api('/api/sequences/flats-in-spring/draft', 'DELETE');
  const before = await done('/flats-in-spring', 'GET');
  expect(await api(`/api/sequences/flats-in-spring${path}`, method, body)).toMatchObject({ status });
  expect(await done('/flats-in-spring', 'GET')).toEqual(before);
});

test('changes that are made at once are all there', async () => {
  await done('', 'POST', { name: 'At once' });
  const adding = [1, 2, 3].map((n) =>
    api('/api/sequences/at-once/steps', 'POST', { channel: 'email', text: email, id: `step_${n}`, delayValue: 1, anchor: 'previous' }),
  );
  for (const { status, body } of await Promise.all(adding)) expect(status, JSON.stringify(body)).toBe(201);
  expect(ids((await done('/at-once', 'GET')).steps)?.toSorted()).toEqual(['step_1', 'step_2', 'step_3']);
});

test('the figures of a sequence count its enrollments step by step, with intervals, and an order that is taken back no more', async () => {
  await done('', 'POST', { name: 'Counted' });
  for (const n of [0, 1, 2]) await done('/counted/steps', 'POST', { channel: 'email', text: email, delayValue: n, delayUnit: 'days' });
  await api('/api/sequences/counted/activate', 'POST', {});
  const leads = await Promise.all(['buys', 'leaves', 'stays', 'returns'].map((key) => aLead(`count-${key}`)));
  const enrolled = await api('/api/sequences/counted/enroll', 'POST', { leads });
  const started = (enrolled.body as { results: { enrollment: string }[] }).results.map(({ enrollment }) => enrollment);
  for (const id of started) await dispatch(shop, id, 'email_1');
  await letTimePass(shop, 86_400_000);
  for (const id of started) await dispatch(shop, id, 'email_2');
  for (const key of ['buys', 'returns'])
    await shop.post('order.placed', {
      order: { id: `order-${key}`, total: '50.00', currency: 'EUR' },
      contact: { email: `count-${key}@example.com` },
    });
  await shop.post('contact.opted_out', { contact: { email: 'count-leaves@example.com' } });
  const { body } = await api('/api/sequences/counted/stats');
  expect(body).toMatchObject({
    enrolled: 4,
    enrolledLeads: 4,
    open: 1,
    completed: 0,
    converted: 2,
    exited: { opted_out: 1 },
    exitedBefore: {},
    conversionRate: { count: 2, of: 4, rate: 0.5, interval: { low: expect.any(Number), high: expect.any(Number) } },
    revenue: [{ currency: 'EUR', amount: '100.00', perEnrolled: 25 }],
    timeToConversionSeconds: { conversions: 2 },
    steps: [
      { step: 'email_1', order: 0, entered: 4, executed: 4, converted: 0, dropped: 0, marginalLift: 0, executionRate: { rate: 1 } },
      {
        step: 'email_2',
        executed: 4,
        converted: 2,
        dropped: 1,
        exited: { opted_out: 1 },
        dropOffRate: { count: 1, of: 4 },
        channels: [{ channel: 'email', count: 2, of: 4 }],
        delays: [{ delaySeconds: 86_400, of: 4 }],
      },
      { step: 'email_3', order: 2, entered: 0, executed: 0, conversionRate: { rate: null, interval: null }, marginalLift: null },
    ],
  });
  const leftBehind = async (step: string) =>
    (
      (await api(`/api/sequences/counted/enrollments?reason=opted_out&lastStep=${step}&since=${(body as { since: string }).since}`)).body as {
        data: { lead: string }[];
      }
    ).data.map(({ lead }) => lead);
  expect([await leftBehind('email_1'), await leftBehind('email_2'), await leftBehind('-')]).toEqual([[], [leads[1]], []]);
  const { funnel } = body as { funnel: { stage: string; count: number }[] };
  expect(funnel.map(({ stage }) => stage)).toEqual(['leads', 'enrolled', 'email_1', 'email_2', 'email_3', 'converted']);
  // Who opens, or asks to be called back, gets a step more: nobody passes it on the way to the others.
  const nurture = (await api('/api/sequences/lead-nurture/stats')).body as { funnel: typeof funnel; steps: { step: string; inserted: boolean }[] };
  expect(nurture.steps.filter(({ inserted }) => inserted).map(({ step }) => step)).toEqual(['sms_opened', 'callback']);
  expect(nurture.funnel.map(({ stage }) => stage)).toEqual([
    'leads',
    'enrolled',
    'email_welcome',
    'sms_12h',
    'email_24h',
    'call_2d',
    'sms_5d',
    'email_7d',
    'converted',
  ]);
  await shop.post('order.cancelled', { order: { id: 'order-returns' } });
  expect((await api('/api/sequences/counted/stats')).body).toMatchObject({ converted: 1, revenue: [{ amount: '50.00' }] });
  expect(await api('/api/sequences/nothing/stats')).toMatchObject({ status: 404 });
});
