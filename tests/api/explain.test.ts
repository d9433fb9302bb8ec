import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { main } from '../../cli/main.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { pino } from 'pino';
import { decisions } from '../../db/schema/index.ts';
import { aCart, letTimePass, openShop, type Shop, temporalClientOf } from '../helpers/shop.ts';
import { ask, dispatch, leaveCart, sendFirstMail } from './left-carts.ts';

const hourMs = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

interface Entry {
  kind: string;
  at: string;
  step: string | null;
  sentence: string;
  type?: string;
  verdict?: string;
  gates?: { gate: string; result: string }[];
  [field: string]: unknown;
}
const explain = async (id: string) => {
  const { status, body } = await ask(shop, shop.tenant.apiKey, `/api/enrollments/${id}/explain`);
  expect(status).toBe(200);
  return body as { enrollment: Record<string, unknown>; entries: Entry[]; truncated: boolean };
};
const nameOf = (e: Entry) => `${e.kind} ${e.verdict ?? e.type ?? String(e['state'])}${e.step === null ? '' : ` ${e.step}`}`;

test('a whole story is explained in order of time: events, decisions with their gates, messages, reports', async () => {
  const id = await leaveCart(shop, 'cart-story', 'story@example.com');
  const mail = await sendFirstMail(shop, id);
  await shop.app.inject({ url: `/o/${mail.open}`, headers: { 'user-agent': 'Googlebot/2.1' } });
  await shop.app.inject({ url: `/c/${mail.click}`, headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' } });
  await shop.post('order.placed', { order: { id: 'order-story', currency: 'EUR', total: '129.90' }, cart_id: 'cart-story' });

  const { entries, enrollment, truncated } = await explain(id);
  // Written within a millisecond of its neighbours, so that their order is not defined.
  const skipped = 'message skipped popup_1h';
  expect(entries.map(nameOf)).toContain(skipped);
  expect(entries.map(nameOf).filter((name) => name !== skipped)).toEqual([
    'event enrolled',
    'event cart.updated',
    'decision skip popup_1h',
    'event abandoned',
    'event step.skipped popup_1h',
    'decision send email_2h',
    'message sent email_2h',
    'event message.sent email_2h',
    'provider_event opened email_2h',
    'provider_event clicked email_2h',
    'event message.clicked email_2h',
    'event stopped',
    'event recovered',
  ]);
  const times = entries.map((e) => Date.parse(e.at));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(truncated).toBe(false);
  for (const { sentence } of entries) expect(sentence).toMatch(/^\S.*([.]|The provider said: .+)$/s);
  const decision = entries.find((e) => e.verdict === 'send');
  expect(decision?.gates?.map((g) => g.gate)).toEqual(expect.arrayContaining(['subject_open', 'channel', 'quiet_hours', 'gap', 'too_old']));
  expect(entries.find((e) => e.type === 'opened')).toMatchObject({ machine: true });
  expect(entries.find((e) => e.kind === 'message' && e.step === 'email_2h')).toMatchObject({
    state: 'sent',
    provider_response: expect.stringContaining('250') as unknown,
  });
  expect(entries.find((e) => e.type === 'stopped')?.sentence).toBe('The sequence was stopped: the cart was bought.');
  expect(enrollment).toMatchObject({ id, status: 'CONVERTED', stop_reason: 'purchased', next_step: null });
});

test('the command line tells of a step that was skipped once, and with --json of every record', async () => {
  const id = await leaveCart(shop, 'cart-once', 'once@example.com');
  vi.stubEnv('REKINDLE_API_URL', await shop.app.listen({ host: '127.0.0.1', port: 0 })).stubEnv('REKINDLE_API_KEY', shop.tenant.apiKey);
  const run = async (...more: string[]) => {
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    expect(await main(['explain', id, ...more], say, say)).toBe(0);
    return said.join('\n');
  };
  try {
    const { entries } = await explain(id);
    const sentence = entries.find((e) => e.type === 'step.skipped')?.sentence ?? 'none';
    expect(
      entries
        .filter((e) => e.sentence === sentence)
        .map((e) => e.kind)
        .toSorted(),
    ).toEqual(['event', 'message']);
    expect((await run()).split(sentence)).toHaveLength(2);
    expect((await run('--gates')).split(sentence)).toHaveLength(2);
    expect((await run('--json')).split(JSON.stringify(sentence))).toHaveLength(3);
    // Nothing else is left out.
    const lines = (await run()).split('\n');
    for (const entry of entries)
      expect(
        lines.some((line) => line.endsWith(entry.sentence)),
        entry.sentence,
      ).toBe(true);
  } finally {
    vi.unstubAllEnvs();
  }
});

test('no personal data is in the explanation', async () => {
  const id = await leaveCart(shop, 'cart-nobody', 'very-private@example.com');
  await sendFirstMail(shop, id);
  expect(JSON.stringify(await explain(id))).not.toMatch(/very-private|Ada/);
});

test('a deferral says until when and why, and on whose clock', async () => {
  // Quiet but for one minute of the day, five hours from now in Tokyo.
  const tokyoMinute = (Math.floor(Date.now() / 60_000) + 9 * 60 + 5 * 60) % (24 * 60);
  const window = { fromMinute: (tokyoMinute + 1) % (24 * 60), toMinute: tokyoMinute };
  const quiet = await openShop({ timeScale: 1, settings: { quietHours: window } });
  try {
    await quiet.post('cart.updated', {
      ...aCart('cart-tokyo', 'tokyo@example.com'),
      contact: { email: 'tokyo@example.com', time_zone: 'Asia/Tokyo' },
    });
    const enrollment = await quiet.enrollmentOf('cart-tokyo');
    await letTimePass(quiet, 2 * hourMs + 1_000);
    await dispatch(quiet, enrollment?.id ?? '', 'email_2h');
    const { body } = await ask(quiet, quiet.tenant.apiKey, `/api/enrollments/${enrollment?.id}/explain`);
    const { entries, enrollment: view } = body as { entries: Entry[]; enrollment: { next_step: unknown } };
    const decision = entries.find((e) => e.verdict === 'defer');
    const clock = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
    expect(decision?.sentence).toBe(
      `email_2h was put off until ${String(decision?.['until']).slice(0, 19).replace('T', ' ')} UTC: quiet hours from ${clock(window.fromMinute)} to ${clock(window.toMinute)} in the time zone that is stated for the person (UTC+09:00).`,
    );
    expect(Date.parse(String(decision?.['until']))).toBeGreaterThan(Date.now() + 4 * hourMs);
    expect(view.next_step).toMatchObject({ id: 'popup_1h' });
  } finally {
    await quiet.close();
  }
});

test('an enrollment shows where it stands, what comes next and its workflow', async () => {
  const id = await leaveCart(shop, 'cart-stands', 'stands@example.com');
  const { body } = await ask(shop, shop.tenant.apiKey, `/api/enrollments/${id}`);
  const row = await shop.enrollmentOf('cart-stands');
  const dueAt = new Date((row?.anchorAt ?? 0) + 2 * hourMs).toISOString();
  expect(body).toMatchObject({
    id,
    sequence: { slug: 'cart', version: 1 },
    status: 'ACTIVE',
    stop_reason: null,
    sequence_type: 'first_time',
    cart: { state: 'open', total_price: '129.90', currency: 'EUR' },
    next_step: { id: 'email_2h', at: dueAt },
    workflow: { id: `recovery/${shop.tenant.slug}/cart/${id}`, url: null },
  });
  expect((body as { steps: { id: string; state: string }[] }).steps.map((s) => `${s.id} ${s.state}`)).toEqual([
    'popup_1h skipped',
    'email_2h waiting',
    'email_24h waiting',
    'email_48h waiting',
    'email_72h waiting',
  ]);
  expect(JSON.stringify(body)).not.toContain('stands@example.com');
});

test('with a Temporal Web UI configured, the workflow’s address is given', async () => {
  const id = await leaveCart(shop, 'cart-ui', 'ui@example.com');
  const links = { temporalUi: 'http://localhost:8233/', mailbox: null };
  const app = await buildApp({
    deps: shop.deps,
    logger: pino({ level: 'silent' }),
    client: temporalClientOf(shop),
    registry: createPrometheus().registry,
    links,
  });
  const response = await app.inject({ url: `/api/enrollments/${id}`, headers: { 'x-api-key': shop.tenant.apiKey } });
  await app.close();
  expect(response.json()).toMatchObject({
    workflow: { url: `http://localhost:8233/namespaces/default/workflows/${encodeURIComponent(`recovery/${shop.tenant.slug}/cart/${id}`)}` },
  });
});

interface Next {
  step: string;
  verdict: string;
  reason: string;
  until: string | null;
  asked_at: string | null;
  gates: { gate: string; result: string }[];
  sentence: string;
}
const nextOf = async (id: string) => ((await explain(id)) as unknown as { next: Next | null }).next;

test('the next step: what would be decided now, and when it is asked; asking changes nothing', async () => {
  const id = await leaveCart(shop, 'cart-next', 'next@example.com');
  const row = await shop.enrollmentOf('cart-next');
  const dueAt = new Date((row?.anchorAt ?? 0) + 2 * hourMs).toISOString();
  const before = await explain(id);
  const waiting = await nextOf(id);
  expect(waiting).toMatchObject({ step: 'email_2h', verdict: 'defer', reason: 'due', until: dueAt, asked_at: dueAt, in_flight: false });
  expect(waiting?.sentence).toBe(
    `As things stand, email_2h waits until ${dueAt.slice(0, 19).replace('T', ' ')} UTC: it was not due yet. It is decided ${dueAt.slice(0, 19).replace('T', ' ')} UTC.`,
  );
  await letTimePass(shop, hourMs + 1_000);
  const due = await nextOf(id);
  expect(due).toMatchObject({ step: 'email_2h', verdict: 'send', reason: 'email' });
  expect(due?.sentence).toMatch(/^As things stand, email_2h goes out by email: all \d+ gates are open\. It is decided now\.$/);
  // The very gates that the dispatch asks then, with the same answers.
  await dispatch(shop, id, 'email_2h');
  const after = await explain(id);
  const decided = after.entries.find((e) => e.verdict === 'send');
  expect(due?.gates.map((g) => `${g.gate} ${g.result}`)).toEqual(decided?.gates?.map((g) => `${g.gate} ${g.result}`));
  expect(after.entries.filter((e) => e.kind === 'decision')).toHaveLength(before.entries.filter((e) => e.kind === 'decision').length + 1);
  await shop.post('order.placed', { order: { id: 'order-next', currency: 'EUR', total: '1.00' }, cart_id: 'cart-next' });
  expect(await nextOf(id)).toBeNull();
});

test('a step that nothing could carry would be left out, and says so before its time', async () => {
  await shop.post('cart.updated', aCart('cart-popup', 'popup@example.com'));
  const { id = '' } = (await shop.enrollmentOf('cart-popup')) ?? {};
  await letTimePass(shop, hourMs + 1_000);
  expect(await nextOf(id)).toMatchObject({
    step: 'popup_1h',
    verdict: 'skip',
    reason: 'not_connected',
    sentence: 'As things stand, popup_1h would not be sent: its channel was not connected. It is decided now.',
  });
  // Nothing was settled by asking.
  expect(await shop.ledgerOf(id)).toEqual([]);
});

interface Reason {
  kind: string;
  verdict: string;
  reason: string;
  sentence: string;
  count: number;
  day?: string;
  channel?: string;
}

test('the summary says why messages were not sent, and tells a normal wait from what is in the way', async () => {
  const other = await openShop({ timeScale: 1, settings: { timeZone: 'Pacific/Auckland' } });
  try {
    const summary = async (query = '') =>
      (await ask(other, other.tenant.apiKey, `/api/explain/summary${query}`)).body as { reasons: Reason[]; rows: Reason[] };
    expect(await summary()).toMatchObject({ time_zone: 'Pacific/Auckland', reasons: [], rows: [] });
    const bought = await leaveCart(other, 'cart-sum-1', 'sum-1@example.com');
    await dispatch(other, bought, 'email_2h');
    await dispatch(other, bought, 'email_2h');
    await other.post('order.placed', { order: { id: 'o-sum-1', currency: 'EUR', total: '129.90' }, cart_id: 'cart-sum-1' });
    const { reasons, rows } = await summary();
    // Decided about twice, waiting once.
    expect(reasons.find((r) => r.verdict === 'defer')).toMatchObject({
      kind: 'normal_wait',
      reason: 'due',
      count: 1,
      sentence: 'Put off: it was not due yet.',
    });
    // Neither popup_1h, which was decided about, nor anything twice; email_2h was only put off.
    const stopped = reasons.find((r) => r.verdict === 'stop');
    expect(stopped).toMatchObject({ kind: 'as_planned', reason: 'purchased', sentence: 'The sequence ended before: the cart was bought.' });
    const steps = ((await explainIn(other, bought)).enrollment['steps'] as { state: string }[]).filter((s) => s.state === 'not_sent');
    expect(stopped?.count).toBe(steps.length);
    expect(reasons.find((r) => r.reason === 'not_connected')).toMatchObject({ kind: 'blocker', verdict: 'skip', count: 1 });
    const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'Pacific/Auckland' }).format(new Date());
    expect(rows.map((r) => r.day)).toContain(day);
    expect((await summary('?channel=onsite')).rows.every((r) => r.channel === 'onsite')).toBe(true);
    expect((await summary('?sequence=nothing')).rows).toEqual([]);
    expect((await ask(other, other.tenant.apiKey, '/api/explain/summary?days=0')).status).toBe(400);
    expect(
      ((await ask(shop, shop.tenant.apiKey, '/api/explain/summary')).body as { rows: Reason[] }).rows.some((r) => r.sentence.includes('undefined')),
    ).toBe(false);
  } finally {
    await other.close();
  }
});

