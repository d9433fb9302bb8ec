import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { conversionRules, offers, sequences } from '../../db/schema/index.ts';
import { hourRules } from '../../domain/learning/hours.ts';
import { experimentsPass } from '../../operations/experiments/experiments.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { asOwner } from '../helpers/database.ts';
import type { Shop } from '../helpers/shop.ts';
import { ask } from './left-carts.ts';

const dayMs = 24 * 3_600_000;

/** So many people who got a text, of whom so many ordered. */
export type Arm = readonly [people: number, ordered: number];

/** A sequence whose step compares the texts `a` and `b`, as it stands after `daysAgo` days. It is about leads, so that carts do not enter it. */
export async function compareTexts(
  shop: Shop,
  slug: string,
  { a, b, daysAgo = 12, minor = null }: { a: Arm; b: Arm; daysAgo?: number; minor?: number | null },
): Promise<void> {
  const { tenantId } = shop.tenant;
  const connectionId = shop.tenant.webhooks.generic.path.split('/').at(-1) ?? '';
  const copy = (name: string) => ({
    file: `${name}.liquid`,
    text: `---\nsubject: Subject ${name}\npreheader: It waits\nheading: Hello\ncta: Go on\n---\nHello.\n\n[lead]\n`,
  });
  const yaml = [
    `sequence: ${slug}`,
    `name: Texts of ${slug}`,
    'on: lead.silent',
    'goal: { event: order.placed, within: 3d }',
    'steps:',
    '  - id: first_email',
    '    at: 2d',
    '    channel: email',
    '    variants:',
    `      - { id: a, content: ${slug}/a, weight: 1 }`,
    `      - { id: b, content: ${slug}/b, weight: 1 }`,
    '',
  ].join('\n');
  const texts = { [`${slug}/a`]: copy('a'), [`${slug}/b`]: copy('b') };
  await publishPreset(shop.deps, tenantId, await compilePreset({ file: `${slug}.yaml`, yaml, copy: texts }));
  const at = new Date(Date.now() - daysAgo * dayMs).toISOString();
  await shop.deps.db.withTenant(tenantId, async (tx) => {
    const [sequence] = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, slug));
    for (const [variant, [people, ordered]] of Object.entries({ a, b })) {
      await tx.execute(sql`
        with people as materialized (select gen_random_uuid() as id, n from generate_series(1, ${people}::int) n),
        known as (insert into contacts (tenant_id, id, person_id) select ${tenantId}::uuid, id, id from people),
        drawn as (
          insert into variant_assignments (tenant_id, id, sequence_id, step_id, contact_id, variant, assigned_at, shares)
          select ${tenantId}::uuid, gen_random_uuid(), ${sequence?.id ?? ''}::uuid, 'first_email', id, ${variant}, ${at}::timestamptz, '{"a":0.5,"b":0.5}' from people)
        insert into conversions (tenant_id, id, connection_id, order_id, contact_id, placed_at, value_minor, currency)
        select ${tenantId}::uuid, gen_random_uuid(), ${connectionId}::uuid, gen_random_uuid()::text, id, ${at}::timestamptz + interval '1 day',
          ${minor}::bigint, ${minor === null ? null : 'EUR'}::text
        from people where n <= ${ordered}::int`);
    }
  });
  // As the worker's job does: without it the planner takes the new tables for empty ones.
  await asOwner(shop.database.url, 'analyze contacts, variant_assignments, conversions');
  // One begins the test, the other examines it.
  await experimentsPass(shop.deps);
  await experimentsPass(shop.deps);
}

/** Accounts that were last seen so many days ago, each assessed: something begins where the signs are early. The last one is handed to a manager, twice. */
export async function haveAccounts(shop: Shop, daysAway: readonly number[]): Promise<void> {
  let last = '';
  await asked(shop, '/api/sequences/churn-early/resume', {});
  for (const [index, away] of daysAway.entries()) {
    const who = { first_name: 'Account', last_name: `No. ${index + 1}`, email: `account-${index + 1}@example.com` };
    const behaviour = [0, 4, 8, 40].map((more) => ({ kind: 'visit', at: new Date(Date.now() - (away + more) * dayMs).toISOString() }));
    const account = { id: `account-${index + 1}`, ...(index === 0 ? { name: 'Example Gardens' } : {}) };
    last = ((await asked(shop, '/api/behaviour', { account, contact: who, behaviour })) as { account: string }).account;
    await asked(shop, '/api/risk/interventions', { account: last });
  }
  for (const note of ['Please call them.', 'Please call them again.']) await asked(shop, '/api/escalations', { subject: last, note });
}

/** What a store learned about its hours: the evening does better, nights are empty, and Tuesday at seven is preferred. */
export async function haveHours(shop: Shop): Promise<void> {
  const { tenantId } = shop.tenant;
  const cells = Array.from({ length: 7 * 16 }, (_, index) => {
    const [day, hour] = [Math.floor(index / 16), 7 + (index % 16)];
    const people = 150 + ((index * 37) % 90);
    const share = 0.02 + (hour >= 17 && hour <= 20 ? 0.03 : 0) + (day === 1 && hour === 19 ? 0.08 : 0);
    return { day, hour, people, converted: Math.round(people * share) };
  });
  const nowMs = Date.now();
  await shop.deps.db.withTenant(tenantId, (tx) =>
    tx.insert(conversionRules).values(
      hourRules(cells, [], nowMs).map(({ day, hour, people, converted, rate, expected, chanceBetter, preferredAtMs }) => ({
        ...{ tenantId, channel: 'email', day, hour, sends: people, conversions: converted, rate, expected, chanceBetter },
        ...{ preferredAt: preferredAtMs, refreshedAt: nowMs },
      })),
    ),
  );
}

