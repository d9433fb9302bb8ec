import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { conversionRules, modelSpending, suggestionDismissals } from '../../../db/schema/index.ts';
import { startLocalModel } from '../../../local/model/server.ts';
import { createConnection } from '../../../operations/connections.ts';
import { experimentsPass } from '../../../operations/experiments/experiments.ts';
import { readDelays } from '../../../operations/learning/delays.ts';
import { readPhrases } from '../../../operations/learning/phrases.ts';
import { readTestedArms } from '../../../operations/learning/tested-arms.ts';
import { compilePreset, publishPreset } from '../../../operations/publish-sequence.ts';
import { readInUse } from '../../../operations/versions/publish.ts';
import { ask, type Method } from '../../api/left-carts.ts';
import { openShop, type Shop } from '../../helpers/shop.ts';

// What results teach: docs/rules.md#rule-113 to 116

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

const api = (path: string, method: Method = 'GET') => ask(shop, shop.tenant.apiKey, path, method);
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const text = (words: string) => `{{ store.name }}: ${words} {{ cart.url }} {{ optOut }}`;

interface Arm {
  words: string;
  later?: string;
}
/** Publish a sequence whose steps compare texts, or times of the same text. */
async function publish(slug: string, steps: Record<string, Record<string, Arm>>): Promise<void> {
  const copy: Record<string, { file: string; text: string }> = {};
  const lines = Object.entries(steps).map(([step, arms], index) => {
    const isSame = new Set(Object.values(arms).map(({ words }) => words)).size === 1;
    const variants = Object.entries(arms).map(([id, { words, later }]) => {
      const content = `${slug}/${step}_${isSame ? 'text' : id}`;
      copy[`${content}.sms`] = { file: `${content}.sms.liquid`, text: text(words) };
      return `      - { id: ${id}, content: ${content}${later === undefined ? '' : `, later: ${later}`} }\n`;
    });
    return `  - id: ${step}\n    at: ${(index + 1) * 24}h\n    channel: sms\n    variants:\n${variants.join('')}`;
  });
  const yaml = `sequence: ${slug}\nname: ${slug}\non: manual\nabout: cart\nmaxAge: 60d\nsteps:\n${lines.join('')}`;
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: `${slug}.yaml`, yaml, copy }));
}

interface Somebody {
  variant: string;
  shares: Record<string, number>;
  assignedDaysAgo: number;
  /** Of orders: days after the assignment. */
  orders?: { afterDays: number; reversed?: boolean; noRevenue?: boolean }[];
  /** Another contact of theirs, assigned to something else later. */
  also?: { variant: string; daysLater: number };
}
/** People as a dispatch has assigned them, and what they ordered. */
async function people(slug: string, steps: Record<string, readonly Somebody[]>): Promise<void> {
  const { tenantId } = shop.tenant;
  const contacts: unknown[] = [];
  const assigned: unknown[] = [];
  const orders: unknown[] = [];
  const now = Date.now();
  const at = (daysAgo: number) => new Date(now - daysAgo * dayMs).toISOString();
  const all = Object.entries(steps).flatMap(([step, some]) => some.map((one) => ({ ...one, step })));
  for (const { step, variant, shares, assignedDaysAgo, orders: theirs = [], also } of all) {
    const [id, second] = [randomUUID(), randomUUID()];
    contacts.push({ id, person: id });
    assigned.push({ id: randomUUID(), step, contact: id, variant, shares, at: at(assignedDaysAgo) });
    if (also !== undefined) {
      contacts.push({ id: second, person: id });
      assigned.push({ id: randomUUID(), step, contact: second, variant: also.variant, shares, at: at(assignedDaysAgo - also.daysLater) });
    }
    for (const { afterDays, reversed, noRevenue } of theirs)
      orders.push({
        ...{ id: randomUUID(), contact: also === undefined ? id : second, at: at(assignedDaysAgo - afterDays) },
        ...{ reversed: reversed === true ? at(0) : null, none: noRevenue === true ? 'test' : null },
      });
  }
  await owner.query(
    `insert into contacts (tenant_id, id, person_id) select $1, r.id, r.person from json_to_recordset($2) r(id uuid, person uuid) order by r.id = r.person desc`,
    [tenantId, JSON.stringify(contacts)],
  );
  await owner.query(
    `insert into variant_assignments (tenant_id, id, sequence_id, step_id, contact_id, variant, shares, assigned_at)
     select $1, r.id, s.id, r.step, r.contact, r.variant, r.shares, r.at
     from json_to_recordset($2) r(id uuid, step text, contact uuid, variant text, shares jsonb, at timestamptz), sequences s where s.slug = $3`,
    [tenantId, JSON.stringify(assigned), slug],
  );
  await owner.query(
    `insert into conversions (tenant_id, id, connection_id, order_id, contact_id, currency, value_minor, placed_at, reversed_at, no_revenue)
     select $1, r.id, (select id from connections where tenant_id = $1 limit 1), r.id::text, r.contact, 'EUR', 1000, r.at, r.reversed, r.none
     from json_to_recordset($2) r(id uuid, contact uuid, at timestamptz, reversed timestamptz, none text)`,
    [tenantId, JSON.stringify(orders)],
  );
}