const explainIn = async (where: Shop, id: string) =>
  (await ask(where, where.tenant.apiKey, `/api/enrollments/${id}/explain`)).body as { enrollment: Record<string, unknown> };

test('orders that the store’s events told of make a customer, and the decision keeps what it went by', async () => {
  const email = 'regular@example.com';
  const order = (id: string, total: string, more: object = {}) => ({ order: { id, currency: 'EUR', total, ...more }, contact: { email } });
  await ask(shop, shop.tenant.apiKey, '/api/settings', 'PATCH', { settings: { currency: 'EUR' } });
  const settings = (await ask(shop, shop.tenant.apiKey, '/api/settings', 'GET')).body as { version: number };
  await shop.post('order.placed', order('regular-1', '400.00'), { at: Date.now() - 90 * 24 * hourMs });
  await shop.post('order.placed', order('regular-2', '150.00'), { at: Date.now() - 60 * 24 * hourMs });
  await shop.post('order.placed', order('regular-3', '999.00', { test: true }), { at: Date.now() - 50 * 24 * hourMs });
  // Nothing in the cart's payload says that they have bought before.
  const id = await leaveCart(shop, 'cart-regular', email);
  await sendFirstMail(shop, id);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(decisions).where(eq(decisions.enrollmentId, id)));
  const sent = rows.find(({ verdict }) => verdict === 'send');
  expect(sent?.checks.find(({ gate }) => gate === 'segment')?.input).toMatchObject({
    ...{ segment: 'HIGH_VALUE', orders: 2, lifetimeValueMinor: 55_000, highValueMinor: 50_000, settingsVersion: settings.version },
  });
  expect((await shop.enrollmentOf('cart-regular'))?.segment).toBe('returning');
});
