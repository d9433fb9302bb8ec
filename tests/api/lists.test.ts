import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eq } from 'drizzle-orm';
import {
  alarms,
  compositions,
  connections,
  decisions,
  experiments,
  importErrors,
  messages,
  offers,
  riskAssessments,
  riskRuns,
  members,
  sequences,
  subjects,
  tasks,
} from '../../db/schema/index.ts';
import { beginImport } from '../../operations/imports/imports.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';
import { anotherStore, ask, askAll } from './left-carts.ts';

// What every list under /api guarantees. The lists are taken from the published description, so that a new one is tested automatically.

let shop: Shop;
let lists: string[];
let sortsOf: Map<string, string[]>;
let campaign: string;
let imported: string;
let person: string;
let endpoint: string;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { postalAddress: '1 Test Street, Vienna' } });
  for (const n of [1, 2, 3]) await shop.post('cart.updated', aCart(`cart-${n}`, `${n}@example.com`));
  for (const channel of ['email', 'sms'])
    await shop.post('contact.opted_in', { contact: { email: '1@example.com', phone: '+12025550111' }, channel });
  for (const n of [1, 2]) await shop.post('contact.opted_out', { contact: { email: `out-${n}@example.com` } });
  for (const n of [1, 2, 3]) await shop.post('contact.updated', { contact: { id: 'same', email: `${n}@example.com` } });
  for (const name of ['One', 'Two']) await own('/api/connections', 'POST', { integration: 'generic', name });
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.update(connections).set({ fault: 'no login' }));
  for (const lowStockAt of [3, 4, 5]) await own('/api/settings', 'PATCH', { settings: { lowStockAt } });
  for (const sequence of ['cart', 'lead-nurture']) {
    const { id } = (await own('/api/backtests', 'POST', { sequence, days: 1 })).body as { id: string };
    await until('the end of a backtest', async () => ((await own(`/api/backtests/${id}`)).body as { state: string }).state !== 'running');
  }
  for (const n of [1, 2, 3]) {
    const { id: enrollmentId = '', contactId = '', versionId = '' } = (await shop.enrollmentOf(`cart-${n}`)) ?? {};
    const row = { code: `C-${n}`, percentOff: 10, source: 'pool' as const, state: 'minted' as const, grantedAt: n, endsAt: n };
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.insert(offers).values({ tenantId: shop.tenant.tenantId, id: randomUUID(), enrollmentId, stepId: 'email_72h', contactId, ...row }),
    );
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.insert(messages).values({ tenantId: shop.tenant.tenantId, id: randomUUID(), enrollmentId, stepId: 'email_2h', contactId, state: 'failed' }),
    );
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.insert(alarms).values({ tenantId: shop.tenant.tenantId, id: randomUUID(), kind: 'backlog', figure: n, threshold: 0, clearedAt: n }),
    );
    await own('/api/notification-targets', 'POST', { channel: 'email', address: `colleague-${n}@example.com` });
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.insert(tasks).values({ tenantId: shop.tenant.tenantId, id: randomUUID(), kind: 'question' }),
    );
    person = contactId;
    const decision = { stepId: 'email_2h', versionId, verdict: 'send' as const, reason: 'email', checks: [] };
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.insert(decisions).values({ tenantId: shop.tenant.tenantId, id: randomUUID(), enrollmentId, ...decision }),
    );
    const text = { state: 'ready' as const, channel: 'email', language: 'en', fingerprint: '', model: 'made-up', body: 'Hello.', dueAt: n };
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.insert(compositions).values({ tenantId: shop.tenant.tenantId, id: randomUUID(), enrollmentId, stepId: 'email_2h', ...text }),
    );
  }
  for (const n of [1, 2]) await shop.post('lead.created', { lead: { id: `lead-${n}` }, contact: { id: `crm-${n}` } });
  for (const name of ['One', 'Two']) campaign = ((await own('/api/campaigns', 'POST', { name })).body as { id: string }).id;
  const leads = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select({ id: subjects.id }).from(subjects).where(eq(subjects.kind, 'lead')),
  );
  for (const path of ['one', 'two']) {
    const { id } = (await own('/api/webhook-endpoints', 'POST', { url: `https://hooks.example.com/${path}` })).body as { id: string };
    for (let n = 0; n < 3; n++) await own(`/api/webhook-endpoints/${id}/test`, 'POST');
    endpoint = id;
  }
  for (const { id: lead } of leads) await own(`/api/campaigns/${campaign}/leads`, 'POST', { lead });
  for (const name of ['one', 'two']) await own('/api/scripts', 'POST', { name, channel: 'call', content: 'Hello, {{ store.name }} here.' });
  for (const n of [1, 2]) {
    const begun = await beginImport(
      shop.deps,
      { tenantId: shop.tenant.tenantId, campaignId: null, source: 'BULK', columns: {}, actor: 'test' },
      Readable.from([Buffer.from(`email\n${n}@example.com\n`)]),
    );
    if (begun.kind === 'begun') imported = begun.row.id;
    const error = { tenantId: shop.tenant.tenantId, importId: imported, line: 2, takenIn: false };
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.insert(importErrors).values(['a', 'b'].map((reason) => ({ ...error, id: randomUUID(), reason }))),
    );
  }
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.insert(tasks).values([1, 2].map(() => ({ tenantId: shop.tenant.tenantId, id: randomUUID(), kind: 'question' }))),
  );
  await shop.deps.db.withTenant(shop.tenant.tenantId, async (tx) => {
    const [sequence] = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, 'cart'));
    const test = { tenantId: shop.tenant.tenantId, sequenceId: sequence?.id ?? '', shares: { a: 0.5, b: 0.5 } };
    await tx.insert(experiments).values(['one', 'two'].map((stepId) => ({ ...test, id: randomUUID(), stepId })));
  });
  await shop.deps.db.withTenant(shop.tenant.tenantId, async (tx) => {
    const { tenantId } = shop.tenant;
    const [subject] = await tx.select({ id: subjects.id }).from(subjects).limit(1);
    const assessed = { tenantId, subjectId: subject?.id ?? '', at: Date.now(), by: 'rules', rulesBecause: 'no_model', basis: 'rank' } as const;
    const found = { score: 0.5, band: 'early' as const, bandBefore: 'none' as const, factors: [], cause: 'asked' as const };
    const by = { thresholds: { version: 0, early: 0.3, active: 0.6, critical: 0.8 }, prediction: { what: 'no_purchase', withinDays: 60 } } as const;
    await tx.insert(riskAssessments).values([1, 2].map(() => ({ ...assessed, ...found, ...by, id: randomUUID() })));
    await tx.insert(riskRuns).values([1, 2].map(() => ({ tenantId, id: randomUUID(), requestedBy: 'test' })));
  });
  await own('/api/sequences/churn-early/resume', 'POST', {});
  for (const id of ['account-1', 'account-2']) {
    const visit = { account: { id }, contact: { email: `${id}@example.com` }, behaviour: [{ kind: 'visit', at: new Date().toISOString() }] };
    const { account } = (await own('/api/behaviour', 'POST', visit)).body as { account: string };
    const { id: begun } = (await own('/api/enrollments', 'POST', { subject_id: account, sequence: 'churn-early' })).body as { id: string };
    // What runs says when its next step is due, which is now at each moment.
    await own(`/api/enrollments/${begun}/stop`, 'POST', {});
  }
  const { data: people } = await page('/api/contacts');
  for (const { id } of (people as { id: string; person: string }[]).filter(({ id, person }) => id === person).slice(0, 2)) {
    await own(`/api/contacts/${id}/erase`, 'POST', {});
    await own(`/api/contacts/${id}/export`, 'POST');
  }
  for (let n = 0; n < 2; n++) {
    const { id } = (await own('/api/outage-drills', 'POST', { part: 'worker', share_percent: 1, minutes: 1 })).body as { id: string };
    await own(`/api/outage-drills/${id}/end`, 'POST', {});
  }
  for (const tid of ['1', '2']) await own('/api/conversions', 'POST', { sub_id: 'nobody', status: 'sale', tid });
  await own('/api/keys', 'POST', { name: 'another' });
  for (const name of ['one', 'two']) {
    await own('/api/invitations', 'POST', { email: `${name}@example.com`, role: 'viewer' });
    const person = await shop.deps.identity.createPerson(`member-${name}@example.com`, name, 'correct horse battery');
    if (person === null || person === 'unusable_password') throw new Error('no account');
    const member = { tenantId: shop.tenant.tenantId, userId: person.id, role: 'viewer' as const, invitedBy: 'test' };
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.insert(members).values(member));
  }
  for (const left of [1, 2]) await own('/api/facts', 'POST', { kind: 'stock', subject: 'crew', value: { left } });
  for (const sequence of ['cart', 'lead-nurture']) await own('/api/bulk-actions', 'POST', { action: 'pause', filter: { sequence } });
  for (const sequence of ['cart', 'lead-nurture']) await own('/api/bulk-enrollments', 'POST', { sequence, people: 1 });
  for (const text of ['sequence: cart\nname: Carts', 'sequence: ours\nname: Ours'])
    await own(`/api/sequences/${text.slice(10, 14)}/draft`, 'PUT', {
      yaml: `${text}\non: manual\nabout: cart\nsteps: [{ id: one, at: 1h, channel: none }]\n`,
    });
  await own('/api/sequences/cart/publish', 'POST', { base_version: 1, running: 'stay' });
  const { paths } = (await shop.app.inject('/openapi.json')).json<{
    paths: Record<string, Record<string, { parameters?: { name: string; schema: { enum?: string[] } }[]; security: object[] }>>;
  }>();
  sortsOf = new Map(Object.entries(paths).map(([path, { get }]) => [path, get?.parameters?.find(({ name }) => name === 'sort')?.schema.enum ?? []]));
  lists = Object.entries(paths).flatMap(([path, { get }]) =>
    path.startsWith('/api/') && !path.startsWith('/api/tenants') && get?.parameters?.some((p) => p.name === 'cursor') === true ? [path] : [],
  );
});
afterAll(() => shop.close());

