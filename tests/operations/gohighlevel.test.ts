import { randomUUID } from 'node:crypto';
import { isNull } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connections, contactIdentities, enrollments, messages, sendRates, subjects, suppressions } from '../../db/schema/index.ts';
import { createConnection } from '../../operations/connections.ts';
import { connectFirstLocation } from '../../operations/first-location.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { sweepSilent } from '../../operations/sweep-silent.ts';
import { ask } from '../api/left-carts.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import {
  aContact,
  contactId,
  goHighLevelDialect,
  inboundText,
  locationId,
  messageId,
  outboundText,
  signGoHighLevel,
  webhookPublicKey,
} from '../integrations/gohighlevel/conformance.ts';

// A location of HighLevel, from its webhooks to the message through it.

const dayMs = 86_400_000;
let shop: Shop;
let provider: StubProvider;
let vienna: Location;
beforeAll(async () => {
  provider = await startStubProvider(false, goHighLevelDialect);
  shop = await openShop({ timeScale: 1 });
  vienna = await connect(locationId);
  await ask(shop, shop.tenant.apiKey, '/api/sequences/silent-lead/resume', 'POST');
});
afterAll(async () => {
  await shop.close();
  await provider.stop();
});

interface Location {
  id: string;
  locationId: string;
}

async function connect(id: string, more: object = {}): Promise<Location> {
  const config = {
    locationId: id,
    token: 'pit-an-invented-token',
    baseUrl: `http://127.0.0.1:${provider.port}`,
    webhookPublicKey,
    leads: 'every_contact',
    ...more,
  };
  const made = await createConnection(shop.deps, shop.tenant.tenantId, { integration: 'gohighlevel', name: id, config, secrets: [] }, 'test');
  if (made.kind !== 'created') throw new Error(JSON.stringify(made));
  expect(made.connection).toMatchObject({ sends: true, receives: true });
  return { id: made.connection.id, locationId: id };
}

/** A webhook of an app, signed. */
async function report(to: Location, raw: Buffer, { at = Date.now(), ...more }: Record<string, unknown> & { at?: number } = {}) {
  const body = {
    ...(JSON.parse(raw.toString()) as object),
    webhookId: randomUUID(),
    timestamp: new Date(at).toISOString(),
    locationId: to.locationId,
    ...more,
  };
  const payload = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'x-ghl-signature': signGoHighLevel(Buffer.from(payload)) };
  const response = await shop.app.inject({ method: 'POST', url: `/api/webhooks/gohighlevel/${to.id}`, headers, payload });
  return { status: response.statusCode, body: response.json<{ status?: string }>() };
}

const tenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
let count = 0;
/** A contact of the location that is a lead since so many days. */
async function leadIn(to: Location, days: number, more: Record<string, unknown> = {}) {
  const id = `con_${++count}abcdefghijklmn`;
  const email = `ghl-${count}@example.com`;
  const phone = `+1202555${String(100 + count).padStart(4, '0')}`;
  const at = Date.now() - days * dayMs;
  expect(await report(to, aContact('ContactCreate', { id, email, phone, dateAdded: new Date(at).toISOString(), ...more }), { at })).toMatchObject({
    status: 200,
  });
  return { id: typeof more['id'] === 'string' ? more['id'] : id, email, phone };
}
type Lead = Awaited<ReturnType<typeof leadIn>>;
const contactOf = async ({ email }: Lead) => {
  const [found] = (await tenant((tx) => tx.select().from(contactIdentities))).filter(({ value }) => value === email);
  return found?.contactId ?? '';
};
const runOf = async (lead: Lead) => {
  const contact = await contactOf(lead);
  const rows = (await tenant((tx) => tx.select().from(enrollments))).filter((one) => one.contactId === contact);
  return rows.at(-1);
};
const lastContactOf = async (lead: Lead) => {
  const contact = await contactOf(lead);
  return (await tenant((tx) => tx.select().from(subjects))).find((one) => one.contactId === contact)?.lastContactAt ?? null;
};
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const closedFor = async ({ email, phone }: Lead) => {
  const hashes = [['email', email] as const, ['phone', phone] as const].map(([kind, value]) =>
    shop.deps.sealing.addressHash(shop.tenant.tenantId, kind, value),
  );
  const rows = await tenant((tx) => tx.select().from(suppressions).where(isNull(suppressions.liftedAt)));
  return [...new Set(rows.filter((one) => hashes.includes(one.addressHash)).map(({ reason }) => reason))];
};

