import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { auditLog, connections, enrollments, inbox, messages, quarantine, sequences } from '../../db/schema/index.ts';
import { noteFault } from '../../operations/composition/ledger.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask, askAll, dispatch, leaveCart, sendFirstMail } from './left-carts.ts';

// What cannot go on by itself is one list; what is done about it changes what the list is a view of.

let shop: Shop;
let other: { tenantId: string; apiKey: string };
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  other = await anotherStore(shop, 'other-store');
});
afterAll(() => shop.close());
beforeEach(async () => {
  await tx((tx) => tx.update(connections).set({ fault: null, faultAt: null }));
  await tx((tx) => tx.update(messages).set({ state: 'sent' }).where(eq(messages.state, 'unknown')));
  await ask(shop, shop.tenant.apiKey, '/api/parked/skip', 'POST', { kind: 'delivery' });
});

type Transaction = Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0];
const tx = <T>(run: (tx: Transaction) => Promise<T>) => shop.deps.db.withTenant(shop.tenant.tenantId, run);

interface Item {
  id: string;
  kind: string;
  cause: string;
  since: string | null;
  age_seconds: number | null;
  sentence: string;
  affected: { enrollments: number; deliveries: number };
  actions: string[];
  enrollment: string | null;
  step: string | null;
  external_ids: { value: string }[];
}
const parked = (query = '') => askAll<Item>(shop, shop.tenant.apiKey, `/api/parked${query}`);
const act = async (id: string, action: string, payload?: Record<string, unknown>) => {
  const { status, body } = await ask(shop, shop.tenant.apiKey, `/api/parked/${encodeURIComponent(id)}/${action}`, 'POST', payload);
  return { status, ...(body as { code?: string; detail?: string; done?: boolean }) };
};
const all = async (action: string, payload: Record<string, unknown>) => {
  const { status, body } = await ask(shop, shop.tenant.apiKey, `/api/parked/${action}`, 'POST', payload);
  return { status, ...(body as { matched: number; done: number; refused: { code: string }[] }) };
};

let counter = 0;
/** A message of which nobody knows whether it was accepted, through an account that cannot be asked. */
async function inDoubt(): Promise<{ cart: string; enrollment: string; message: string }> {
  const cart = `doubt-${++counter}`;
  const enrollment = await leaveCart(shop, cart, `${cart}@example.com`);
  const { messageId } = await sendFirstMail(shop, enrollment);
  await tx((tx) =>
    tx
      .update(messages)
      .set({ state: 'unknown', response: 'the connection ended', doubtSince: Date.now() - 90_000, findFrom: null })
      .where(eq(messages.id, messageId)),
  );
  return { cart, enrollment, message: messageId };
}

/** A delivery that this build cannot read either. */
async function unreadable(): Promise<string> {
  const { tenantId } = shop.tenant;
  const [inboxId, id] = [uuidv7(), uuidv7()];
  const common = { tenantId, connectionId: shop.tenant.webhooks.generic.path.split('/').at(-1) ?? '', topic: 'cart.updated' };
  await tx((tx) => tx.insert(inbox).values({ ...common, id: inboxId, dedupeKey: inboxId, state: 'quarantined' }));
  await tx((tx) =>
    tx.insert(quarantine).values({ ...common, id, inboxId, body: '{"type":"cart.updated"}', reason: 'data: is missing', mayBeStop: true }),
  );
  return id;
}

async function aConnection(config: Record<string, unknown>): Promise<string> {
  const made = await ask(shop, shop.tenant.apiKey, '/api/connections', 'POST', { integration: 'smtp', name: 'Our server', config });
  return (made.body as { id: string }).id;
}

