import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decisions } from '../../../db/schema/index.ts';
import { dispatchStep } from '../../../operations/dispatch-step.ts';
import { pointOf } from '../../../operations/dispatch/assignment.ts';
import { randomHoursShare } from '../../../domain/learning/hours.ts';
import { slotAt } from '../../../domain/time/zones.ts';
import { readLearnedHours, refreshHours } from '../../../operations/learning/hours.ts';
import { ask } from '../../api/left-carts.ts';
import { publishYaml } from '../../helpers/publish-yaml.ts';
import { aCart, openShop, type Shop, until } from '../../helpers/shop.ts';

// Hours that are learned, and read by the dispatch: docs/rules.md#rule-117

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
let shop: Shop;
let owner: pg.Client;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

const api = (path: string, method: 'GET' | 'PATCH' = 'GET', body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, path, method, body);
const foldAll = async () => {
  // As the workers do: a plan that was made for empty tables takes seconds.
  await owner.query('analyze messages, conversions, contacts, enrollments, attribution_marks, attribution_credits');
  await until('all credits are computed', async () => {
    // A mark is done at the second folding at the earliest.
    for (let seen = 0; seen < 2; seen += 1) while ((await shop.deps.db.foldAttribution(25)) > 0);
    return (await owner.query('select from attribution_marks')).rowCount === 0;
  });
};
const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => a.localeCompare(b);
const refresh = () => refreshHours(shop.deps, shop.tenant.tenantId, { unlessYoungerHours: 0 });

interface Sent {
  slot: number | null;
  daysAgo: number;
  channel: 'email' | 'sms';
}
interface Ordered {
  daysAgo: number;
  reversed: boolean;
}
/** Somebody’s messages and orders, as dispatches and sources have written them. */
async function store(people: readonly { sent: readonly Sent[]; orders: readonly Ordered[] }[]): Promise<void> {
  const { tenantId } = shop.tenant;
  const now = Date.now();
  const at = (daysAgo: number) => new Date(now - daysAgo * dayMs).toISOString();
  const rows = people.map(({ sent, orders }) => ({
    id: randomUUID(),
    sent: sent.map((one, step) => ({ ...one, id: randomUUID(), step: `s${step}`, at: at(one.daysAgo) })),
    orders: orders.map((one) => ({ id: randomUUID(), at: at(one.daysAgo), reversed: one.reversed ? at(0) : null })),
  }));
  const given = [tenantId, JSON.stringify(rows)];
  await owner.query('insert into contacts (tenant_id, id, person_id) select $1, r.id, r.id from json_to_recordset($2) r(id uuid)', given);
  await owner.query(
    'insert into subjects (tenant_id, id, contact_id, started_at, last_activity_at) select $1, r.id, r.id, now(), now() from json_to_recordset($2) r(id uuid)',
    given,
  );
  await owner.query(
    `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, ended_at, sequence_type, time_scale, anchor_at, activated_at)
     select $1, r.id, s.id, s.current_version_id, r.id, r.id, 'COMPLETED', now(), 'first_time', 1, now(), now()
     from json_to_recordset($2) r(id uuid), sequences s where s.slug = 'cart' and s.tenant_id = $1`,
    given,
  );
  await owner.query(
    `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, channel, local_slot, settled_at)
     select $1, m.id, r.id, m.step, r.id, 'sent', m.channel, m.slot, m.at
     from json_to_recordset($2) r(id uuid, sent json), json_to_recordset(r.sent) m(id uuid, step text, channel text, slot int, at timestamptz)`,
    given,
  );
  await owner.query(
    `insert into conversions (tenant_id, id, connection_id, order_id, contact_id, currency, value_minor, placed_at, reversed_at)
     select $1, o.id, (select id from connections where tenant_id = $1 limit 1), o.id::text, r.id, 'EUR', 1000, o.at, o.reversed
     from json_to_recordset($2) r(id uuid, orders json), json_to_recordset(r.orders) o(id uuid, at timestamptz, reversed timestamptz)`,
    given,
  );
}

