import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contactIdentities, conversions, enrollments, quarantine, subjects } from '../../db/schema/index.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';
import { type ShopCase, shopCase } from '../helpers/shop-cases.ts';

// What real shops sent, from the webhook to the email: every case with what is right about it.

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
  await shop.startWorker();
});
afterAll(() => shop.close());

async function post({ integration, topic, headers, body }: ShopCase['events'][number]): Promise<void> {
  if (integration === 'shopify') {
    const { status } = await shop.shopify(topic ?? '', body as Record<string, unknown>, headers === undefined ? {} : { headers });
    expect(status).toBe(200);
    return;
  }
  const { type, timestamp, data } = body as { type: string; timestamp: string; data: Record<string, unknown> };
  expect((await shop.deliver(type, data, { at: Date.parse(timestamp) })).status).toBe(200);
}
async function postAll(name: string): Promise<void> {
  for (const event of shopCase(name, Date.now()).events) await post(event);
}

/** What runs, or ran, about a person's carts: by the address that they are known by. */
const runsOf = (email: string) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select({
        id: enrollments.id,
        status: enrollments.status,
        reason: enrollments.stopReason,
        items: subjects.items,
        totalMinor: subjects.totalMinor,
      })
      .from(enrollments)
      .innerJoin(subjects, eq(subjects.id, enrollments.subjectId))
      .innerJoin(contactIdentities, eq(contactIdentities.contactId, enrollments.contactId))
      .where(eq(contactIdentities.value, email))
      .orderBy(enrollments.id),
  );
const emailsTo = (address: string) => shop.smtp.accepted.filter((m) => m.envelope.to.some((to) => to.replaceAll('"', '') === address));
const emailArrives = (address: string) => until(`an email to ${address}`, () => emailsTo(address)[0]);
const ends = (email: string, at: number) =>
  until(`the end of what runs for ${email}`, async () => {
    const run = (await runsOf(email)).at(at);
    return run !== undefined && run.reason !== null && run;
  });
const orderOf = async (email: string) => {
  const [run] = await runsOf(email);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select()
      .from(conversions)
      .innerJoin(enrollments, eq(enrollments.subjectId, conversions.subjectId))
      .where(eq(enrollments.id, run?.id ?? '')),
  );
  return rows[0]?.conversions;
};

test.each([
  ['01-unticked-box', 'tessa.frey@shopper.example'],
  ['02-subscriber-unticked-later', 'nora.lind@shopper.example'],
  ['14-half-a-metre', 'greta.stoll@shopper.example'],
  ['18-docomo-address', 'aki..tani.@docomo.example'],
  ['12-eight-decimals', 'jana.novak@shopper.example'],
])('%s: the email goes out', async (name, address) => {
  await postAll(name);
  await emailArrives(address);
});

test('04-address-of-this-checkout: the emails about the third checkout go to the address that it was left with', async () => {
  await postAll('04-address-of-this-checkout');
  await emailArrives('r.marten@office.example');
  expect(emailsTo('ruth.marten@home.example')).toEqual([]);
});

test('05-guests-share-a-number: each guest gets the emails about their own cart', async () => {
  await postAll('05-guests-share-a-number');
  for (const address of ['petra.alt@family.example', 'jonas.alt@family.example']) {
    await emailArrives(address);
    expect(await runsOf(address)).toHaveLength(1);
  }
});

test('06-guest-id-zero: three guests are three persons, and the order of the third ends nobody else’s sequence', async () => {
  await postAll('06-guest-id-zero');
  for (const guest of ['guest.one@visitor.example', 'guest.two@visitor.example']) {
    expect(await runsOf(guest)).toMatchObject([{ reason: null }]);
    await emailArrives(guest);
  }
});

test('08-cart-id-used-again: the second cart under the same id is recovered anew', async () => {
  await postAll('08-cart-id-used-again');
  const running = await until('the second run', async () => (await runsOf('sven.holm@shopper.example'))[1]);
  expect(running.items.map((i) => i.title)).toEqual(['Oak stool']);
  await emailArrives('sven.holm@shopper.example');
});

test('09-two-devices: one series of emails, about the newer checkout', async () => {
  await postAll('09-two-devices');
  const open = (await runsOf('mira.voss@shopper.example')).filter((run) => run.reason === null);
  expect(open).toHaveLength(1);
  await emailArrives('mira.voss@shopper.example');
  const [run] = open;
  await until('the email of this very run', async () => (await shop.ledgerOf(run?.id ?? '')).some((m) => m.state === 'sent'));
});

test('10-order-with-empty-number: the order stops the sequence, and is recorded', async () => {
  const [cart, order] = shopCase('10-order-with-empty-number', Date.now()).events;
  if (cart === undefined || order === undefined) throw new Error('the case has two events');
  await post(cart);
  await emailArrives('karl.brandt@shopper.example');
  await post({ ...order, body: { ...(order.body as object), timestamp: new Date().toISOString() } });
  const before = emailsTo('karl.brandt@shopper.example').length;
  expect(await ends('karl.brandt@shopper.example', 0)).toMatchObject({ status: 'CONVERTED', reason: 'purchased' });
  expect(await orderOf('karl.brandt@shopper.example')).toMatchObject({ orderId: 'o-cd35203e', valueMinor: 4_990 });
  expect(emailsTo('karl.brandt@shopper.example')).toHaveLength(before);
});

test('10c-opt-out-with-empty-number: the opt-out counts at once', async () => {
  await postAll('10c-opt-out-with-empty-number');
  expect(await ends('schluss.jetzt@shopper.example', 0)).toMatchObject({ reason: 'opted_out' });
});

test('12-eight-decimals: the money is rounded to the currency’s digits', async () => {
  await postAll('12-eight-decimals');
  expect((await runsOf('jana.novak@shopper.example'))[0]).toMatchObject({ totalMinor: 476_612 });
  expect(await orderOf('pavel.novak@shopper.example')).toMatchObject({ valueMinor: 476_612, currency: 'CZK' });
});

test.each([
  ['20-test-order', 'dev.tester@shopper.example'],
  ['22-order-born-cancelled', 'void.case@shopper.example'],
])('%s: the order stops the sequence', async (name, email) => {
  await postAll(name);
  expect((await ends(email, 0)).reason).not.toBe('purchased');
});

test('24-point-of-sale: nothing starts', async () => {
  await postAll('24-point-of-sale');
  expect(await runsOf('till.kunde@shopper.example')).toEqual([]);
});

test('30-same-second: the older event, which arrived last, does not win', async () => {
  await postAll('30-same-second');
  const [run] = await runsOf('sekunde.gleich@shopper.example');
  expect(run).toMatchObject({ totalMinor: 12_800 });
  expect(run?.items).toHaveLength(2);
});

test('33-order-with-few-fields: the order stops the sequence, and its value is unknown', async () => {
  await postAll('33-order-with-few-fields');
  await ends('wenig.felder@shopper.example', 0);
  expect(await orderOf('wenig.felder@shopper.example')).toMatchObject({ valueMinor: null });
});

test('nothing of it was set aside', async () => {
  expect(await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(quarantine))).toEqual([]);
});