/** Whoever bought, by going through every row: it shares nothing with the statement. */
async function recount(slug: string, step: string): Promise<Record<string, { assigned: number; people: number; converted: number }>> {
  const { tenantId } = shop.tenant;
  const { rows: assigned } = await owner.query<{ person: string; variant: string; at: Date; id: string }>(
    `select c.person_id as person, a.variant, a.assigned_at as at, a.id from variant_assignments a
       join contacts c on c.tenant_id = a.tenant_id and c.id = a.contact_id join sequences s on s.id = a.sequence_id
     where a.tenant_id = $1 and s.slug = $2 and a.step_id = $3`,
    [tenantId, slug, step],
  );
  const { rows: orders } = await owner.query<{ person: string; at: Date; counts: boolean }>(
    `select c.person_id as person, o.placed_at as at, o.reversed_at is null and o.no_revenue is null as counts
     from conversions o join contacts c on c.tenant_id = o.tenant_id and c.id = o.contact_id where o.tenant_id = $1`,
    [tenantId],
  );
  // The goal’s window where a sequence says none.
  const windowMs = 7 * dayMs;
  const firsts = new Map<string, { variant: string; atMs: number }>();
  for (const { person, variant, at } of assigned.toSorted((a, b) => a.at.getTime() - b.at.getTime() || a.id.localeCompare(b.id)))
    if (!firsts.has(person)) firsts.set(person, { variant, atMs: at.getTime() });
  const arms: Record<string, { assigned: number; people: number; converted: number }> = {};
  for (const [person, { variant, atMs }] of firsts) {
    const arm = (arms[variant] ??= { assigned: 0, people: 0, converted: 0 });
    const isOver = atMs + windowMs <= Date.now();
    const bought = orders.some((o) => o.person === person && o.counts && o.at.getTime() > atMs && o.at.getTime() <= atMs + windowMs);
    arm.assigned += 1;
    if (isOver) arm.people += 1;
    if (isOver && bought) arm.converted += 1;
  }
  return arms;
}

const even = { a: 0.5, b: 0.5 };

test('counts of tests agree with a recount of every row, after random histories', async () => {
  let run = 0;
  await publish(
    'histories',
    Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`step_${n + 1}`, { a: { words: 'Still there' }, b: { words: 'Come back' } }])),
  );
  const order = fc.record({ afterDays: fc.integer({ min: -3, max: 12 }), reversed: fc.boolean(), noRevenue: fc.boolean() });
  const somebody = fc.record(
    {
      variant: fc.constantFrom('a', 'b'),
      shares: fc.constant(even),
      assignedDaysAgo: fc.integer({ min: 4, max: 30 }),
      orders: fc.array(order, { maxLength: 3 }),
      also: fc.record({ variant: fc.constantFrom('a', 'b'), daysLater: fc.integer({ min: 0, max: 4 }) }),
    },
    { requiredKeys: ['variant', 'shares', 'assignedDaysAgo'] },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(somebody, { minLength: 1, maxLength: 40 }), async (all) => {
      const step = `step_${++run}`;
      await people('histories', { [step]: all });
      await experimentsPass(shop.deps);
      const tests = await inTenant((tx) => readTestedArms(tx, shop.tenant.tenantId));
      const arms = tests.find(({ experiment }) => experiment.stepId === step)?.arms ?? [];
      const counted = await recount('histories', step);
      const nobody = { assigned: 0, people: 0, converted: 0 };
      expect(arms).toEqual(['a', 'b'].map((variant) => ({ variant, ...(counted[variant] ?? nobody) })));
    }),
    { numRuns: 12, endOnFailure: true },
  );
});