/** A month ago a sequence left one of five out: of 800 with messages 160 ordered, of 200 without 20, at 50.00 each. */
export async function haveHoldout(shop: Shop, slug: string): Promise<void> {
  const { tenantId } = shop.tenant;
  const connectionId = shop.tenant.webhooks.generic.path.split('/').at(-1) ?? '';
  const at = new Date(Date.now() - 40 * dayMs).toISOString();
  await shop.deps.db.withTenant(tenantId, async (tx) => {
    const [sequence] = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, slug));
    for (const [arm, people, ordered] of [
      ['treated', 800, 160],
      ['holdout', 200, 20],
    ] as const) {
      await tx.execute(sql`
        with people as materialized (select gen_random_uuid() as id, n from generate_series(1, ${people}::int) n),
        known as (insert into contacts (tenant_id, id, person_id) select ${tenantId}::uuid, id, id from people),
        drawn as (
          insert into assignments (tenant_id, id, sequence_id, contact_id, arm, share, assigned_at)
          select ${tenantId}::uuid, gen_random_uuid(), ${sequence?.id ?? ''}::uuid, id, ${arm}, 0.2, ${at}::timestamptz from people)
        insert into conversions (tenant_id, id, connection_id, order_id, contact_id, placed_at, value_minor, currency)
        select ${tenantId}::uuid, gen_random_uuid(), ${connectionId}::uuid, gen_random_uuid()::text, id, ${at}::timestamptz + interval '1 day', 5000, 'EUR'
        from people where n <= ${ordered}::int`);
    }
  });
  // As above: a plan for empty tables takes longer than a statement may.
  await asOwner(shop.database.url, 'analyze contacts, assignments, conversions');
}

/** Somebody whose cart was left was given a code of the shop's own list. */
export async function haveOffer(shop: Shop, cart: string, code: string): Promise<void> {
  const { tenantId } = shop.tenant;
  const enrollment = await shop.enrollmentOf(cart);
  if (enrollment === null) throw new Error(`nothing began about ${cart}`);
  const grantedAt = Date.now();
  await shop.deps.db.withTenant(tenantId, (tx) =>
    tx.insert(offers).values({
      ...{ tenantId, id: randomUUID(), enrollmentId: enrollment.id, stepId: 'email_24h', contactId: enrollment.contactId },
      ...{ code, percentOff: 10, source: 'pool', state: 'minted', grantedAt, endsAt: grantedAt + 2 * dayMs },
    }),
  );
}

async function asked(shop: Shop, path: string, body: Record<string, unknown>): Promise<unknown> {
  const answer = await ask(shop, shop.tenant.apiKey, path, 'POST', body);
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** A sequence whose second email most people leave behind: 30 people, of whom 3 ordered. */
export async function haveLosses(shop: Shop, slug: string): Promise<void> {
  const { tenantId } = shop.tenant;
  const copy = (step: string) => ({
    file: `${step}.liquid`,
    text: `---\nsubject: Subject ${step}\npreheader: It waits\nheading: Hello\ncta: Go on\n---\nHello.\n\n[lead]\n`,
  });
  const steps = ['first', 'second'];
  const yaml = [
    ...[`sequence: ${slug}`, 'name: Losing people', 'on: lead.silent', 'goal: { event: order.placed, within: 3d }', 'steps:'],
    ...steps.flatMap((id, index) => [`  - id: ${id}`, `    at: ${index + 1}d`, '    channel: email', `    content: ${slug}/${id}`]),
    '',
  ].join('\n');
  const texts = Object.fromEntries(steps.map((id) => [`${slug}/${id}`, copy(id)]));
  await publishPreset(shop.deps, tenantId, await compilePreset({ file: `${slug}.yaml`, yaml, copy: texts }));
  const began = new Date(Date.now() - 10 * dayMs);
  const later = (days: number) => new Date(began.getTime() + days * dayMs);
  await asOwner(
    shop.database.url,
    Array.from({ length: 30 }, (_, n) => {
      const id = `'${randomUUID()}'::uuid`;
      const at = (days: number) => `'${later(days).toISOString()}'`;
      const [status, reason] = n < 3 ? ["'CONVERTED'", "'purchased'"] : ["'EXITED'", "'opted_out'"];
      return `with c as (insert into contacts (tenant_id, id, person_id) values ('${tenantId}', ${id}, ${id})),
        s as (insert into subjects (tenant_id, id, contact_id, started_at, last_activity_at, created_at)
          values ('${tenantId}', ${id}, ${id}, ${at(0)}, ${at(0)}, ${at(0)})),
        e as (insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, stop_reason, ended_at, sequence_type, time_scale, anchor_at, activated_at)
          select '${tenantId}', ${id}, q.id, q.current_version_id, ${id}, ${id}, ${status}, ${reason}, ${at(4)}, 'first_time', 1, ${at(0)}, ${at(0)}
          from sequences q where q.tenant_id = '${tenantId}' and q.slug = '${slug}')
        insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, channel, settled_at)
        select '${tenantId}', gen_random_uuid(), ${id}, step, ${id}, 'sent', 'email', ${at(2)} from unnest(array['first', 'second']) as step`;
    }).join(';\n'),
  );
}