/** By going through every row: for each message an order within a week behind which no other message came first. */
async function recount(): Promise<Record<string, [number, number]>> {
  const { rows: messages } = await owner.query<{ id: string; contact: string; channel: string; slot: number | null; at: Date }>(
    `select id, contact_id as contact, channel, local_slot as slot, settled_at as at from messages where tenant_id = $1 and state = 'sent'`,
    [shop.tenant.tenantId],
  );
  const { rows: orders } = await owner.query<{ contact: string; at: Date; reversed: Date | null }>(
    'select contact_id as contact, placed_at as at, reversed_at as reversed from conversions where tenant_id = $1',
    [shop.tenant.tenantId],
  );
  const won = new Set<string>();
  for (const order of orders.filter(({ reversed }) => reversed === null)) {
    const [last] = messages
      .filter(({ contact, at }) => contact === order.contact && at <= order.at)
      .toSorted((a, b) => b.at.getTime() - a.at.getTime() || b.id.localeCompare(a.id));
    if (last !== undefined && order.at.getTime() - last.at.getTime() <= 7 * dayMs) won.add(last.id);
  }
  const cells: Record<string, [number, number]> = {};
  for (const { id, channel, slot, at } of messages) {
    if (slot === null || Date.now() - at.getTime() < 7 * dayMs) continue;
    const cell = (cells[`${channel} ${Math.floor(slot / 24)} ${slot % 24}`] ??= [0, 0]);
    cell[0] += 1;
    if (won.has(id)) cell[1] += 1;
  }
  return cells;
}

test('the map agrees with a recount of every row after random histories; nobody else’s night repeats it', async () => {
  const sent = fc.record({
    slot: fc.option(fc.integer({ min: 0, max: 167 }), { freq: 9 }),
    daysAgo: fc.integer({ min: 1, max: 60 }).map((days) => days + 0.25),
    channel: fc.constantFrom<'email' | 'sms'>('email', 'sms'),
  });
  const order = fc.record({ daysAgo: fc.integer({ min: 0, max: 60 }), reversed: fc.boolean() });
  const person = fc.record({
    sent: fc.uniqueArray(sent, { maxLength: 5, selector: ({ daysAgo }) => daysAgo }),
    orders: fc.array(order, { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(person, { minLength: 5, maxLength: 25 }), async (people) => {
      await store(people);
      await foldAll();
      expect(await refresh()).toBe(true);
      const found = await readLearnedHours(shop.deps, shop.tenant.tenantId);
      const counted = await recount();
      for (const channel of ['email', 'sms']) {
        const own = Object.entries(counted).filter(([key]) => key.startsWith(channel));
        const converted = own.reduce((sum, [, [, one]]) => sum + one, 0);
        const all = own.reduce((sum, [, [one]]) => sum + one, 0);
        const rules = found.find((one) => one.channel === channel)?.rules.filter(({ people: sends }) => sends > 0) ?? [];
        // Where nobody or everybody converted nothing can be said of an hour.
        const expected = converted === 0 || converted === all ? [] : own;
        expect(
          rules.map(({ day, hour, people: sends, converted: of }) => [`${channel} ${day} ${hour}`, [sends, of]] as const).toSorted(byKey),
        ).toEqual(expected.toSorted(byKey));
      }
    }),
    { numRuns: 4, endOnFailure: true },
  );
  expect(await refreshHours(shop.deps, shop.tenant.tenantId, { unlessYoungerHours: 23 })).toBe(false);
});

const yaml = `sequence: cart\nname: Hours\non: cart.abandoned\nquietFor: 1m\nsteps:\n  - { id: first, at: 2h, channel: email, content: cart/first, bestHour: true }\n`;
async function left(cart: string): Promise<{ id: string; personId: string }> {
  await shop.post('cart.updated', aCart(cart, `${cart}@example.com`), { at: Date.now() - 2 * hourMs - 1_000 });
  const { id, contactId } = await until('the enrollment', () => shop.enrollmentOf(cart));
  const { rows } = await owner.query<{ person_id: string }>('select person_id from contacts where id = $1', [contactId]);
  return { id, personId: rows[0]?.person_id ?? '' };
}
async function decided(enrollmentId: string) {
  await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'first' });
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select().from(decisions).where(eq(decisions.enrollmentId, enrollmentId)),
  );
  const row = rows.at(-1);
  return { verdict: row?.verdict, reason: row?.reason, until: row?.until ?? 0, check: row?.checks.find(({ gate }) => gate === 'best_hour') };
}