const crowd = (variant: string, shares: Record<string, number>, size: number, buyers: number): Somebody[] =>
  Array.from({ length: size }, (_, index) => ({
    ...{ variant, shares, assignedDaysAgo: 40 + (index % 20) },
    ...(index < buyers ? { orders: [{ afterDays: 2 }] } : {}),
  }));

test('a delay that did better by chance is suggested; a test in which texts differ, too, is none of delays', async () => {
  await publish('delays', { nudge: { soon: { words: 'Still there' }, late: { words: 'Still there', later: '12h' } } });
  const halves = { soon: 0.5, late: 0.5 };
  await people('delays', { nudge: [...crowd('soon', halves, 600, 30), ...crowd('late', halves, 600, 66)] });
  await publish('mixed', { nudge: { soon: { words: 'Still there' }, late: { words: 'Come back', later: '12h' } } });
  await people('mixed', { nudge: [...crowd('soon', halves, 100, 10), ...crowd('late', halves, 100, 30)] });
  await publish('fewer', { nudge: { soon: { words: 'Still there' }, late: { words: 'Still there', later: '12h' } } });
  await people('fewer', { nudge: [...crowd('soon', halves, 20, 4), ...crowd('late', halves, 20, 9)] });
  await experimentsPass(shop.deps);
  const found = await readDelays(shop.deps, shop.tenant.tenantId);
  expect(found.map(({ sequence }) => sequence).toSorted()).toEqual(['delays', 'fewer']);
  const { body } = await api('/api/learning/delays');
  expect(body).toMatchObject({ definition: expect.any(String) as unknown });
  const data = (body as { data: Record<string, unknown>[] }).data;
  const of = (sequence: string) => data.find((one) => one['sequence'] === sequence);
  expect(of('delays')).toMatchObject({
    ...{ step: 'nudge', state: 'enough', n: 1_200, missing: { people: 0, conversions: 0 } },
    suggestion: expect.stringMatching(/^Move step nudge of delays from 24 h to 36 h: \+120 % conversions/) as unknown,
    delays: [
      { variant: 'soon', delay_seconds: 86_400, n: 600, converted: 30, rate: 5, difference: null },
      { variant: 'late', delay_seconds: 129_600, n: 600, converted: 66, rate: 11, difference: { value: 6 } },
    ],
  });
  expect(of('fewer')).toMatchObject({ state: 'not_enough', missing: { people: 60, conversions: 7 }, suggestion: null });
});

