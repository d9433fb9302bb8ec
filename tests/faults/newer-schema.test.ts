import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { unsafeStatements } from '../../local/migration-rules.ts';
import { ask, leaveCart, sendFirstMail } from '../api/left-carts.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';
import { additions, migrateFurther, moreColumns } from './tomorrows-schema.ts';

// The build under test plays the older one: it is running, on connections with cached plans, when the next build's migration comes. Everything must
// work as before.

let shop: Shop;
let owner: pg.Client;
beforeAll(async () => {
  // Few connections: each has run every statement before.
  shop = await openShop({ timeScale: 1, maxConnections: 3 });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  await shop.startWorker();
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

const email = (name: string) => `${name}@example.com`;
const order = (name: string) => ({
  order: { id: `order-${name}`, currency: 'EUR', total: '129.90' },
  cart_id: name,
  contact: { email: email(name) },
});
const aCheckout = (token: string) => ({
  token,
  cart_token: `${token}-cart`,
  email: email(token),
  buyer_accepts_marketing: true,
  currency: 'EUR',
  total_price: '129.90',
  line_items: [{ title: 'Walnut desk lamp', quantity: 1, price: '129.90' }],
  created_at: new Date().toISOString(),
  updated_at: new Date().toISOString(),
});

/** Everything that a shop, its shoppers and its merchant do. @returns the answers and results, the same each time */
async function aDay(day: string): Promise<Record<string, unknown>> {
  const statuses: Record<string, unknown> = {};
  const post = async (what: string, type: string, data: Record<string, unknown>, id = `${day}-${what}`) => {
    const { status, body } = await shop.post(type, data, { id });
    statuses[what] = [status, body];
  };
  const left = async (name: string) => {
    const enrollmentId = await leaveCart(shop, `${name}-${day}`, email(`${name}-${day}`));
    return { enrollmentId, ...(await sendFirstMail(shop, enrollmentId)) };
  };
  const buyer = await left('buyer');
  await post('another visit', 'cart.updated', aCart(`buyer-${day}`, email(`buyer-${day}`), { total: '99.90' }));
  for (const [what, url] of Object.entries({ open: `/o/${buyer.open}`, click: `/c/${buyer.click}` }))
    statuses[what] = (await shop.app.inject({ url, headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' } })).statusCode;
  const listed = async () => (await ask(shop, shop.tenant.apiKey, '/recovery/sequences')).body as { id: string }[];
  statuses['listed while it runs'] = (await listed()).some((one) => JSON.stringify(one).includes(buyer.enrollmentId));
  await post('purchase', 'order.placed', order(`buyer-${day}`));
  await post('purchase again', 'order.placed', order(`buyer-${day}`), `${day}-purchase`);
  await post('cancelled', 'order.cancelled', { order: { id: `order-buyer-${day}` } });
  const replier = await left('replier');
  await post('reply', 'message.received', { contact: { email: email(`replier-${day}`) }, channel: 'email', text: 'Is it dimmable?' });
  const leaver = await left('leaver');
  statuses['unsubscribe'] = (
    await shop.app.inject({
      method: 'POST',
      url: `/u/${leaver.unsubscribe}`,
      payload: 'List-Unsubscribe=One-Click',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
  ).statusCode;
  const stopped = await left('stopped');
  statuses['stop by hand'] = (await ask(shop, shop.tenant.apiKey, `/recovery/sequences/${stopped.enrollmentId}/stop?reason=called`, 'POST')).status;
  await post('opt-out', 'contact.opted_out', { contact: { email: email(`nobody-${day}`) }, channel: 'email' });
  await post('opt-in', 'contact.opted_in', { contact: { email: email(`nobody-${day}`) }, channel: 'email' });
  await post('merge', 'contact.updated', { contact: { email: email(`buyer-${day}`), phone: '+4915112345678' } });
  await post('no such thing', 'cart.updated', { cart: { id: '' } });
  const checkout = (what: string, topic: string, body: Record<string, unknown>) =>
    shop.shopify(topic, body, { id: `${day}-${what}` }).then(({ status, body: said }) => (statuses[what] = [status, said]));
  await checkout('checkout', 'checkouts/create', aCheckout(`checkout-${day}`));
  await checkout('checkout again', 'checkouts/update', aCheckout(`checkout-${day}`));
  for (const [who, { enrollmentId }] of Object.entries({ buyer, replier, leaver, stopped })) {
    const { status, body } = await ask(shop, shop.tenant.apiKey, `/api/enrollments/${enrollmentId}/explain`);
    const { entries } = body as { entries: { kind: string }[] };
    statuses[`${who} explained`] = [status, entries.map((entry) => entry.kind).toSorted()];
    const { rows } = await owner.query('select status, stop_reason from enrollments where id = $1', [enrollmentId]);
    statuses[who] = rows;
    statuses[`${who}'s mails`] = shop.smtp.accepted.filter((m) => m.envelope.to.includes(email(`${who}-${day}`))).length;
  }
  const analytics = await ask(shop, shop.tenant.apiKey, '/recovery/analytics');
  statuses['analytics'] = [analytics.status, Object.keys(analytics.body as object)];
  await until('Temporal to be told everything', async () => (await owner.query('select from outbox')).rowCount === 0);
  return statuses;
}

/** The product's sessions at Postgres. */
async function sessions(): Promise<number[]> {
  const { rows } = await owner.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and application_name like 'test %' order by pid`,
  );
  return rows.map((row) => row.pid);
}

test('the build works as before while columns, indexes, tables, triggers and functions of the next one are added', async () => {
  const before = await aDay('monday');
  expect(before).toMatchObject({
    buyer: [{ status: 'CONVERTED', stop_reason: 'purchased' }],
    replier: [{ status: 'EXITED', stop_reason: 'replied' }],
    leaver: [{ status: 'EXITED', stop_reason: 'opted_out' }],
    checkout: [200, { status: 'applied' }],
    'purchase again': [200, { status: 'repeated' }],
    'no such thing': [422, { status: 422 }],
  });
  const connected = await sessions();

  expect(unsafeStatements(additions.join(';\n'))).toEqual([]);
  await migrateFurther(shop.database.url, additions);
  expect(await aDay('tuesday')).toEqual(before);
  expect((await owner.query('select from tomorrows_changes')).rowCount).toBeGreaterThan(10);

  expect(unsafeStatements(moreColumns.join(';\n'))).toEqual([]);
  await migrateFurther(shop.database.url, moreColumns);
  expect(await aDay('wednesday')).toEqual(before);
  // Otherwise the test would not cover cached plans. A session that was idle for long may have been replaced.
  const kept = (await sessions()).filter((pid) => connected.includes(pid));
  expect(kept.length).toBeGreaterThan(connected.length / 2);
});

test('a migration that meets a long report gives way to webhooks, and is done when the report is', async () => {
  const report = new pg.Client({ connectionString: shop.database.url });
  await report.connect();
  onTestFinished(() => report.end());
  await report.query('begin; select count(*) from contacts');
  let done = false;
  const migrated = migrateFurther(shop.database.url, ['alter table contacts add column second_note text']).then(() => (done = true));
  const waits = () =>
    owner
      .query(`select from pg_stat_activity where application_name = 'rekindle migrate' and wait_event_type = 'Lock'`)
      .then((r) => r.rowCount === 1);
  for (let round = 0; round < 2; round++) {
    await until('the migration to wait for the report', waits);
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, i) => shop.post('cart.updated', aCart(`r-${round}-${i}`, email(`r-${round}-${i}`)))),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200]);
    await until('the migration to give way', async () => !(await waits()));
  }
  expect(done).toBe(false);
  await report.query('rollback');
  await migrated;
  expect((await shop.post('cart.updated', aCart('after', email('after')))).status).toBe(200);
});
