import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditLog, messages } from '../../db/schema/index.ts';
import { createVapiSender } from '../../integrations/vapi/send.ts';
import { routingPass } from '../../operations/campaigns/route-leads.ts';
import { ask, dispatch, type Method } from '../api/left-carts.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { testConfig, vapiDialect } from '../integrations/vapi/conformance.ts';

// Which words go out in a step, and how its calls are made (docs/rules.md#rule-70).

const hourMs = 3_600_000;
let shop: Shop;
let lines: StubProvider;
beforeAll(async () => {
  lines = await startStubProvider(false, vapiDialect);
  shop = await openShop({ timeScale: 1, moreSenders: [createVapiSender(testConfig(lines.port))], settings: { requireConsent: [] } });
});
afterAll(async () => {
  await shop.close();
  await lines.stop();
});

const api = (path: string, method: Method = 'GET', body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, path, method, body);
async function make(path: string, body: Record<string, unknown>): Promise<{ id: string }> {
  const made = await api(path, 'POST', body);
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body as { id: string };
}
const callScript = (name: string, said: string, more: Record<string, unknown> = {}) =>
  make('/api/scripts', {
    name,
    channel: 'CALL',
    content: `Hello{% if firstName %} {{firstName}}{% endif %}, {{ store.name }} here. ${said}`,
    ...more,
  });

let count = 0;
/** A lead in a campaign whose nurturing has come to the call. */
async function called(
  campaign: Record<string, unknown>,
  contact: Record<string, unknown> = { first_name: 'Ada' },
  byScript?: (campaignId: string) => Promise<unknown>,
) {
  const key = `lead-${++count}`;
  const { id } = await make('/api/campaigns', { name: key, autoAssign: { sources: [key] }, sequence: 'lead-nurture', ...campaign });
  await byScript?.(id);
  const who = { email: `${key}@example.com`, phone: `+43664${4_000_000 + count}`, time_zone: 'Europe/Vienna', ...contact };
  await shop.post('lead.created', { lead: { id: key, source: key }, contact: who }, { at: Date.now() - 48 * hourMs });
  while (await routingPass(shop.deps));
  const enrollment = await shop.enrollmentOf(key);
  await dispatch(shop, enrollment?.id ?? '', 'call_2d');
  const [row] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select()
      .from(messages)
      .where(eq(messages.enrollmentId, enrollment?.id ?? '')),
  );
  const attempt = ((await api(`/api/attempts/${row?.id ?? ''}`)).body ?? {}) as Record<string, unknown>;
  return { row, attempt, payload: row?.payload };
}

test('a call says what its campaign’s own script says, and is made as the script, then the campaign, asks', async () => {
  const { row, attempt, payload } = await called({ call: { assistant: 'of-the-campaign', maxSeconds: 120 } }, { first_name: 'Ada' }, (campaign) =>
    callScript('spring-call', 'The gardens open on Sunday.', { campaign, call: { assistant: 'of-the-script' } }),
  );
  expect(row?.state).toBe('sent');
  expect(payload).toMatchObject({ channel: 'call', opening: expect.stringContaining('Hello Ada, ') });
  expect(payload).toMatchObject({
    opening: expect.stringContaining('The gardens open on Sunday.'),
    configuration: { assistant: 'of-the-script', phoneNumber: null, maxSeconds: 120 },
  });
  expect(attempt).toMatchObject({ script: 'spring-call', channel: 'call', status: 'SUCCESS' });
});

test('a preview says what would go out: the script of the person’s campaign; a sample hears the step’s own text', async () => {
  await called({}, { first_name: 'Ada' }, (campaign) => callScript('shown-call', 'The orchard is open.', { campaign }));
  const path = '/api/sequences/lead-nurture/steps/call_2d/preview';
  const theirs = await api(`${path}?contact=lead-${count}@example.com`);
  expect(theirs.body).toMatchObject({
    channel: 'call',
    script: 'shown-call',
    text: expect.stringContaining('Hello Ada, Our store here. The orchard is open.'),
  });
  const sample = await api(path);
  expect(sample.body).toMatchObject({ channel: 'call', script: null, text: expect.not.stringContaining('orchard') });
});

test('a name that is not known leaves neither a placeholder nor a hole', async () => {
  const { payload } = await called({}, {}, (campaign) => callScript('nameless', 'Have you a minute?', { campaign }));
  expect(payload).toMatchObject({ opening: expect.stringMatching(/Hello, Our store here\. Have you a minute\?$/) });
});

