import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrollments, subjectKeys } from '../../db/schema/index.ts';
import type { CrmContact } from '../../local/providers/crm.ts';
import { type Providers, startProviders } from '../../local/providers/providers.ts';
import { createConnection } from '../../operations/connections.ts';
import { ask } from '../api/left-carts.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';

// A team on GoHighLevel, on real Postgres, Temporal and HTTP, 30 days in nine seconds: contacts come in by signed webhooks, their silence is won back
// through the conversations of their location, and what they answer there ends it. The far end is the stand-in of `npm start`, whose requests and answers
// are those of the published specification (tests/local/providers.test.ts).

let shop: Shop;
let providers: Providers;
beforeAll(async () => {
  shop = await openShop({ timeScale: 300_000 });
  const url = await shop.app.listen({ host: '127.0.0.1', port: 0 });
  providers = await startProviders({ port: 0, host: '127.0.0.1', seed: 'a seed', smtpUrl: `smtp://127.0.0.1:${shop.smtp.port}` });
  for (const place of ['loc_vienna', 'loc_graz']) {
    const token = `pit-of-${place}`;
    const config = {
      ...{ locationId: place, token, sends: place === 'loc_vienna' ? ['email', 'sms'] : [], leads: 'every_contact' },
      ...{ webhookPublicKey: providers.crm.publicKey, baseUrl: `${providers.url}/ghl` },
    };
    const made = await createConnection(shop.deps, shop.tenant.tenantId, { integration: 'gohighlevel', name: place, config, secrets: [] }, 'a test');
    if (made.kind !== 'created') throw new Error(JSON.stringify(made));
    providers.crm.connect(place, token, `${url}/api/webhooks/gohighlevel/${made.connection.id}`);
  }
  await ask(shop, shop.tenant.apiKey, '/api/sequences/lead-nurture/archive', 'POST');
  await ask(shop, shop.tenant.apiKey, '/api/sequences/silent-lead/resume', 'POST');
  await shop.startWorker({ silentSweep: { most: 100, everySeconds: 1 }, namespaceEveryMs: 500 });
});
afterAll(async () => {
  await providers.stop();
  await shop.close();
});

const contactIn = (place: string, name: string): CrmContact => {
  const { contact } = providers.crm.upsert(place, { email: `${name}@example.com`, firstName: 'Ada' });
  providers.crm.tellContact('ContactCreate', contact, { source: 'website' });
  return contact;
};
const sentTo = ({ id, locationId }: CrmContact) =>
  (providers.crm.location(locationId)?.messages ?? []).filter(({ contactId, direction }) => contactId === id && direction === 'outbound');
const silencesOf = ({ id }: CrmContact) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, async (tx) => {
    const rows = await tx
      .select({ row: enrollments })
      .from(enrollments)
      .innerJoin(subjectKeys, eq(subjectKeys.subjectId, enrollments.subjectId))
      .where(eq(subjectKeys.value, id));
    return rows.map(({ row }) => row).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  });
/** The silence that is over after something was said; a slow machine may have come to its end before. */
async function overBy(contact: CrmContact, reason: string, saidMs: number) {
  const over = await until(`the end of a silence: ${reason}`, async () => (await silencesOf(contact)).find(({ endedAt }) => endedAt !== null));
  if (over.stopReason !== reason) expect([over.status, (over.endedAt ?? Infinity) <= saidMs + 1_000]).toEqual(['COMPLETED', true]);
  return over;
}

test('who stays silent gets four emails through their location; an answer, or a colleague, ends it there; a switch closes', async () => {
  const [silent, answers, talkedTo, closed] = ['silent', 'answers', 'talked-to', 'closed'].map((name) => contactIn('loc_vienna', name));
  if (silent === undefined || answers === undefined || talkedTo === undefined || closed === undefined) throw new Error('nobody');

  await until('the first email of each', () => [answers, talkedTo, closed].every((one) => sentTo(one).length > 0));
  const saidMs = Date.now();
  providers.crm.says('loc_vienna', answers, 'Email', 'Yes, I am still looking.');
  providers.crm.colleagueSays('loc_vienna', talkedTo, 'Email', 'Shall we talk on Monday?');
  closed.dnd = true;
  providers.crm.tellContact('ContactDndUpdate', closed, { dnd: true });
  await overBy(answers, 'replied', saidMs);
  // What the colleague wrote is no message of ours.
  await overBy(talkedTo, 'contacted', saidMs);
  await overBy(closed, 'opted_out', saidMs);
  await until('the switch', async () => (await silencesOf(closed)).every(({ endedAt }) => endedAt !== null));
  const after = sentTo(closed).length;

  const done = await until('the end', async () => (await silencesOf(silent)).find(({ status }) => status === 'COMPLETED'));
  expect(sentTo(silent).map(({ type }) => type)).toEqual(['Email', 'Email', 'Email', 'Email']);
  expect(new Set(sentTo(silent).map(({ subject }) => subject)).size).toBe(4);
  // The ledger and the conversation are of one mind: what was sent there is what was claimed here, once.
  const ledger = (await shop.ledgerOf(done.id)).flatMap(({ providerMessageId }) => (providerMessageId === null ? [] : [providerMessageId]));
  expect(ledger.toSorted()).toEqual(
    sentTo(silent)
      .map(({ id }) => id)
      .toSorted(),
  );
  expect(sentTo(closed)).toHaveLength(after);
  expect((await silencesOf(closed)).filter(({ endedAt }) => endedAt === null)).toEqual([]);
  // None of it went out beside the location.
  expect(shop.smtp.accepted).toEqual([]);
});

test('two locations may have a contact of the same id: each answers for its own', async () => {
  const vienna = contactIn('loc_vienna', 'twin-of-vienna');
  const graz = { ...vienna, locationId: 'loc_graz', email: 'twin-of-graz@example.com' };
  providers.crm.location('loc_graz')?.contacts.set(graz.id, graz);
  providers.crm.tellContact('ContactCreate', graz, { source: 'website' });
  const replyOf = async ({ email }: CrmContact) => {
    const { rows } = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.$client.query<{ id: string; at: Date | null }>({
        text: `select c.id, c.last_reply_at as at from contacts c join contact_identities i on i.contact_id = c.id where i.value = $1`,
        values: [email],
      }),
    );
    return rows[0] ?? null;
  };
  await until('both contacts', async () => (await replyOf(vienna)) !== null && (await replyOf(graz)) !== null);
  providers.crm.says('loc_graz', graz, 'Email', 'I have found something, thank you.');
  const answered = await until('the reply', async () => {
    const found = await replyOf(graz);
    return found?.at == null ? null : found;
  });
  expect(await replyOf(vienna)).toMatchObject({ at: null });
  expect((await replyOf(vienna))?.id).not.toBe(answered.id);
  // Their emails go where each of them is known.
  await until('an email to each', () => sentTo(vienna).length > 0);
});
