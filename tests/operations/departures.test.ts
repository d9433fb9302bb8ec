import { randomUUID } from 'node:crypto';
import { eq, inArray, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { callFunction, type Tx } from '../../db/client.ts';
import { enrollments, messages, sendRates, sequences } from '../../db/schema/index.ts';
import { createTelegramSender } from '../../integrations/telegram/send.ts';
import { telegramConfig, webhookSecretOf } from '../../integrations/telegram/config.ts';
import { sayInChat } from '../../operations/bots/say.ts';
import { createConnection } from '../../operations/connections.ts';
import { Turns } from '../../operations/dispatch/turns.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { startBotApi } from '../helpers/bot-api.ts';
import { letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// What a provider counts in a while is never passed, whoever is late (docs/rules.md#rule-102).

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const inTenant = <T>(work: (tx: Tx) => Promise<T>) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const token = '987654321:an-invented-token-of-35-characters_';

interface Window {
  most: number;
  windowMs: number;
  forAnswers: number;
}

/** One message of a sequence, or one answer, that is asked for so long after the one before it. */
interface Asked {
  kind: 'message' | 'answer';
  afterMs: number;
  /** How much later than its moment the message is dispatched. */
  lateMs: number;
}

const startMs = Date.parse('2030-01-01T00:00:00Z');

/** Messages that are asked for together at the start, and then find no process until a moment at which the rest begins. */
interface Crowd {
  count: number;
  awayMs: number;
}

/** Plays what is asked for on a clock of its own, in the database that keeps the windows. @returns in milliseconds since the start */
async function play(tx: Tx, { most, windowMs, forAnswers }: Window, { count, awayMs }: Crowd, asked: readonly Asked[]) {
  const spacingMs = Math.ceil(windowMs / most);
  const scopes = JSON.stringify([
    {
      scope: `connection ${randomUUID()}`,
      spacing_ms: spacingMs,
      answer_ms: windowMs / forAnswers,
      most,
      window_ms: windowMs,
      for_answers: forAnswers,
    },
  ]);
  const at = (ms: number) => new Date(startMs + ms).toISOString();
  const left: { kind: Asked['kind']; atMs: number; askedMs: number }[] = [];
  const todo: { atMs: number; step: Asked; heldMs: number | null; askedMs: number }[] = [];
  for (let n = 0; n < count; n++) todo.push({ atMs: 0, step: { kind: 'message', afterMs: 0, lateMs: 0 }, heldMs: null, askedMs: 0 });
  let askedMs = awayMs;
  for (const step of asked) {
    askedMs += step.afterMs;
    todo.push({ atMs: askedMs, step, heldMs: null, askedMs });
  }
  while (todo.length > 0) {
    todo.sort((a, b) => a.atMs - b.atMs);
    const next = todo.shift();
    if (next === undefined) break;
    const { step, atMs: nowMs, heldMs } = next;
    if (step.kind === 'answer') {
      const waitMs = await callFunction<number>(tx, 'push_send_slots_2($1, $2)', [scopes, at(nowMs)]);
      left.push({ kind: 'answer', atMs: nowMs + waitMs, askedMs: nowMs });
    } else if (heldMs === null) {
      const slot = await callFunction<{ in_ms: number; pushed_ms: number }>(tx, 'reserve_send_slot_3($1, $2, $3)', [scopes, at(1e9), at(nowMs)]);
      if (slot.in_ms <= 0) left.push({ kind: 'message', atMs: nowMs, askedMs: next.askedMs });
      else {
        const momentMs = nowMs + Math.ceil(slot.in_ms);
        todo.push({ ...next, atMs: Math.max(awayMs, momentMs + step.lateMs), heldMs: momentMs - slot.pushed_ms });
      }
    } else {
      const held = [scopes, heldMs - nowMs, 60_000, at(nowMs)];
      const leaving = await callFunction<{ due_ms: number; leaves_in_ms: number | null }>(tx, 'leave_in_slot($1, $2, $3, $4)', held);
      if (leaving.due_ms > 0) todo.push({ ...next, atMs: nowMs + Math.ceil(leaving.due_ms) });
      else if (leaving.leaves_in_ms === null) todo.push({ ...next, heldMs: null });
      else if (leaving.leaves_in_ms > 0) todo.push({ ...next, atMs: nowMs + Math.ceil(leaving.leaves_in_ms) });
      else left.push({ kind: 'message', atMs: nowMs, askedMs: next.askedMs });
    }
  }
  return left;
}

const windows = fc.record({
  most: fc.integer({ min: 4, max: 30 }),
  windowMs: fc.integer({ min: 200, max: 2_000 }),
  forAnswers: fc.integer({ min: 1, max: 2 }),
});
const crowds = fc.record({ count: fc.integer({ min: 0, max: 45 }), awayMs: fc.integer({ min: 0, max: 4_000 }) });
const askings = fc.array(
  fc.record({
    kind: fc.constantFrom<Asked['kind']>('message', 'message', 'answer'),
    afterMs: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 20 }) }, fc.integer({ min: 0, max: 800 })),
    lateMs: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 3_000 })),
  }),
  { minLength: 5, maxLength: 60 },
);

