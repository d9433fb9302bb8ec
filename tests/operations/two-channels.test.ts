import { eq } from 'drizzle-orm';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decisions, messages, suppressions } from '../../db/schema/index.ts';
import type { SmsPayload } from '../../domain/channels/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { VersionCache } from '../../operations/dispatch/versions.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { provisionTenant } from '../../operations/provision-tenant.ts';
import { unsubscribe } from '../../operations/stop-one.ts';
import { sweepLeases } from '../../operations/sweep-leases.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';
import { publishNudge } from '../helpers/two-channels.ts';

// One step, two channels, each with a far end of its own: docs/adr/0017-two-channels-in-one-step.md

const hourMs = 3_600_000;
const short = { deadlineMs: 1_500, leaseMs: 1_700, deadLeaseMs: 2_000 };
let shop: Shop;
let texts: StubProvider;
let emails: StubProvider;
/** Which of its questions a far end was asked through: one provider account serves both channels. */
const account = 'one account for both';

beforeAll(async () => {
  [texts, emails] = await Promise.all([startStubProvider(true), startStubProvider(true)]);
  shop = await openShop({
    timeScale: 1,
    sender: createStubSender(emails.port, { kind: 'keys', times: short, account }),
    moreSenders: [createStubSender(texts.port, { kind: 'keys', times: short, account, channel: 'sms' })],
    settings: { smsSender: '+12025550100', smsLinkUrl: 'https://go.shop.example' },
  });
});
afterAll(async () => {
  await shop.close();
  await Promise.all([texts.stop(), emails.stop()]);
});
beforeEach(() => publishNudge(shop));
afterEach(() => {
  for (const provider of [texts, emails]) {
    provider.always({ act: 'accept' });
    provider.accepted.length = 0;
    provider.calls = 0;
  }
});

type Settings = Parameters<typeof provisionTenant>[1]['settings'];
const changeSettings = (settings: Settings) =>
  provisionTenant(shop.deps, { slug: shop.tenant.slug, name: 'Test Store', timeScale: 1, synthetic: true, settings });
const setQuietHours = (quietHours: NonNullable<Settings['quietHours']> | null) => changeSettings({ quietHours });
const setOptOutAll = (optOutAllChannels: boolean) => changeSettings({ optOutAllChannels });

let counter = 0;
/** Somebody with an address and a number who has agreed to texts, and left a cart two hours ago. */
async function leftCart({ consent = true, email = true, phone = true, due = true, number = '' } = {}) {
  counter += 1;
  const ownNumber = number === '' ? `+1202555${String(1_000 + counter)}` : number;
  const person = {
    cart: `cart-${counter}`,
    contact: {
      ...(email ? { email: `person-${counter}@example.com` } : {}),
      ...(phone ? { phone: ownNumber } : {}),
    },
  };
  if (consent) await shop.post('contact.opted_in', { contact: person.contact, channel: 'sms' }, { at: Date.now() - 60_000 });
  await shop.post('cart.updated', { ...aCart(person.cart, null), contact: person.contact });
  const { id } = await until('the enrollment', () => shop.enrollmentOf(person.cart));
  if (due) await letTimePass(shop, 2 * hourMs + 1_000);
  return { ...person, id, phone: person.contact.phone ?? '', email: person.contact.email ?? '' };
}

const dispatch = (enrollmentId: string, stepId = 'nudge') => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const rowOf = async (enrollmentId: string, stepId = 'nudge') => (await shop.ledgerOf(enrollmentId)).find((m) => m.stepId === stepId);
const hashOf = (kind: string, value: string) => shop.deps.sealing.addressHash(shop.tenant.tenantId, kind, value);
const closedAddresses = (hash: string) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(suppressions).where(eq(suppressions.addressHash, hash)));
const closeAddress = (kind: string, value: string, channel: string) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.insert(suppressions).values({ tenantId: shop.tenant.tenantId, id: uuidv7(), addressHash: hashOf(kind, value), channel, reason: 'refused' }),
  );
const openAddress = (kind: string, value: string) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .update(suppressions)
      .set({ liftedAt: Date.now() })
      .where(eq(suppressions.addressHash, hashOf(kind, value))),
  );
const lastDecision = async (enrollmentId: string) => {
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select().from(decisions).where(eq(decisions.enrollmentId, enrollmentId)).orderBy(decisions.at, decisions.id),
  );
  return rows.at(-1);
};