describe('a silent lead', () => {
  let lead: Lead;
  let run: string;
  beforeAll(async () => {
    lead = await leadIn(vienna, 4);
    await sweepSilent(shop.deps, { most: 100, everySeconds: 14_400 });
    run = (await runOf(lead))?.id ?? '';
    await dispatch(run, 'mark_24h');
    await dispatch(run, 'message_3d');
  });

  test('is written to through the location, at the pace of its account', async () => {
    const [message] = (await shop.ledgerOf(run)).filter(({ stepId }) => stepId === 'message_3d');
    expect(message).toMatchObject({ state: 'sent', channel: 'email', account: `gohighlevel:${locationId}`, providerMessageId: messageId });
    expect(JSON.parse(provider.accepted.at(-1)?.body ?? '{}')).toMatchObject({ type: 'Email', contactId, emailTo: lead.email });
    const scopes = (await tenant((tx) => tx.select().from(sendRates))).map(({ scope }) => scope);
    expect(scopes).toContain(`account gohighlevel:${locationId}`);
  });

  test('has a record that names the location and the contact in it', async () => {
    const subject = (await runOf(lead))?.subjectId ?? '';
    const { body } = await ask(shop, shop.tenant.apiKey, `/api/leads/${subject}/abandonment`, 'GET');
    expect(body).toMatchObject({ abandonment: { location_id: locationId, contact_id: lead.id } });
  });

  test('goes on where our own message is reported, by its id or by its link', async () => {
    const before = await lastContactOf(lead);
    const own = { contactId: lead.id, to: lead.email, messageType: 'Email', source: 'app', userId: 'usr_1' };
    expect(await report(vienna, outboundText('Words without a link', { ...own, messageId }))).toMatchObject({ status: 200 });
    expect(
      await report(vienna, outboundText('See http://rekindle.example.com/s/0123456789 for more', { ...own, messageId: 'msg_77' })),
    ).toMatchObject({
      status: 200,
    });
    expect(await lastContactOf(lead)).toBe(before);
    expect(await runOf(lead)).toMatchObject({ id: run, endedAt: null });
  });

  test('waits with the report while the call that it may be about still runs', async () => {
    const change = (set: object) => tenant((tx) => tx.update(messages).set(set));
    await change({ live: true, providerMessageId: null, claim: randomUUID(), claimedAt: Date.now() - 5_000, leaseMs: 3_000, deadLeaseMs: 10_000 });
    const raw = outboundText('Words without a link', { contactId: lead.id, to: lead.email, messageType: 'Email', messageId: 'msg_0002' });
    // It is kept, and HighLevel is asked to repeat it.
    expect(await report(vienna, raw)).toMatchObject({ status: 503 });
    expect(await runOf(lead)).toMatchObject({ id: run, endedAt: null });
    // It was about our own call: the report that is kept is tried again by itself at any moment from now on, and then it is no contact.
    await change({ live: false, providerMessageId: 'msg_0002' });
  });

  test('ends with what a colleague writes there, and the next silence is counted from it', async () => {
    const at = Date.now() - 60_000;
    await report(vienna, outboundText('Shall we talk?', { contactId: lead.id, to: lead.phone, userId: 'usr_1', messageId: 'msg_78' }), { at });
    expect(await lastContactOf(lead)).toBe(at);
    const rows = (await tenant((tx) => tx.select().from(enrollments))).filter(({ id }) => id === run);
    expect(rows).toMatchObject([{ stopReason: 'contacted' }]);
  });

  test('ends with a reply by a way that is no channel of ours', async () => {
    const other = await leadIn(vienna, 4);
    await sweepSilent(shop.deps, { most: 100, everySeconds: 14_400 });
    const begun = await runOf(other);
    await dispatch(begun?.id ?? '', 'mark_24h');
    await report(vienna, inboundText('Still looking', { contactId: other.id, messageType: 'IG', from: undefined }));
    const rows = (await tenant((tx) => tx.select().from(enrollments))).filter(({ id }) => id === begun?.id);
    expect(rows).toMatchObject([{ stopReason: 'replied' }]);
  });
});