test('no window is passed, however late messages leave and whatever is answered; an answer waits only behind other answers, and never for all of it', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(windows, crowds, askings, async (window, crowd, asked) => {
      const { most, windowMs, forAnswers } = window;
      const left = await inTenant((tx) => play(tx, window, crowd, asked));
      expect(left).toHaveLength(crowd.count + asked.length);
      const moments = left.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
      // The database keeps microseconds.
      for (const [n, atMs] of moments.entries()) {
        const first = moments[n - most];
        if (first !== undefined) expect(atMs - first).toBeGreaterThan(windowMs - 0.01);
      }
      const answers = left.filter(({ kind }) => kind === 'answer');
      for (const { atMs, askedMs } of answers) {
        const before = answers.filter((other) => other.askedMs <= askedMs && other.askedMs > askedMs - 2 * windowMs).length - 1;
        if (before < forAnswers) expect(atMs - askedMs).toBeLessThan(0.01);
        if (before < Math.floor(most / 2)) expect(atMs - askedMs).toBeLessThan(0.75 * windowMs + 0.01);
      }
    }),
    { numRuns: 40 },
  );
});

test('what a bot’s window leaves for messages is more than its rate hands out, so that whoever is late catches up', () => {
  const { rates } = createTelegramSender(telegramConfig.parse({ token }));
  const { account, window } = rates ?? {};
  if (account === undefined || window === undefined) throw new Error('a bot has both');
  const perSecond = (most: number, withinMs: number) => (most * 1_000) / withinMs;
  expect(perSecond(window.most - window.forAnswers, window.withinMs)).toBeGreaterThan(perSecond(account.most, account.withinMs));
  // Telegram’s own limit: 30 in a second.
  expect(window.most).toBeLessThanOrEqual(30);
  expect(window.withinMs).toBeGreaterThanOrEqual(1_000);
});

test('nothing leaves before a provider takes messages again, also what has its moment already', async () => {
  await inTenant(async (tx) => {
    const scope = `connection ${randomUUID()}`;
    const scopes = JSON.stringify([{ scope, spacing_ms: 100, answer_ms: null, most: 5, window_ms: 500, for_answers: 1 }]);
    const at = (ms: number) => new Date(startMs + ms).toISOString();
    await callFunction(tx, 'reserve_send_slot_3($1, $2, $3)', [scopes, at(1e9), at(0)]);
    await tx.$client.query({ text: 'update send_rates set closed_until = $1 where scope = $2', values: [at(3_000), scope] });
    const held = (nowMs: number) => callFunction(tx, 'leave_in_slot($1, $2, $3, $4)', [scopes, 100 - nowMs, 60_000, at(nowMs)]);
    expect(await held(1_000)).toEqual({ due_ms: -900, leaves_in_ms: 2_000 });
    expect(await callFunction(tx, 'push_send_slots_2($1, $2)', [scopes, at(1_000)])).toBe(2_000);
    expect(await held(3_000)).toMatchObject({ leaves_in_ms: 0 });
  });
});

