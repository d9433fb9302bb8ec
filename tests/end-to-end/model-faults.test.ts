import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test, inject } from 'vitest';
import type { ModelFault } from '../../local/model/server.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { changeConnection, listConnections } from '../../operations/connections.ts';
import { changeSettings } from '../../operations/settings.ts';
import { startScript } from '../chaos/own-process.ts';
import type { WorkerProcessConfig } from '../chaos/worker-process.ts';
import { type ModelShop, openModelShop, publishModelStep } from '../helpers/model-shop.ts';
import { aCart, until } from '../helpers/shop.ts';

// Whatever becomes of a model, each person gets one message, on time: real Temporal, Postgres, HTTP and SMTP. All carts of a part run at once, so that the
// waits are shared. docs/rules.md, rules 42 to 44

const emailOf = (cart: string) => `${cart}@example.com`;
/** The model is told the title, by which the stand-in knows what to do with the call. */
const titleOf = (cart: string) => `Desk lamp ${cart}`;
const cartOf = (cart: string, title = titleOf(cart)) =>
  aCart(cart, emailOf(cart), { items: [{ title, quantity: 1, price: '129.90', product_url: 'https://shop.example.com/lamp' }] });

function looksInto(opened: ModelShop) {
  const { shop } = opened;
  const ended = (cart: string) =>
    until(
      `the end of ${cart}`,
      async () => {
        const enrollment = await shop.enrollmentOf(cart);
        return enrollment?.endedAt == null ? null : enrollment;
      },
      100_000,
    );
  return {
    ended,
    /** What the person got, how late, and why. */
    async outcomeOf(cart: string) {
      const { id, status } = await ended(cart);
      const mails = shop.smtp.accepted.filter((m) => m.envelope.to.includes(emailOf(cart))).map((m) => m.raw.toString());
      const [row] = await shop.ledgerOf(id);
      const check = await opened.copyCheckOf(id);
      const composition = await opened.compositionOf(id);
      return {
        status,
        mails: mails.length,
        by: mails[0]?.includes('The template says this') === true ? 'template' : 'model',
        reason: check?.input['reason'] ?? null,
        lateMs: (row?.claimedAt ?? 0) - (row?.dueAt ?? 0),
        calls: opened.model.calls.filter(({ body }) => body.includes(titleOf(cart))).length,
        ledgerCalls: composition?.calls ?? 0,
      };
    },
  };
}

/** On a machine that does other things too. */
const onTimeMs = 25_000;

/** On a busy machine a step's time may be over before the model is asked, or before its answer is read: then nothing was seen of what a test is about. */
const isOver = (reason: unknown) => ['not_composed', 'timed_out', 'composing'].includes(String(reason));