test('a delay of a test that is over, and the hour at which a channel sells, are suggested as drafts, until somebody approves or dismisses them', async () => {
  const drafted = async (sequence: string) =>
    ((await api('/api/suggestions')).body as { data: Record<string, unknown>[] }).data.filter((one) => one['sequence'] === sequence);
  // While it is compared, the test itself says which delay is better.
  expect(await drafted('delays')).toEqual([]);
  const yaml = (channel: string) =>
    `sequence: delays\nname: delays\non: manual\nabout: cart\nmaxAge: 60d\nsteps:\n  - { id: nudge, at: 24h, channel: sms, content: ${channel} }\n`;
  const copy = { 'delays/nudge_text.sms': { file: 'delays/nudge_text.sms.liquid', text: text('Still there') } };
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'delays.yaml', yaml: yaml('delays/nudge_text'), copy }));
  await experimentsPass(shop.deps);
  const { tenantId } = shop.tenant;
  const rule = (day: number, hour: number, chanceBetter: number, preferred: boolean) => ({
    ...{ tenantId, channel: 'sms', day, hour, sends: 200, conversions: 40, rate: 0.18, expected: 0.1, chanceBetter },
    ...{ preferredAt: preferred ? Date.now() : null, refreshedAt: Date.now() },
  });
  await inTenant((tx) =>
    tx.insert(conversionRules).values([rule(0, 19, 0.97, true), rule(2, 19, 0.94, true), rule(3, 8, 0.89, true), rule(4, 7, 0.99, false)]),
  );
  const [delay, hour, ...more] = await drafted('delays');
  expect(more).toEqual([]);
  expect(delay).toMatchObject({
    ...{ kind: 'delay', step: 'nudge', version: 2, change: 'Half of the people get nudge 12h later.' },
    evidence: { source: 'delay_test', n: 600, converted: 66, left: null, rate: 11, advice: expect.stringContaining('from 24 h to 36 h') as unknown },
    draft: expect.stringContaining('later: 12h') as unknown,
  });
  expect(hour).toMatchObject({
    ...{ kind: 'hour', step: 'nudge', version: 2 },
    evidence: { source: 'hours', n: 400, converted: 80, rate: 20, advice: expect.stringContaining('at 19:00 on Monday, Wednesday') as unknown },
    draft: expect.stringMatching(/from: "?19:00"?/) as unknown,
  });
  expect((await api('/api/sequences/delays')).body).toMatchObject({ version: 2 });
  // The hour is dismissed: it stays away although the other one is decided about later.
  const dismissed = await ask(shop, shop.tenant.apiKey, `/api/suggestions/${String(hour?.['id'])}/dismiss`, 'POST', { reason: 'We are closed.' });
  expect(dismissed).toMatchObject({ status: 200, body: { kind: 'hours', n: 400, rate: 20 } });
  expect(await drafted('delays')).toMatchObject([{ id: delay?.['id'] }]);
  expect((await api(`/api/suggestions/${String(delay?.['id'])}/approve`, 'POST')).body).toMatchObject({ sequence: 'delays', version: 3 });
  expect((await api('/api/sequences/delays')).body).toMatchObject({ version: 3 });
  expect(await drafted('delays')).toEqual([]);
  await inTenant((tx) => tx.delete(conversionRules));
  await owner.query('delete from suggestion_dismissals');
});

test('a phrase is judged once it varies in thirty tests, and tests whose text was changed are left out', async () => {
  const before = await readPhrases(shop.deps, shop.tenant.tenantId, 'sms');
  expect(before.channels).toEqual(['sms']);
  expect([before.better, before.worse, before.open]).toEqual([[], [], []]);
  expect((await api('/api/learning/phrases?channel=SMS')).body).toMatchObject({ state: 'not_enough_variants', fewest_tests: 30 });
  const fillers = ['Still there', 'Come back', 'Your cart waits', 'One more look'];
  const steps = Array.from({ length: 32 }, (_, n) => {
    const filler = fillers[n % fillers.length] ?? '';
    return { step: `words_${n}`, arms: { a: { words: filler }, b: { words: `${filler}, delivery is free, whenever it suits you` } } };
  });
  await publish('words', Object.fromEntries(steps.map(({ step, arms }) => [step, arms])));
  await people(
    'words',
    Object.fromEntries(steps.map(({ step }, n) => [step, [...crowd('a', even, 40, 4 + (n % 3)), ...crowd('b', even, 40, 9 + (n % 4))]])),
  );
  await experimentsPass(shop.deps);
  // Changed in the middle: nobody knows who got which text.
  const changed = { a: { words: 'Something else' }, b: { words: 'Something else, delivery is free, whenever it suits you' } };
  await publish('words', Object.fromEntries(steps.map(({ step, arms }, n) => [step, n === 0 ? changed : arms])));
  const found = await readPhrases(shop.deps, shop.tenant.tenantId, 'sms');
  expect(found.leftOut).toContainEqual({ why: 'changed_text', tests: 1 });
  const free = found.better.find(({ kind, text: words }) => kind === 'three_words' && words === 'delivery is free');
  expect(free?.tests).toBe(31);
  expect(free?.p).toBeLessThan(0.001);
  expect(free?.interval?.low).toBeGreaterThan(0);
  const { body } = await api('/api/learning/phrases?channel=SMS');
  expect(body).toMatchObject({ channel: 'sms', state: 'enough', missing: 0, definition: expect.any(String) as unknown });
  expect((body as { n: number }).n).toBeGreaterThanOrEqual(31);
  const overview = (await api('/api/learning')).body as { insights: { about: string; sentence: string; n: number }[] };
  expect(overview.insights.map(({ about }) => about)).toEqual(expect.arrayContaining(['words', 'delay']));
});