test('one list names each with its cause, its age, who is affected and what to do, page by page', async () => {
  const { cart, enrollment, message } = await inDoubt();
  const delivery = await unreadable();
  const smtp = await aConnection({ url: shop.smtp.url });
  await tx((tx) => noteFault(tx, smtp, '535 wrong password'));
  const found = await parked();
  expect(found).toEqual([
    expect.objectContaining({
      id: `connection:${smtp}`,
      cause: 'login_refused',
      sentence: 'smtp does not let “Our server” in: 535 wrong password.',
      actions: ['resume', 'cancel'],
    }),
    expect.objectContaining({ id: `delivery:${delivery}`, cause: 'unreadable', affected: { enrollments: 0, deliveries: 1 } }),
    expect.objectContaining({
      id: `outcome:${message}`,
      cause: 'outcome_unknown',
      enrollment,
      step: 'email_2h',
      affected: { enrollments: 1, deliveries: 0 },
      external_ids: [expect.objectContaining({ value: cart })],
    }),
  ]);
  expect(found[1]?.sentence).toMatch(/It may have been a purchase/);
  expect(found[2]?.age_seconds).toBeGreaterThanOrEqual(90);
  expect(Date.parse(found[0]?.since ?? '')).toBeGreaterThan(Date.now() - 60_000);
  // They grow older between two requests.
  const ageless = (items: Item[]) => items.map((item) => ({ ...item, age_seconds: 0 }));
  expect(ageless(await parked('?limit=1'))).toEqual(ageless(await parked()));
  expect((await parked('?kind=delivery')).map(({ kind }) => kind)).toEqual(['delivery']);
  expect(await askAll(shop, other.apiKey, '/api/parked')).toEqual([]);
  await act(`connection:${smtp}`, 'cancel');
});

const receiptSecret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

test('a provider that lets no message in any more is on the list by itself, until it takes one again', async () => {
  let status = 401;
  let made: string | null = null;
  const provider = createServer((request, response) => {
    const answer = JSON.stringify({ id: randomUUID(), name: 'invalid_api_key' });
    request.resume().on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(answer));
  });
  provider.listen(0, '127.0.0.1');
  await once(provider, 'listening');
  const { port } = provider.address() as AddressInfo;
  try {
    const config = { apiKey: 're_rotated', baseUrl: `http://127.0.0.1:${port}` };
    const answer = await ask(shop, shop.tenant.apiKey, '/api/connections', 'POST', {
      integration: 'resend',
      name: 'Emails',
      config,
      secrets: [receiptSecret],
    });
    expect(answer).toMatchObject({ status: 201 });
    const { id } = answer.body as { id: string };
    made = id;
    const cart = `refused-${++counter}`;
    const enrollment = await leaveCart(shop, cart, `${cart}@example.com`);
    await letTimePass(shop, 3_601_000);
    await dispatch(shop, enrollment, 'email_2h');
    expect(await parked('?kind=connection')).toEqual([
      expect.objectContaining({
        id: `connection:${id}`,
        sentence: expect.stringMatching(/^resend does not let “Emails” in: a message by email was not taken: HTTP 401/) as unknown,
        affected: { enrollments: 1, deliveries: 0 },
      }),
    ]);
    status = 200;
    const next = `accepted-${++counter}`;
    await sendFirstMail(shop, await leaveCart(shop, next, `${next}@example.com`));
    expect(await parked('?kind=connection')).toEqual([]);
  } finally {
    if (made !== null) await ask(shop, shop.tenant.apiKey, `/api/connections/${made}`, 'PATCH', { state: 'disconnected' });
    provider.close();
  }
});

test('a mail server that refuses the login is on the list, and one that is away is not', async () => {
  const [away, refusing] = [await aConnection({ url: 'smtp://127.0.0.1:1' }), await startRefusingSmtp()];
  try {
    const cart = `login-${++counter}`;
    const enrollment = await leaveCart(shop, cart, `${cart}@example.com`);
    await letTimePass(shop, 3_601_000);
    await dispatch(shop, enrollment, 'email_2h');
    expect(await parked('?kind=connection')).toEqual([]);
    const config = { url: `smtp://user:old@127.0.0.1:${refusing.port}?tls=off` };
    expect(await ask(shop, shop.tenant.apiKey, `/api/connections/${away}`, 'PATCH', { config })).toMatchObject({ status: 200 });
    const refused = `refused-login-${++counter}`;
    const other = await leaveCart(shop, refused, `${refused}@example.com`);
    await letTimePass(shop, 3_601_000);
    await dispatch(shop, other, 'email_2h');
    expect(await parked('?kind=connection')).toEqual([
      expect.objectContaining({ id: `connection:${away}`, sentence: expect.stringContaining('535') as unknown }),
    ]);
  } finally {
    await ask(shop, shop.tenant.apiKey, `/api/connections/${away}`, 'PATCH', { state: 'disconnected' });
    refusing.close();
  }
});