test('a step goes out on the first channel of its list that is possible, as that channel’s message', async () => {
  const { id, phone } = await leftCart();
  expect(await dispatch(id)).toMatchObject({ kind: 'done', progress: { settled: { nudge: { outcome: 'sent' } } } });
  expect([texts.accepted.length, emails.accepted.length]).toEqual([1, 0]);
  const row = await rowOf(id);
  expect(row).toMatchObject({ state: 'sent', channel: 'sms', account });
  const payload = row?.payload as SmsPayload;
  expect(payload).toMatchObject({ channel: 'sms', to: phone, from: '+12025550100', segments: expect.any(Number) });
  expect(payload).toMatchObject({ shortUrl: expect.stringMatching(/^https:\/\/go\.shop\.example\/s\/[0-9A-Za-z]{22}$/) });
  expect(payload.text).toContain(payload.shortUrl);
  expect(payload.text).toContain('Reply STOP to opt out');
  expect(JSON.parse(texts.accepted[0]?.body ?? '')).toMatchObject({ text: payload.text });
});

describe('rule 7: another channel is taken where one is impossible', () => {
  test.each([
    ['unknown consent is not enough for texts', { consent: false }, 'no_consent'],
    ['the person has no number', { phone: false, consent: false }, 'no_address'],
  ])('%s', async (_what, given, reason) => {
    const { id } = await leftCart(given);
    await dispatch(id);
    expect([texts.accepted.length, emails.accepted.length]).toEqual([0, 1]);
    const checks = (await lastDecision(id))?.checks.find((c) => c.gate === 'channel');
    expect(checks?.input).toMatchObject({ sms: reason, email: 'chosen' });
  });

  test('and never because of the time: in quiet hours a text waits, and no email goes out in its place', async () => {
    // One clock: a number in Berlin.
    const { id } = await leftCart({ number: `+4930${String(2_345_000 + counter)}` });
    const [hour = 0, minutes = 0] = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' })
      .format()
      .split(':')
      .map(Number);
    const minute = hour * 60 + minutes;
    // Quiet from an hour ago until an hour from now, on the person's own clock.
    const quietHours = { fromMinute: (minute + 1_380) % 1_440, toMinute: (minute + 60) % 1_440 };
    await setQuietHours(quietHours);
    try {
      const result = await dispatch(id);
      expect(result).toMatchObject({ kind: 'done', note: 'deferred: quiet_hours' });
      expect([texts.calls, emails.calls]).toEqual([0, 0]);
    } finally {
      await setQuietHours(null);
    }
  });

  test('a version that was published before a channel had texts goes on without that channel', async () => {
    const { id } = await leftCart();
    // Published versions are immutable to the product: only their owner can take something away.
    const owner = new pg.Client({ connectionString: shop.database.url });
    await owner.connect();
    await owner.query(
      `update sequence_versions set content = content - 'cart/nudge.sms' where id = (select version_id from enrollments where id = $1)`,
      [id],
    );
    await owner.end();
    await dispatchStep(
      { ...shop.deps, versions: new VersionCache() },
      {
        tenantId: shop.tenant.tenantId,
        enrollmentId: id,
        stepId: 'nudge',
      },
    );
    expect([texts.calls, emails.accepted.length]).toEqual([0, 1]);
    await publishNudge(shop, { maxRetries: 4 });
  });
});

describe('a refusal for good', () => {
  test('closes the number under its own kind, and the next channel goes out in the same run', async () => {
    const { id, phone } = await leftCart();
    texts.always({ act: 'answer', status: 422 });
    expect(await dispatch(id)).toMatchObject({ kind: 'done', progress: { settled: { nudge: { outcome: 'sent' } } } });
    expect([texts.calls, emails.accepted.length]).toEqual([1, 1]);
    expect(await rowOf(id)).toMatchObject({ state: 'sent', channel: 'email', refusals: 0 });
    expect(await closedAddresses(hashOf('phone', phone))).toMatchObject([{ channel: 'sms', reason: 'refused' }]);
    expect(await closedAddresses(hashOf('email', phone))).toEqual([]);
  });

  test('of a number holds for the person’s next text', async () => {
    const { id, cart } = await leftCart();
    await publishNudge(shop, { channels: 'sms', more: '' });
    texts.always({ act: 'answer', status: 422 });
    await dispatch(id);
    texts.always({ act: 'accept' });
    texts.calls = 0;
    await shop.post('cart.updated', { ...aCart(`${cart}-again`, null), contact: { phone: `+1202555${String(1_000 + counter)}` } });
    const again = await until('the enrollment', () => shop.enrollmentOf(`${cart}-again`));
    await letTimePass(shop, 5 * hourMs);
    await dispatch(again.id);
    expect(texts.calls).toBe(0);
    expect(await rowOf(again.id)).toMatchObject({ state: 'skipped', skipReason: 'suppressed' });
  });

  test('does not use up the retries of the next channel', async () => {
    await publishNudge(shop, { maxRetries: 0 });
    const { id } = await leftCart();
    texts.always({ act: 'answer', status: 422 });
    await dispatch(id);
    expect(emails.accepted).toHaveLength(1);
  });

  test('tries the person’s other address on the channel, also where nothing is to be repeated', async () => {
    await publishNudge(shop, { channels: 'email', maxRetries: 0 });
    const { id, contact, email, cart } = await leftCart({ phone: false, consent: false });
    const customer = { ...contact, id: `customer-of-${cart}` };
    await shop.post('contact.updated', { contact: customer });
    await shop.post('contact.updated', { contact: { ...customer, email: `other-${email}` } });
    emails.next({ act: 'answer', status: 422 });
    await dispatch(id);
    expect(emails.calls).toBe(2);
    expect((await rowOf(id))?.payload).toMatchObject({ to: { address: `other-${email}` } });
  });

  test('on every channel skips the step at once', async () => {
    const { id } = await leftCart();
    texts.always({ act: 'answer', status: 422 });
    emails.always({ act: 'answer', status: 422 });
    await dispatch(id);
    expect([texts.calls, emails.calls]).toEqual([1, 1]);
    expect(await rowOf(id)).toMatchObject({ state: 'skipped', skipReason: 'suppressed' });
  });

  test('of the repeat of a call in doubt changes no channel: the first call may have been accepted', async () => {
    const { id } = await leftCart();
    texts.next({ act: 'reset', take: true }, { act: 'answer', status: 422 });
    await dispatch(id);
    await letTimePass(shop, 11_000);
    await dispatch(id);
    expect([texts.calls, emails.calls]).toEqual([2, 0]);
    expect(await rowOf(id)).toMatchObject({ state: 'unknown', channel: 'sms' });
  });
});

