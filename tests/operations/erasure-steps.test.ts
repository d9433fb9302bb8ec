import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { and, eq } from 'drizzle-orm';
import { auditLog, contactIdentities, enrollmentActions, enrollments, erasures, messages, privacyRequests } from '../../db/schema/index.ts';
import type { Checkpoint, PersonWorkflows, WorkflowEngine } from '../../operations/deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { eraseStep, forgetHistories, searchStep } from '../../operations/privacy/erasure-steps.ts';
import { expireStep, gatherStep } from '../../operations/privacy/exports.ts';
import { privacyPass } from '../../operations/privacy/start-pass.ts';
import { sweepLeases } from '../../operations/sweep-leases.ts';
import { anotherStore, ask } from '../api/left-carts.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';

// A person is erased by steps that may crash anywhere, and what is left of them is searched for in every table: docs/rules.md#rule-74

const hourMs = 3_600_000;
let shop: Shop;
let owner: pg.Client;
let crashAt: Checkpoint | null = null;
const started: { erasures: string[]; exports: string[] } = { erasures: [], exports: [] };
/** No workflow runs here, and Temporal remembers none. */
const engine = {
  describe: () => Promise.resolve('missing' as const),
  forget: () => Promise.resolve(0),
  startErasure: ({ erasureId }) => Promise.resolve(void started.erasures.push(erasureId)),
  startExport: ({ exportId }) => Promise.resolve(void started.exports.push(exportId)),
} satisfies PersonWorkflows & Pick<WorkflowEngine, 'describe'> as unknown as WorkflowEngine & PersonWorkflows;

