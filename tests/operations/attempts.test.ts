import { afterAll, beforeAll, expect, test } from 'vitest';
import { and, eq, isNotNull } from 'drizzle-orm';
import { calls, contacts, enrollments, subjectKeys } from '../../db/schema/index.ts';
import { createVapiSender } from '../../integrations/vapi/send.ts';
import { routingPass } from '../../operations/campaigns/route-leads.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { ask, dispatch } from '../api/left-carts.ts';
import { letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { testConfig, vapiDialect } from '../integrations/vapi/conformance.ts';

// Attempts as a retention center sees them, and how a campaign's calls are made.

const hourMs = 3_600_000;
let shop: Shop;
let lines: StubProvider;
beforeAll(async () => {
  lines = await startStubProvider(false, vapiDialect);
  const moreSenders = [createVapiSender(testConfig(lines.port))];
  shop = await openShop({ timeScale: 1, moreSenders, settings: { requireConsent: [] } });
  const yaml = `
sequence: ads
name: Leads of ads
on: lead.created
steps:
  - { id: email, at: 0s, channel: email, content: ads/email }
  - { id: own_call, at: 2d, channel: call, content: ads/own }
  - { id: usual_call, at: 4d, channel: call, content: ads/usual }
`;
  const email = `---
subject: Your flat
preheader: A visit
heading: Your flat
cta: Have a look
---
Hello, [the flat](https://advertiser.example.com/flat?sub_id={{ subId }}) is yours to see.

[lead]
`;
  const copy = {
    'ads/email': { file: 'email.liquid', text: email },
    'ads/own.call': { file: 'own.call.liquid', text: '---\nassistant: of-the-script\n---\nHello, {{ store.name }} here.' },
    'ads/usual.call': { file: 'usual.call.liquid', text: 'Hello{% if firstName %} {{ firstName }}{% endif %}, {{ store.name }} here.' },
  };
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'ads.yaml', yaml, copy }));
  // Nobody is contacted by two sequences here.
  expect(await api('/api/sequences/lead-nurture/archive', 'POST')).toMatchObject({ status: 200 });
});
afterAll(async () => {
  await shop.close();
  await lines.stop();
});

const api = (path: string, method: 'GET' | 'POST' | 'PATCH' = 'GET', body?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, path, method, body);
interface Attempt {
  id: string | null;
  step: string;
  status: string;
  startedAt: string;
}
const attempts = async (query: string) => ((await api(`/api/attempts?${query}`)).body as { data: Attempt[] }).data;

const contactability = async (lead: string, query = '') =>
  (await api(`/api/leads/${lead}/contactability?${query}`)).body as { nextAvailableSlot: string | null };

let count = 0;
async function leadIn(fields: Record<string, unknown>) {
  const key = `ad-${++count}`;
  const made = await api('/api/campaigns', 'POST', { name: key, autoAssign: { sources: [key] }, sequence: 'ads', ...fields });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  const contact = { email: `${key}@example.com`, phone: `+43664${3_000_000 + count}`, first_name: 'Ada', time_zone: 'Europe/Vienna' };
  await shop.post('lead.created', { lead: { id: key, source: key, url: 'https://shop.example.com/flat?external_id={sub_id}' }, contact });
  while (await routingPass(shop.deps));
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select({ id: enrollments.id, lead: enrollments.subjectId })
      .from(subjectKeys)
      .innerJoin(enrollments, eq(enrollments.subjectId, subjectKeys.subjectId))
      .where(and(eq(subjectKeys.value, key), isNotNull(enrollments.campaignId))),
  );
  return { key, email: contact.email, campaign: (made.body as { id: string }).id, enrollment: rows[0]?.id ?? '', lead: rows[0]?.lead ?? '' };
}

