import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import { type LocalGraph, startLocalGraph } from '../../local/meta/graph.ts';
import { createConnection, ensureConnection } from '../../operations/connections.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { recoveryWorkflowId } from '../../workflows/contract.ts';
import { ask, type Method } from '../api/left-carts.ts';
import { openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { leadgen, signMeta } from '../integrations/meta/conformance.ts';
import { telecomConfig, telecomDialect } from '../integrations/sms-http/conformance.ts';
import { testConfig, vapiDialect } from '../integrations/vapi/conformance.ts';

// From a lead ad to its sale: Meta, campaign, emails, a text, a call, what their providers report, and the tracker. Every far end speaks its protocol.

const callSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const email = 'ada@example.com';
const phone = '+12025550143';

let shop: Shop;
let graph: LocalGraph;
let texts: StubProvider;
let lines: StubProvider;
let paths: { texts: string; calls: string; tracker: string };
beforeAll(async () => {
  texts = await startStubProvider(false, telecomDialect);
  lines = await startStubProvider(false, vapiDialect);
  graph = await startLocalGraph({ appSecret: 'an-app-secret', token: 'a-token' });
  // A day in four seconds and a half.
  shop = await openShop({ timeScale: 20_000, settings: { requireConsent: [], postalAddress: '1 Test Street, Vienna' } });
  const { tenantId } = shop.tenant;
  const connect = async (integration: string, config: object, secrets: string[] = []) => {
    const made = await createConnection(shop.deps, tenantId, { integration, name: integration, config: { ...config }, secrets }, 'a test');
    if (made.kind !== 'created') throw new Error(JSON.stringify(made));
    return `/api/webhooks/${integration}/${made.connection.id}`;
  };
  const meta = { appSecret: 'an-app-secret', verifyToken: 'verify-me', pageAccessToken: 'a-token', baseUrl: graph.url };
  await connect('meta', meta);
  const tracker = { integration: 'keitaro', name: 'Tracker', config: { currency: 'USD' }, secrets: ['an-invented-token'] };
  paths = {
    texts: `${await connect('sms-http', telecomConfig(texts.port))}?token=an-invented-token-of-ours`,
    calls: await connect('vapi', testConfig(lines.port), [callSecret]),
    tracker: (await ensureConnection(shop.deps, tenantId, tracker, 'a test')).path,
  };
  await shop.startWorker();
});
afterAll(async () => {
  await shop.close();
  await Promise.all([texts.stop(), lines.stop(), graph.close()]);
});

const api = (path: string, method: Method = 'GET', body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, path, method, body);
const sequencePath = `${import.meta.dirname}/../../sequences/lead-nurture.yaml`;

async function notifyMeta(): Promise<number> {
  const raw = leadgen({ leadgen_id: '900000000000000001', page_id: '1', form_id: '2' });
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signMeta('an-app-secret', raw) };
  return (await shop.app.inject({ method: 'POST', url: '/api/webhooks/meta', headers, payload: raw })).statusCode;
}

async function reportCall(id: string | null, key: string): Promise<number> {
  const call = { id, customer: { number: phone }, assistantOverrides: { metadata: { rekindle_account: 'main', rekindle_key: key } } };
  const artifact = { transcript: 'AI: Do you have a minute?\nUser: Yes, I will have a look.' };
  const payload = JSON.stringify({
    message: { type: 'end-of-call-report', endedReason: 'customer-ended-call', artifact, timestamp: Date.now(), call },
  });
  const atS = Math.floor(Date.now() / 1_000);
  const signature = signStandardWebhook(callSecret, 'x', atS, payload);
  const headers = { 'content-type': 'application/json', 'webhook-id': 'x', 'webhook-timestamp': String(atS), 'webhook-signature': signature };
  return (await shop.app.inject({ method: 'POST', url: paths.calls, headers, payload })).statusCode;
}