beforeAll(async () => {
  shop = await openShop({
    timeScale: 1,
    checkpoints: (point) => {
      if (point !== crashAt) return Promise.resolve();
      crashAt = null;
      return Promise.reject(new Error(`crashed at ${point}`));
    },
  });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

let counter = 0;
const hours = (n: number) => Date.now() - n * hourMs;
const withTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);

async function left() {
  const n = ++counter;
  const secret = `zebulon${n}x`;
  const cart = `erase-cart-${secret}`;
  const phone = `+4366054321${String(60 + n)}`;
  const contact = { email: `${secret}@example.com`, phone, first_name: `Vesper${n}`, last_name: `Quillfeather${n}`, id: `id-${secret}` };
  await shop.post('cart.updated', { ...aCart(cart, null), contact }, { at: hours(2) });
  const row = await shop.enrollmentOf(cart);
  return { n, secret, cart, phone, contact, name: `quillfeather${n}`, id: row?.id ?? '', contactId: row?.contactId ?? '' };
}

/** Every place in the database where a text is, whatever the table. */
async function placesOf(text: string): Promise<string[]> {
  const { rows } = await owner.query<{ table: string }>(
    `select relname as table from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`,
  );
  const found: string[] = [];
  for (const { table } of rows) {
    const { rows: hits } = await owner.query<{ n: string }>(`select count(*) as n from ${table} t where lower(to_jsonb(t)::text) like $1`, [
      `%${text}%`,
    ]);
    if (hits[0]?.n !== '0') found.push(table);
  }
  return found;
}

const own = (path: string, method: 'GET' | 'POST' | 'DELETE' = 'GET', body?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, path, method, body);

async function requested(contactId: string): Promise<string> {
  const { status, body } = await own(`/api/contacts/${contactId}/erase`, 'POST', {});
  expect(status).toBe(202);
  return (body as { id: string }).id;
}

/** As the workflow does: each step again until it is done, however often it crashes. */
async function carryOut(erasureId: string): Promise<void> {
  const ref = { tenantId: shop.tenant.tenantId, erasureId };
  for (const step of [eraseStep, forgetHistories, searchStep]) {
    for (let attempt = 0; ; attempt++) {
      const outcome = await step({ ...shop.deps, engine }, ref).catch((error: unknown) => (attempt < 5 ? null : Promise.reject(error as Error)));
      if (outcome?.kind === 'done') break;
      // As every worker does every few seconds: it ends the claims of processes that died.
      await sweepLeases(shop.deps);
      expect(attempt).toBeLessThan(50);
    }
  }
}

const receiptOf = async (id: string) => (await own(`/api/erasures/${id}`)).body as Record<string, unknown>;

const states: Record<string, (enrollmentId: string, contactId: string) => Promise<unknown>> = {
  'waiting for its first step': () => Promise.resolve(),
  'with a message sent': (id) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId: 'popup_1h' }),
  'with a claim whose worker died': (id, contactId) =>
    withTenant((tx) =>
      tx.insert(messages).values({
        ...{ tenantId: shop.tenant.tenantId, id: randomUUID(), enrollmentId: id, stepId: 'email_2h', contactId, state: 'claimed', live: true },
        ...{ claim: randomUUID(), claimedAt: hours(1), channel: 'email' },
      }),
    ),
  paused: async (id) => expect((await own(`/api/enrollments/${id}/pause`, 'POST', {})).status).toBe(200),
  'snoozed and moved under keys that name the person': (id, contactId) =>
    withTenant(async (tx) => {
      const [person] = await tx
        .select()
        .from(contactIdentities)
        .where(and(eq(contactIdentities.contactId, contactId), eq(contactIdentities.kind, 'email')));
      const common = {
        tenantId: shop.tenant.tenantId,
        enrollmentId: id,
        state: 'done',
        request: `${person?.value} snooze`,
        result: { changed: true, step: null, untilMs: null, decisions: 0 },
        actor: 'test',
      } as const;
      await tx.insert(enrollmentActions).values([
        { ...common, id: randomUUID(), action: 'snooze', key: `snooze ${person?.value}` },
        { ...common, id: randomUUID(), action: 'move', key: null },
      ]);
    }),
  'with a message whose outcome nobody knows': (id, contactId) =>
    withTenant((tx) =>
      tx.insert(messages).values({
        ...{ tenantId: shop.tenant.tenantId, id: randomUUID(), enrollmentId: id, stepId: 'email_2h', contactId, state: 'unknown' },
        ...{ claim: randomUUID(), claimedAt: hours(1), channel: 'email' },
      }),
    ),
  'held by a takeover': async (_, contactId) => {
    const { email } = await owner
      .query<{ value: string }>(`select value from contact_identities where contact_id = $1 and kind = 'email'`, [contactId])
      .then(({ rows }) => ({ email: rows[0]?.value }));
    await shop.post('contact.taken_over', { contact: { email } });
  },
  'ended by hand': async (id) => expect((await own(`/api/enrollments/${id}/stop`, 'POST', {})).status).toBe(200),
  'ended by an opt-out': async (_, contactId) => {
    const { rows } = await owner.query<{ value: string }>(`select value from contact_identities where contact_id = $1 and kind = 'email'`, [
      contactId,
    ]);
    expect((await shop.post('contact.opted_out', { contact: { email: rows[0]?.value }, channel: 'email' })).status).toBe(200);
  },
  'that is complete': (id) =>
    withTenant((tx) =>
      tx
        .update(enrollments)
        .set({ status: 'COMPLETED', endedAt: hours(0) })
        .where(eq(enrollments.id, id)),
    ),
  'ended by a purchase': async (_, contactId) => {
    const { rows } = await owner.query<{ value: string }>(`select value from contact_identities where contact_id = $1 and kind = 'email'`, [
      contactId,
    ]);
    await shop.post('order.placed', { order: { id: `o-${contactId}`, currency: 'EUR', total: '9.90' }, contact: { email: rows[0]?.value } });
  },
};
const crashes: Checkpoint[] = ['stop.locked', 'stop.committed', 'erasure.stopped', 'erasure.emptied', 'erasure.erased', 'erasure.searched'];

describe.each(Object.keys(states).map((state, n) => [state, n] as const))('an enrollment %s', (state, n) => {
  test('is erased whatever crashes, and nothing of the person is found afterwards', async () => {
    // Each crash meets two states or three.
    for (const crash of [crashes[n % crashes.length], ...(n < 3 ? [crashes[n + 3]] : [])]) {
      const person = await left();
      await states[state]?.(person.id, person.contactId);
      expect(await placesOf(person.secret)).toEqual(expect.arrayContaining(['contact_identities', 'inbox', 'subject_keys']));
      const id = await requested(person.contactId);
      crashAt = crash ?? null;
      await carryOut(id);
      expect(crashAt, 'a crash that was not reached').toBeNull();
      const receipt = await receiptOf(id);
      expect(receipt, JSON.stringify(receipt)).toMatchObject({ state: 'done', found: [], searched: { addresses: 1, numbers: 1, names: 1 } });
      for (const text of [person.secret, person.name, person.phone.slice(-9)]) expect(await placesOf(text), `${state}, ${crash}`).toEqual([]);
      const [row] = await withTenant((tx) => tx.select().from(enrollments).where(eq(enrollments.id, person.id)));
      expect(row?.endedAt).not.toBeNull();
      expect(await withTenant((tx) => tx.select().from(messages).where(eq(messages.enrollmentId, person.id)))).toSatisfy(
        (rows: { payload: unknown; live: boolean }[]) => rows.every(({ payload }) => payload === null),
      );
    }
  });
});