test('an attempt is the message itself: its id is the `sub_id` of links, its call is made as script, campaign and connection say, in this order', async () => {
  const { key, email, campaign, enrollment, lead } = await leadIn({ call: { assistant: 'of-the-campaign', maxSeconds: 45 } });
  for (const step of ['email', 'own_call', 'usual_call']) {
    await dispatch(shop, enrollment, step);
    await letTimePass(shop, 48 * hourMs + 1_000);
  }
  const found = await attempts(`lead=${lead}`);
  expect(found).toMatchObject([
    { step: 'usual_call', channel: 'call', script: 'ads/usual', status: 'SUCCESS', campaign, lead },
    { step: 'own_call', channel: 'call', script: 'ads/own' },
    { step: 'email', channel: 'email', script: 'ads/email', status: 'SUCCESS', transcript: null, keywords: [] },
  ]);
  const id = found.at(-1)?.id ?? '';
  const mail = shop.smtp.accepted.find((m) => m.envelope.to.includes(email));
  expect(mail?.raw.toString().replaceAll('=\r\n', '').replaceAll('=3D', '=')).toContain(`https://advertiser.example.com/flat?sub_id=${id}`);
  expect((await api(`/api/attempts/${id}`)).body).toMatchObject({ id, step: 'email' });
  const payloads = (await shop.ledgerOf(enrollment)).flatMap(({ payload }) => (payload?.channel === 'call' ? [payload.configuration] : []));
  expect(payloads).toEqual([
    { assistant: 'of-the-script', phoneNumber: null, maxSeconds: 45 },
    { assistant: 'of-the-campaign', phoneNumber: null, maxSeconds: 45 },
  ]);
  // A click leads to the lead's own page, which asked for the id.
  const click = shop.deps.links.sign({ purpose: 'click', tenantId: shop.tenant.tenantId, messageId: id });
  const followed = await shop.app.inject({ method: 'GET', url: `/c/${click}`, headers: { 'user-agent': 'Mozilla/5.0' } });
  expect(followed.headers.location).toBe(`https://shop.example.com/flat?external_id=${id}`);
  expect(await attempts(`campaign=${campaign}&channel=email`)).toMatchObject([{ id }]);
  expect(await attempts(`lead=${lead}&status=FAILED`)).toEqual([]);
  // The provider had taken the call; that nobody answered is why it failed.
  const [call] = found;
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .insert(calls)
      .values({ tenantId: shop.tenant.tenantId, messageId: call?.id ?? '', outcome: 'not_reached', reason: 'customer-did-not-answer', keywords: [] }),
  );
  expect(await attempts(`lead=${lead}&status=FAILED`)).toMatchObject([{ id: call?.id, notes: 'customer-did-not-answer' }]);
  expect(await api(`/api/campaigns`, 'POST', { name: `${key} again`, call: { assistent: 'x' } })).toMatchObject({ status: 400 });
});

test('a step that was put off is an attempt that is scheduled, with its future start; once it goes out, there is one', async () => {
  // Closed now, open in three hours on the lead's clock.
  const hour = Number(new Intl.DateTimeFormat('en-GB', { hour: '2-digit', timeZone: 'Europe/Vienna' }).format(Date.now()));
  const clock = (at: number) => `${String(at % 24).padStart(2, '0')}:00`;
  const { campaign, enrollment, lead } = await leadIn({ schedule: { from: clock(hour + 3), to: clock(hour + 5) } });
  await dispatch(shop, enrollment, 'email');
  const [planned, ...more] = await attempts(`lead=${lead}`);
  expect(planned).toMatchObject({ id: null, enrollment, step: 'email', channel: 'email', status: 'SCHEDULED' });
  expect(Date.parse(planned?.startedAt ?? '')).toBeGreaterThan(Date.now() + hourMs);
  expect(more).toEqual([]);
  expect(await attempts(`lead=${lead}&status=SCHEDULED`)).toHaveLength(1);
  expect((await api(`/api/leads/${lead}`)).body).toMatchObject({ attempts: [{ status: 'SCHEDULED', startedAt: planned?.startedAt }] });
  // Whoever asks before sending hears the same as the step did.
  expect(await contactability(lead, `campaign=${campaign}&channel=email`)).toMatchObject({
    ...{ canContactLead: true, reason: null, isWithinSchedule: false, nextAvailableSlot: planned?.startedAt },
    gates: expect.arrayContaining([expect.objectContaining({ gate: 'campaign_schedule', result: 'defer' })]),
  });
  expect(await contactability(lead, `campaign=${campaign}&at=${planned?.startedAt ?? ''}`)).toMatchObject({
    isWithinSchedule: true,
    nextAvailableSlot: planned?.startedAt,
  });
  await api(`/api/campaigns/${campaign}`, 'PATCH', { schedule: null });
  await letTimePass(shop, 3 * hourMs);
  await dispatch(shop, enrollment, 'email');
  expect(await attempts(`lead=${lead}`)).toMatchObject([{ step: 'email', status: 'SUCCESS', id: expect.any(String) }]);
});

