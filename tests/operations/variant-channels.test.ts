import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { contacts, enrollments, variantAssignments } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { pointOf } from '../../operations/dispatch/assignment.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { ask } from '../api/left-carts.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// Variants with channels of their own, by intention to treat: docs/rules.md#rule-128

const hourMs = 3_600_000;
const times = { deadlineMs: 1_500, leaseMs: 1_700, deadLeaseMs: 2_000 };
let shop: Shop;
let texts: StubProvider;
let emails: StubProvider;

beforeAll(async () => {
  [texts, emails] = await Promise.all([startStubProvider(true), startStubProvider(true)]);
  shop = await openShop({
    timeScale: 1,
    sender: createStubSender(emails.port, { kind: 'keys', times, account: 'emails' }),
    moreSenders: [createStubSender(texts.port, { kind: 'keys', times, account: 'texts', channel: 'sms' })],
    settings: { smsSender: '+12025550100', smsLinkUrl: 'https://go.shop.example' },
  });
});
afterAll(async () => {
  await shop.close();
  await Promise.all([texts.stop(), emails.stop()]);
});
afterEach(() => {
  for (const provider of [texts, emails]) {
    provider.always({ act: 'accept' });
    provider.accepted.length = 0;
    provider.calls = 0;
  }
});

const email = (name: string, more = '') => ({
  file: `${name}.liquid`,
  text: `---\nsubject: Subject ${name}\npreheader: It waits\nheading: Hello\ncta: Go on\n---\nHello.${more}\n\n[cart]\n`,
});
const sms = { file: 'text.sms.liquid', text: '{{ store.name }}: your cart is waiting: {{ cart.url }} {{ optOut }}' };
async function publish(more = '', variants = '{ id: mail, content: cart/mail }, { id: text, channel: sms, content: cart/text }'): Promise<void> {
  const yaml = `sequence: cart\nname: Cart\non: cart.abandoned\nquietFor: 1h\nsteps:\n  - id: nudge\n    at: 2h\n    channel: email\n    variants: [${variants}]\n${more}`;
  const copy = {
    'cart/mail': email('mail'),
    'cart/code': email('code', '{% if offer %} {{ offer.code }}{% endif %}'),
    'cart/text.sms': sms,
  };
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'cart.yaml', yaml, copy }));
}

const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
let counter = 0;
interface Reached {
  email?: boolean;
  phone?: boolean;
}
/** Somebody who left a cart two hours ago and has agreed to texts, and which of two variants will be theirs. */
async function leave({ email: mail = true, phone = true }: Reached, [first = '', second = '']: readonly string[] = ['mail', 'text']) {
  counter += 1;
  const cart = `cart-${counter}`;
  const contact = {
    ...(mail ? { email: `person-${counter}@example.com` } : {}),
    ...(phone ? { phone: `+1202555${String(1_000 + counter)}` } : {}),
  };
  if (phone) await shop.post('contact.opted_in', { contact, channel: 'sms' }, { at: Date.now() - 60_000 });
  await shop.post('cart.updated', { ...aCart(cart, null), contact });
  const { id, sequenceId, contactId } = await until('the enrollment', () => shop.enrollmentOf(cart));
  await letTimePass(shop, 2 * hourMs + 1_000);
  const [person] = await inTenant((tx) => tx.select().from(contacts).where(eq(contacts.id, contactId)));
  return { id, contactId, cart, email: contact.email ?? '', variant: pointOf(`${sequenceId}\nnudge`, person?.personId ?? '') < 0.5 ? first : second };
}
/** One person of either variant. */
async function ofEach(reached: Reached, ids = ['mail', 'text']) {
  const found = new Map<string, Awaited<ReturnType<typeof leave>>>();
  while (found.size < 2) {
    const left = await leave(reached, ids);
    found.set(left.variant, left);
  }
  return [...found.values()];
}
const dispatch = (enrollmentId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'nudge' });
const rowOf = async (id: string) => (await shop.ledgerOf(id)).find((m) => m.stepId === 'nudge');
const assigned = async (contactId: string) =>
  (await inTenant((tx) => tx.select().from(variantAssignments).where(eq(variantAssignments.contactId, contactId)))).map(({ variant }) => variant);

