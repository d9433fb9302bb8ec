import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOwner } from '../helpers/database.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask } from './left-carts.ts';

// A sequence rehearsed for a real person: what the server knows of them counts.

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({
    timeScale: 1,
    settings: { quietHours: { fromMinute: 21 * 60, toMinute: 8 * 60 }, caps: [{ channel: null, most: 3, withinHours: 24 }] },
  });
});
afterAll(() => shop.close());

interface Played {
  version: number;
  timeZone: string;
  events: { at: string; kind: string; step: string | null; reason: string | null; note: string | null }[];
  finished: { reason: string } | null;
}
const rehearse = (body: Record<string, unknown>, key = shop.tenant.apiKey) => ask(shop, key, '/api/rehearsals', 'POST', body);
async function played(body: Record<string, unknown>): Promise<Played> {
  const { status, body: answer } = await rehearse(body);
  expect(status, JSON.stringify(answer)).toBe(200);
  return answer as Played;
}
const of = (run: Played, kind: string) => run.events.filter((e) => e.kind === kind).map(({ step, reason }) => [step, reason]);
const from = 'from: 2026-03-10T10:00\n';

test('on the clock of the person, and by the version in use', async () => {
  await shop.post('cart.updated', { ...aCart('cart-1', 'tokyo@example.com'), contact: { email: 'tokyo@example.com', time_zone: 'Asia/Tokyo' } });
  const run = await played({ contact: 'tokyo@example.com', sequence: 'cart', scenario: from });
  expect(run).toMatchObject({ version: 1, timeZone: 'Asia/Tokyo', finished: { reason: 'completed' } });
  expect(run.events[0]).toMatchObject({ at: '2026-03-10T10:00:00+09:00', kind: 'received' });
  expect(of(run, 'sent').map(([step]) => step)).toEqual(['email_2h', 'email_24h', 'email_48h', 'email_72h']);
});

test('whoever has opted out gets nothing, and whoever a person answers waits', async () => {
  await shop.post('contact.opted_out', { contact: { email: 'out@example.com' }, channel: 'all' });
  const out = await played({ contact: 'out@example.com', sequence: 'cart', scenario: from });
  expect(of(out, 'sent')).toEqual([]);
  expect(of(out, 'skipped').map(([, reason]) => reason)).toContain('suppressed');
  await shop.post('cart.updated', aCart('cart-2', 'held@example.com'));
  await asOwner(
    shop.database.url,
    `update contacts set taken_over_at = now() where id in (select contact_id from contact_identities where value = 'held@example.com')`,
  );
  const held = await played({ contact: 'held@example.com', sequence: 'cart', scenario: `${from}events:\n  - { at: 3h, event: released }\n` });
  expect(of(held, 'deferred')[0]).toEqual(['email_2h', 'takeover']);
  expect(of(held, 'sent')[0]?.[0]).toBe('email_2h');
});

test('what other sequences have sent uses up the caps', async () => {
  await shop.post('cart.updated', aCart('cart-3', 'busy@example.com'));
  const enrollment = await shop.enrollmentOf('cart-3');
  await asOwner(
    shop.database.url,
    `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, channel, settled_at)
     select tenant_id, gen_random_uuid(), id, 'x' || n, contact_id, 'sent', 'email', timestamptz '2026-03-10 06:00Z' from enrollments, generate_series(1, 3) n where id = $1`,
    [enrollment?.id],
  );
  const yaml =
    'sequence: mine\nname: Mine\non: cart.abandoned\nsteps:\n  - { id: only, at: 1h, channel: email, content: cart/email_2h, expires: 30h }\n';
  const run = await played({ contact: 'busy@example.com', yaml, scenario: from });
  // The cap holds until 06:00, which is still quiet: the reason names what opened last, the sentence both.
  expect(run.events.find((e) => e.kind === 'deferred')).toMatchObject({
    reason: 'quiet_hours',
    note: expect.stringMatching(/Quiet hours.*messages are the most|messages are the most.*Quiet hours/s),
    until: '2026-03-11T08:00:00+00:00',
  });
});

test('nothing is written', async () => {
  const counts = async () => {
    const { rows } = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.$client.query<{ n: string }>({
        text: "select concat_ws('/', (select count(*) from enrollments), (select count(*) from messages), (select count(*) from decisions)) as n",
      }),
    );
    return rows[0]?.n;
  };
  const before = await counts();
  await played({ contact: 'tokyo@example.com', sequence: 'cart' });
  expect(await counts()).toBe(before);
});

test('for an invented customer, the settings and connections of the store count, and nobody else', async () => {
  const run = await played({ sequence: 'cart', scenario: 'from: 2026-03-10T20:30\n' });
  expect(run).toMatchObject({ version: 1, timeZone: 'UTC', finished: { reason: 'completed' } });
  expect(of(run, 'sent').map(([step]) => step)).toEqual(['email_2h', 'email_24h', 'email_48h', 'email_72h']);
  // Nothing is connected that shows pop-ups, and the store is quiet from nine.
  expect(of(run, 'skipped')).toEqual([['popup_1h', 'not_connected']]);
  expect(of(run, 'deferred')).toContainEqual(['email_2h', 'quiet_hours']);
  const { apiKey } = await anotherStore(shop, 'invents');
  expect(await rehearse({ sequence: 'cart' }, apiKey)).toMatchObject({ status: 200 });
});

test.each([
  [{ contact: 'tokyo@example.com' }, 400, 'invalid_request'],
  [{ contact: 'tokyo@example.com', sequence: 'cart', yaml: 'x' }, 400, 'invalid_request'],
  [{ contact: 'tokyo@example.com', yaml: 'steps: [' }, 400, 'invalid_request'],
  [{ contact: 'tokyo@example.com', sequence: 'cart', scenario: 'from: soon' }, 400, 'invalid_request'],
  [{ contact: 'tokyo@example.com', sequence: 'nonsense' }, 404, 'unknown_sequence'],
  [{ contact: 'nobody@example.com', sequence: 'cart' }, 404, 'unknown_contact'],
  [{ contact: 'nonsense', sequence: 'cart' }, 404, 'unknown_contact'],
  [{ contact: '@', sequence: 'cart' }, 404, 'unknown_contact'],
])('%j is refused', async (body, status, code) => {
  expect(await rehearse(body)).toMatchObject({ status, body: { code } });
});

test('another store knows nobody of this one', async () => {
  const { apiKey } = await anotherStore(shop, 'elsewhere');
  expect(await rehearse({ contact: 'tokyo@example.com', sequence: 'cart' }, apiKey)).toMatchObject({
    status: 404,
    body: { code: 'unknown_contact' },
  });
});
