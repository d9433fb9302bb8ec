import { asc, eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decisions, enrollments, messages, sequences } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// Caps under the person's lock, on real Postgres: docs/rules.md#rule-19

const hourMs = 3_600_000;
const copy = '---\nsubject: Your cart\npreheader: It waits\nheading: Your cart\ncta: Back to it\n---\nHello.\n\n[cart]\n';
const count = 20;
let shop: Shop;
let carts = 0;

beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { caps: [{ channel: null, most: 2, withinHours: 24 }] } });
});
afterAll(() => shop.close());

/** Twenty sequences that a cart begins, four of each priority, with one email each that is due two hours after the cart was left. */
async function publishTwenty(step: string): Promise<void> {
  for (let n = 0; n < count; n++) {
    const yaml = `
sequence: ${slugOf(n)}
name: Number ${n}
on: cart.abandoned
quietFor: 1h
maxAge: 30d
priority: ${priorityOf(n)}
steps:
  - { id: email, at: 2h, channel: email, content: cart/one${step} }
`;
    await publishPreset(
      shop.deps,
      shop.tenant.tenantId,
      await compilePreset({ file: 'one.yaml', yaml, copy: { 'cart/one': { file: 'one.liquid', text: copy } } }),
    );
  }
}
const slugOf = (n: number) => `s-${String(n).padStart(2, '0')}`;
const priorityOf = (n: number) => (n % 5) + 1;

/** One person who left a cart two hours ago. @returns their enrollments in these sequences, with the priorities */
async function dueInTwenty(): Promise<{ id: string; priority: number }[]> {
  const cart = `cart-${++carts}`;
  await shop.post('cart.updated', aCart(cart, `${cart}@example.com`));
  await letTimePass(shop, 2 * hourMs + 1_000);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select({ id: enrollments.id, slug: sequences.slug, at: enrollments.enrolledAt })
      .from(enrollments)
      .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
      .orderBy(asc(enrollments.enrolledAt)),
  );
  return rows
    .filter(({ slug }) => /^s-\d\d$/.test(slug))
    .slice(-count)
    .map(({ id, slug }) => ({ id, priority: priorityOf(Number(slug.slice(2))) }));
}

/** Again as long as the person's lock is taken, as a workflow does. */
async function dispatch(enrollmentId: string): Promise<void> {
  for (;;) {
    const result = await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'email' });
    if (result.kind !== 'again') return;
    await new Promise((done) => setTimeout(done, result.inMs));
  }
}
const rowsOf = async (people: { id: string }[]) => {
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(messages));
  return rows.filter((row) => people.some(({ id }) => id === row.enrollmentId));
};
const lastDecision = async (enrollmentId: string) => {
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select().from(decisions).where(eq(decisions.enrollmentId, enrollmentId)).orderBy(decisions.at, decisions.id),
  );
  return rows.at(-1);
};
const readyTimes = async (people: { id: string }[]) => {
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(enrollments));
  return rows
    .filter(({ id }) => people.some((one) => one.id === id))
    .map(({ id, anchorAt, notBefore }) => ({ id, readyMs: Math.max(anchorAt + 2 * hourMs, notBefore['email'] ?? 0) }));
};
/** Whatever the order of their workflows. */
const inAnyOrder = <T>(list: readonly T[]): T[] =>
  list
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
/** As their workflows do at this moment: each by itself, all at once. */
const dispatchAll = (people: { id: string }[]) => Promise.all(inAnyOrder(people).map(({ id }) => dispatch(id)));

test('twenty sequences due in the same second under a cap of two a day: two go out, and eighteen are capped', async () => {
  await publishTwenty('');
  const people = await dueInTwenty();
  expect(people).toHaveLength(count);
  await dispatchAll(people);
  // Two messages keep three hours apart.
  expect((await rowsOf(people)).filter(({ state }) => state === 'sent')).toHaveLength(1);
  await letTimePass(shop, 3 * hourMs + 120_000);
  await dispatchAll(people);
  await letTimePass(shop, 120_000);
  await dispatchAll(people);
  const rows = await rowsOf(people);
  const sent = rows.filter(({ state }) => state === 'sent');
  expect(sent).toHaveLength(2);
  expect(people.filter(({ id }) => sent.some((row) => row.enrollmentId === id)).map(({ priority }) => priority)).toEqual([1, 1]);
  expect(rows.filter(({ skipReason }) => skipReason === 'capped')).toHaveLength(18);
  const capped = people.find(({ id }) => !sent.some((row) => row.enrollmentId === id));
  const decision = await lastDecision(capped?.id ?? '');
  expect(decision).toMatchObject({ verdict: 'skip', reason: 'capped' });
  expect(String(decision?.checks.find(({ gate }) => gate === 'capped')?.input['usedBy'])).toMatch(/^s-\d\d\/email .*, s-\d\d\/email /);
});

test('where they may wait, all go out one after the other by priority, never more than two in any 24 hours', async () => {
  await publishTwenty(', expires: 20d');
  const people = await dueInTwenty();
  const sent = new Set<string>();
  const sentAt: { priority: number; atMs: number }[] = [];
  let passedMs = 0;
  for (let wakes = 0; wakes < 100 && sentAt.length < count; wakes++) {
    // Their workflows wake when they are ready, all that are ready at once.
    const open = (await readyTimes(people)).filter(({ id }) => !sent.has(id));
    const waitMs = Math.max(0, Math.min(...open.map(({ readyMs }) => readyMs)) - Date.now());
    await letTimePass(shop, waitMs);
    passedMs += waitMs;
    const awake = open.filter(({ readyMs }) => readyMs - waitMs <= Date.now());
    await dispatchAll(awake);
    for (const row of await rowsOf(awake)) {
      if (row.state !== 'sent') continue;
      sent.add(row.enrollmentId);
      sentAt.push({ priority: people.find(({ id }) => id === row.enrollmentId)?.priority ?? 0, atMs: (row.settledAt ?? 0) + passedMs });
    }
  }
  expect(sentAt.map(({ priority }) => priority)).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5]);
  for (const [index, { atMs }] of sentAt.entries()) {
    const third = sentAt[index + 2];
    if (third !== undefined) expect(third.atMs - atMs).toBeGreaterThanOrEqual(24 * hourMs);
  }
  // Not later than they have to: two a day.
  expect((sentAt.at(-1)?.atMs ?? 0) - (sentAt[0]?.atMs ?? 0)).toBeLessThan(10 * 24 * hourMs + 6 * hourMs);
});