test('soft refusals are counted for each channel by itself', async () => {
  await publishNudge(shop, { maxRetries: 1 });
  const { id, phone } = await leftCart();
  texts.always({ act: 'answer', status: 429 });
  await dispatch(id);
  expect(await rowOf(id)).toMatchObject({ state: 'failed', channel: 'sms', refusals: 1 });
  // The number is closed meanwhile: the email has all of its attempts left.
  await closeAddress('phone', phone, 'sms');
  emails.next({ act: 'answer', status: 429 }, { act: 'answer', status: 429 });
  for (const waitMs of [400_000, 900_000, 1_500_000]) {
    await letTimePass(shop, waitMs);
    await dispatch(id);
  }
  expect(emails.calls).toBe(2);
  expect(await rowOf(id)).toMatchObject({ state: 'skipped', skipReason: 'refused' });
});

describe('a message that keeps being refused', () => {
  test('goes on with the next channel where its step says so, and never back', async () => {
    await publishNudge(shop, { maxRetries: 1, onFailure: 'next-channel' });
    const { id } = await leftCart();
    texts.always({ act: 'answer', status: 429 });
    emails.next({ act: 'answer', status: 429 });
    for (const waitMs of [0, 400_000, 900_000, 1_500_000]) {
      if (waitMs > 0) await letTimePass(shop, waitMs);
      await dispatch(id);
    }
    expect([texts.calls, emails.calls]).toEqual([2, 2]);
    expect(await rowOf(id)).toMatchObject({ state: 'sent', channel: 'email' });
  });

  test('is left out once its last channel refused it too', async () => {
    await publishNudge(shop, { maxRetries: 0, onFailure: 'next-channel' });
    const { id } = await leftCart();
    for (const far of [texts, emails]) far.always({ act: 'answer', status: 429 });
    for (const waitMs of [0, 400_000]) {
      if (waitMs > 0) await letTimePass(shop, waitMs);
      await dispatch(id);
    }
    expect([texts.calls, emails.calls]).toEqual([1, 1]);
    expect(await rowOf(id)).toMatchObject({ state: 'skipped', skipReason: 'refused' });
  });

  test.each([429, 422])('ends its sequence where its step says so (%i)', async (status) => {
    await publishNudge(shop, { channels: 'email', maxRetries: 0, onFailure: 'end', more: '  - { id: mark, at: 5h, channel: none }' });
    const { id } = await leftCart();
    emails.always({ act: 'answer', status });
    expect(await dispatch(id)).toMatchObject({ kind: 'done', ended: 'undeliverable' });
    const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, id);
    expect(explained?.enrollment.row).toMatchObject({ status: 'EXITED', stopReason: 'undeliverable' });
    expect(explained?.enrollment.summary).toContain('a step that ends the sequence when it fails was refused by the provider');
  });
});