describe('faults of a model', () => {
  let opened: ModelShop;
  let see: ReturnType<typeof looksInto>;
  beforeAll(async () => {
    opened = await openModelShop({ timeScale: 3_600, worker: true, connect: { timeoutSeconds: 30 } });
    see = looksInto(opened);
  });
  afterAll(() => opened.close());
  const set = (changes: Record<string, unknown>) =>
    changeSettings(opened.shop.deps, opened.shop.tenant.tenantId, { changes, expectedVersion: null, by: 'test' });

  const cases: [string, ModelFault | null, RegExp][] = [
    ['silence', { act: 'hang' }, /timed_out|composing/],
    ['late', { act: 'slow', ms: 8_000 }, /timed_out|composing/],
    ['limit', { act: 'status', status: 429 }, /rate_limited|timed_out|composing/],
    ['quota', { act: 'status', status: 429, code: 'insufficient_quota' }, /rate_limited/],
    ['refusal', { act: 'refuse' }, /refused/],
    ['nonsense', { act: 'nonsense' }, /invalid_answer|guard/],
    ['shortened', { act: 'cut' }, /truncated/],
    ['broken', { act: 'break' }, /truncated/],
    ['away', { act: 'status', status: 503 }, /unavailable|rate_limited|timed_out|composing/],
    ['fine', null, /^null$/],
  ];

  test('time-out, answer after the due time, limit, refusal, broken and invalid answers: one message each, on time', async () => {
    // Cases whose time was over come again, with fewer beside them; so do those that asked after another was told to wait.
    let left = cases.map(([name, fault, reason]) => ({ name, cart: name, fault, reason }));
    for (let round = 1; left.length > 0 && round <= 4; round += 1) {
      for (const { cart, fault } of left) if (fault !== null) opened.model.when(titleOf(cart), fault);
      await Promise.all(left.map(({ cart }) => opened.shop.deliver('cart.updated', cartOf(cart))));
      const unread: typeof left = [];
      for (const one of left) {
        const { name, cart, fault, reason } = one;
        const outcome = await see.outcomeOf(cart);
        expect({ cart, ...outcome }).toMatchObject({
          cart,
          status: 'COMPLETED',
          mails: 1,
          by: fault === null && outcome.reason === null ? 'model' : 'template',
        });
        const isTold = ['rate_limited', 'unavailable'].includes(String(outcome.reason)) && !['limit', 'quota', 'away'].includes(name);
        if (isTold || isOver(outcome.reason)) unread.push({ ...one, cart: `again-${round}-${name}` });
        else expect(String(outcome.reason), cart).toMatch(reason);
        expect(outcome.lateMs, cart).toBeLessThan(onTimeMs);
        // The time may be over before a call has reached the model.
        expect(outcome.calls, cart).toBeLessThanOrEqual(outcome.ledgerCalls);
      }
      left = unread.filter(({ name }) => !['silence', 'late'].includes(name));
    }
    // But not for all of them, or nothing was seen of how answers are read.
    expect(left.length).toBeLessThan(cases.length - 2);
  });

  test('an answer that comes after the message has gone changes nothing', async () => {
    const { calls, mails } = await see.outcomeOf('late');
    expect(mails).toBe(1);
    // On a busy machine the time may be over before the model is asked.
    expect(calls).toBeLessThanOrEqual(1);
    expect((await opened.compositionOf((await see.ended('late')).id))?.body ?? null).toBeNull();
  });

  test('a step that is put off is written anew, and a model that is silent then delays it no more', async () => {
    opened.model.when('Desk lamp changed', { act: 'hang' });
    await opened.shop.deliver('cart.updated', cartOf('moved'));
    await until('the first text', async () => {
      const enrollment = await opened.shop.enrollmentOf('moved');
      return enrollment === null ? null : (await opened.compositionOf(enrollment.id))?.state === 'ready';
    });
    await opened.shop.deliver('cart.updated', cartOf('moved', 'Desk lamp changed'));
    const outcome = await see.outcomeOf('moved');
    expect(outcome).toMatchObject({ mails: 1, by: 'template', reason: expect.stringMatching(/stale|timed_out|composing/) });
  });

  test('a budget that runs out in the middle: who is over it gets the template, on time', async () => {
    const seen: unknown[] = [];
    for (let round = 1; round <= 4; round += 1) {
      const spent = await opened.spentMicros();
      const carts = [1, 2, 3, 4].map((n) => `budget-${round}-${n}`);
      // Every call costs the most that it can, and there is enough for one or two.
      for (const cart of carts) opened.model.when(titleOf(cart), { act: 'no_usage' });
      await set({ modelDailyBudget: (spent + 45_000) / 1e6 });
      await Promise.all(carts.map((cart) => opened.shop.deliver('cart.updated', cartOf(cart))));
      const outcomes = await Promise.all(carts.map((cart) => see.outcomeOf(cart)));
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ status: 'COMPLETED', mails: 1 });
        expect(outcome.lateMs).toBeLessThan(onTimeMs);
      }
      expect(await opened.spentMicros()).toBeLessThanOrEqual(spent + 45_000);
      seen.push(...outcomes.map(({ by, reason }) => reason ?? by));
      if (seen.includes('model') && seen.includes('over_budget')) break;
    }
    expect(seen).toEqual(expect.arrayContaining(['model', 'over_budget']));
    await set({ modelDailyBudget: 5 });
  });

  test('a wrong key: templates on time, and no call more until the connection is mended', async () => {
    /** What becomes of a cart whose step was in time for the model. */
    const inTime = async (name: string) => {
      for (let round = 1; ; round += 1) {
        const cart = `${name}-${round}`;
        await opened.shop.deliver('cart.updated', cartOf(cart));
        const outcome = await see.outcomeOf(cart);
        if (!isOver(outcome.reason) || round === 4) return outcome;
        expect(outcome).toMatchObject({ mails: 1, by: 'template' });
      }
    };
    opened.model.always({ act: 'status', status: 401 });
    expect(await inTime('locked')).toMatchObject({ mails: 1, by: 'template', reason: 'wrong_key', calls: 1 });
    opened.model.always(null);
    expect(await inTime('shut-out')).toMatchObject({ mails: 1, by: 'template', reason: 'wrong_key', calls: 0 });
    const { deps, tenant } = opened.shop;
    const { items } = await listConnections(deps, tenant.tenantId, { limit: 50, after: null });
    const { id = '' } = items.find(({ integration }) => integration === 'openai') ?? {};
    await changeConnection(deps, tenant.tenantId, id, { config: { apiKey: 'another', baseUrl: opened.model.url } }, 'test');
    expect(await inTime('let-in')).toMatchObject({ mails: 1, by: 'model', calls: 1 });
    await changeConnection(deps, tenant.tenantId, id, { state: 'disconnected' }, 'test');
    expect(await inTime('without')).toMatchObject({ mails: 1, by: 'template', reason: 'not_connected', calls: 0 });
  });
});

test('a worker that is killed while the model answers, or before its answer is stored, pays once, and its templates go out once', async () => {
  const masterKey = randomBytes(32);
  const opened = await openModelShop({ timeScale: 3_600, masterKey, connect: { timeoutSeconds: 30 } });
  const { shop, model } = opened;
  const see = looksInto(opened);
  const { address, taskQueue } = shop.temporal;
  const points: Checkpoint[] = ['composition.begun', 'composition.answered'];
  const config: WorkerProcessConfig = {
    ...{ databaseUrl: shop.database.url, masterKey: masterKey.toString('base64'), smtpUrl: shop.smtp.url, address, taskQueue },
    hangAt: points.map((point) => ({ point, passes: 0 })),
    presetsFile: inject('presetsFile'),
  };
  try {
    const { child, ready } = await startScript('tests/chaos/worker-process.ts', { args: [JSON.stringify(config)] });
    const reached: unknown[] = [];
    child.on('message', (m) => reached.push(m));
    await ready;
    // The worker has published the presets: the model's step comes after them.
    await publishModelStep(shop);
    await Promise.all(['killed-1', 'killed-2'].map((cart) => shop.deliver('cart.updated', cartOf(cart))));
    await until('both points', () => points.every((point) => reached.includes(point)), 60_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await shop.startWorker();
    const outcomes = [await see.outcomeOf('killed-1'), await see.outcomeOf('killed-2')];
    for (const outcome of outcomes) expect(outcome).toMatchObject({ mails: 1, by: 'template', reason: 'composing', ledgerCalls: 1 });
    // One was killed before the call, one after it: nobody repeats either.
    expect(outcomes.reduce((sum, { calls }) => sum + calls, 0)).toBe(1);
    expect(model.calls).toHaveLength(1);
  } finally {
    await opened.close();
  }
});