test('what was in nobody’s name goes too: notes, requests, errors, values in the audit log', async () => {
  const person = await left();
  await withTenant((tx) =>
    tx.insert(auditLog).values({
      ...{ tenantId: shop.tenant.tenantId, id: randomUUID(), actor: 'test', action: 'test', subject: null },
      data: { before: { email: person.contact.email.toUpperCase() }, after: `Vesper${person.n} Quillfeather${person.n} called` },
    }),
  );
  await owner.query(`insert into lookups (tenant_id, id, connection_id, key, topic, what, state, last_error)
    select tenant_id, gen_random_uuid(), id, 'customer ${person.contact.id}', 'x', '{"customer": "${person.contact.id}"}', 'done', 'no ${person.phone}'
    from connections where tenant_id = '${shop.tenant.tenantId}' limit 1`);
  await owner.query(`insert into tasks (tenant_id, id, kind, data) values ('${shop.tenant.tenantId}', gen_random_uuid(), 'question', $1)`, [
    { say: `Call ${person.phone.replace('+43', '0').replace(/(\d{4})(\d{3})/, '$1 $2-')}` },
  ]);
  const id = await requested(person.contactId);
  await carryOut(id);
  expect(await receiptOf(id)).toMatchObject({ state: 'done', erased: { audit_log: 1, lookups: 3, tasks: 1 } });
  for (const text of [person.secret, person.name]) expect(await placesOf(text)).toEqual([]);
});

test('keys and ids that a caller gave its requests go too where they name the person', async () => {
  const person = await left();
  const note = `for ${person.contact.email}`;
  const headers = { 'idempotency-key': `again-${person.cart}`, 'x-request-id': `for-${person.cart}`, authorization: `Bearer ${shop.tenant.apiKey}` };
  const stop = await shop.app.inject({ method: 'POST', url: `/api/enrollments/${person.id}/stop`, headers, payload: {} });
  expect(stop.statusCode).toBe(200);
  const again = await shop.app.inject({
    method: 'POST',
    url: `/api/enrollments/${person.id}/re-enroll`,
    headers: { ...headers, 'idempotency-key': `twice-${person.cart}` },
    payload: { note },
  });
  expect(again.statusCode).toBe(201);
  expect(await placesOf(person.secret)).toEqual(expect.arrayContaining(['audit_log', 'enrollment_requests', 'keyed_requests', 'outbox']));
  const id = await requested(person.contactId);
  await carryOut(id);
  expect(await receiptOf(id)).toMatchObject({ state: 'done', found: [] });
  expect(await placesOf(person.secret)).toEqual([]);
});

test('a table that nobody thought of is searched as well: the receipt says where something is left, and a repeat tries again', async () => {
  const person = await left();
  await owner.query(`create table of_tomorrow (tenant_id uuid not null, notes text[] not null, picture bytea);
    alter table of_tomorrow enable row level security;
    create policy tenant_rows on of_tomorrow to rekindle_app using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
    grant select on of_tomorrow to rekindle_app`);
  try {
    await owner.query(`insert into of_tomorrow values ($1, $2, $3)`, [
      shop.tenant.tenantId,
      ['something', person.contact.email],
      Buffer.from(`\x89PNG ${person.contact.email}`),
    ]);
    const id = await requested(person.contactId);
    await carryOut(id);
    const found = ['notes', 'picture'].map((column) => ({ table: 'of_tomorrow', column, rows: 1 }));
    expect(await receiptOf(id)).toMatchObject({ state: 'incomplete', found });
    await owner.query('delete from of_tomorrow');
    expect(await requested(person.contactId)).toBe(id);
    await carryOut(id);
    expect(await receiptOf(id)).toMatchObject({ state: 'done', found: [] });
  } finally {
    await owner.query('drop table of_tomorrow');
  }
});

test('a household’s number stays with whoever else has it; the receipt says that it was not searched for', async () => {
  const person = await left();
  const other = `${person.secret.replace('zebulon', 'housemate')}@example.com`;
  await shop.post('cart.updated', { ...aCart(`shared-${person.n}`, null), contact: { email: other, phone: person.phone } });
  const id = await requested(person.contactId);
  await carryOut(id);
  expect(await receiptOf(id)).toMatchObject({ state: 'done', searched: { numbers: 0, shared: 1 } });
  expect(await placesOf(other)).toEqual(expect.arrayContaining(['contact_identities', 'subjects']));
  expect(await placesOf(person.secret)).toEqual([]);
});