describe('a call in doubt', () => {
  test('is repeated by its key on its own channel, though another channel is preferred by now', async () => {
    await publishNudge(shop, { channels: '[email, sms]' });
    const { id, email } = await leftCart();
    await closeAddress('email', email, 'email');
    texts.next({ act: 'reset' });
    await dispatch(id);
    expect(await rowOf(id)).toMatchObject({ state: 'unknown', channel: 'sms' });
    await openAddress('email', email);
    await letTimePass(shop, 11_000);
    await dispatch(id);
    expect([texts.accepted.length, emails.calls]).toEqual([1, 0]);
    // Judged as what it is: the gates were asked about a text.
    expect(await lastDecision(id)).toMatchObject({ verdict: 'send', reason: 'sms' });
  });

  test('stays unknown when its channel is closed: the other one sends nothing in its place', async () => {
    const { id, phone } = await leftCart();
    texts.next({ act: 'reset', take: true });
    await dispatch(id);
    await closeAddress('phone', phone, 'sms');
    await letTimePass(shop, 11_000);
    expect(await dispatch(id)).toMatchObject({ kind: 'done', progress: { settled: { nudge: { outcome: 'unknown' } } } });
    expect([texts.accepted.length, emails.calls]).toEqual([1, 0]);
  });
});

describe('rule 13: STOP', () => {
  test('of a number closes texts, and the email goes out where only the channel is closed', async () => {
    await setOptOutAll(false);
    try {
      const { id, phone } = await leftCart();
      await shop.post('message.received', { contact: { phone }, channel: 'sms', text: ' Stop. ' }, { at: Date.now() + 1_000 });
      await dispatch(id);
      expect(texts.calls).toBe(0);
      expect(await closedAddresses(hashOf('phone', phone))).toMatchObject([{ channel: 'sms' }, { channel: 'whatsapp' }, { channel: 'call' }]);
    } finally {
      await setOptOutAll(true);
    }
  });

  test('ends the sequence where an opt-out closes every channel, and START opens texts again', async () => {
    const { id, cart, contact, phone } = await leftCart();
    await shop.post('message.received', { contact: { phone }, channel: 'sms', text: 'STOP' }, { at: Date.now() + 1_000 });
    expect(await shop.enrollmentOf(cart)).toMatchObject({ status: 'EXITED' });
    await dispatch(id);
    expect([texts.calls, emails.calls]).toEqual([0, 0]);
    await shop.post('message.received', { contact: { phone }, channel: 'sms', text: 'start' }, { at: Date.now() + 2_000 });
    await shop.post('cart.updated', { ...aCart(`${cart}-2`, null), contact }, { at: Date.now() + 3_000 });
    const again = await until('the enrollment', () => shop.enrollmentOf(`${cart}-2`));
    await letTimePass(shop, 5 * hourMs);
    await dispatch(again.id);
    expect([texts.accepted.length, emails.calls]).toEqual([1, 0]);
  });

  test('waits for a text that is being sent', async () => {
    const { id, phone } = await leftCart();
    texts.next({ act: 'hang', take: true });
    const dispatched = dispatch(id);
    await until('the call to begin', () => texts.open > 0);
    const event = { contact: { phone }, channel: 'sms', text: 'STOP' };
    const options = { id: 'stop-while-sending', at: Date.now() + 1_000 };
    // On a busy machine it may be put off with 503, and is sent again.
    await until('the stop to be accepted', async () => (await shop.post('message.received', event, options)).status === 200);
    // It is settled; or, on a busy machine, not stored yet, and its lease is over: then no call is under way.
    const row = await rowOf(id);
    expect(row?.live === false || Date.now() - (row?.claimedAt ?? 0) >= short.leaseMs, JSON.stringify(row)).toBe(true);
    await dispatched;
  });

  test('a link to unsubscribe from a text closes the number for texts', async () => {
    await setOptOutAll(false);
    try {
      const { id, phone } = await leftCart();
      await dispatch(id);
      const row = await rowOf(id);
      expect(await unsubscribe(shop.deps, { tenantId: shop.tenant.tenantId, messageId: row?.id ?? '' })).toBe('stopped');
      expect((await closedAddresses(hashOf('phone', phone))).map((s) => s.channel).sort()).toEqual(['call', 'sms', 'whatsapp']);
    } finally {
      await setOptOutAll(true);
    }
  });
});

test('the sweep asks the account of the channel that was called, where both channels have one of that name', async () => {
  const { id } = await leftCart();
  texts.next({ act: 'hang', take: true });
  await dispatch(id);
  // As if both providers could be asked: only the one that has the text may say anything about it.
  const asking = (port: number, channel: 'sms' | 'email') =>
    createStubSender(port, { kind: 'find', settleAfterMs: 1_000, times: short, account, channel });
  const deps = { ...shop.deps, defaultSenders: [asking(emails.port, 'email'), asking(texts.port, 'sms')] };
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .update(messages)
      .set({ findFrom: Date.now() - 1_000 })
      .where(eq(messages.enrollmentId, id)),
  );
  await sweepLeases(deps);
  expect(await rowOf(id)).toMatchObject({ state: 'sent', channel: 'sms' });
});
