import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditLog, sequences } from '../../db/schema/index.ts';
import { publishPresets } from '../../operations/publish-presets.ts';
import { inject } from 'vitest';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask, dispatch, leaveCart, type Method } from './left-carts.ts';

// Draft, preview, publish, roll back: what the API answers. What becomes of those who run stands in tests/operations/versions/.

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { postalAddress: '1 Test Street, Vienna' } });
});
afterAll(() => shop.close());

const own = (path: string, method: Method = 'GET', body?: Record<string, unknown>, key = shop.tenant.apiKey) =>
  ask(shop, key, `/api/sequences${path}`, method, body);
const email = '---\nsubject: Hello\npreheader: It waits\nheading: Hello\ncta: Go on\n---\nHello.\n\n[cart]\n';

/** A sequence of emails. @param steps - id and distance from the anchor */
const yamlOf = (slug: string, steps: Record<string, string>, more = '') =>
  `sequence: ${slug}\nname: Of the test\non: manual\nabout: cart\n${more}steps:\n${Object.entries(steps)
    .map(([id, at]) => `  - { id: ${id}, at: ${at}, channel: email, content: cart/${id} }\n`)
    .join('')}`;
const draftOf = (slug: string, steps: Record<string, string>, more = '') => ({
  yaml: yamlOf(slug, steps, more),
  copy: Object.fromEntries(Object.keys(steps).map((id) => [`cart/${id}`, email])),
});
const store = (slug: string, steps: Record<string, string>, more?: string) => own(`/${slug}/draft`, 'PUT', draftOf(slug, steps, more));
const publish = (slug: string, base_version: number, more: Record<string, unknown> = {}) =>
  own(`/${slug}/publish`, 'POST', { base_version, ...more });

describe('a draft', () => {
  test('is stored, shown, changed and deleted, and takes nobody in', async () => {
    expect(await store('drafted', { one: '1h' })).toMatchObject({ status: 200, body: { slug: 'drafted', findings: [] } });
    expect(await own('/drafted')).toMatchObject({ status: 200, body: { status: 'DRAFT', version: null, has_draft: true, open_enrollments: 0 } });
    const first = (await own('/drafted/draft')).body as { source_hash: string };
    await store('drafted', { one: '2h' });
    const second = (await own('/drafted/draft')).body as { source_hash: string; yaml: string; changed_by: string };
    expect(second.source_hash).not.toBe(first.source_hash);
    expect(second.yaml).toContain('at: 2h');
    expect(second.changed_by).toMatch(/^api_key:/);
    expect((await own('/drafted/draft', 'DELETE')).status).toBe(204);
    expect((await own('/drafted/draft', 'DELETE')).status).toBe(404);
    expect((await own('/drafted/draft')).status).toBe(404);
    expect((await own('/drafted')).status).toBe(404);
  });

  test('that cannot be used is refused with each mistake, its place and its remedy', async () => {
    const { status, body } = await own('/broken/draft', 'PUT', { yaml: yamlOf('broken', { one: 'soon', two: '2d' }) });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'invalid_request',
      errors: [{ path: 'broken.yaml:6:16', message: expect.stringContaining('such as 30m') as unknown }],
    });
    expect(await own('/broken/draft', 'PUT', { yaml: yamlOf('broken', { one: '1h' }) })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'broken.yaml', message: expect.stringContaining('needs the copy "cart/one"') as unknown }] },
    });
    expect(await own('/broken/draft', 'PUT', { ...draftOf('broken', { one: '1h' }), copy: { 'cart/one': '---\nsubject: x\n' } })).toMatchObject({
      status: 400,
      body: { errors: [{ path: expect.stringMatching(/^cart\/one\.liquid/) as unknown }] },
    });
    expect(await own('/another/draft', 'PUT', draftOf('broken', { one: '1h' }))).toMatchObject({
      status: 400,
      body: { errors: [{ message: expect.stringContaining('write sequence: another') as unknown }] },
    });
    expect((await own('/broken')).status).toBe(404);
  });
});