test('asking twice answers with the same erasure, whoever asks; the receipt has no personal data', async () => {
  const person = await left();
  const preview = await own(`/api/contacts/${person.contactId}/erase`, 'POST', { dry_run: true });
  expect(preview).toMatchObject({ status: 200, body: { dry_run: true, contacts: 1, identities: 3, enrollments: 1, open_enrollments: 1 } });
  expect((await shop.enrollmentOf(person.cart))?.endedAt).toBeNull();
  const id = await requested(person.contactId);
  expect(await requested(person.contactId)).toBe(id);
  await carryOut(id);
  expect(await requested(person.contactId)).toBe(id);
  const receipt = await receiptOf(id);
  expect(receipt).toMatchObject({
    contact: person.contactId,
    erased: { contacts: 1, contact_identities: 3 },
    requested_by: expect.stringMatching(/^api_key:/) as string,
  });
  expect(receipt['kept']).toContainEqual({ table: 'suppressions', rows: expect.any(Number) as number, why: expect.any(String) as string });
  expect((await own('/api/erasures?state=done')).body).toMatchObject({ data: expect.arrayContaining([receipt]) as unknown[] });
});

test('who comes back is somebody new, and gets nothing until they opt in themselves', async () => {
  const person = await left();
  await carryOut(await requested(person.contactId));
  await shop.post('cart.updated', { ...aCart(`${person.cart}-again`, null), contact: person.contact });
  const { rows } = await owner.query<{ id: string }>(`select contact_id as id from contact_identities where value = $1`, [person.contact.email]);
  expect(rows).toHaveLength(1);
  expect(rows[0]?.id).not.toBe(person.contactId);
  expect(await shop.enrollmentOf(`${person.cart}-again`)).toBeNull();
});

test('another store neither sees nor erases anything, and an editor may not', async () => {
  const person = await left();
  const other = await anotherStore(shop, `another-${person.n}`);
  expect((await ask(shop, other.apiKey, `/api/contacts/${person.contactId}/erase`, 'POST', {})).status).toBe(404);
  expect((await ask(shop, other.apiKey, `/api/contacts/${person.contactId}/export`, 'POST')).status).toBe(404);
  const id = await requested(person.contactId);
  expect((await ask(shop, other.apiKey, `/api/erasures/${id}`)).status).toBe(404);
  expect((await ask(shop, other.apiKey, '/api/erasures')).body).toMatchObject({ data: [] });
  const { api_key: editor } = (await own('/api/keys', 'POST', { name: 'An editor', role: 'editor' })).body as { api_key: string };
  for (const [path, method] of [
    [`/api/contacts/${person.contactId}/erase`, 'POST'],
    [`/api/contacts/${person.contactId}/export`, 'POST'],
    ['/api/erasures', 'GET'],
    ['/api/exports', 'GET'],
  ] as const)
    expect((await ask(shop, editor, path, method)).status, path).toBe(403);
  expect((await own(`/api/contacts/${randomUUID()}/erase`, 'POST', {})).status).toBe(404);
});

describe('what Shopify passes on', () => {
  const about = (email: string) => ({
    shop_domain: 'x.example.com',
    customer: { id: 7_000_000 + counter, email, phone: null },
    orders_to_redact: [],
  });
  const open = () => withTenant((tx) => tx.select().from(privacyRequests)).then((rows) => rows.filter(({ doneAt }) => doneAt === null));

  test('customers/redact erases; customers/data_request begins an export; of unknown people nothing is left to do', async () => {
    const [redacted, asked] = [await left(), await left()];
    await shop.shopify('customers/redact', about(redacted.contact.email));
    await shop.shopify('customers/data_request', about(asked.contact.email));
    await shop.shopify('customers/redact', about('nobody-here@example.com'));
    await privacyPass({ ...shop.deps, engine });
    expect(await open()).toEqual([]);
    const rows = await withTenant((tx) => tx.select().from(erasures).where(eq(erasures.contactId, redacted.contactId)));
    expect(rows).toMatchObject([{ origin: 'shop', requestedBy: `connection:${rows[0]?.requestedBy.slice(11) ?? ''}` }]);
    expect(started.erasures).toContain(rows[0]?.id);
    await carryOut(rows[0]?.id ?? '');
    expect(await placesOf(redacted.secret)).toEqual([]);
    const { data } = (await own('/api/exports')).body as { data: { id: string; contact: string; origin: string }[] };
    expect(data).toContainEqual(expect.objectContaining({ contact: asked.contactId, origin: 'shop' }));
    expect(started.exports).toContain(data[0]?.id);
    // What was started is not started again a second later.
    const before = { ...started, erasures: [...started.erasures] };
    await privacyPass({ ...shop.deps, engine });
    expect(started.erasures).toEqual(before.erasures);
  });

  test('shop/redact erases whom that shop has named, and nobody else', async () => {
    const elsewhere = await left();
    const email = `of-the-shop-${counter}@example.com`;
    await shop.shopify('customers/create', {
      id: 8_123_456,
      email,
      first_name: 'Ottilie',
      last_name: 'Brandauer',
      updated_at: new Date().toISOString(),
    });
    const { rows } = await owner.query<{ id: string }>(`select contact_id as id from contact_identities where value = $1`, [email]);
    await shop.shopify('shop/redact', { shop_id: 1, shop_domain: 'x.example.com' });
    await privacyPass({ ...shop.deps, engine });
    const known = await withTenant((tx) => tx.select().from(erasures));
    expect(known.map(({ contactId }) => contactId)).toContain(rows[0]?.id);
    expect(known.map(({ contactId }) => contactId)).not.toContain(elsewhere.contactId);
  });
});

