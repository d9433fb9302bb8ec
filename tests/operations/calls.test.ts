import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { calls, consents } from '../../db/schema/index.ts';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import { createVapiSender } from '../../integrations/vapi/send.ts';
import { createConnection } from '../../operations/connections.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { erasePerson } from '../../operations/erase-person.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { testConfig, vapiDialect } from '../integrations/vapi/conformance.ts';

// A call from the decision to what was said in it, by the bytes that VAPI sends and takes.

const hourMs = 3_600_000;
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
let shop: Shop;
let lines: StubProvider;
let path: string;
beforeAll(async () => {
  let made = 0;
  lines = await startStubProvider(false, {
    ...vapiDialect,
    get taken() {
      made += 1;
      return { status: 201, body: { id: `call-${made}` } };
    },
  });
  const config = testConfig(lines.port);
  shop = await openShop({ timeScale: 1, moreSenders: [createVapiSender(config)], settings: { requireConsent: [] } });
  const created = await createConnection(
    shop.deps,
    shop.tenant.tenantId,
    { integration: 'vapi', name: 'Calls', config, secrets: [secret] },
    'a test',
  );
  if (created.kind !== 'created') throw new Error(JSON.stringify(created));
  path = `/api/webhooks/vapi/${created.connection.id}`;
  const yaml = `
sequence: cart
name: Cart recovery
on: cart.abandoned
quietFor: 1h
maxAge: 7d
steps:
  - { id: call_2h, at: 2h, channel: call, content: cart/call }
  - { id: call_6d, at: 6d, channel: call, content: cart/call }
  - { id: callback, on: { event: contact.asked_later }, channel: call, content: cart/callback }
`;
  const opening = (text: string) => `---\nmaxSeconds: 60\n---\nHello{% if firstName %} {{ firstName }}{% endif %}, {{ store.name }} here. ${text}`;
  const copy = {
    'cart/call.call': { file: 'call.call.liquid', text: opening('Shall we keep your cart?') },
    'cart/callback.call': { file: 'callback.call.liquid', text: opening('You asked us to call back.') },
  };
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'cart.yaml', yaml, copy }));
});
afterAll(async () => {
  await shop.close();
  await lines.stop();
});

let counter = 0;
async function called() {
  counter += 1;
  const [cart, phone] = [`call-cart-${counter}`, `+43664${2_000_000 + counter}`];
  const contact = { phone, first_name: 'Ada', time_zone: 'Europe/Vienna' };
  await shop.post('cart.updated', { ...aCart(cart, null), contact }, { at: Date.now() - 3 * hourMs });
  const { id, contactId } = await until('the enrollment', () => shop.enrollmentOf(cart));
  await dispatch(id, 'call_2h');
  return { cart, phone, id, contactId };
}
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const callOf = async (id: string, stepId = 'call_2h') => (await shop.ledgerOf(id)).find((m) => m.stepId === stepId);

interface Said {
  endedReason?: string;
  transcript?: string;
  stepId?: string;
  callId?: string;
}
async function report(
  { id, phone }: { id: string; phone: string },
  { endedReason = 'customer-ended-call', transcript, stepId = 'call_2h', callId }: Said,
) {
  const known = callId ?? (await callOf(id, stepId))?.providerMessageId;
  const message = {
    type: transcript === undefined ? 'status-update' : 'end-of-call-report',
    ...(transcript === undefined ? { status: 'ended' } : { artifact: { transcript } }),
    endedReason,
    timestamp: Date.now(),
    call: {
      id: known,
      customer: { number: phone },
      assistantOverrides: { metadata: { rekindle_account: 'main', rekindle_key: `${id}:${stepId}` } },
    },
  };
  const payload = JSON.stringify({ message });
  const atS = Math.floor(Date.now() / 1_000);
  const headers = {
    'content-type': 'application/json',
    'webhook-id': 'x',
    'webhook-timestamp': String(atS),
    'webhook-signature': signStandardWebhook(secret, 'x', atS, payload),
  };
  const answer = await shop.app.inject({ method: 'POST', url: path, headers, payload });
  return [answer.statusCode, answer.json()] as const;
}
const storedOf = async (id: string, stepId = 'call_2h') => {
  const message = await callOf(id, stepId);
  const [row] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select()
      .from(calls)
      .where(eq(calls.messageId, message?.id ?? '')),
  );
  return row;
};
const receiptsIn = async (id: string) => {
  const { entries = [] } = (await explainEnrollment(shop.deps, shop.tenant.tenantId, id)) ?? {};
  return entries.filter((entry) => 'type' in entry && entry.type.startsWith('call.')).length;
};