/** A mail server that knows nobody. */
async function startRefusingSmtp(): Promise<{ port: number; close(): void }> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('220 mail.example.com\r\n');
    socket.on('data', (data) => {
      const said = data.toString();
      if (/^EHLO/i.test(said)) socket.write('250-mail.example.com\r\n250 AUTH PLAIN\r\n');
      else if (/^AUTH/i.test(said)) socket.write('535 5.7.8 wrong password\r\n');
      else socket.write('221 bye\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test('a connection is resumed once its provider lets us in, and cancelled by being disconnected', async () => {
  const refused = await aConnection({ url: 'smtp://127.0.0.1:1' });
  await tx((tx) => noteFault(tx, refused, 'no login'));
  expect(await act(`connection:${refused}`, 'resume')).toMatchObject({ status: 409, code: 'still_refused' });
  expect(await act(`connection:${refused}`, 'skip')).toMatchObject({ status: 409, code: 'not_possible' });
  await ask(shop, shop.tenant.apiKey, `/api/connections/${refused}`, 'PATCH', { config: { url: shop.smtp.url } });
  // A new configuration is tried anew: it is off the list.
  expect(await parked('?kind=connection')).toEqual([]);
  await tx((tx) => noteFault(tx, refused, 'no login'));
  expect(await act(`connection:${refused}`, 'resume')).toMatchObject({ status: 200, done: true });
  expect(await act(`connection:${refused}`, 'resume')).toMatchObject({ status: 404, code: 'not_parked' });
  await tx((tx) => noteFault(tx, refused, 'no login'));
  expect((await act(`connection:${refused}`, 'cancel')).status).toBe(200);
  const [row] = await tx((tx) => tx.select().from(connections).where(eq(connections.id, refused)));
  expect(row?.state).toBe('disconnected');
});

test('an outcome in doubt is never sent again: it is skipped, or its enrollment ended, and either is on record', async () => {
  const [one, two] = [await inDoubt(), await inDoubt()];
  expect(await act(`outcome:${one.message}`, 'resume')).toMatchObject({ status: 409, code: 'never_resent' });
  expect((await act(`outcome:${one.message}`, 'skip', { note: 'she has it' })).status).toBe(200);
  expect((await act(`outcome:${two.message}`, 'cancel')).status).toBe(200);
  expect(await parked('?kind=outcome')).toEqual([]);
  const rows = await tx((tx) => tx.select({ id: enrollments.id, endedAt: enrollments.endedAt }).from(enrollments));
  expect(rows.find(({ id }) => id === one.enrollment)?.endedAt).toBeNull();
  expect(rows.find(({ id }) => id === two.enrollment)?.endedAt).not.toBeNull();
  const states = await tx((tx) => tx.select({ id: messages.id, state: messages.state }).from(messages));
  expect(states.find(({ id }) => id === one.message)?.state).toBe('unknown');
  const audit = await tx((tx) => tx.select().from(auditLog).where(eq(auditLog.action, 'parked.skip')));
  expect(audit.find(({ subject }) => subject === one.message)?.data).toEqual({ kind: 'outcome', note: 'she has it' });
});

test('an outcome that its provider may still be asked about is not parked', async () => {
  const { message } = await inDoubt();
  await tx((tx) =>
    tx
      .update(messages)
      .set({ findFrom: Date.now() + 60_000 })
      .where(eq(messages.id, message)),
  );
  expect(await parked('?kind=outcome')).toEqual([]);
});

test('a delivery is read again, or dismissed for good', async () => {
  const id = await unreadable();
  expect(await act(`delivery:${id}`, 'resume')).toMatchObject({ status: 409, code: 'still_unreadable' });
  expect((await act(`delivery:${id}`, 'skip')).status).toBe(200);
  expect(await act(`delivery:${id}`, 'skip')).toMatchObject({ status: 404 });
  expect(await parked('?kind=delivery')).toEqual([]);
});

test('a sequence in which people are and none of whose channels is connected is parked until one is, until it is skipped, or archived', async () => {
  await publishYaml(
    shop,
    `sequence: texts\nname: Texts\non: manual\nabout: cart\nmaxAge: 7d\nsteps:\n  - { id: text_1h, at: 1h, channel: sms, content: cart/text_1h }\n`,
  );
  const [{ id } = { id: '' }] = await tx((tx) => tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, 'texts')));
  // Nobody is in it: nothing waits.
  expect(await parked('?kind=sequence')).toEqual([]);
  await shop.post('cart.updated', {
    ...aCart('texted', 'texted@example.com'),
    contact: { email: 'texted@example.com', phone: '+436641234567', marketing: { sms: true } },
  });
  const started = await ask(shop, shop.tenant.apiKey, '/api/enrollments', 'POST', { subject_id: 'texted', sequence: 'texts' });
  expect([started.status, started.body]).toEqual([201, expect.objectContaining({ status: 'ACTIVE' })]);
  expect(await parked('?kind=sequence')).toEqual([
    expect.objectContaining({
      id: `sequence:${id}`,
      cause: 'no_channel',
      sentence: 'texts reaches nobody: sms is not connected.',
      affected: { enrollments: 1, deliveries: 0 },
    }),
  ]);
  expect(await act(`sequence:${id}`, 'resume')).toMatchObject({ status: 409, code: 'not_connected' });
  expect((await act(`sequence:${id}`, 'skip')).status).toBe(200);
  expect(await parked('?kind=sequence')).toEqual([]);
  // Its next version is another matter.
  await publishYaml(
    shop,
    `sequence: texts\nname: Texts anew\non: manual\nabout: cart\nmaxAge: 7d\nsteps:\n  - { id: text_1h, at: 2h, channel: sms, content: cart/text_1h }\n`,
  );
  expect(await parked('?kind=sequence')).toHaveLength(1);
  expect((await act(`sequence:${id}`, 'cancel')).status).toBe(200);
  const [after] = await tx((tx) => tx.select({ status: sequences.status }).from(sequences).where(eq(sequences.id, id)));
  expect([after?.status, await parked('?kind=sequence')]).toEqual(['ARCHIVED', []]);
});

test('all of a kind: a dry run counts, and then it is done, with what was refused', async () => {
  await unreadable();
  await unreadable();
  expect(await all('skip', { kind: 'delivery', dry_run: true })).toMatchObject({ matched: 2, done: 0 });
  expect(await all('resume', { kind: 'delivery' })).toMatchObject({
    matched: 2,
    done: 0,
    refused: [{ code: 'still_unreadable' }, { code: 'still_unreadable' }],
  });
  expect(await all('skip', { kind: 'delivery', note: 'a test of theirs' })).toMatchObject({ matched: 2, done: 2, refused: [] });
  expect(await all('skip', { kind: 'delivery' })).toMatchObject({ matched: 0 });
  expect((await all('skip', {})).status).toBe(400);
});

test('what is no item is not found, and a cursor of another list is refused', async () => {
  for (const id of [randomUUID(), `delivery:${randomUUID()}`, 'nothing', `secret:${randomUUID()}`])
    expect(await act(id, 'skip')).toMatchObject({ status: 404, code: 'not_parked' });
  expect((await ask(shop, shop.tenant.apiKey, '/api/parked?cursor=abc')).status).toBe(400);
});