test('an export has everything of the person and nobody else, is downloaded until it expires, and goes with an erasure', async () => {
  const [person, other] = [await left(), await left()];
  await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: person.id, stepId: 'email_2h' });
  await shop.post('contact.opted_in', { contact: { email: person.contact.email }, channel: 'email', wording: 'Yes please' });
  const { status, body } = await own(`/api/contacts/${person.contactId}/export`, 'POST');
  expect(status).toBe(202);
  const { id } = body as { id: string };
  expect((await own(`/api/contacts/${person.contactId}/export`, 'POST')).body).toMatchObject({ id });
  expect(await own(`/api/exports/${id}/document`)).toMatchObject({ status: 409, body: { code: 'export_running' } });
  const ref = { tenantId: shop.tenant.tenantId, exportId: id };
  expect(await gatherStep(shop.deps, ref)).toBeGreaterThan(6 * 24 * hourMs);
  const { body: document } = await own(`/api/exports/${id}/document`);
  expect(document).toMatchObject({ format: 'rekindle-person/1', person: person.contactId });
  const text = JSON.stringify(document);
  for (const table of ['contacts', 'contact_identities', 'subjects', 'subject_keys', 'enrollments', 'messages', 'decisions', 'consents'])
    expect(Object.keys((document as { tables: object }).tables), table).toContain(table);
  expect(text).toContain('Yes please');
  expect((document as { deliveries: unknown[] }).deliveries.length).toBeGreaterThanOrEqual(2);
  expect(text).not.toContain(other.secret);
  expect(text).not.toContain(other.id);
  // Sealed, so the table itself tells nothing.
  expect(await placesOf('yes please')).not.toContain('person_exports');
  await carryOut(await requested(person.contactId));
  expect(await own(`/api/exports/${id}/document`)).toMatchObject({ status: 409, body: { code: 'export_expired' } });
  // One that is still being gathered when its person is erased stores nothing.
  expect(await gatherStep(shop.deps, ref)).toBeNull();
  await expireStep(shop.deps, ref);
});

test('each history is counted once, however long one workflow takes to end and Temporal to delete', async () => {
  const { contactId, contact, id } = await left();
  expect((await own(`/api/enrollments/${id}/stop`, 'POST', {})).status).toBe(200);
  await shop.post('cart.updated', { ...aCart(`${contact.id}-second`, null), contact }, { at: hours(2) });
  const second = (await shop.enrollmentOf(`${contact.id}-second`))?.id;
  const erasureId = await requested(contactId);
  const ref = { tenantId: shop.tenant.tenantId, erasureId };
  let looks = 0;
  const slow = {
    ...engine,
    // What was deleted is found for a while.
    describe: ({ enrollmentId }: { enrollmentId: string }) =>
      Promise.resolve(enrollmentId === second && looks++ < 3 ? ('running' as const) : ('completed' as const)),
    forget: () => Promise.resolve(1),
  };
  while ((await eraseStep(shop.deps, ref)).kind !== 'done') await sweepLeases(shop.deps);
  while ((await forgetHistories({ ...shop.deps, engine: slow }, ref)).kind !== 'done');
  expect(looks).toBeGreaterThan(3);
  const [row] = await withTenant((tx) => tx.select({ histories: erasures.histories }).from(erasures).where(eq(erasures.id, erasureId)));
  expect(row).toEqual({ histories: 2 });
});