test('whether a lead may be contacted is answered by their channels, limits and status, and by the campaign that is asked about', async () => {
  const { campaign, enrollment, lead } = await leadIn({});
  expect(await contactability(lead)).toMatchObject({ channel: 'email', canContactLead: true, reason: null, nextAvailableSlot: expect.any(String) });
  expect(await contactability(lead, 'channel=call')).toMatchObject({ channel: 'call', canContactLead: true });
  expect(await contactability(lead, 'channel=telegram')).toMatchObject({ channel: null, canContactLead: false, nextAvailableSlot: null });
  await dispatch(shop, enrollment, 'email');
  // Two messages to one person keep three hours apart.
  const soon = await contactability(lead);
  expect(soon).toMatchObject({ canContactLead: false, reason: 'gap' });
  expect(Date.parse(soon.nextAvailableSlot ?? '') - Date.now()).toBeGreaterThan(2 * hourMs);
  expect(await contactability(lead, `at=${soon.nextAvailableSlot ?? ''}`)).toMatchObject({ canContactLead: true, isWithinSchedule: true });
  expect(await api('/api/settings', 'PATCH', { settings: { caps: [{ channel: 'email', most: 1, withinHours: 168 }] } })).toMatchObject({
    status: 200,
  });
  const capped = await contactability(lead, 'channel=email');
  expect(capped).toMatchObject({ canContactLead: false });
  expect(Date.parse(capped.nextAvailableSlot ?? '') - Date.now()).toBeGreaterThan(160 * hourMs);
  const minute = Math.floor((Date.now() % 86_400_000) / 60_000);
  const quietHours = { fromMinute: (minute + 1_260) % 1_440, toMinute: (minute + 300) % 1_440 };
  await api('/api/settings', 'PATCH', { settings: { caps: [], quietHours } });
  // Its clock is one or two hours ahead. An hour is closed whether or not the channel is possible.
  expect(await contactability(lead, 'channel=telegram')).toMatchObject({ canContactLead: false, isWithinSchedule: false });
  await api('/api/settings', 'PATCH', { settings: { quietHours: null } });
  await api(`/api/campaigns/${campaign}`, 'PATCH', { status: 'PAUSED' });
  expect(await contactability(lead, `campaign=${campaign}`)).toMatchObject({
    canContactLead: false,
    reason: 'campaign_paused',
    nextAvailableSlot: null,
  });
  expect(await contactability(lead)).toMatchObject({ reason: 'gap' });
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.update(contacts).set({ lifecycle: 'DO_NOT_CONTACT' }));
  expect(await contactability(lead)).toMatchObject({ canContactLead: false, reason: 'opted_out', nextAvailableSlot: null });
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.update(contacts).set({ lifecycle: 'NEW' }));
  const nobody = '018f0000-0000-7000-8000-000000000001';
  expect(await api(`/api/leads/${nobody}/contactability`)).toMatchObject({ status: 404, body: { code: 'unknown_lead' } });
  expect(await api(`/api/leads/${lead}/contactability?campaign=${nobody}`)).toMatchObject({ status: 404, body: { code: 'unknown_campaign' } });
  expect(await api(`/api/leads/${lead}/contactability?at=2001-01-01T00:00:00Z`)).toMatchObject({ status: 400 });
});

test('leads are enrolled by hand, each with its own answer, and the list says where they stand', async () => {
  const { lead, enrollment } = await leadIn({});
  const enroll = (leads: string[]) => api('/api/sequences/ads/enroll', 'POST', { leads });
  const nobody = '018f0000-0000-7000-8000-000000000001';
  expect((await enroll([lead, nobody])).body).toMatchObject({
    results: [
      { lead, enrollment: null, reason: 'already_running' },
      { lead: nobody, enrollment: null, reason: 'unknown_lead' },
    ],
  });
  await dispatch(shop, enrollment, 'email');
  const [attempt] = await attempts(`lead=${lead}`);
  const [mine] = ((await api('/api/sequences/ads/enrollments?status=ACTIVE&limit=1')).body as { data: { nextExecuteAt: string }[] }).data;
  expect(mine).toMatchObject({
    ...{ id: enrollment, lead, status: 'ACTIVE', currentStep: 1, completedAt: null, exitReason: null },
    completedSteps: [{ step: 'email', status: 'SUCCESS', attemptId: attempt?.id, timestamp: attempt?.startedAt }],
  });
  expect(Date.parse(mine?.nextExecuteAt ?? '')).toBeGreaterThan(Date.now());
  expect(await api(`/recovery/sequences/${enrollment}/stop?reason=tried`, 'POST')).toMatchObject({ status: 200 });
  expect((await enroll([lead])).body).toMatchObject({ results: [{ lead, reason: null, enrollment: expect.any(String) }] });
  expect(await enroll([])).toMatchObject({ status: 400 });
  expect(await api('/api/sequences/unheard-of/enroll', 'POST', { leads: [lead] })).toMatchObject({ status: 404 });
});