describe('publishing', () => {
  test('begins a sequence, and the next version says what it changes and for how many', async () => {
    await store('growing', { one: '1h', two: '24h' });
    expect(await own('/growing/preview')).toMatchObject({
      status: 200,
      body: { base_version: 0, steps: [{ change: 'added' }, { change: 'added' }], open_enrollments: 0 },
    });
    expect(await publish('growing', 0)).toMatchObject({
      status: 200,
      body: { version: 1, sequence: { status: 'ACTIVE', version: 1, has_draft: false } },
    });

    await shop.post('cart.updated', aCart('growing-1', 'growing-1@example.com'));
    const cart = (await shop.enrollmentOf('growing-1'))?.id ?? '';
    const { body } = await ask(shop, shop.tenant.apiKey, '/api/enrollments', 'POST', { cart_id: 'growing-1', sequence: 'growing' });
    expect(body).toMatchObject({ sequence: { slug: 'growing', version: 1 } });
    expect(cart).not.toBe('');

    // The texts are taken from the version in use.
    await own('/growing/draft', 'PUT', { yaml: yamlOf('growing', { one: '1h', two: '48h' }, 'priority: 1\n') });
    const preview = (await own('/growing/preview')).body;
    expect(preview).toMatchObject({
      base_version: 1,
      steps: [{ step: 'two', change: 'changed', fields: [{ field: 'at', before: '1d', after: '2d' }], before: 1, at: 0, past: 0 }],
      texts: [],
      settings: [{ field: 'priority', before: 3, after: 1 }],
      open_enrollments: 1,
      movable: 1,
      choice_needed: [],
    });
    expect(await publish('growing', 1)).toMatchObject({ status: 200, body: { version: 2, open_enrollments: 1 } });
    expect((await own('/growing/versions')).body).toMatchObject({
      data: [
        { version: 2, open_enrollments: 0, running: { choice: 'stay' } },
        { version: 1, open_enrollments: 1, running: { choice: 'stay' } },
      ],
    });
    expect((await own('/growing/versions/2')).body).toMatchObject({ version: 2, definition: { priority: 1 } });
    expect((await own('/growing/versions/3')).status).toBe(404);
  });

  test('over another version than the one that was seen is refused, and so is another draft', async () => {
    await store('contested', { one: '1h' });
    const { source_hash: seen } = (await own('/contested/draft')).body as { source_hash: string };
    expect(await publish('contested', 1)).toMatchObject({ status: 409, body: { code: 'stale_version' } });
    await store('contested', { one: '3h' });
    expect(await publish('contested', 0, { draft: seen })).toMatchObject({ status: 409, body: { code: 'stale_version' } });
    // Two publishers at once: one of them.
    const both = await Promise.all([publish('contested', 0), publish('contested', 0)]);
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await own('/contested')).body).toMatchObject({ version: 1 });
  });

  test('without a draft, of an unknown sequence, or of what is in use already is refused', async () => {
    await store('plain', { one: '1h' });
    await publish('plain', 0);
    expect(await publish('plain', 1)).toMatchObject({ status: 404, body: { code: 'no_draft' } });
    expect(await publish('nothing', 0)).toMatchObject({ status: 404, body: { code: 'unknown_sequence' } });
    await own('/plain/draft', 'PUT', { yaml: `# Another comment.\n${yamlOf('plain', { one: '60m' })}` });
    expect(await publish('plain', 1)).toMatchObject({ status: 409, body: { code: 'unchanged' } });
  });

  test('a removed step that somebody waits for needs a choice', async () => {
    const id = await leaveCart(shop, 'standing-1', 'standing-1@example.com');
    // The preset of the installation, which has sent its pop-up: the cart waits for email_2h.
    const yaml =
      'sequence: cart\nname: Cart recovery\non: cart.abandoned\nsteps:\n  - { id: email_24h, at: 24h, channel: email, content: cart/email_24h }\n';
    await own('/cart/draft', 'PUT', { yaml });
    const { version = 0 } = (await own('/cart')).body as { version?: number };
    const { body } = await own('/cart/preview');
    expect(body).toMatchObject({ choice_needed: expect.arrayContaining([{ step: 'email_2h', waiting: 1 }]) as unknown });
    expect(await publish('cart', version)).toMatchObject({
      status: 409,
      body: {
        code: 'choice_needed',
        waiting: expect.arrayContaining([{ step: 'email_2h', waiting: 1 }]) as unknown,
        detail: expect.stringContaining('email_2h (1)') as unknown,
      },
    });
    expect((await own('/cart')).body).toMatchObject({ version });
    expect(await publish('cart', version, { running: 'stay' })).toMatchObject({ status: 200, body: { version: version + 1 } });
    // It stays on its version.
    await dispatch(shop, id, 'email_2h');
    expect((await ask(shop, shop.tenant.apiKey, `/api/enrollments/${id}`)).body).toMatchObject({ sequence: { version } });

    // The installation's own file does not take the place of what a merchant has published.
    await publishPresets(shop.deps, inject('presets'));
    expect((await own('/cart')).body).toMatchObject({ version: version + 1 });
    expect(await own('/cart/rollback', 'POST', { to: version, base_version: version + 1 })).toMatchObject({
      status: 200,
      body: { version: version + 2 },
    });
    expect((await own(`/cart/versions/${version + 2}`)).body).toMatchObject({
      definition: ((await own(`/cart/versions/${version}`)).body as { definition: object }).definition,
    });
  });

  test('what the linter calls an error is not published', async () => {
    await ask(shop, shop.tenant.apiKey, '/api/settings', 'PATCH', { settings: { country: 'US' } });
    const yaml =
      'sequence: texts\nname: Texts\non: manual\nabout: cart\nsteps:\n  - { id: one, at: 1h, channel: sms, content: cart/one }\n  - { id: two, at: 24h, channel: sms, content: cart/one }\n';
    const stored = await own('/texts/draft', 'PUT', { yaml, copy: { 'cart/one.sms': '{{ store.name }}: {{ cart.url }} {{ optOut }}' } });
    expect(stored).toMatchObject({
      status: 200,
      body: { findings: expect.arrayContaining([expect.objectContaining({ rule: 'us_texts', severity: 'error' })]) as unknown },
    });
    expect(await publish('texts', 0)).toMatchObject({
      status: 400,
      body: { errors: [{ path: expect.stringMatching(/^texts\.yaml:7:/) as unknown }] },
    });
  });
});

