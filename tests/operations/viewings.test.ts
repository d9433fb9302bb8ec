import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrollments, sequences, subjects } from '../../db/schema/index.ts';
import { createConnection } from '../../operations/connections.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { locationId, signGoHighLevel, webhookPublicKey } from '../integrations/gohighlevel/conformance.ts';
import { ask } from '../api/left-carts.ts';

// Viewings that were agreed with leads: docs/rules.md#rule-85

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
let shop: Shop;
let path: string;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  const config = { locationId, token: 'pit-an-invented-token', webhookPublicKey, leads: 'every_contact' };
  const made = await createConnection(shop.deps, shop.tenant.tenantId, { integration: 'gohighlevel', name: 'Vienna', config, secrets: [] }, 'test');
  if (made.kind !== 'created') throw new Error(JSON.stringify(made));
  path = `/api/webhooks/gohighlevel/${made.connection.id}`;
  await ask(shop, shop.tenant.apiKey, '/api/sequences/silent-lead/resume', 'POST');
});
afterAll(() => shop.close());

const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
let count = 0;
async function report(body: Record<string, unknown>, at = Date.now()): Promise<unknown> {
  const payload = JSON.stringify({ webhookId: `hook-${++count}`, timestamp: new Date(at).toISOString(), locationId, ...body });
  const headers = { 'content-type': 'application/json', 'x-ghl-signature': signGoHighLevel(Buffer.from(payload)) };
  const response = await shop.app.inject({ method: 'POST', url: path, headers, payload });
  expect(response.statusCode).toBe(200);
  return response.json();
}
const contactMade = (id: string, at: number) =>
  report({ type: 'ContactCreate', id, email: `${id}@example.com`, dateAdded: new Date(at).toISOString() }, at);
const appointment = (type: 'Create' | 'Update' | 'Delete', contactId: string, at: number, more: Record<string, unknown> = {}) =>
  report(
    {
      type: `Appointment${type}`,
      appointment: {
        ...{ id: `apt-${contactId}`, calendarId: 'BqTwX8QFwXzpegMve9EQ', contactId, title: 'Viewing', appointmentStatus: 'confirmed' },
        ...{ startTime: '2026-12-24T16:00:00+01:00', dateAdded: new Date(at).toISOString(), dateUpdated: new Date(at).toISOString(), ...more },
      },
    },
    at,
  );
const leadOf = async (contactId: string) => {
  const { rows } = await inTenant((tx) =>
    tx.$client.query<{ id: string }>({
      text: `select s.id from subjects s join subject_keys k on k.subject_id = s.id where k.kind = 'lead' and k.value = $1`,
      values: [contactId],
    }),
  );
  const [row] = await inTenant((tx) =>
    tx
      .select()
      .from(subjects)
      .where(eq(subjects.id, rows[0]?.id ?? '')),
  );
  if (row === undefined) throw new Error('no lead');
  return row;
};
const silenceOf = (leadId: string) =>
  inTenant((tx) =>
    tx
      .select({ run: enrollments })
      .from(enrollments)
      .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
      .where(eq(enrollments.subjectId, leadId)),
  );

describe('an appointment in a calendar of HighLevel', () => {
  test('is a viewing and a contact, until it is cancelled; a late report of before changes nothing', async () => {
    const now = Date.now();
    await contactMade('con_viewed', now - 5 * dayMs);
    expect(await leadOf('con_viewed')).toMatchObject({ viewingScheduledAt: null });
    await appointment('Create', 'con_viewed', now - 2 * hourMs);
    const viewed = await leadOf('con_viewed');
    expect(viewed.viewingScheduledAt).toBe(now - 2 * hourMs);
    expect(viewed.lastContactAt).toBe(now - 2 * hourMs);
    expect(await silenceOf(viewed.id)).not.toEqual([]);

    await appointment('Update', 'con_viewed', now - hourMs, { appointmentStatus: 'cancelled' });
    expect(await leadOf('con_viewed')).toMatchObject({ viewingScheduledAt: null, lastContactAt: now - 2 * hourMs });
    await appointment('Update', 'con_viewed', now - 90 * 60_000, { appointmentStatus: 'showed' });
    expect(await leadOf('con_viewed')).toMatchObject({ viewingScheduledAt: null });
    await appointment('Create', 'con_viewed', now - 30 * 60_000, { id: 'apt-another' });
    await appointment('Delete', 'con_viewed', now - hourMs);
    expect(await leadOf('con_viewed')).toMatchObject({ viewingScheduledAt: now - 30 * 60_000 });
  });

  test('that comes before its contact waits for it', async () => {
    const now = Date.now();
    await appointment('Create', 'con_early', now - hourMs);
    await contactMade('con_early', now - hourMs - 1_000);
    const lead = await leadOf('con_early');
    expect(lead).toMatchObject({ viewingScheduledAt: now - hourMs, state: 'open' });
    expect(lead.contactId).not.toBeNull();
  });

  test('without a contact, or of another location, says nothing', async () => {
    expect(await report({ type: 'AppointmentCreate', appointment: { id: 'apt-blocked', title: 'Lunch' } })).toMatchObject({ status: 'ignored' });
    expect(
      await report({ type: 'AppointmentCreate', locationId: 'another-location', appointment: { id: 'x', contactId: 'con_viewed' } }),
    ).toMatchObject({
      status: 'ignored',
    });
  });
});

test('a store’s own system says the same by its webhook, about the lead or its person', async () => {
  const now = Date.now();
  await shop.post('lead.created', { lead: { id: 'own-1' }, contact: { email: 'own-1@example.com' } }, { at: now - 3 * dayMs });
  await shop.post('viewing.reported', { contact: { email: 'own-1@example.com' }, viewing: { id: 'v' } }, { at: now - 2 * hourMs });
  expect(await leadOf('own-1')).toMatchObject({ viewingScheduledAt: now - 2 * hourMs, lastContactAt: now - 2 * hourMs });
  await shop.post('viewing.reported', { lead_id: 'own-1', viewing: { id: 'v', status: 'cancelled' } }, { at: now - hourMs });
  expect(await leadOf('own-1')).toMatchObject({ viewingScheduledAt: null });
  expect(JSON.stringify(await shop.post('viewing.reported', { lead_id: 'own-1', viewing: { status: 'perhaps' } }))).toContain('agreed, cancelled');
});