const own = (url: string, method: 'GET' | 'POST' | 'PUT' | 'PATCH' = 'GET', payload?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, url, method, payload);
const page = async (url: string) => (await own(url)).body as { data: unknown[]; nextCursor: string | null };

/** What a list cannot do without. */
const required: Readonly<Record<string, string>> = { '/api/consents': 'email=1@example.com' };
const urlOf = (path: string, query = '') =>
  `${path.replace('{slug}', 'cart').replace('/campaigns/{id}', `/campaigns/${campaign}`).replace('/imports/{id}', `/imports/${imported}`).replace('/webhook-endpoints/{id}', `/webhook-endpoints/${endpoint}`).replace('/contacts/{id}', `/contacts/${person}`)}?${[required[path], query].filter((part) => part !== undefined && part !== '').join('&')}`;

/** The key that asks is used meanwhile. */
const unused = (item: unknown) => ({ ...(item as object), last_used_at: null });

describe('every list under /api', () => {
  test('is among these', () => {
    expect(lists).toEqual([
      '/api/alarms/history',
      '/api/attempts',
      '/api/audit',
      '/api/backtests',
      '/api/bulk-actions',
      '/api/bulk-enrollments',
      '/api/campaigns',
      '/api/campaigns/{id}/leads',
      '/api/compositions',
      '/api/connections',
      '/api/consents',
      '/api/contacts',
      '/api/contacts/{id}/timeline',
      '/api/contacts/merges',
      '/api/conversions',
      '/api/decisions',
      '/api/deliveries',
      '/api/enrollments',
      '/api/erasures',
      '/api/experiments',
      '/api/exports',
      '/api/facts',
      '/api/imports',
      '/api/imports/{id}/errors',
      '/api/interventions',
      '/api/keys',
      '/api/leads',
      '/api/members',
      '/api/invitations',
      '/api/messages',
      '/api/notification-targets',
      '/api/notifications',
      '/api/offers',
      '/api/outage-drills',
      '/api/parked',
      '/api/quarantine',
      '/api/risk/assessments',
      '/api/risk/runs',
      '/api/scripts',
      '/api/sequences',
      '/api/sequences/{slug}/versions',
      '/api/sequences/{slug}/enrollments',
      '/api/settings/history',
      '/api/subjects',
      '/api/suppressions',
      '/api/tasks',
      '/api/webhook-endpoints',
      '/api/webhook-endpoints/{id}/deliveries',
    ]);
  });

  test('answers { data, nextCursor }, and the same page by page as at once', async () => {
    for (const path of lists) {
      const whole = await page(urlOf(path));
      expect(whole, path).toEqual({ data: expect.any(Array) as unknown, nextCursor: null });
      expect((await askAll(shop, shop.tenant.apiKey, urlOf(path, 'limit=1'))).map(unused), path).toEqual(whole.data.map(unused));
      if (path !== '/api/quarantine') expect(whole.data.length, path).toBeGreaterThan(1);
    }
  });

  test('is filtered by what belongs to its entries', async () => {
    const all = await page('/api/decisions');
    expect(await page('/api/decisions?sequence=cart')).toEqual(all);
    expect(await page('/api/decisions?sequence=lead-nurture')).toEqual({ data: [], nextCursor: null });
    const inIt = await page('/api/sequences/cart/enrollments');
    expect(inIt.data.length).toBeGreaterThan(1);
    expect(await page('/api/sequences/cart/enrollments?reason=manual')).toEqual({ data: [], nextCursor: null });
  });

  test('is sorted in every order that it states, the same page by page; the order of age is the same both ways', async () => {
    for (const path of lists) {
      const stated = sortsOf.get(path) ?? [];
      expect(stated.slice(0, 2), path).toEqual(['created_at', '-created_at']);
      const usual = (await page(urlOf(path))).data.map(unused);
      const oldest = (await page(urlOf(path, 'sort=created_at'))).data.map(unused);
      const newest = (await page(urlOf(path, 'sort=-created_at'))).data.map(unused);
      expect(newest, path).toEqual(oldest.toReversed());
      expect([oldest, newest], path).toContainEqual(usual);
      for (const sort of stated) {
        const whole = (await page(urlOf(path, `sort=${sort}`))).data.map(unused);
        expect((await askAll(shop, shop.tenant.apiKey, urlOf(path, `sort=${sort}&limit=1`))).map(unused), `${path} ${sort}`).toEqual(whole);
        expect(whole, `${path} ${sort}`).toHaveLength(usual.length);
      }
    }
  });

  test('asked for since a moment, or until one, it has what came then', async () => {
    const narrowed = [
      { path: '/api/enrollments', at: 'enrolled_at', from: 'enrolled_from', until: 'enrolled_until' },
      { path: '/api/audit', at: 'at', from: 'since', until: null },
    ];
    for (const { path, at, from, until } of narrowed) {
      const all = (await page(urlOf(path))).data as Record<string, string>[];
      const when = (entry: Record<string, string>) => Date.parse(entry[at] ?? '');
      for (const moment of [0, ...all.map(when), Date.now() + 1_000]) {
        const text = encodeURIComponent(new Date(moment).toISOString());
        expect((await page(urlOf(path, `${from}=${text}`))).data, `${path} since ${text}`).toEqual(all.filter((entry) => when(entry) >= moment));
        if (until !== null)
          expect((await page(urlOf(path, `${until}=${text}`))).data, `${path} until ${text}`).toEqual(all.filter((entry) => when(entry) < moment));
      }
    }
  });

  test('refuses a cursor that is not its own, and a parameter that it does not have', async () => {
    const { nextCursor } = await page('/api/deliveries?limit=1');
    for (const path of lists) {
      const foreign = path === '/api/deliveries' ? (await page('/api/connections?limit=1')).nextCursor : nextCursor;
      for (const cursor of [
        foreign,
        'nonsense',
        '',
        `${nextCursor}x`,
        '01a1fd44-f7e3-707e-84b7-fb0330d18fa6',
        Buffer.from('deliveries 1; drop').toString('base64url'),
      ]) {
        expect(await own(urlOf(path, `cursor=${cursor}`)), `${path} ${cursor}`).toMatchObject({
          status: 400,
          body: { code: 'invalid_request', errors: [{ path: 'querystring/cursor', message: expect.stringContaining('first page') as unknown }] },
        });
      }
      expect(await own(urlOf(path, 'emial=ada@example.com')), path).toMatchObject({
        status: 400,
        body: { errors: [{ message: expect.stringContaining('emial') as unknown }] },
      });
      expect((await own(urlOf(path, 'limit=0'))).status, path).toBe(400);
    }
  });

  test('shows what comes meanwhile once, or on a first page asked for later; never anything twice', async () => {
    const first = await page('/api/enrollments?limit=2');
    await shop.post('cart.updated', aCart('cart-meanwhile', 'meanwhile@example.com'));
    const rest = await page(`/api/enrollments?limit=100&cursor=${first.nextCursor}`);
    const ids = [...first.data, ...rest.data].map((e) => (e as { id: string }).id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(5);
  });

  test('shows a store its own alone', async () => {
    const other = await anotherStore(shop, 'other-store');
    for (const path of lists.filter((p) => !['/api/audit', '/api/connections', '/api/keys'].includes(p) && !p.startsWith('/api/sequences'))) {
      const theirs = await ask(shop, other.apiKey, urlOf(path));
      // What belongs to one thing of a store is not there without it.
      if (path.includes('{id}')) expect(theirs.status, path).toBe(404);
      else expect(theirs.body, path).toEqual({ data: [], nextCursor: null });
    }
    const ourKeys = (await page('/api/keys')).data.map((key) => (key as { id: string }).id);
    const theirKeys = await askAll<{ id: string }>(shop, other.apiKey, '/api/keys');
    expect(theirKeys.filter(({ id }) => ourKeys.includes(id))).toEqual([]);
    expect(theirKeys).toHaveLength(2);
    // Every store has the sequences of the installation.
    const theirs = await askAll<{ slug: string; name: string }>(shop, other.apiKey, '/api/sequences');
    expect(theirs.map(({ slug, name }) => `${slug} ${name}`)).toEqual([
      'cart Cart recovery',
      'churn-active Active risk',
      'churn-critical Critical risk',
      'churn-early Early warning',
      'ghost Ghost',
      'lead-nurture Lead nurture',
      'silent-lead Silent lead',
    ]);
    expect(await askAll(shop, other.apiKey, '/api/sequences/cart/versions')).toHaveLength(1);
  });
});