test('another store sees and changes nothing of it', async () => {
  await store('mine', { one: '1h' });
  await publish('mine', 0);
  await store('mine', { one: '2h' });
  const { apiKey } = await anotherStore(shop, 'other-sequences');
  const theirs = (path: string, method: Method = 'GET', body?: Record<string, unknown>) => own(path, method, body, apiKey);
  for (const [path, method, body] of [
    ['/mine', 'GET'],
    ['/mine/versions', 'GET'],
    ['/mine/versions/1', 'GET'],
    ['/mine/draft', 'GET'],
    ['/mine/preview', 'GET'],
    ['/mine/draft', 'DELETE'],
    ['/mine/publish', 'POST', { base_version: 1 }],
    ['/mine/rollback', 'POST', { base_version: 1, to: 1 }],
    ['/mine/end', 'POST', {}],
    ['/mine/pause', 'POST', {}],
  ] as const)
    expect((await theirs(path, method, body)).status, path).toBe(404);
  // Their own of the same name is another one.
  expect((await theirs('/mine/draft', 'PUT', draftOf('mine', { two: '1h' }))).status).toBe(200);
  expect((await own('/mine')).body).toMatchObject({ version: 1, has_draft: true, paused: false, status: 'ACTIVE' });
});

test('archived, it takes nobody in and is not published; each change is in the audit log', async () => {
  await store('kept', { one: '1h' });
  await publish('kept', 0);
  expect(await own('/kept/archive', 'POST', { note: 'season is over' })).toMatchObject({ status: 200, body: { status: 'ARCHIVED' } });
  await shop.post('cart.updated', aCart('kept-1', 'kept-1@example.com'));
  expect((await ask(shop, shop.tenant.apiKey, '/api/enrollments', 'POST', { cart_id: 'kept-1', sequence: 'kept' })).status).toBe(409);
  await store('kept', { one: '2h' });
  expect(await publish('kept', 1)).toMatchObject({ status: 409, body: { code: 'archived' } });
  expect(await own('/kept/unarchive', 'POST')).toMatchObject({ status: 200, body: { status: 'ACTIVE', version: 1 } });
  expect(await publish('kept', 1)).toMatchObject({ status: 200 });
  await store('empty', { one: '1h' });
  expect(await own('/empty/pause', 'POST')).toMatchObject({ status: 409, body: { code: 'not_published' } });
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, async (tx) => {
    const [sequence] = await tx.select().from(sequences).where(eq(sequences.slug, 'kept'));
    return tx
      .select({ action: auditLog.action, data: auditLog.data })
      .from(auditLog)
      .where(eq(auditLog.subject, sequence?.id ?? ''))
      .orderBy(auditLog.id);
  });
  expect(rows.map(({ action }) => action)).toEqual([
    ...['sequence.draft', 'sequence.publish', 'sequence.archive', 'sequence.draft', 'sequence.unarchive', 'sequence.publish'],
  ]);
  expect(rows[2]?.data).toEqual({ note: 'season is over' });
});
