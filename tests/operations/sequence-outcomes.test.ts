import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../operations/clock.ts';
import { readSequenceOutcomes } from '../../operations/read/sequence-outcomes.ts';
import { ask } from '../api/left-carts.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

// The worked vector of competing ends, as enrollments in the database: R's survival gives the same shares.

const hourMs = 3_600_000;
// Activations are kept by the hour: the hour does not change while this runs.
const nowMs = Math.floor(Date.now() / hourMs) * hourMs + hourMs / 2;

let shop: Shop;
let owner: pg.Client;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, clock: { ...systemClock, nowMs: () => nowMs } });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

async function enroll(hours: number, end: 'converted' | 'opted_out' | 'completed' | null): Promise<void> {
  const id = randomUUID();
  const t = shop.tenant.tenantId;
  // Who is watched until now began so long ago; all others began a month ago.
  const began = nowMs - (end === null || end === 'completed' ? hours : 720) * hourMs;
  const ended = new Date(began + hours * hourMs);
  await owner.query('insert into contacts (tenant_id, id, person_id) values ($1, $2, $2)', [t, id]);
  await owner.query('insert into subjects (tenant_id, id, contact_id, started_at, last_activity_at) values ($1, $2, $2, now(), now())', [t, id]);
  const status = { converted: 'CONVERTED', opted_out: 'EXITED', completed: 'COMPLETED' };
  const reason = { converted: 'purchased', opted_out: 'opted_out', completed: null };
  await owner.query(
    `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, stop_reason, ended_at, sequence_type, time_scale, anchor_at, activated_at)
     select $1, $2, s.id, s.current_version_id, $2, $2, $3, $4, $5, 'first_time', 1, $6, $6 from sequences s where s.slug = 'cart'`,
    [t, id, end === null ? 'ACTIVE' : status[end], end === null ? null : reason[end], end === null ? null : ended, new Date(began)],
  );
}

test('conversion and other exits compete; those who are on their way count for as long as they were watched', async () => {
  const { tenantId, apiKey } = shop.tenant;
  const read = () => readSequenceOutcomes(shop.deps, tenantId, 'cart', nowMs - 1_000 * hourMs);
  expect(await read()).toMatchObject({ enrolled: 0, ends: [], free: null, curve: [], timeToConversion: [] });
  const times = [1, 1, 2, 3, 3, 4, 5, 7, 7, 10, 14, 30];
  const ends = [
    'converted',
    'opted_out',
    'converted',
    null,
    'converted',
    'opted_out',
    'converted',
    'completed',
    'opted_out',
    'converted',
    null,
    null,
  ] as const;
  for (const [index, hours] of times.entries()) await enroll(hours, ends[index] ?? null);
  const found = await read();
  expect(found?.enrolled).toBe(12);
  expect(found?.ends.map(({ cause, people }) => [cause, people])).toEqual([
    ['converted', 5],
    ['opted_out', 3],
  ]);
  expect(found?.ends[0]?.share).toBeCloseTo(0.472_222_22, 8);
  expect(found?.ends[1]?.share).toBeCloseTo(0.273_809_52, 8);
  expect(found?.free).toBeCloseTo(0.253_968_25, 8);
  expect(found?.ends[0]?.interval?.low).toBeGreaterThan(0.1);
  // Of 47 % who convert, half have after three hours: 26 % of all.
  expect(found?.timeToConversion.find(({ quantile }) => quantile === 0.5)?.seconds).toBe(3 * 3_600);
  // Ten of twelve are still watched until the second hour.
  expect(found?.curve.map(({ seconds, atRisk }) => [seconds, atRisk])).toEqual([
    [3_600, 12],
    [7_200, 10],
  ]);
  expect(found?.tailHidden).toBe(true);

  const { status, body } = await ask(shop, apiKey, '/api/sequences/cart/outcomes?days=60');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    n: 12,
    ends: [
      { cause: 'converted', n: 5, share: 0.472222 },
      { cause: 'opted_out', n: 3 },
    ],
    tail_hidden: true,
  });
  expect((await ask(shop, apiKey, '/api/sequences/nothing/outcomes')).status).toBe(404);
});

test('those who converted are told apart by the message behind which they did: when, and for how much', async () => {
  const { tenantId, apiKey } = shop.tenant;
  const began = nowMs - 48 * hourMs;
  const bought = async (step: string | null, sentAfter: number, boughtAfter: number, minor: number) => {
    const id = randomUUID();
    const at = (hours: number) => new Date(began + hours * hourMs);
    await owner.query('insert into contacts (tenant_id, id, person_id) values ($1, $2, $2)', [tenantId, id]);
    await owner.query('insert into subjects (tenant_id, id, contact_id, started_at, last_activity_at) values ($1, $2, $2, now(), now())', [
      tenantId,
      id,
    ]);
    await owner.query(
      `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, stop_reason, ended_at, sequence_type, time_scale, anchor_at, enrolled_at, activated_at)
       select $1, $2, s.id, s.current_version_id, $2, $2, 'CONVERTED', 'purchased', $3, 'first_time', 1, $4, $4, $4 from sequences s where s.slug = 'silent-lead'`,
      [tenantId, id, at(boughtAfter), at(0)],
    );
    if (step !== null)
      await owner.query(
        `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, claim, claimed_at, settled_at, channel) values ($1, $2, $2, $3, $2, 'sent', $2, $4, $4, 'email')`,
        [tenantId, id, step, at(sentAfter)],
      );
    await owner.query(
      `insert into conversions (tenant_id, id, connection_id, order_id, contact_id, enrollment_id, currency, value_minor, placed_at)
       select $1, $2::uuid, c.id, $2::uuid::text, $2::uuid, $2::uuid, 'EUR', $3, $4 from connections c where c.tenant_id = $1 limit 1`,
      [tenantId, id, minor, at(boughtAfter)],
    );
  };
  await bought('message_3d', 1, 2, 1_000);
  await bought('message_3d', 1, 4, 2_050);
  await bought('message_7d', 24, 30, 3_000);
  // Bought before its message went out.
  await bought('message_3d', 20, 1, 400);
  const { body } = await ask(shop, apiKey, '/api/sequences/silent-lead/outcomes?days=10');
  const hours = (times: { quantile: number; seconds: number }[], quantile: number) => times.find((one) => one.quantile === quantile)?.seconds;
  const found = (body as { by_step: { step: string | null; conversions: number; time_to_conversion: never[]; revenue: unknown[] }[] }).by_step;
  expect(found.map(({ step, conversions, revenue }) => ({ step, conversions, revenue }))).toEqual([
    { step: 'message_3d', conversions: 2, revenue: [{ currency: 'EUR', amount: '30.50' }] },
    { step: null, conversions: 1, revenue: [{ currency: 'EUR', amount: '4.00' }] },
    { step: 'message_7d', conversions: 1, revenue: [{ currency: 'EUR', amount: '30.00' }] },
  ]);
  expect([0.5, 0.9].map((quantile) => hours(found[0]?.time_to_conversion ?? [], quantile))).toEqual([2 * 3_600, 4 * 3_600]);
});