test('a phrase that does better is drafted into a text, by a model under its guardrails or by a person, who approves it', async () => {
  const { tenantId } = shop.tenant;
  const now = text('Your cart waits');
  const yaml =
    'sequence: plain\nname: plain\non: manual\nabout: cart\nmaxAge: 60d\nsteps:\n  - { id: nudge, at: 24h, channel: sms, content: plain/nudge }\n';
  const copy = {
    'plain/nudge.sms': { file: 'plain/nudge.sms.liquid', text: now },
    'plain/nudge.sms.de': { file: 'plain/nudge.sms.de.liquid', text: text('Ihr Warenkorb wartet') },
  };
  await publishPreset(shop.deps, tenantId, await compilePreset({ file: 'plain.yaml', yaml, copy }), { by: 'test' });
  interface Text {
    id: string;
    text: { phrase: string; now: string };
  }
  const drafted = async () =>
    ((await api('/api/suggestions')).body as { data: (Text & { sequence: string })[] }).data.filter(({ sequence }) => sequence === 'plain');
  const [claim, ...more] = await drafted();
  expect(more).toEqual([]);
  expect(claim).toMatchObject({
    ...{ kind: 'text', step: 'nudge', version: 1, change: 'Half of the people get nudge with “delivery is free” in its text.' },
    evidence: { source: 'phrases', n: 31, left: null, converted: null, advice: expect.stringContaining('“delivery is free”') as unknown },
    text: { channel: 'sms', phrase: 'delivery is free', now },
    counter_metrics: ['opt_outs', 'complaints', 'refunds'],
  });
  const { evidence } = claim as unknown as { evidence: { q: number; rate: number; interval: { low: number; high: number } } };
  expect(evidence.q).toBeLessThan(0.001);
  expect(evidence.rate).toBeGreaterThan(evidence.interval.low);
  const post = (id: string, act: string, body?: Record<string, unknown>) =>
    ask(shop, shop.tenant.apiKey, `/api/suggestions/${id}/${act}`, 'POST', body);
  const claimed = claim?.id ?? '';
  expect(await post(claimed, 'draft')).toMatchObject({ status: 200, body: { by: 'template', reason: 'not_connected', text: now, refused: [] } });

  const model = await startLocalModel();
  const config = { apiKey: 'local-key', baseUrl: model.url, timeoutSeconds: 2 };
  await createConnection(shop.deps, tenantId, { integration: 'openai', name: 'Local model', config, secrets: [] }, 'test');
  const says = (body: string) => ({ act: 'answer', text: JSON.stringify({ subject: '', body, cta_text: '' }) }) as const;
  const refusals = async (id: string, body: string) => {
    model.next(says(body), says(body));
    return (await post(id, 'draft')).body;
  };
  // What no fact supports is refused, whatever tests say of its words.
  expect(await refusals(claimed, 'Your cart is still there for you, and the delivery is free.')).toMatchObject({
    ...{ by: 'template', reason: 'guard', text: now },
    refused: expect.arrayContaining([expect.stringContaining('claims shipping without a fact')]) as unknown,
  });
  expect((await post(claimed, 'dismiss', { reason: 'It is not true.' })).status).toBe(200);
  const [wish] = await drafted();
  expect(wish?.text.phrase).toBe('it suits you');
  const id = wish?.id ?? '';
  expect(await refusals(id, 'Your cart is still there for you.')).toMatchObject({
    by: 'template',
    reason: 'guard',
    refused: ['it lacks “it suits you”'],
  });
  expect(await refusals(id, 'Come back when it suits you, at www.example.org.')).toMatchObject({
    ...{ by: 'template', reason: 'guard' },
    refused: [expect.stringContaining('it contains an address') as unknown],
  });
  model.next(says('Your cart is still there for you.'), says('Your cart is still there for you, when it suits you.'));
  const script = (await post(id, 'draft')).body as { by: string; text: string };
  expect(script).toMatchObject({ by: 'model', model: expect.any(String) as unknown, reason: null, refused: [] });
  expect(script.text).toContain('when it suits you. {{ link.url }} {{ optOut }}');
  // The second question names what was wrong with the first answer.
  expect(model.calls.at(-1)?.body).toContain('it lacks');
  await model.close();
  const spent = await inTenant((tx) => tx.select().from(modelSpending));
  expect(spent[0]?.micros).toBeGreaterThan(0);

  // Nothing is in use before somebody approves a text that has the phrase and compiles.
  expect((await api('/api/sequences/plain')).body).toMatchObject({ version: 1 });
  for (const [unusable, why] of [
    [{}, 'Write the text with “it suits you” in it, or have a model draft it.'],
    [{ text: now }, 'The text lacks “it suits you”'],
    [{ text: 'Come back when it suits you {{ cart.nothing }}' }, 'nothing'],
  ] as const)
    expect(await post(id, 'approve', unusable)).toMatchObject({
      status: 400,
      body: { code: 'unusable_text', detail: expect.stringContaining(why) as unknown },
    });
  // A translation of which only the compiled form is kept would be missing in the other half.
  const kept = { code: 'unusable_text', detail: expect.stringContaining('Of plain/nudge.sms.de only the compiled form is kept') as unknown };
  const { rows: before } = await owner.query<{ id: string; copy: unknown }>(
    `select v.id, v.copy from sequence_versions v join sequences s on s.current_version_id = v.id where s.slug = 'plain'`,
  );
  const version = before[0]?.id;
  await owner.query(`update sequence_versions set copy = copy - 'plain/nudge.sms.de' where id = $1`, [version]);
  expect(await post(id, 'approve', { text: script.text })).toMatchObject({ status: 400, body: kept });
  await owner.query('update sequence_versions set copy = $2 where id = $1', [version, before[0]?.copy]);
  expect((await api('/api/sequences/plain')).body).toMatchObject({ version: 1 });
  expect((await post(id, 'approve', { text: script.text })).body).toEqual({ sequence: 'plain', version: 2 });
  const { inUse } = await inTenant((tx) => readInUse(tx, 'plain'));
  expect(inUse?.definition.steps[0]?.variants?.map(({ id: variant }) => variant)).toEqual(['now', 'with_it_suits_you']);
  expect(inUse?.content).toMatchObject({
    'plain/nudge.sms': { text: now },
    'plain/nudge_with_it_suits_you.sms': { text: expect.stringContaining('when it suits you') as unknown },
    'plain/nudge_with_it_suits_you.sms.de': { text: expect.stringContaining('Warenkorb') as unknown },
  });
  expect(await drafted()).toEqual([]);
  await owner.query('delete from suggestion_dismissals');
});