test('the default of the channel goes out where the campaign has none; without scripts the step’s own text does', async () => {
  const own = await called({});
  expect(own.attempt).toMatchObject({ script: 'lead-nurture/call_2d' });
  expect(own.row?.scriptId).toBeNull();
  const first = await callScript('first', 'This is the first.', { isDefault: true });
  const second = await callScript('second', 'This is the second.', { isDefault: true });
  // There is one default.
  expect((await api(`/api/scripts/${first.id}`)).body).toMatchObject({ isDefault: false });
  const { payload, row } = await called({});
  expect([row?.scriptId, payload]).toMatchObject([second.id, { opening: expect.stringContaining('This is the second.') }]);
  // What is sent from now on has the new words; what went out remembers a script that is gone.
  expect(await api(`/api/scripts/${second.id}`, 'PATCH', { content: 'Hello, {{ store.name }} here. Third.' })).toMatchObject({ status: 200 });
  const changed = await called({});
  expect(changed.payload).toMatchObject({ opening: expect.stringContaining('Third.') });
  expect(await api(`/api/scripts/${second.id}`, 'DELETE')).toMatchObject({ status: 204 });
  expect(await api(`/api/scripts/${second.id}`)).toMatchObject({ status: 404 });
  expect((await api(`/api/attempts/${changed.row?.id ?? ''}`)).body).toMatchObject({ script: 'second' });
  expect((await called({})).attempt).toMatchObject({ script: 'lead-nurture/call_2d' });
  const log = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(auditLog).where(eq(auditLog.subject, second.id)));
  expect(log.map(({ action }) => action).toSorted()).toEqual(['script.change', 'script.create', 'script.remove']);
});

test('a translation goes to whoever reads it', async () => {
  const { payload } = await called({}, { first_name: 'Ada', locale: 'de-AT' }, (campaign) =>
    callScript('translated', 'In English.', { campaign, translations: { de: 'Guten Tag, hier ist {{ store.name }}.' } }),
  );
  expect(payload).toMatchObject({ opening: expect.stringMatching(/Guten Tag, hier ist /), language: 'de' });
});

test.each([
  ['an unknown variable', { content: 'Hello {{ nickname }}.' }, 'content'],
  ['a hole where the name is missing', { content: 'Hello {{ firstName }}, {{ store.name }} here.' }, 'content'],
  ['a placeholder that is not closed', { content: 'Hello {{ firstName' }, 'content'],
  ['a channel without texts', { channel: 'none' }, 'channel'],
  ['a subject that does not exist', { about: 'whale' }, 'about'],
  ['an unknown language', { translations: { 'no language': 'Hello.' } }, 'translations.no language'],
  ['a default of one campaign', { isDefault: true, campaign: '00000000-0000-4000-8000-000000000000' }, 'isDefault'],
])('%s is refused, with its place', async (_, wrong, path) => {
  const answer = await api('/api/scripts', 'POST', { name: 'wrong', channel: 'call', content: 'Hello, {{ store.name }} here.', ...wrong });
  expect(answer.status).toBe(400);
  expect((answer.body as { errors: { path: string }[] }).errors.map((fault) => fault.path.split(':')[0])).toContain(path);
});

test('a name, and a campaign’s place for a channel, are taken once; a campaign has to be there', async () => {
  await callScript('taken', 'Once.');
  const again = { name: 'taken', channel: 'call', content: 'Hello, {{ store.name }} here.' };
  expect(await api('/api/scripts', 'POST', again)).toMatchObject({ status: 409, body: { code: 'name_taken' } });
  const { id: campaign } = await make('/api/campaigns', { name: 'One script' });
  await callScript('one', 'One.', { campaign });
  expect(await api('/api/scripts', 'POST', { ...again, name: 'two', campaign })).toMatchObject({ status: 409, body: { code: 'campaign_has_one' } });
  const nowhere = { ...again, name: 'nowhere', campaign: '00000000-0000-4000-8000-000000000000' };
  expect(await api('/api/scripts', 'POST', nowhere)).toMatchObject({ status: 404, body: { code: 'unknown_campaign' } });
});

test('a step names its script, which has to be there when it is published, and stays while it is named', async () => {
  const yaml = 'sequence: by-script\nname: By script\non: manual\nabout: lead\nsteps:\n  - { id: call, at: 0s, channel: call, script: by-name }\n';
  const draft = () => api('/api/sequences/by-script/draft', 'PUT', { yaml });
  expect(await draft()).toMatchObject({ status: 400, body: { errors: [{ message: expect.stringContaining('"by-name", which does not exist') }] } });
  const { id } = await callScript('by-name', 'By name.');
  expect(await draft()).toMatchObject({ status: 200 });
  expect(await api('/api/sequences/by-script/publish', 'POST', { base_version: 0 })).toMatchObject({ status: 200 });
  expect(await api(`/api/scripts/${id}`, 'DELETE')).toMatchObject({ status: 409, body: { code: 'in_use' } });
  expect(await api(`/api/scripts/${id}`, 'PATCH', { name: 'another-name' })).toMatchObject({ status: 409, body: { code: 'in_use' } });
  await shop.post('lead.created', { lead: { id: 'named' }, contact: { phone: '+436645550001', time_zone: 'Europe/Vienna' } });
  const { body } = await api('/api/leads?phone=%2B436645550001');
  const lead = (body as { data: { id: string }[] }).data[0]?.id;
  const { body: begun } = await api('/api/sequences/by-script/enroll', 'POST', { leads: [lead] });
  const enrollmentId = (begun as { results: { enrollment: string }[] }).results[0]?.enrollment ?? '';
  await dispatch(shop, enrollmentId, 'call');
  const [row] = await shop.ledgerOf(enrollmentId);
  expect(row?.payload).toMatchObject({ opening: expect.stringContaining('By name.') });
  // Out of use once nothing names it.
  expect(await api('/api/sequences/by-script/archive', 'POST')).toMatchObject({ status: 200 });
  expect(await api(`/api/scripts/${id}`, 'DELETE')).toMatchObject({ status: 204 });
});