describe('do not disturb', () => {
  test('closes while its switch is on, and opens when it is off', async () => {
    const lead = await leadIn(vienna, 1);
    const { email, phone } = lead;
    await report(vienna, aContact('ContactDndUpdate', { id: lead.id, email, phone, dnd: true }));
    expect(await closedFor(lead)).toEqual(['opted_out']);
    await report(vienna, aContact('ContactDndUpdate', { id: lead.id, email, phone, dnd: false }));
    expect(await closedFor(lead)).toEqual([]);
  });

  test('that is switched off opens nothing that the person closed, and nothing that was closed later', async () => {
    const lead = await leadIn(vienna, 1);
    const { email, phone } = lead;
    await report(vienna, inboundText('STOP', { contactId: lead.id, from: phone }));
    await report(vienna, aContact('ContactDndUpdate', { id: lead.id, email, phone, dnd: false }));
    expect(await closedFor(lead)).toEqual(['opted_out']);
    const other = await leadIn(vienna, 1);
    await report(vienna, aContact('ContactDndUpdate', { ...other, dnd: true }));
    await report(vienna, aContact('ContactUpdate', { ...other, dnd: false }), { at: Date.now() - 3_600_000 });
    expect(await closedFor(other)).toEqual(['opted_out']);
  });

  test('is no consent, in either direction', async () => {
    const lead = await leadIn(vienna, 1);
    await report(vienna, aContact('ContactDndUpdate', { ...lead, dnd: true }));
    await report(vienna, aContact('ContactDndUpdate', { ...lead, dnd: false }));
    const contact = await contactOf(lead);
    const { body } = await ask(shop, shop.tenant.apiKey, `/api/contacts/${contact}/consents`);
    expect(JSON.stringify(body)).not.toContain('gohighlevel');
  });
});

test('two locations with the same contact id know two people: what one of them says stops nothing for the other', async () => {
  const linz = await connect('loc_0002abcdefghijklmn');
  const shared = { id: 'con_shared0abcdefghij' };
  const [here, there] = [await leadIn(vienna, 2, shared), await leadIn(linz, 2, shared)];
  expect(await contactOf(here)).not.toBe(await contactOf(there));
  await report(linz, inboundText('STOP', { contactId: shared.id, from: undefined }));
  expect(await closedFor(there)).toEqual(['opted_out']);
  expect(await closedFor(here)).toEqual([]);
});

test('an app has one address: what is signed reaches the connection of its location, once, and no other store’s', async () => {
  const graz = await connect('loc_0004abcdefghijklmn');
  const shared = { id: 'con_passed0abcdefghij' };
  const [here, there] = [await leadIn(vienna, 2, shared), await leadIn(graz, 2, shared)];
  const stop = inboundText('STOP', { contactId: shared.id, from: undefined });
  const webhookId = randomUUID();
  expect(await report(vienna, stop, { locationId: graz.locationId, webhookId })).toMatchObject({ body: { status: 'applied' } });
  expect([await closedFor(there), await closedFor(here)]).toEqual([['opted_out'], []]);
  expect(await report(graz, stop, { locationId: graz.locationId, webhookId })).toMatchObject({ body: { status: 'repeated' } });
  expect(await report(vienna, stop, { locationId: 'loc_of_nobody0abcdefgh' })).toMatchObject({ body: { status: 'ignored' } });
  // The token of a connection speaks for its own location only.
  const payload = JSON.stringify({ ...(JSON.parse(stop.toString()) as object), locationId: graz.locationId, webhookId: randomUUID() });
  const headers = { 'content-type': 'application/json', 'x-rekindle-token': 'not-the-token' };
  expect((await shop.app.inject({ method: 'POST', url: `/api/webhooks/gohighlevel/${vienna.id}`, headers, payload })).statusCode).toBe(401);
});

test('the environment connects the first store to its location once, however many processes start, and a new token replaces the old', async () => {
  const location = { locationId: 'loc_0003abcdefghijklmn', token: 'pit-the-first-token', baseUrl: `http://127.0.0.1:${provider.port}` };
  const made = await Promise.all([1, 2, 3].map(() => connectFirstLocation(shop.deps, location)));
  expect(new Set(made.map(({ connectionId }) => connectionId)).size).toBe(1);
  expect(made[0]?.tenantId).toBe(shop.tenant.tenantId);
  await connectFirstLocation(shop.deps, { ...location, token: 'pit-the-next-token' });
  const rows = (await tenant((tx) => tx.select().from(connections))).map(({ sealedConfig }) =>
    sealedConfig === null ? '' : shop.deps.sealing.open(sealedConfig),
  );
  const ours = rows.filter((config) => config.includes(location.locationId));
  expect(ours.map((config) => JSON.parse(config) as object)).toEqual([{ ...location, leads: 'every_contact', token: 'pit-the-next-token' }]);
});
