import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clockGraceMs } from '../../domain/gates/gate.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';

// What people do to running sequences, in any order and beside everything that stops them, while steps fall due every second.

// An hour in a tenth of a second: emails are due after 0.2, 2.4, 4.8 and 7.2 s, and keep 0.3 s apart.
const timeScale = 36_000;
const hourMs = 100;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale });
  await shop.startWorker();
});
afterAll(() => shop.close());

type Doing =
  | { does: 'pause' | 'resume' | 'skip' | 'send-now' | 'stop' | 'order' | 'opt-out'; afterMs: number }
  | { does: 'snooze'; hours: number; afterMs: number };

const doing: fc.Arbitrary<Doing> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ does: fc.constantFrom('pause' as const, 'resume' as const, 'skip' as const, 'send-now' as const), afterMs: fc.nat(900) }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('snooze' as const), hours: fc.integer({ min: 1, max: 25 }), afterMs: fc.nat(900) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('stop' as const, 'order' as const, 'opt-out' as const), afterMs: fc.nat(900) }) },
);

/** A dispatch that is punctual by the clock of its server is never sent back to wait for less; the rest is rounding. */
const early = clockGraceMs + 5;

/** What an observer outside knows about one cart. Wall clock. */
interface Seen {
  cart: string;
  /** A stop was answered then. */
  stoppedMs: number | null;
  /** Between these, nothing may go out: from an answer until what ends it was asked for. */
  closed: { fromMs: number; toMs: number; why: string }[];
}

async function post(id: string, verb: string, body?: Record<string, unknown>) {
  const url = `/api/enrollments/${id}/${verb}`;
  const headers = { authorization: `Bearer ${shop.tenant.apiKey}` };
  const response = await shop.app.inject({ method: 'POST', url, headers, ...(body === undefined ? {} : { payload: body }) });
  return { status: response.statusCode, body: response.json<{ outcome?: string; code?: string; until?: string }>() };
}

async function live(cart: string, doings: readonly Doing[]): Promise<Seen> {
  await shop.deliver('cart.updated', aCart(cart, `${cart}@example.com`));
  const id = (await until('an enrollment', () => shop.enrollmentOf(cart))).id;
  const seen: Seen = { cart, stoppedMs: null, closed: [] };
  const snoozes: Seen['closed'] = [];
  const pauses: Seen['closed'] = [];
  for (const one of doings) {
    await new Promise((done) => setTimeout(done, one.afterMs));
    const askedMs = Date.now();
    // From the request on it may be over; that it is not, its answer says too late.
    if (one.does === 'send-now') for (const snooze of snoozes) snooze.toMs = Math.min(snooze.toMs, askedMs);
    if (one.does === 'resume') for (const pause of pauses) pause.toMs = Math.min(pause.toMs, askedMs);
    if (one.does === 'order' || one.does === 'opt-out') {
      const contact = { email: `${cart}@example.com` };
      const { status } =
        one.does === 'order'
          ? await shop.deliver('order.placed', { order: { id: `${cart}-order`, currency: 'EUR', total: '1.00', cart_id: cart }, contact })
          : await shop.deliver('contact.opted_out', { contact });
      expect([200, 503]).toContain(status);
      if (status === 200) seen.stoppedMs ??= Date.now();
      continue;
    }
    const { status, body } = await post(id, one.does, one.does === 'snooze' ? { hours: one.hours } : undefined);
    expect([200, 409, 503], `${one.does}: ${JSON.stringify(body)}`).toContain(status);
    if (status !== 200) continue;
    const fromMs = Date.now();
    if (one.does === 'stop') seen.stoppedMs ??= fromMs;
    if (one.does === 'snooze') snoozes.push({ fromMs, toMs: Date.parse(body.until ?? ''), why: `snoozed for ${one.hours} h` });
    if (one.does === 'pause') pauses.push({ fromMs, toMs: Number.POSITIVE_INFINITY, why: 'paused' });
  }
  seen.closed.push(...snoozes, ...pauses);
  await post(id, 'stop');
  seen.stoppedMs ??= Date.now();
  return seen;
}

test('whatever is done in whatever order: nothing goes out twice, nothing after a stop, nothing while paused or before a snooze is over', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(doing, { minLength: 3, maxLength: 9 }), { minLength: 10, maxLength: 10 }), async (carts) => {
      run += 1;
      const all = await Promise.all(carts.map((doings, n) => live(`run-${run}-${n}`, doings)));
      // Longer than a call may take.
      await new Promise((done) => setTimeout(done, 5 * hourMs));
      for (const { cart, stoppedMs, closed } of all) {
        const mails = shop.smtp.accepted.filter((m) => m.envelope.to.includes(`${cart}@example.com`));
        const ledger = await shop.ledgerOf((await shop.enrollmentOf(cart))?.id ?? '');
        const out = ledger.filter((m) => ['sent', 'unknown'].includes(m.state) && m.channel === 'email');
        const story = JSON.stringify(
          ledger.map(({ stepId, state, claimedAt, settledAt, skipReason }) => ({ stepId, state, claimedAt, settledAt, skipReason })),
        );
        expect(mails.length, `${cart}: one email for each step that went out`).toBe(out.length);
        for (const { atMs } of mails) {
          expect(atMs, `${cart}: after a stop`).toBeLessThanOrEqual(stoppedMs ?? Number.POSITIVE_INFINITY);
          for (const { fromMs, toMs, why } of closed)
            expect(atMs > fromMs && atMs < toMs - early, `${cart}: an email at ${atMs} while ${why} from ${fromMs} to ${toMs}: ${story}`).toBe(false);
        }
        expect(
          ledger.filter((m) => m.live),
          `${cart}: nothing is open`,
        ).toEqual([]);
      }
    }),
    { numRuns: Number(process.env['ACTION_RUNS'] ?? 2), endOnFailure: true },
  );
  // It did something: most carts got an email.
  expect(shop.smtp.accepted.length).toBeGreaterThan(5);
});