describe('turns in a process', () => {
  test('come one after the other in the order of asking, also after the database has closed them; too many are sent away', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const turns = new Turns({ monotonicMs: () => performance.now() });
    const startedMs = performance.now();
    const granted: [number, number][] = [];
    const ask = (n: number) => void turns.take('a bot', 20).then((busyMs) => busyMs === null && granted.push([n, performance.now() - startedMs]));
    for (let n = 0; n < 4; n++) ask(n);
    await vi.advanceTimersByTimeAsync(25);
    turns.close('a bot', 300);
    for (let n = 4; n < 20; n++) ask(n);
    const sentAway = await turns.take('a bot', 20);
    expect(sentAway).toBeGreaterThanOrEqual(200);
    // Nobody waits here for what comes later than that.
    turns.close('a closed bot', 5_000);
    expect(await turns.take('a closed bot', 20)).toBeGreaterThanOrEqual(5_000);
    // Another account has turns of its own.
    expect(await turns.take('another bot', 20)).toBeNull();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(granted.map(([n]) => n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(granted.map(([, ms]) => Math.round(ms))).toEqual([0, 20, ...Array.from({ length: 10 }, (_, n) => 325 + n * 20)]);
  });
});

test('forty reminders whose moments have all passed leave as a bot may send them, and answers between them are taken at once', {
  timeout: 240_000,
}, async () => {
  const far = await startBotApi();
  onTestFinished(() => far.stop());
  const { tenantId } = shop.tenant;
  const config = { token, updates: 'webhook', baseUrl: far.url };
  const made = await createConnection(shop.deps, tenantId, { integration: 'telegram', name: 'Bot', config, secrets: [] }, 'a test');
  if (made.kind !== 'created') throw new Error(JSON.stringify(made));
  const connectionId = made.connection.id;
  const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': webhookSecretOf({ token }) };
  const people = Array.from({ length: 40 }, (_, n) => ({ id: 6_000_000 + n, first_name: 'Ana', language_code: 'en' }));
  for (const user of people) {
    far.api.bot(token).chats.set(user.id, { user, said: [], isBlocked: false });
    const date = Math.floor(Date.now() / 1_000) - 7_300;
    const contact = { phone_number: `1202555${1_000 + (user.id % 9_000)}`, first_name: 'Ana', user_id: user.id };
    const message = { message_id: 1, from: { ...user, is_bot: false }, chat: { id: user.id, type: 'private' }, date, contact };
    const payload = JSON.stringify({ update_id: user.id, message });
    expect((await shop.app.inject({ method: 'POST', url: `/api/webhooks/telegram/${connectionId}`, headers, payload })).statusCode).toBe(200);
  }
  const runs = await inTenant((tx) =>
    tx
      .select({ id: enrollments.id })
      .from(enrollments)
      .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
      .where(eq(sequences.slug, 'ghost')),
  );
  expect(runs).toHaveLength(people.length);
  const dispatch = (enrollmentId: string) => dispatchStep(shop.deps, { tenantId, enrollmentId, stepId: 'ghost_2h' });
  // So many wait that nobody leaves yet: each gets a moment of its own.
  await inTenant((tx) =>
    tx
      .insert(sendRates)
      .values({ tenantId, scope: `connection ${connectionId}`, freeAt: sql`clock_timestamp() + interval '20 seconds'` })
      .onConflictDoUpdate({ target: [sendRates.tenantId, sendRates.scope], set: { freeAt: sql`excluded.free_at` } }),
  );
  for (const { id } of runs) await dispatch(id);
  // The process was away while their moments came.
  await letTimePass(shop, 50_000);
  const patiently = async (id: string) => {
    for (;;) {
      const result = await dispatch(id);
      if (result.kind !== 'again') return result;
      await new Promise((done) => setTimeout(done, Math.max(10, result.inMs)));
    }
  };
  expect(far.api.calls.filter(({ method }) => method === 'sendMessage')).toEqual([]);
  const all = Promise.all(runs.map(({ id }) => patiently(id)));
  const [chat] = people;
  for (let n = 0; n < 3; n++) {
    await new Promise((done) => setTimeout(done, 200));
    expect(await sayInChat(shop.deps, { tenantId, connectionId }, String(chat?.id), { text: `Answer ${n}`, buttons: [] })).toMatchObject({
      kind: 'accepted',
    });
  }
  await all;
  const ids = runs.map(({ id }) => id);
  const rows = await inTenant((tx) =>
    tx.select({ state: messages.state, claimedAt: messages.claimedAt }).from(messages).where(inArray(messages.enrollmentId, ids)),
  );
  expect(rows.map(({ state }) => state)).toEqual(runs.map(() => 'sent'));
  const claimed = rows.map(({ claimedAt }) => claimedAt ?? 0).toSorted((a, b) => a - b);
  // Of 28 places for messages in 1.1 s each is noted before its claim, and the next one after that: this holds however slow the machine is.
  for (const [n, atMs] of claimed.entries()) {
    const before = claimed[n - 29];
    if (before !== undefined) expect(atMs - before).toBeGreaterThanOrEqual(1_098);
  }
});
