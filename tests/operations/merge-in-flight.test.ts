import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Checkpoint } from '../../operations/deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { ask } from '../api/left-carts.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// A person who becomes one with another, is taken apart or opts out at every point of a dispatch: never a second copy, nothing after the answered
// opt-out, and caps that count both. The cap is one email a day.

const hourMs = 3_600_000;
let shop: Shop;
let provider: StubProvider;
let holdAt: Checkpoint | null = null;
let reached: () => void = () => undefined;
let held: Promise<void> = Promise.resolve();
beforeAll(async () => {
  provider = await startStubProvider(false);
  shop = await openShop({
    timeScale: 1,
    together: 'many',
    settings: { caps: [{ channel: 'email', most: 1, withinHours: 24 }] },
    sender: createStubSender(provider.port, { kind: 'none' }),
    checkpoints: async (point) => {
      if (point !== holdAt) return;
      holdAt = null;
      reached();
      await held;
    },
  });
});
afterAll(async () => {
  await shop.close();
  await provider.stop();
});

interface Left {
  email: string;
  cart: string;
  enrollment: string;
  contact: string;
}
interface Pair {
  one: Left;
  other: Left;
  id: string;
}
let counter = 0;
async function left(name: string): Promise<Left> {
  const cart = `flight-${++counter}`;
  const email = `${name}-${counter}@example.com`;
  await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 2 * hourMs });
  const row = await shop.enrollmentOf(cart);
  await dispatch(row?.id ?? '', 'popup_1h');
  return { email, cart, enrollment: row?.id ?? '', contact: row?.contactId ?? '' };
}
async function pair(): Promise<Pair> {
  return { one: await left('one'), other: await left('other'), id: `person-${counter}` };
}
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const mailTo = (enrollment: string) => provider.accepted.filter((a) => a.key === `${enrollment}:email_2h`).length;
const stateOf = async (enrollment: string) => (await shop.ledgerOf(enrollment)).find((m) => m.stepId === 'email_2h')?.state ?? null;

/** What happens there; answered once its answer is 2xx, as whoever delivers it repeats it until then. */
async function untilAnswered(send: () => Promise<{ status: number }>): Promise<void> {
  for (;;) if ((await send()).status < 300) return;
}
const name = ({ id }: Pair, { email }: Left) => untilAnswered(() => shop.post('contact.updated', { contact: { id, email } }));
const merge = async (two: Pair) => {
  await name(two, two.one);
  await name(two, two.other);
};
const unmerge = ({ other }: Pair) => untilAnswered(() => ask(shop, shop.tenant.apiKey, `/api/contacts/${other.contact}/unmerge`, 'POST', {}));
const optOut = ({ email }: Left) => untilAnswered(() => shop.post('contact.opted_out', { contact: { email }, channel: 'email' }));

/**
 * Let something happen while the dispatch of the first person's email stands at a point. A dispatch that holds the person's lock goes on after a moment:
 * whoever needs the lock waits for it.
 */
async function whileAt(point: Checkpoint, { one }: Pair, happens: () => Promise<void>): Promise<void> {
  let release: () => void = () => undefined;
  held = new Promise((resolve) => (release = resolve));
  const there = new Promise<void>((resolve) => (reached = resolve));
  holdAt = point;
  const dispatched = dispatch(one.enrollment, 'email_2h');
  await Promise.race([there, dispatched]);
  let over = false;
  const happened = happens().then(() => (over = true));
  await until('what happens, or none of it for a while', () => over, 250).catch(() => undefined);
  release();
  await Promise.all([happened, dispatched]);
  holdAt = null;
}
async function dispatchBoth({ one, other }: Pair): Promise<void> {
  for (let again = 0; again < 2; again++) for (const { enrollment } of [one, other]) await dispatch(enrollment, 'email_2h');
}

const points = [
  'dispatch.session_open',
  'dispatch.locked',
  'dispatch.before_commit',
  'dispatch.claimed',
  'dispatch.called',
  'dispatch.settled',
] as const satisfies Checkpoint[];

describe.each(points)('at %s', (point) => {
  test('two become one: nobody gets it twice, and one email is all that the united person gets', async () => {
    const two = await pair();
    await whileAt(point, two, () => merge(two));
    await dispatchBoth(two);
    expect([mailTo(two.one.enrollment), mailTo(two.other.enrollment)]).toEqual([1, 0]);
    expect(await stateOf(two.one.enrollment)).toBe('sent');
  });

  test('a merge is undone: nobody gets it twice, and what went out before counts for both', async () => {
    const two = await pair();
    await merge(two);
    let before: number | null = null;
    await whileAt(point, two, async () => {
      await unmerge(two);
      before = mailTo(two.one.enrollment);
      expect(await stateOf(two.one.enrollment)).not.toBe('claimed');
    });
    await dispatchBoth(two);
    expect(mailTo(two.one.enrollment)).toBe(1);
    // No call runs while it is undone: the message went out before, and counts for both, or after it.
    expect(mailTo(two.other.enrollment)).toBe(before === 1 ? 0 : 1);
  });

  test.each(['of the one who is written to', 'of the other'])('a merge and an opt-out %s: nothing goes out after its answer', async (whose) => {
    const two = await pair();
    let answered: number | null = null;
    await whileAt(point, two, async () => {
      await merge(two);
      await optOut(whose === 'of the other' ? two.other : two.one);
      answered = mailTo(two.one.enrollment);
    });
    await dispatchBoth(two);
    expect(mailTo(two.one.enrollment)).toBe(answered);
    expect(mailTo(two.other.enrollment)).toBe(0);
    for (const { cart } of [two.one, two.other]) expect((await shop.enrollmentOf(cart))?.stopReason).toBe('opted_out');
  });

  test.each(['before', 'after'])('an undo and an opt-out %s it: nothing goes out after its answer to whom it stops', async (when) => {
    const two = await pair();
    await merge(two);
    let answered: number | null = null;
    await whileAt(point, two, async () => {
      if (when === 'after') await unmerge(two);
      await optOut(two.one);
      answered = mailTo(two.one.enrollment);
      if (when === 'before') await unmerge(two);
    });
    await dispatchBoth(two);
    expect(mailTo(two.one.enrollment)).toBe(answered);
    expect((await shop.enrollmentOf(two.one.cart))?.stopReason).toBe('opted_out');
    if (when === 'before') expect(mailTo(two.other.enrollment)).toBe(0);
    expect((await shop.enrollmentOf(two.other.cart))?.stopReason ?? null).toBe(when === 'before' ? 'opted_out' : null);
  });
});
