import { afterAll, beforeAll, expect, test } from 'vitest';
import { aCart, until } from '../helpers/shop.ts';
import { type OwnPostgres, ownPostgres } from '../chaos/own-postgres.ts';
import { openRealShop, type RealShop } from './real-shop.ts';

// API and worker run on while their Postgres crashes under load, twice, comes back, and then stands still for a while. Everything is checked at the
// end.

/** Shops give up after five seconds (docs/fence.md#times-in-order); the rest is for a machine that runs other tests meanwhile. Milliseconds. */
const answerLimitMs = 7_000;

let postgres: OwnPostgres;
let shop: RealShop;
let shoppers: { end(): Promise<void> };
/** Carts that nobody buys, delivered. */
const open: string[] = [];
/** Bought carts, with the wall clock of the answer to the purchase. */
const bought = new Map<string, number>();

beforeAll(async () => {
  postgres = await ownPostgres({ durable: true });
  shop = await openRealShop(postgres);
  shoppers = fourShoppers();
  await until('mails to go out', () => open.some((cart) => firstMailsTo(cart) > 0));
}, 180_000);
afterAll(async () => {
  await shoppers.end();
  await shop.close();
  await postgres.remove();
});

const emailOf = (cart: string) => `${cart}@example.com`;
const mailsTo = (cart: string) => shop.smtp.accepted.filter((m) => m.envelope.to.includes(emailOf(cart)));
const firstMailsTo = (cart: string) => mailsTo(cart).filter((m) => m.raw.includes('.email_2h@')).length;
const unanswered = (since: number) => shop.tries.slice(since).filter((t) => t.status === 503).length;

/** Four at a time, one after the other; every other one buys at once. */
function fourShoppers(): { end(): Promise<void> } {
  let ended = false;
  let count = 0;
  const visit = async (cart: string, buys: boolean) => {
    await shop.deliver('cart.updated', aCart(cart, emailOf(cart)));
    if (!buys) {
      await shop.deliver('cart.updated', aCart(cart, emailOf(cart), { total: '99.90' }));
      open.push(cart);
      return;
    }
    const order = { order: { id: `order-${cart}`, currency: 'EUR', total: '129.90' }, cart_id: cart, contact: { email: emailOf(cart) } };
    bought.set(cart, (await shop.deliver('order.placed', order)).atMs);
  };
  const visits = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (!ended) {
        count += 1;
        await visit(`cart-${count}`, count % 2 === 0);
        await new Promise((next) => setTimeout(next, 400));
      }
    }),
  );
  return {
    async end() {
      ended = true;
      await visits;
    },
  };
}

/** Its answers are kept for a second. */
const readyIs = (status: number) => until(`/readyz to answer ${status}`, async () => (await shop.get('/readyz')).status === status, 9_000);

/** Webhooks are accepted again without intervention. */
async function expectAcceptedAgain(): Promise<void> {
  const since = shop.tries.length;
  await until('webhooks to be accepted again', () => shop.tries.slice(since).filter((t) => t.status === 200).length >= 8, 30_000);
  await readyIs(200);
  expect(shop.alive()).toBe(true);
}

test.each(['immediate', 'killed'] as const)(
  'while Postgres is away after a crash (%s), webhooks are answered 503; then all goes on by itself',
  async (how) => {
    const since = shop.tries.length;
    await postgres.crash(how);
    await until('the API to notice', () => unanswered(since) > 0, 10_000);
    await readyIs(503);
    await postgres.start();
    await expectAcceptedAgain();
  },
);

test('while Postgres stands still for ten seconds, webhooks are answered 503 in time; then all goes on by itself', async () => {
  const since = shop.tries.length;
  const frozenMs = Date.now();
  postgres.freeze();
  try {
    await until('an answer', () => unanswered(since) > 0, 9_000);
    await readyIs(503);
    expect((await shop.get('/healthz')).body).toMatchObject({ status: 'down', parts: { postgres: { status: 'down' } } });
    await until('ten seconds to have passed', () => Date.now() - frozenMs > 10_000);
  } finally {
    postgres.thaw();
  }
  await expectAcceptedAgain();
});

test('in the end everything that was acknowledged is stored and applied, and nothing was sent twice, nor after a purchase', async () => {
  await shoppers.end();
  expect(shop.tries.filter((t) => t.status !== 200 && t.status !== 503)).toEqual([]);
  expect(shop.tries.filter((t) => t.tookMs > answerLimitMs)).toEqual([]);

  const acknowledged = [...new Set(shop.tries.flatMap((t) => (t.status === 200 ? [t.id] : [])))].toSorted();
  expect(acknowledged).toHaveLength(2 * (open.length + bought.size));
  const inbox = () => shop.query<{ dedupe_key: string; state: string }>('select dedupe_key, state from inbox order by dedupe_key');
  await until('everything to be applied', async () => (await inbox()).every((row) => row.state === 'applied'), 30_000);
  expect((await inbox()).map((row) => row.dedupe_key)).toEqual(acknowledged);

  await until('the first mail of everybody who has not bought', () => open.every((cart) => firstMailsTo(cart) > 0), 60_000);
  const twice = [...open, ...bought.keys()].filter((cart) => {
    const messages = mailsTo(cart).map((mail) => /\.(email_\d+h)@/.exec(mail.raw.toString())?.[1]);
    return new Set(messages).size < messages.length;
  });
  expect(twice).toEqual([]);
  expect([...bought].filter(([cart, atMs]) => mailsTo(cart).some((mail) => mail.atMs > atMs))).toEqual([]);
  const running = await shop.query(
    'select k.value from subject_keys k join enrollments e on e.subject_id = k.subject_id where k.value = any($1) and e.ended_at is null',
    [[...bought.keys()]],
  );
  expect(running).toEqual([]);
}, 180_000);
