import { afterAll, beforeAll, expect, test } from 'vitest';
import { whatsappConfig } from '../../integrations/whatsapp/config.ts';
import { createWhatsappSender } from '../../integrations/whatsapp/send.ts';
import { createConnection } from '../../operations/connections.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { signMeta } from '../integrations/meta/conformance.ts';
import { config as whatsapp, phoneNumberId, told, whatsappDialect } from '../integrations/whatsapp/conformance.ts';

// A WhatsApp message from the decision to its statuses, by the bytes that Meta sends and takes.

const hourMs = 3_600_000;
let shop: Shop;
let far: StubProvider;
let path: string;
beforeAll(async () => {
  let made = 0;
  far = await startStubProvider(false, {
    ...whatsappDialect,
    get taken() {
      made += 1;
      return { status: 200, body: { messages: [{ id: `wamid.${made}` }] } };
    },
  });
  const config = whatsappConfig.parse({ ...whatsapp, baseUrl: `http://127.0.0.1:${far.port}` });
  shop = await openShop({ timeScale: 1, moreSenders: [createWhatsappSender(config)], settings: { requireConsent: [] } });
  const created = await createConnection(
    shop.deps,
    shop.tenant.tenantId,
    { integration: 'whatsapp', name: 'WhatsApp', config, secrets: [] },
    'a test',
  );
  if (created.kind !== 'created') throw new Error(JSON.stringify(created));
  path = `/api/webhooks/whatsapp/${created.connection.id}`;
  const yaml = `
sequence: cart
name: Cart recovery
on: cart.abandoned
quietFor: 1h
maxAge: 7d
stopOn: [purchased, opted_out]
steps:
  - { id: nudge, at: 2h, channel: whatsapp, content: cart/nudge }
  - { id: chat, at: 2h, channel: whatsapp, content: cart/chat }
`;
  const template = '---\ntemplate: { name: cart_reminder, language: en, parameters: ["{{ firstName | default: \'there\' }}"] }\n---\n';
  const copy = {
    'cart/nudge.whatsapp': { file: 'nudge.whatsapp.liquid', text: `${template}Your cart is still here: {{ link.url }}` },
    'cart/chat.whatsapp': { file: 'chat.whatsapp.liquid', text: 'Shall we keep it for you?' },
  };
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'cart.yaml', yaml, copy }));
});
afterAll(async () => {
  await shop.close();
  await far.stop();
});

let counter = 0;
async function left() {
  counter += 1;
  const [cart, phone] = [`chat-cart-${counter}`, `+43664${3_000_000 + counter}`];
  const contact = { phone, first_name: 'Ada', time_zone: 'Europe/Vienna' };
  await shop.post('cart.updated', { ...aCart(cart, null), contact }, { at: Date.now() - 3 * hourMs });
  const { id } = await until('the enrollment', () => shop.enrollmentOf(cart));
  return { phone, id };
}
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const messageOf = async (id: string, stepId: string) => (await shop.ledgerOf(id)).find((m) => m.stepId === stepId);

async function deliver(payload: Buffer): Promise<number> {
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signMeta(whatsapp.appSecret, payload) };
  return (await shop.app.inject({ method: 'POST', url: path, headers, payload })).statusCode;
}
const nowS = () => String(Math.floor(Date.now() / 1_000));
const writes = (phone: string, text: string) =>
  deliver(told({ messages: [{ from: phone.slice(1), id: `wamid.in.${phone}.${text}`, timestamp: nowS(), type: 'text', text: { body: text } }] }));

test('who has not written gets the template; the step that has no template is left out and says why', async () => {
  const { id } = await left();
  await dispatch(id, 'nudge');
  expect((await messageOf(id, 'nudge'))?.payload).toMatchObject({
    message: { form: 'template', name: 'cart_reminder', parameters: [expect.stringMatching(/Ada$/)] },
  });
  expect(JSON.parse(far.accepted.at(-1)?.body ?? '')).toMatchObject({ type: 'template', biz_opaque_callback_data: `${id}:nudge` });
  await dispatch(id, 'chat');
  expect(await messageOf(id, 'chat')).toMatchObject({ state: 'skipped', skipReason: 'outside_window' });
});

test('who has written gets free text, in both steps', async () => {
  const { id, phone } = await left();
  expect(await writes(phone, 'is it still there?')).toBe(200);
  await dispatch(id, 'nudge');
  expect((await messageOf(id, 'nudge'))?.payload).toMatchObject({
    message: { form: 'text', text: expect.stringMatching(/Your cart is still here: http/) },
  });
});

test('a message that never came because the number is not on WhatsApp closes the number there', async () => {
  const { id, phone } = await left();
  await dispatch(id, 'nudge');
  const errors = [{ code: 131026, title: 'Message undeliverable' }];
  const status = {
    id: 'wamid.x',
    status: 'failed',
    timestamp: nowS(),
    recipient_id: phone.slice(1),
    biz_opaque_callback_data: `${id}:nudge`,
    errors,
  };
  expect(await deliver(told({ statuses: [status] }))).toBe(200);
  await dispatch(id, 'chat');
  expect(await messageOf(id, 'chat')).toMatchObject({ state: 'skipped', skipReason: 'suppressed' });
  expect((await messageOf(id, 'nudge'))?.account).toBe(`whatsapp:${phoneNumberId}`);
});

test('STOP ends the sequence', async () => {
  const { id, phone } = await left();
  expect(await writes(phone, 'STOP')).toBe(200);
  await dispatch(id, 'nudge');
  expect(far.accepted.filter(({ body }) => body.includes(phone.slice(1)))).toEqual([]);
});