test('a lead ad becomes a sale: campaign, steps on schedule, what providers report, conversion, the end of the sequence; and nothing is done twice', async () => {
  // Two emails are compared in the first step, and an order within three days counts.
  const yaml = (await readFile(sequencePath, 'utf8'))
    .replace(
      'content: lead-nurture/email_welcome }',
      'variants: [{ id: a, content: lead-nurture/email_welcome }, { id: b, content: lead-nurture/email_7d }] }',
    )
    .replace('within: 30d }', 'within: 3d }');
  expect(await api('/api/sequences/lead-nurture/draft', 'PUT', { yaml })).toMatchObject({ status: 200 });
  expect(await api('/api/sequences/lead-nurture/activate', 'POST', {})).toMatchObject({ status: 200, body: { version: 2 } });
  const campaign = await api('/api/campaigns', 'POST', { name: 'Flats', autoAssign: { sources: ['META'], maxLeads: 10 }, sequence: 'lead-nurture' });
  const { id: campaignId } = campaign.body as { id: string };

  // The notification names the lead only; it is fetched, and comes twice.
  const named = (name: string, value: string) => ({ name, values: [value] });
  graph.put('900000000000000001', {
    answers: [named('full_name', 'Ada Example'), named('email', email), named('phone_number', phone), named('sub_id', 'click-1')],
  });
  expect(await Promise.all([notifyMeta(), notifyMeta()])).toEqual([200, 200]);
  const lead = await until('the lead', async () => {
    const { body } = await api(`/api/leads?email=${email}`);
    return (body as { data: { id: string; source: string; campaigns: { id: string }[] }[] }).data.find(({ campaigns }) => campaigns.length > 0);
  });
  expect(lead).toMatchObject({ firstName: 'Ada', lastName: 'Example', phone, source: 'META', sub_id: 'click-1', campaigns: [{ id: campaignId }] });
  const enrollment = await until('the enrollment', () => shop.enrollmentOf('900000000000000001'));
  expect(enrollment).toMatchObject({ campaignId, status: 'ACTIVE' });
  const { id: enrollmentId } = enrollment;
  const messageOf = (step: string) =>
    until(`${step} to be sent`, async () => (await shop.ledgerOf(enrollmentId)).find(({ stepId, state }) => stepId === step && state === 'sent'));

  // What is due is processed by the workflow, by a pass of the scheduler, and by two more dispatches at once.
  const welcome = await messageOf('email_welcome');
  const again = () => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'email_welcome' });
  const passes = [1, 2].map(() => api('/api/scheduler/process-sequences', 'POST'));
  await Promise.all([again(), again(), ...passes]);
  for (const { status } of await Promise.all(passes)) expect(status).toBe(200);

  // The text arrives.
  const text = await messageOf('sms_12h');
  const delivered = { messageId: text.providerMessageId, status: 'DELIVRD' };
  const reported = await shop.app.inject({
    method: 'POST',
    url: paths.texts,
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(delivered),
  });
  expect(reported.statusCode, reported.body).toBe(200);
  const details = await messageOf('email_24h');
  const call = await messageOf('call_2d');
  // Each came at its time, none before: a day takes 4.32 seconds.
  const afterMs = (row: typeof call) => (row.claimedAt ?? 0) - enrollment.anchorAt;
  expect([text, details, call].map((row, index) => afterMs(row) >= ([0.5, 1, 2][index] ?? 0) * 4_320)).toEqual([true, true, true]);
  // The call was answered; its report comes twice.
  expect(await reportCall(call.providerMessageId, `${enrollmentId}:call_2d`)).toBe(200);
  expect(await reportCall(call.providerMessageId, `${enrollmentId}:call_2d`)).toBe(200);

  // The tracker reports the sale by the link of the call's attempt, three times.
  const sale = `${paths.tracker}?subid=k-1&sub_id=${call.id}&status=sale&payout=30.50&tid=T-1`;
  for (let time = 1; time <= 3; time += 1) expect((await shop.app.inject({ method: 'GET', url: sale })).statusCode).toBe(200);
  expect(await shop.enrollmentOf('900000000000000001')).toMatchObject({ status: 'CONVERTED', stopReason: 'purchased' });
  const { result } = {
    result: temporalClientOf(shop)
      .workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'lead-nurture', enrollmentId))
      .result(),
  };
  expect(await result).toEqual({ reason: 'purchased' });

  const { body: shown } = await api(`/api/leads/${lead.id}`);
  expect(shown).toMatchObject({ status: 'CONVERTED' });
  const attempts = (await api(`/api/attempts?lead=${lead.id}`)).body as { data: { step: string; status: string; transcript: string | null }[] };
  expect(attempts.data.map(({ step, status }) => [step, status])).toEqual([
    ['call_2d', 'SUCCESS'],
    ['email_24h', 'SUCCESS'],
    ['sms_12h', 'SUCCESS'],
    ['email_welcome', 'SUCCESS'],
  ]);
  expect(attempts.data[0]?.transcript).toContain('I will have a look');
  expect((await api('/api/conversions')).body).toMatchObject({ data: [{ status: 'sale', lead: lead.id }] });
  expect((await api(`/api/campaigns/${campaignId}`)).body).toMatchObject({ leads: 1, open: 0, converted: 1 });
  expect((await api('/api/sequences/lead-nurture/stats')).body).toMatchObject({
    enrolled: 1,
    converted: 1,
    revenue: [{ currency: 'USD', amount: '30.50' }],
  });

  // Nothing went out twice, and nothing behind the sale: its time has passed when the window of the comparison has.
  const counted = await until(
    'the comparison to count the sale',
    async () => {
      const { body } = await api('/api/variants');
      const { variants } = (body as { data: { step: string; variants: { variant: string; converted: number }[] }[] }).data.find(
        ({ step }) => step === 'email_welcome',
      ) ?? { variants: [] };
      return variants.find(({ converted }) => converted === 1);
    },
    40_000,
  );
  expect(counted.variant).toBe(welcome.variant);
  expect(shop.smtp.accepted.filter((mail) => mail.envelope.to.includes(email))).toHaveLength(2);
  expect(texts.accepted).toHaveLength(1);
  expect(lines.accepted).toHaveLength(1);
});