test('drop-offs, leaderboards and the overview are counted from real enrollments', async () => {
  const { tenantId } = shop.tenant;
  const enroll = async (slug: string, status: 'CONVERTED' | 'EXITED' | 'COMPLETED', sent: readonly string[]) => {
    const id = randomUUID();
    const began = new Date(Date.now() - 10 * dayMs);
    await owner.query('insert into contacts (tenant_id, id, person_id) values ($1, $2, $2)', [tenantId, id]);
    await owner.query('insert into subjects (tenant_id, id, contact_id, started_at, last_activity_at, created_at) values ($1, $2, $2, $3, $3, $3)', [
      tenantId,
      id,
      began,
    ]);
    await owner.query(
      `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, stop_reason, ended_at, sequence_type, time_scale, anchor_at, activated_at)
       select $1, $2, s.id, s.current_version_id, $2, $2, $3, $4, $5, 'first_time', 1, $6, $6 from sequences s where s.slug = $7`,
      [
        ...[tenantId, id, status, { CONVERTED: 'purchased', EXITED: 'opted_out', COMPLETED: null }[status], new Date(began.getTime() + 3 * dayMs)],
        ...[began, slug],
      ],
    );
    for (const [index, step] of sent.entries())
      await owner.query(
        `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, channel, settled_at) values ($1, $2, $3, $4, $3, 'sent', 'email', $5)`,
        [tenantId, randomUUID(), id, step, new Date(began.getTime() + (index + 1) * 6 * hourMs)],
      );
  };
  for (let n = 0; n < 40; n += 1) await enroll('cart', n < 8 ? 'CONVERTED' : n < 12 ? 'EXITED' : 'COMPLETED', ['email_2h']);
  for (let n = 0; n < 30; n += 1) await enroll('cart', n < 3 ? 'CONVERTED' : n < 24 ? 'EXITED' : 'COMPLETED', ['email_2h', 'email_24h']);
  await enroll('lead-nurture', 'CONVERTED', []);
  const drops = (await api('/api/learning/drop-offs')).body as { data: Record<string, unknown>[] };
  expect(drops.data[0]).toMatchObject({
    ...{ sequence: 'cart', enrolled: 70 },
    largest: { step: 'email_24h', n: 30, left: 21, rate: 70, because: 'email', advice: 'Try a text message in its place.' },
  });
  const leaders = (await api('/api/learning/leaderboards?of=sequences')).body as { n: number; data: Record<string, unknown>[] };
  // One of one is no lead over eleven of seventy where both are drawn towards what they have in common.
  expect(leaders.n).toBe(71);
  expect(leaders.data).toHaveLength(2);
  expect(leaders.data).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ key: 'cart', n: 70, converted: 11 }),
      expect.objectContaining({ key: 'lead-nurture', n: 1, converted: 1 }),
    ]),
  );
  const overview = (await api('/api/learning?days=30')).body;
  expect(overview).toMatchObject({
    conversions: { n: 71, converted: 12 },
    channels: { data: [{ key: 'email', n: 100, converted: 11 }] },
    funnel: {
      n: expect.any(Number) as unknown,
      stages: [{ stage: 'leads' }, { stage: 'contacted', n: 70 }, { stage: 'responded', n: 0 }, { stage: 'converted', n: 11 }],
    },
  });
  for (const of of ['campaigns', 'sources', 'imports']) expect((await api(`/api/learning/leaderboards?of=${of}`)).status).toBe(200);
  expect((await api('/api/learning/leaderboards?of=luck')).status).toBe(400);

  // Where it loses most, a comparison is drafted. Nothing is in use before somebody approves it, once.
  const suggested = async () =>
    ((await api('/api/suggestions')).body as { data: Record<string, unknown>[] }).data.filter(({ sequence }) => sequence === 'cart');
  const [suggestion, ...more] = await suggested();
  expect(more).toEqual([]);
  expect(suggestion).toMatchObject({
    ...{ step: 'email_24h', kind: 'delay', version: 1, evidence: { n: 30, left: 21, rate: 70 } },
    counter_metrics: ['opt_outs', 'complaints', 'refunds'],
    draft: expect.stringContaining('later: 12h') as unknown,
  });
  expect((await api('/api/sequences/cart')).body).toMatchObject({ version: 1 });
  expect((await api('/api/suggestions/nothing/approve', 'POST')).body).toMatchObject({ code: 'unknown_suggestion' });
  const id = String(suggestion?.['id']);
  const dismiss = (reason: string) => ask(shop, shop.tenant.apiKey, `/api/suggestions/${id}/dismiss`, 'POST', { reason });
  expect((await dismiss(' ')).status).toBe(400);
  expect(await dismiss('We write once a day.')).toMatchObject({
    status: 200,
    body: { sequence: 'cart', step: 'email_24h', kind: 'delay', n: 30, rate: 70 },
  });
  // Not again, also not to be approved, and by whom is on record.
  expect(await suggested()).toEqual([]);
  expect((await dismiss('Twice.')).status).toBe(404);
  expect((await api(`/api/suggestions/${id}/approve`, 'POST')).status).toBe(404);
  expect((await api('/api/suggestions/dismissed')).body).toMatchObject({
    data: [{ sequence: 'cart', reason: 'We write once a day.', dismissed_by: expect.any(String) as unknown }],
  });
  // What it rested on was half as much: it is news.
  await inTenant((tx) => tx.update(suggestionDismissals).set({ evidence: sql`${suggestionDismissals.evidence} || '{"n": 15}'` }));
  expect(await suggested()).toMatchObject([{ id }]);
  const path = `/api/suggestions/${id}/approve`;
  const approved = await Promise.all([1, 2].map(() => api(path, 'POST')));
  expect(approved.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
  expect((await api('/api/sequences/cart')).body).toMatchObject({ version: 2 });
  expect(await suggested()).toEqual([]);
  expect((await api(path, 'POST')).status).toBe(404);
});
