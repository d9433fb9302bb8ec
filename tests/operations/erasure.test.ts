import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { and, eq, isNull } from 'drizzle-orm';
import { auditLog, contacts, messages, suppressions } from '../../db/schema/index.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { ask, askAll } from '../api/left-carts.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';

// A person is erased, in flight too: docs/rules.md#rule-32

const hourMs = 3_600_000;
let shop: Shop;
let owner: pg.Client;
let holdAt: Checkpoint | null = null;
let reached: () => void = () => undefined;
let held: Promise<void> = Promise.resolve();
beforeAll(async () => {
  shop = await openShop({
    timeScale: 1,
    checkpoints: async (point) => {
      if (point !== holdAt) return;
      holdAt = null;
      reached();
      await held;
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
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const erase = (contact: string) => ask(shop, shop.tenant.apiKey, `/api/contacts/${contact}`, 'DELETE');
/** A name that is nowhere else. */
const secretOf = (n: number) => `zebulon${n}x`;

async function left() {
  const n = ++counter;
  const secret = secretOf(n);
  const cart = `erase-cart-${secret}`;
  const email = `${secret}@example.com`;
  const phone = `+4366012345${String(60 + n)}`;
  const contact = { email, phone: `+43 660 123 45 ${60 + n}`, first_name: secret, last_name: secret, id: `id-${secret}`, country: 'AT' };
  await shop.post('cart.updated', { ...aCart(cart, null), contact }, { at: Date.now() - 2 * hourMs });
  const row = await shop.enrollmentOf(cart);
  return { n, secret, cart, email, phone, contact, id: row?.id ?? '', contactId: row?.contactId ?? '' };
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

test('nothing of them is left anywhere: no name, no address, no number, whatever it came in', async () => {
  const { n, secret, cart, email, phone, contact, id, contactId } = await left();
  for (const step of ['popup_1h', 'email_2h']) await dispatch(id, step);
  expect((await shop.ledgerOf(id)).find((m) => m.stepId === 'email_2h')?.state).toBe('sent');
  await shop.post('contact.opted_in', { contact: { email }, channel: 'email', wording: `Yes, ${secret}`, ip: '192.0.2.7', user_agent: secret });
  await shop.post('message.received', { contact: { phone: contact.phone }, channel: 'sms', text: `This is ${secret}` });
  await shop.post('lead.created', { lead: { id: `lead-${secret}`, message: `I am ${secret}`, interest: secret }, contact: { email } });
  await shop.post('order.placed', { order: { id: `o-${n}`, currency: 'EUR', total: '9.90' }, contact: { email, first_name: secret } });
  // Unreadable deliveries: as JSON, and with the number as somebody typed it.
  for (const told of [email.toUpperCase(), `+43 (660) 123-45-${60 + n}`]) await shop.post('cart.updated', { cart: 'no cart', contact: told });
  expect(await placesOf(secret)).toEqual(expect.arrayContaining(['contacts', 'inbox', 'quarantine', 'messages', 'consents', 'subjects']));
  const { status, body } = await erase(contactId);
  expect({ status, body }).toMatchObject({ status: 200, body: { contact: contactId, quarantined: 2 } });
  expect(await placesOf(secret)).toEqual([]);
  for (const digits of [phone.slice(-7), `123 45 ${60 + n}`, `123-45-${60 + n}`]) expect(await placesOf(digits)).toEqual([]);
  expect(await shop.enrollmentOf(cart)).toBeNull();
  // Outcomes stay, and the receipt.
  const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, id);
  expect(explained?.entries.length).toBeGreaterThan(3);
  const audit = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(auditLog).where(eq(auditLog.action, 'contact.erase')));
  expect(audit.find((row) => row.subject === contactId)?.data).toMatchObject({ contacts: 1, quarantined: 2 });
  expect((await erase(contactId)).status).toBe(200);
});

test('others keep what is theirs', async () => {
  const [one, other] = [await left(), await left()];
  await erase(one.contactId);
  expect(await placesOf(other.secret)).toEqual(expect.arrayContaining(['contacts', 'contact_identities', 'inbox', 'subjects']));
  expect((await shop.enrollmentOf(other.cart))?.endedAt).toBeNull();
});

test('an erased address that comes back stays suppressed, until the person themselves opts in', async () => {
  const { email, contact, contactId } = await left();
  await erase(contactId);
  const again = `${email}-cart`;
  await shop.post('cart.updated', { ...aCart(again, null), contact });
  expect(await shop.enrollmentOf(again)).toBeNull();
  await shop.post('cart.updated', { ...aCart(`${again}-box`, null), contact: { ...contact, marketing: { email: true } } });
  expect(await shop.enrollmentOf(`${again}-box`)).toBeNull();
  const listed = await askAll<Record<string, unknown>>(shop, shop.tenant.apiKey, `/api/suppressions?email=${email}`);
  expect(listed).toContainEqual(expect.objectContaining({ channel: 'all', reason: 'opted_out', may_be_lifted: false }));
  await shop.post('contact.opted_in', { contact: { email }, channel: 'email' }, { at: Date.now() + 1_000 });
  await shop.post('cart.updated', { ...aCart(`${again}-own`, null), contact: { email } });
  expect(await shop.enrollmentOf(`${again}-own`)).not.toBeNull();
});

test('what was suppressed before stays so, with its kind: a complaint is lifted by nothing', async () => {
  const { email, contactId } = await left();
  await shop.post('contact.opted_out', { contact: { email }, final: true });
  await erase(contactId);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select()
      .from(suppressions)
      .where(and(eq(suppressions.reason, 'complaint'), isNull(suppressions.liftedAt))),
  );
  expect(rows.length).toBeGreaterThan(0);
  await shop.post('contact.opted_in', { contact: { email }, channel: 'email' }, { at: Date.now() + 1_000 });
  await shop.post('cart.updated', aCart(`${email}-again`, email));
  expect(await shop.enrollmentOf(`${email}-again`)).toBeNull();
});

test.each(['dispatch.session_open', 'dispatch.claimed', 'dispatch.called'] as const)(
  'in flight, at %s: no call begins or is open after the answer, and no text of it is left',
  async (point) => {
    const { id, secret, contactId } = await left();
    await dispatch(id, 'popup_1h');
    let release: () => void = () => undefined;
    held = new Promise((resolve) => (release = resolve));
    const there = new Promise<void>((resolve) => (reached = resolve));
    holdAt = point;
    const sentBefore = shop.smtp.accepted.length;
    const dispatched = dispatch(id, 'email_2h');
    await there;
    let answer: { status: number } | null = null;
    const erased = (async () => {
      do answer = await erase(contactId);
      while (answer.status === 503);
      return shop.smtp.accepted.length;
    })();
    // It waits for a call that was claimed, and for nothing else.
    const isErased = () => answer !== null && answer.status === 200;
    if (point === 'dispatch.session_open') await until('an answer', isErased);
    else await until('an answer, or none for a while', isErased, 250).catch(() => undefined);
    release();
    const accepted = await erased;
    await dispatched;
    expect(shop.smtp.accepted.length).toBe(accepted);
    expect(accepted - sentBefore).toBe(point === 'dispatch.session_open' ? 0 : 1);
    expect(await placesOf(secret)).toEqual([]);
    const [row] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx
        .select()
        .from(messages)
        .where(and(eq(messages.enrollmentId, id), eq(messages.stepId, 'email_2h'))),
    );
    expect(row?.payload ?? null).toBeNull();
  },
);

test('a person of several contacts is erased as a whole', async () => {
  const [one, other] = [await left(), await left()];
  const second = `${one.secret}-second@example.com`;
  await shop.post('cart.updated', aCart(`${one.secret}-second-cart`, second));
  await shop.post('contact.updated', { contact: { id: one.contact.id, email: second } });
  expect((await erase(one.contactId)).body).toMatchObject({ contacts: 2 });
  expect(await placesOf(one.secret)).toEqual([]);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(contacts).where(eq(contacts.firstName, other.secret)));
  expect(rows).toHaveLength(1);
});

test('who is unknown is not found', async () => {
  expect((await erase('nothing')).status).toBe(404);
  expect((await erase('00000000-0000-7000-8000-000000000000')).status).toBe(404);
});
