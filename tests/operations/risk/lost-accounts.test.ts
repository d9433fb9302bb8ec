import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask } from '../../api/left-carts.ts';
import { asOwner } from '../../helpers/database.ts';
import { openShop, type Shop } from '../../helpers/shop.ts';

// What interventions change, and what is aimed at: docs/rules.md#rule-97

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

/** Accounts that came into the band 70 days ago; of each arm so many have bought since. */
const accounts = (arm: 'treated' | 'holdout', count: number, stayed: number) =>
  asOwner(
    shop.database.url,
    `with made as (select gen_random_uuid() as id, n from generate_series(1, $3::int) n),
       sequence as (select s.id, s.current_version_id as version from sequences s where s.tenant_id = $1 and s.slug = 'churn-early'),
       contact as (insert into contacts (tenant_id, id, person_id) select $1, id, id from made),
       subject as (insert into subjects (tenant_id, id, contact_id, kind, details, started_at, last_activity_at) select $1, id, id, 'account', '{}', now(), now() from made),
       enrollment as (
         insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, subject_kind, segment, sequence_type, time_scale, anchor_at, enrolled_at,
           activated_at, status, stop_reason, ended_at)
         select $1, gen_random_uuid(), s.id, s.version, m.id, m.id, 'account', 'new', 'first_time', 1, now() - interval '70 days', now() - interval '70 days',
           now() - interval '70 days', 'EXITED', case $2 when 'holdout' then 'holdout' else 'recovered' end, now() from made m, sequence s),
       assignment as (
         insert into assignments (tenant_id, id, sequence_id, contact_id, arm, share, assigned_at)
         select $1, gen_random_uuid(), s.id, m.id, $2, 0.5, now() - interval '70 days' from made m, sequence s)
     insert into behaviours (tenant_id, id, subject_id, key, kind, data, occurred_at)
     select $1, gen_random_uuid(), m.id, 'bought', 'order', '{}', now() - interval '60 days' from made m where m.n <= $4::int`,
    [shop.tenant.tenantId, arm, count, stayed],
  );

test('of those held out and of the others it is said how many were lost, and how many fewer that is, beside what is aimed at', async () => {
  await accounts('holdout', 20, 8);
  await accounts('treated', 40, 28);
  const { body } = await ask(shop, shop.tenant.apiKey, '/api/interventions/figures?days=90', 'GET');
  const { bands, targets } = body as { bands: { band: string; success: { target: unknown }; effect: unknown }[]; targets: unknown };
  expect(bands.find(({ band }) => band === 'early')).toMatchObject({
    arms: [
      { arm: 'treated', complete: 40, stayed: 28 },
      { arm: 'holdout', complete: 20, stayed: 8 },
    ],
    effect: { percentage_points: 30, churn: { held_out: 60, treated: 30, reduction: 50 } },
  });
  expect(bands.map(({ band, success }) => [band, success.target])).toEqual([
    ['early', { from: 40, to: 50 }],
    ['active', { from: 55, to: 65 }],
    ['critical', { from: 60, to: 70 }],
  ]);
  expect(targets).toEqual({ success_percent: 65, roi_percent: 500, escalated_percent: 5 });
});