test('each variant goes out by its own channel, and whoever it does not reach gets nothing and counts in it all the same', async () => {
  await publish();
  for (const { id, contactId, variant, email: address } of await ofEach({})) {
    await dispatch(id);
    expect(await rowOf(id)).toMatchObject({ state: 'sent', variant, channel: variant === 'mail' ? 'email' : 'sms' });
    expect(await assigned(contactId)).toEqual([variant]);
    const { body } = await ask(shop, shop.tenant.apiKey, `/api/sequences/cart/steps/nudge/preview?contact=${address}`);
    expect(body).toMatchObject({ channel: variant === 'mail' ? 'email' : 'sms', arm: { variant, by: 'kept' } });
  }
  expect([emails.calls, texts.calls]).toEqual([1, 1]);
  for (const reached of [{ phone: false }, { email: false }])
    for (const { id, contactId, variant } of await ofEach(reached)) {
      await dispatch(id);
      const isReached = variant === (reached.phone === false ? 'mail' : 'text');
      expect(await rowOf(id)).toMatchObject(isReached ? { state: 'sent', variant } : { state: 'skipped', skipReason: 'no_address' });
      expect(await assigned(contactId)).toEqual([variant]);
    }
  const shown = await ask(shop, shop.tenant.apiKey, '/api/sequences/cart/steps/nudge/preview?variant=text');
  expect(shown.body).toMatchObject({ channel: 'sms', arm: null });
  expect(await ask(shop, shop.tenant.apiKey, '/api/sequences/cart/steps/nudge/preview?variant=fax')).toMatchObject({ status: 400 });
});

test('whom the step is not meant for counts in no variant, whether theirs could reach them or not', async () => {
  await publish('    when: { value: { atLeast: 100000 } }\n');
  for (const reached of [{}, { phone: false }])
    for (const { id, contactId } of await ofEach(reached)) {
      await dispatch(id);
      expect(await rowOf(id)).toMatchObject({ state: 'skipped' });
      expect(await assigned(contactId)).toEqual([]);
    }
});

test('whoever is put off counts from the moment at which the step was due, and keeps their channel', async () => {
  await publish();
  const hold = (id: string, held: 'paused' | null) => inTenant((tx) => tx.update(enrollments).set({ held }).where(eq(enrollments.id, id)));
  for (const { id, contactId, variant } of [...(await ofEach({})), ...(await ofEach({ phone: false }))]) {
    await hold(id, 'paused');
    await dispatch(id);
    expect((await rowOf(id))?.state ?? null).not.toBe('sent');
    expect(await assigned(contactId)).toEqual([variant]);
    await hold(id, null);
    await dispatch(id);
    expect(await rowOf(id)).toMatchObject((await rowOf(id))?.state === 'skipped' ? { skipReason: 'no_address' } : { state: 'sent', variant });
  }
});

test('a call in doubt is repeated on the channel that was claimed, once', async () => {
  await publish();
  for (const { id, variant } of await ofEach({})) {
    const [provider, other] = variant === 'mail' ? [emails, texts] : [texts, emails];
    const before = other.calls;
    provider.always({ act: 'close', take: true });
    await dispatch(id);
    provider.always({ act: 'accept' });
    await letTimePass(shop, hourMs);
    await dispatch(id);
    expect(await rowOf(id)).toMatchObject({ state: 'sent', variant, channel: variant === 'mail' ? 'email' : 'sms' });
    expect(other.calls).toBe(before);
    expect(provider.accepted.filter(({ key }) => key === `${id}:nudge`)).toHaveLength(1);
  }
});

test('an offer is compared with none: who gets no code because the store grants none counts in its variant', async () => {
  await publish('', '{ id: mail, content: cart/mail }, { id: code, content: cart/code, offer: { without: skip } }');
  for (const { id, contactId, variant } of await ofEach({}, ['mail', 'code'])) {
    await dispatch(id);
    expect(await rowOf(id)).toMatchObject(variant === 'mail' ? { state: 'sent', channel: 'email' } : { state: 'skipped', skipReason: 'no_offer' });
    expect(await assigned(contactId)).toEqual([variant]);
  }
});