test('the dispatch waits for the learned hour where the store wants it; a fixed share of people keeps random ones, and the hour is on record', async () => {
  await publishYaml(shop, yaml);
  // Three and four hours from now, on every day: for every person one of the two is still to come on the same day, or on the next.
  const wanted = slotAt('UTC', Date.now() + 3 * hourMs) % 24;
  /** People with a message on each day of the week, ten days apart, and an order a day after some of them. */
  const sent = (hour: number, people: number, orders: (message: number) => boolean) =>
    Array.from({ length: people }, (_, person) => {
      const messages = Array.from({ length: 7 }, (__, day) => ({ slot: day * 24 + hour, daysAgo: 10 + day * 10, channel: 'email' as const }));
      return {
        sent: messages,
        orders: messages.filter((__, day) => orders(person * 7 + day)).map(({ daysAgo }) => ({ daysAgo: daysAgo - 1, reversed: false })),
      };
    });
  await owner.query('delete from conversion_rules');
  await store([
    ...sent(wanted, 24, (n) => n % 3 === 0),
    ...sent((wanted + 8) % 24, 24, (n) => n % 40 === 0),
    ...sent((wanted + 12) % 24, 24, (n) => n % 40 === 0),
  ]);
  await foldAll();
  await refresh();
  const answer = await api('/api/learning/hours');
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const map = answer.body as { data: { channel: string; preferred: { hour: number }[]; cells: unknown[] }[] };
  const email = map.data.find(({ channel }) => channel === 'email');
  expect(email?.preferred.map(({ hour }) => hour)).toEqual(Array.from({ length: 7 }, () => wanted));

  // Off: ten, as for everybody of whom nothing is known.
  const before = await decided((await left('hours-before')).id);
  expect(before.check?.input).toMatchObject({ hour: 10, by: 'usual' });
  expect((await api('/api/settings', 'PATCH', { settings: { learnedHours: true } })).status).toBe(200);
  const seen: Record<string, number> = { learned: 0, random: 0 };
  for (let n = 0; n < 8; n += 1) {
    const { id, personId } = await left(`hours-${n}`);
    const isRandom = pointOf(`${shop.tenant.tenantId}\nhours`, personId) < randomHoursShare;
    const { verdict, reason, until: untilMs, check } = await decided(id);
    expect(check?.input).toMatchObject({ by: isRandom ? 'random' : 'learned' });
    seen[isRandom ? 'random' : 'learned'] = (seen[isRandom ? 'random' : 'learned'] ?? 0) + 1;
    if (isRandom) continue;
    expect([verdict, reason]).toEqual(['defer', 'best_hour']);
    expect(new Date(untilMs).getUTCHours()).toBe(wanted);
    expect(check?.note).toContain(`waits for ${wanted}:00, the hour at which most convert by email on that day`);
  }
  expect(seen['learned']).toBeGreaterThan(0);
  const { rows } = await owner.query<{ slot: number; by: string }>(
    `select local_slot as slot, hour_by as by from messages where tenant_id = $1 and hour_by is not null`,
    [shop.tenant.tenantId],
  );
  for (const { slot, by } of rows) expect([slot >= 0 && slot < 168, ['random', 'learned', 'usual'].includes(by)]).toEqual([true, true]);
});