test('the update and the report of one call count once, in any order and twice; the transcript is kept until its person is erased', async () => {
  const person = await called();
  expect(await callOf(person.id)).toMatchObject({
    state: 'sent',
    payload: { channel: 'call', to: person.phone, opening: expect.stringContaining('Hello Ada,') as string },
  });
  const transcript = 'AI: Hello Ada.\nUser: Yes, keep it.';
  for (const said of [{}, { transcript }, {}, { transcript }]) expect((await report(person, said))[0]).toBe(200);
  expect(await storedOf(person.id)).toMatchObject({ outcome: 'answered', reason: 'customer-ended-call', transcript, keywords: [] });
  expect(await receiptsIn(person.id)).toBe(1);
  expect((await shop.enrollmentOf(person.cart))?.endedAt).toBeNull();
  await erasePerson(shop.deps, { tenantId: shop.tenant.tenantId, contactId: person.contactId, actor: 'a test' });
  expect(await storedOf(person.id)).toMatchObject({ outcome: 'answered', transcript: null, keywords: [] });
});

test('"call me back in two hours" calls back then, once, and moves the rest', async () => {
  const person = await called();
  await report(person, { transcript: 'AI: Hello.\nUser: Call me back in two hours, please.' });
  expect(await storedOf(person.id)).toMatchObject({ keywords: ['call me back', 'in two hours'] });
  const before = lines.accepted.length;
  await dispatch(person.id, 'callback');
  expect(lines.accepted).toHaveLength(before);
  await letTimePass(shop, 4 * hourMs);
  await dispatch(person.id, 'callback');
  await dispatch(person.id, 'callback');
  expect(lines.accepted).toHaveLength(before + 1);
  expect(await callOf(person.id, 'callback')).toMatchObject({ state: 'sent' });
});

test('"stop calling me" is an opt-out, also from a call whose outcome is not known', async () => {
  lines.next({ act: 'reset', take: true });
  const person = await called();
  expect(await callOf(person.id)).toMatchObject({ state: 'unknown', providerMessageId: null });
  expect(await report(person, { transcript: 'User: Stop calling me.', callId: 'call-of-theirs' })).toEqual([200, { status: 'applied' }]);
  // The report names the message by its own key, and proves that the call was made.
  expect(await callOf(person.id)).toMatchObject({ state: 'sent' });
  expect((await shop.enrollmentOf(person.cart))?.stopReason).toBe('opted_out');
  const stated = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select().from(consents).where(eq(consents.contactId, person.contactId)),
  );
  expect(stated).toMatchObject([{ state: 'denied', source: 'call' }]);
});

test('a call that nobody answered has failed, and its sequence goes on', async () => {
  const person = await called();
  await report(person, { endedReason: 'voicemail', transcript: 'User: Please call back later or leave a message.' });
  expect(await storedOf(person.id)).toMatchObject({ outcome: 'not_reached', keywords: [] });
  const enrollment = await shop.enrollmentOf(person.cart);
  expect([enrollment?.endedAt, enrollment?.snoozes]).toEqual([null, []]);
});

test('who asks another installation of the account not to be called is heard at once, and not called here', async () => {
  const { id, phone } = await called();
  const foreign = { id: '018f0000-0000-7000-8000-0000000000ff', phone };
  // Nothing here has that key, and nothing will: what was said counts without waiting for it.
  expect(await report(foreign, { transcript: 'AI: Hello.\nUser: Stop calling me.', callId: 'a-foreign-call' })).toEqual([200, { status: 'applied' }]);
  await letTimePass(shop, 6 * 24 * hourMs);
  await dispatch(id, 'call_6d');
  expect(await callOf(id, 'call_6d')).toMatchObject({ state: 'skipped' });
});
