import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { provisionTenant } from '../../operations/provision-tenant.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';

let shop: Shop;
let owner: pg.Client;
beforeAll(async () => {
  shop = await openShop();
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  await fillEveryTable();
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

/** Rows in every table, most of them made by the API. */
async function fillEveryTable(): Promise<void> {
  const { tenantId } = shop.tenant;
  await shop.post('cart.updated', aCart('cart-1', 'ada@example.com', {}));
  await shop.post('contact.updated', { contact: { email: 'ada@example.com', marketing: { email: true } } });
  await shop.post('contact.opted_out', { contact: { email: 'bob@example.com' } });
  await shop.post('order.placed', { order: { id: 'o-1', currency: 'EUR', total: '1.00' }, contact: { email: 'cleo@example.com' } });
  await shop.post('order.updated', { order: { id: 'o-1', currency: 'EUR', refunds: [{ id: 'r-1', amount: '0.50' }] } });
  await shop.shopify('customers/redact', { shop_domain: 'x.example.com', customer: { id: 1, email: 'ada@example.com' }, orders_to_redact: [] });
  await shop.post('cart.updated', { cart: 'not a cart' });
  for (const name of ['one', 'other']) await shop.post('contact.updated', { contact: { email: `${name}-2@example.com` } });
  for (const name of ['one', 'other']) await shop.post('contact.updated', { contact: { id: 'c-2', email: `${name}-2@example.com` } });
  const enrollment = await shop.enrollmentOf('cart-1');
  if (enrollment === null) throw new Error('no enrollment');
  const message = randomUUID();
  const insert = (table: string, row: Record<string, unknown>) =>
    owner.query(
      `insert into ${table} (${Object.keys(row).join(', ')}) values (${Object.keys(row)
        .map((_, i) => `$${i + 1}`)
        .join(', ')})`,
      Object.values(row),
    );
  const ids = { tenant_id: tenantId, enrollment_id: enrollment.id };
  await insert('messages', { ...ids, id: message, step_id: 'email_2h', contact_id: enrollment.contactId, state: 'sent' });
  await insert('decisions', {
    ...ids,
    id: randomUUID(),
    step_id: 'email_2h',
    version_id: enrollment.versionId,
    verdict: 'send',
    reason: 'email',
    checks: '[]',
  });
  await insert('message_events', { ...ids, id: randomUUID(), message_id: message, type: 'opened', occurred_at: new Date() });
  const figures = { tenant_id: tenantId, subject_kind: 'cart', segment: 'first_time', started: 1 };
  await insert('sums', { ...figures, grain: 'hour', starts_at: new Date(0) });
  await insert('sum_deltas', { ...figures, hour: new Date(0) });
  await insert('lateness', { tenant_id: tenantId, slot: 0, at: new Date(0), steps: 1, worst_ms: 1 });
  const person = randomUUID();
  await insert('identity.users', { id: person, name: 'Ada Example', email: 'ada@example.com' });
  await insert('members', { tenant_id: tenantId, user_id: person, role: 'owner', invited_by: 'test' });
  const invited = { email: 'bob@example.com', role: 'viewer', token_hash: 'hash', invited_by: 'test', expires_at: new Date() };
  await insert('invitations', { tenant_id: tenantId, id: randomUUID(), ...invited });
  await insert('settings_versions', { tenant_id: tenantId, version: 1, settings: '{}', changes: '{}', changed_by: 'test' });
  await insert('offers', {
    ...ids,
    id: randomUUID(),
    step_id: 'email_72h',
    contact_id: enrollment.contactId,
    code: 'X',
    percent_off: 1,
    source: 'pool',
    state: 'minted',
    granted_at: new Date(0),
    ends_at: new Date(0),
  });
  await insert('offer_codes', { tenant_id: tenantId, id: randomUUID(), code: 'X' });
  await insert('compositions', {
    ...ids,
    id: randomUUID(),
    step_id: 'email_24h',
    state: 'waiting',
    channel: 'email',
    language: 'en',
    fingerprint: 'x',
    model: 'x',
    due_at: new Date(),
  });
  await insert('model_spending', { tenant_id: tenantId, day: '2026-03-10', micros: 1 });
  const { rows: of } = await owner.query<{ id: string }>('select id from connections where tenant_id = $1 limit 1', [tenantId]);
  await insert('lookups', { tenant_id: tenantId, id: randomUUID(), connection_id: of[0]?.id, key: 'x', topic: 'x', what: '{}', state: 'done' });
  const tokens = { granted_for: 'x', sealed_access: 'x', sealed_refresh: 'x', expires_at: new Date(0) };
  await insert('connection_tokens', { tenant_id: tenantId, connection_id: of[0]?.id, ...tokens });
  await insert('bots', { tenant_id: tenantId, connection_id: of[0]?.id });
  await insert('calls', { tenant_id: tenantId, message_id: message, outcome: 'answered', reason: 'x', keywords: '[]' });

  const chat = { tenant_id: tenantId, connection_id: of[0]?.id, chat_id: '1' };
  await insert('chats', { ...chat, phase: 'ENGAGEMENT' });
  await insert('chat_updates', { ...chat, update_id: 1, did: '{"kind":"other"}' });
  const answer = { connection_id: of[0]?.id, channel: 'sms', keyword: 'stop', address_hash: 'x', asked_at: new Date(0) };
  await insert('keyword_answers', { tenant_id: tenantId, id: randomUUID(), ...answer });
  await insert('admin_codes', { tenant_id: tenantId, id: randomUUID(), hash: 'x', created_by: 'test', expires_at: new Date(0) });
  await insert('tasks', { tenant_id: tenantId, id: randomUUID(), kind: 'question' });
  const conversion = { tenant_id: tenantId, id: randomUUID(), connection_id: of[0]?.id, click: 'x', status: 'sale', outcome: 'sale' };
  await insert('lead_conversions', { ...conversion, reported_at: new Date(0) });
  await insert('tracker_ids', { tenant_id: tenantId, value: 'x', kind: 'conversion', ref_id: conversion.id });
  const campaign_id = randomUUID();
  await insert('campaigns', { tenant_id: tenantId, id: campaign_id, name: 'x' });
  await insert('campaign_leads', { tenant_id: tenantId, campaign_id, subject_id: enrollment.subjectId, came_by: 'hand' });
  await insert('scripts', {
    tenant_id: tenantId,
    id: randomUUID(),
    name: 'x',
    channel: 'sms',
    about: 'lead',
    texts: '{}',
    content: '{}',
    changed_by: 'test',
  });
  const import_id = randomUUID();
  await insert('imports', { tenant_id: tenantId, id: import_id, source: 'BULK', requested_by: 'test' });
  await insert('import_parts', { tenant_id: tenantId, import_id, number: 0, data: Buffer.from('x') });
  await insert('import_errors', { tenant_id: tenantId, id: randomUUID(), import_id, line: 2, reason: 'x', taken_in: false });
  await insert('lead_routings', { tenant_id: tenantId, subject_id: enrollment.subjectId });
  await insert('popups', { ...ids, step_id: 'popup_1h', digest: 'x' });
  const [endpointId, eventId, deliveryId] = [randomUUID(), randomUUID(), randomUUID()];
  await insert('webhook_endpoints', { tenant_id: tenantId, id: endpointId, url: 'https://example.com/', secrets: '[]' });
  await insert('webhook_events', { tenant_id: tenantId, id: eventId, source: 'test' });
  await insert('outage_drills', {
    ...{ tenant_id: tenantId, id: randomUUID(), part: 'worker', share_percent: 10, started_by: 'test' },
    ...{ started_at: '2026-01-01T00:00:00Z', ends_at: '2026-01-01T01:00:00Z' },
  });
  await insert('alarm_standings', { tenant_id: tenantId, kind: 'backlog' });
  await insert('alarms', { tenant_id: tenantId, id: randomUUID(), kind: 'backlog', figure: 1, threshold: 1 });
  const [target, task, notification] = [randomUUID(), randomUUID(), randomUUID()];
  await insert('notification_targets', { tenant_id: tenantId, id: target, owner: 'Mia', channel: 'email', sealed_config: 'x' });
  await insert('tasks', { tenant_id: tenantId, id: task, kind: 'question' });
  await insert('notifications', { tenant_id: tenantId, id: notification, task_id: task, target_id: target, cause: 'opened' });
  await insert('notification_uses', { tenant_id: tenantId, notification_id: notification, action: 'accept', used_by: 'Mia' });
  await insert('notification_templates', { tenant_id: tenantId, kind: '*', channel: 'sms', body: 'x' });
  await insert('sweeps', { tenant_id: tenantId, kind: 'silent' });
  await insert('live_readers', { tenant_id: tenantId, since: new Date(0), until: new Date(0) });
  await insert('webhook_deliveries', { tenant_id: tenantId, id: deliveryId, event_id: eventId, endpoint_id: endpointId });
  await insert('webhook_attempts', { tenant_id: tenantId, id: randomUUID(), delivery_id: deliveryId, number: 1, started_at: new Date(0) });
  await insert('parked_skips', { tenant_id: tenantId, kind: 'outcome', ref: 'x', actor: 'test', note: 'x' });
  const keyed = { tenant_id: tenantId, caller: 'test', key: 'x', request: 'x', run: randomUUID(), state: 'free' };
  await insert('keyed_requests', { ...keyed, lease_until: new Date(), kept_until: new Date(Date.now() + 3_600_000) });
  await insert('edit_leases', { tenant_id: tenantId, path: '/x', run: randomUUID(), until: new Date() });
  await insert('request_rates', { tenant_id: tenantId, caller: 'test', minute: 1, reserved: 1 });
  await insert('enrollment_requests', { ...ids, key: 'a-key', request: 'test' });
  await insert('enrollment_actions', { ...ids, id: 'x', action: 'skip', state: 'done', request: 'x', result: '{}', actor: 'test' });
  const { sequenceId, contactId } = enrollment;
  await insert('assignments', { tenant_id: tenantId, id: randomUUID(), sequence_id: sequenceId, contact_id: contactId, arm: 'treated', share: 0.1 });
  const [backtestId, jobId] = [randomUUID(), randomUUID()];
  await insert('send_rates', { tenant_id: tenantId, scope: 'catch_up' });
  await insert('backtests', { tenant_id: tenantId, id: backtestId, slug: 'cart', source_hash: 'x', days: 1, requested_by: 'test' });
  const rate = { people: 1, per: 'hour', candidates: 1, subject_kind: 'cart', filter: '{}', requested_by: 'test' };
  await insert('bulk_jobs', {
    tenant_id: tenantId,
    id: jobId,
    sequence_id: sequenceId,
    version_id: enrollment.versionId,
    backtest_id: backtestId,
    ...rate,
  });
  await insert('bulk_members', { tenant_id: tenantId, job_id: jobId, subject_id: enrollment.subjectId, reason: 'bought' });
  const acted = { action: 'stop', filter: '{}', matched: 1, requested_by: 'test' };
  await insert('bulk_actions', { tenant_id: tenantId, id: randomUUID(), ...acted });
  await insert('sequence_drafts', { tenant_id: tenantId, sequence_id: sequenceId, yaml: '', copy: '{}', source_hash: 'x', changed_by: 'test' });
  const [shadowId, runId] = [randomUUID(), randomUUID()];
  const { versionId } = enrollment;
  await insert('shadows', {
    tenant_id: tenantId,
    id: shadowId,
    sequence_id: sequenceId,
    version_id: versionId,
    beside_id: sequenceId,
    started_by: 'test',
  });
  await insert('shadow_runs', { ...ids, id: runId, shadow_id: shadowId, anchor_at: new Date() });
  await insert('shadow_decisions', {
    tenant_id: tenantId,
    id: randomUUID(),
    run_id: runId,
    step_id: 'one',
    at: new Date(),
    verdict: 'send',
    reason: 'email',
    checks: '[]',
  });
  await insert('version_moves', { tenant_id: tenantId, version_id: enrollment.versionId, reason: 'version_replaced' });
  const variant = { sequence_id: sequenceId, contact_id: contactId, step_id: 'email_2h', variant: 'a', shares: '{"a": 1}' };
  await insert('variant_assignments', { tenant_id: tenantId, id: randomUUID(), ...variant });
  const experimentId = randomUUID();
  await insert('experiments', { tenant_id: tenantId, id: experimentId, sequence_id: sequenceId, step_id: 'email_2h', shares: '{"a": 1}' });
  const arm = { experiment_id: experimentId, contact_id: contactId, variant: 'a' };
  await insert('experiment_assignments', { tenant_id: tenantId, id: randomUUID(), ...arm });
  const place = {
    model: 'last',
    day: new Date(0),
    sequence_id: sequenceId,
    step_id: 'email_2h',
    channel: 'email',
    variant: '',
    campaign: '',
    source: '',
    currency: 'EUR',
  };
  await insert('attribution_credits', { tenant_id: tenantId, conversion_id: randomUUID(), message_id: randomUUID(), ...place });
  await insert('attribution_sums', { tenant_id: tenantId, ...place });
  await insert('attribution_marks', { tenant_id: tenantId });
  await insert('course_sums', { tenant_id: tenantId, grain: 'day', topic: 'course', starts_at: new Date(0) });
  await insert('course_figures', { tenant_id: tenantId, subject_id: enrollment.subjectId, figures: '[]' });
  await insert('course_marks', { tenant_id: tenantId });
  const counts = { people: 1, converted: 0, opt_outs: 0, complaints: 0, refunds: 0, sent: 0, opened: 0, clicked: 0 };
  const inArm = { tenant_id: tenantId, kind: 'holdout', scope_id: sequenceId, step_id: '', variant: 'treated', shares: '{}', ...counts };
  await insert('arm_figures', { ...inArm, person_id: enrollment.contactId, assigned_at: new Date(0), revenue: '{}' });
  await insert('arm_sums', { ...inArm, grain: 'day', starts_at: new Date(0), currency: '', amount: 0, squares: 0 });
  await insert('intervention_marks', { tenant_id: tenantId });
  await insert('intervention_figures', {
    ...{ tenant_id: tenantId, enrollment_id: enrollment.id, account_id: enrollment.subjectId, began_at: new Date(0) },
    ...{ basis: 'basis', figures: '[]' },
  });
  await insert('intervention_sums', { tenant_id: tenantId, day: new Date(0), band: 'early', begun: 1 });
  await insert('conversion_rules', {
    ...{ tenant_id: tenantId, channel: 'email', day: 0, hour: 9, sends: 1, conversions: 0 },
    ...{ rate: 0, expected: 0, chance_better: 0.5, refreshed_at: new Date(0) },
  });
  await insert('suggestion_dismissals', {
    ...{
      tenant_id: tenantId,
      sequence_id: enrollment.sequenceId,
      step_id: 'email_1h',
      kind: 'delay',
      evidence: '{}',
      dismissed_by: 'x',
      reason: 'x',
    },
  });
  await insert('behaviours', {
    tenant_id: tenantId,
    id: randomUUID(),
    subject_id: enrollment.subjectId,
    key: 'x',
    kind: 'visit',
    data: '{}',
    occurred_at: new Date(0),
  });
  const modelId = randomUUID();
  const quality = '{}';
  await insert('risk_models', {
    ...{ tenant_id: tenantId, id: modelId, version: 1, prediction: '{}', role: 'champion', name: 'logistic', model: '{}' },
    ...{ quality, examples: 1, lost: 1 },
  });
  await insert('risk_trainings', { tenant_id: tenantId, id: randomUUID(), outcome: 'promoted', detail: 'x', examples: 1, lost: 1, took_ms: 1 });
  await insert('risk_standings', { tenant_id: tenantId, subject_id: enrollment.subjectId });
  await insert('risk_runs', { tenant_id: tenantId, id: randomUUID(), requested_by: 'x' });
  await insert('risk_assessments', {
    ...{ tenant_id: tenantId, id: randomUUID(), subject_id: enrollment.subjectId, at: new Date(0), by: 'rules', rules_because: 'no_model' },
    ...{ basis: 'rank', score: 0.5, band: 'early', band_before: 'none', factors: '[]', thresholds: '{}', prediction: '{}', cause: 'asked' },
  });
  await insert('facts', {
    tenant_id: tenantId,
    id: randomUUID(),
    kind: 'stock',
    subject: 'crew',
    value: '{"left": 3}',
    source: 'test',
    observed_at: new Date(0),
    expires_at: new Date(),
  });
  await insert('erasures', { tenant_id: tenantId, id: randomUUID(), contact_id: contactId, origin: 'request', requested_by: 'test' });
  await insert('person_exports', { tenant_id: tenantId, id: randomUUID(), contact_id: contactId, origin: 'request', requested_by: 'test' });
  await insert('audit_log', { tenant_id: tenantId, id: randomUUID(), actor: 'test', action: 'test' });
}

/** No tenant's, and nobody's to read: functions hand it out. */
const installationWide = 'installation_keys';

async function tables(): Promise<string[]> {
  const { rows } = await owner.query<{ relname: string }>(
    `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`,
  );
  return rows.map((r) => r.relname).filter((table) => table !== installationWide);
}

test('every table holds rows of the first tenant, or the walk below proves nothing', async () => {
  for (const table of await tables()) {
    const { rows } = await owner.query<{ n: string }>(`select count(*) as n from ${table}`);
    expect({ table, empty: Number(rows[0]?.n) === 0 }).toEqual({ table, empty: false });
  }
});

test("another tenant's transaction finds nothing in any table, and cannot write there either", async () => {
  const other = await provisionTenant(shop.deps, {
    slug: `other-${randomUUID().slice(0, 8)}`,
    name: 'Other',
    timeScale: 1,
    synthetic: true,
    settings: {},
  });
  for (const table of await tables()) {
    const column = table === 'tenants' ? 'id' : 'tenant_id';
    const seen = await asApp(other.tenantId, `select count(*)::int as n from ${table} where ${column} = '${shop.tenant.tenantId}'`);
    expect({ table, seen }).toEqual({ table, seen: 0 });
    // Append-only tables grant no delete at all, which is as good.
    const deleted = await asApp(
      other.tenantId,
      `with gone as (delete from ${table} where ${column} = '${shop.tenant.tenantId}' returning 1) select count(*)::int as n from gone`,
    ).catch((e: { code?: string }) => e.code);
    expect([0, '42501']).toContain(deleted);
  }
});

test('without a tenant nothing is seen at all', async () => {
  for (const table of await tables()) {
    const seen = await asApp(null, `select count(*)::int as n from ${table}`);
    expect({ table, seen }).toEqual({ table, seen: 0 });
  }
});

test('rows cannot be written into another tenant, nor may a partition be read directly', async () => {
  const other = await provisionTenant(shop.deps, {
    slug: `third-${randomUUID().slice(0, 8)}`,
    name: 'Third',
    timeScale: 1,
    synthetic: true,
    settings: {},
  });
  const insert = `insert into contacts (tenant_id, id, person_id) values ('${shop.tenant.tenantId}', '${randomUUID()}', '${randomUUID()}') returning 1 as n`;
  await expect(asApp(other.tenantId, insert)).rejects.toMatchObject({ code: '42501' });
  const { rows } = await owner.query<{ relname: string }>(`select relname from pg_class where relispartition and relkind = 'r'`);
  expect(rows.length).toBeGreaterThan(0);
  for (const { relname } of rows)
    await expect(asApp(other.tenantId, `select count(*) as n from ${relname}`)).rejects.toMatchObject({ code: '42501' });
});

test('the installation’s own keys are reached by their functions alone, and never replaced by another key unseen', async () => {
  const { tenantId } = shop.tenant;
  for (const statement of ['select count(*) as n from installation_keys', `insert into installation_keys (name, sealed) values ('links', 'x')`])
    await expect(asApp(tenantId, statement), statement).rejects.toMatchObject({ code: '42501' });
  expect(await shop.deps.db.putInstallationKey('a test', 'one', null)).toBe(true);
  expect(await shop.deps.db.putInstallationKey('a test', 'two', null)).toBe(false);
  expect(await shop.deps.db.putInstallationKey('a test', 'two', 'another')).toBe(false);
  expect(await shop.deps.db.putInstallationKey('a test', 'three', 'one')).toBe(true);
  expect(await shop.deps.db.installationKeys()).toContainEqual({ name: 'a test', sealed: 'three' });
});

test('the application reads figures; only the database writes them', async () => {
  const { tenantId } = shop.tenant;
  for (const statement of [
    `insert into sum_deltas (tenant_id, hour, subject_kind, segment, started) values ('${tenantId}', now(), 'cart', 'first_time', 1)`,
    `update sums set purchased = purchased + 1`,
    `delete from sum_deltas`,
    `select rebuild_rollups()`,
  ])
    await expect(asApp(tenantId, statement), statement).rejects.toMatchObject({ code: '42501' });
  expect(await asApp(tenantId, 'select count(*)::int as n from sums')).toBeGreaterThan(0);
});

test('the role owns nothing and every table has row-level security', async () => {
  const owned = await owner.query(`select relname from pg_class where relowner = 'rekindle_app'::regrole`);
  expect(owned.rows).toEqual([]);
  const open = await owner.query(
    `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and not relrowsecurity`,
  );
  expect(open.rows).toEqual([]);
});

async function asApp(tenantId: string | null, statement: string): Promise<number> {
  const client = new pg.Client({ connectionString: shop.database.url, options: '-c role=rekindle_app' });
  await client.connect();
  try {
    await client.query('begin');
    if (tenantId !== null) await client.query(`select set_config('app.tenant', $1, true)`, [tenantId]);
    const { rows } = await client.query<{ n: number }>(statement);
    return rows[0]?.n ?? 0;
  } finally {
    await client.end();
  }
}
