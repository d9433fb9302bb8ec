import PostalMime from 'postal-mime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { figuresHtml, storyHtml } from '../../api/routes/live/story-html.ts';
import type { SmsPayload } from '../../domain/channels/index.ts';
import { ensureConnection } from '../../operations/connections.ts';
import { readAnalytics } from '../../operations/read/analytics.ts';
import { readNewestStories } from '../../operations/read/live-stories.ts';
import { recoveryWorkflowId } from '../../workflows/contract.ts';
import { ask } from '../api/left-carts.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// A lead from the form to the end, on real Postgres, Temporal, SMTP and HTTP.

let shop: Shop;
let phone: StubProvider;
beforeAll(async () => {
  phone = await startStubProvider(true);
  shop = await openShop({
    // Seven days in six seconds.
    timeScale: 100_000,
    moreSenders: [createStubSender(phone.port, { kind: 'keys', account: 'phone', channel: 'sms' })],
    settings: { smsSender: '+12025550100' },
  });
  await shop.startWorker();
});
afterAll(async () => {
  await shop.close();
  await phone.stop();
});

let count = 0;
/** Somebody fills in the form, and agrees to texts. */
async function leadFrom(name: string, more: Record<string, unknown> = {}) {
  count += 1;
  const lead = { id: `lead-${name}`, email: `${name}@example.com`, phone: `+1202555${1_000 + count}` };
  const answer = await shop.deliver('lead.created', {
    lead: {
      ...{ id: lead.id, source: 'website', interest: 'a kitchen with an island', message: 'My budget is a secret' },
      ...{ url: 'https://shop.example.com/kitchens', value: '4500.00', currency: 'EUR' },
    },
    contact: { email: lead.email, phone: lead.phone, first_name: 'Ada', marketing: { sms: true } },
    ...more,
  });
  expect(answer).toEqual({ status: 200, body: { status: 'applied' } });
  return { ...lead, enrollmentId: (await until('the enrollment', () => shop.enrollmentOf(lead.id))).id };
}
const enrollmentNow = (id: string) => until('the enrollment', () => shop.enrollmentOf(id));
const ended = (id: string) =>
  until(`the end of ${id}`, async () => {
    const row = await shop.enrollmentOf(id);
    return row?.endedAt == null ? null : row;
  });
const sent = (lead: { enrollmentId: string }, step: string) =>
  until(`${step} to be sent`, async () => (await shop.ledgerOf(lead.enrollmentId)).some((m) => m.stepId === step && m.state === 'sent'));
const mailsTo = (email: string) => shop.smtp.accepted.filter((m) => m.envelope.to.includes(email));
const textsOf = async (enrollmentId: string) =>
  (await shop.ledgerOf(enrollmentId)).flatMap((m) => (m.payload?.channel === 'sms' ? [(m.payload satisfies SmsPayload).text] : []));

/** All texts that people read about an enrollment. */
async function writtenAbout(enrollmentId: string): Promise<string[]> {
  const { body } = await ask(shop, shop.tenant.apiKey, `/api/enrollments/${enrollmentId}/explain`);
  const { enrollment, entries } = body as {
    enrollment: { summary: string };
    entries: { sentence: string; gates?: { note?: string }[] }[];
  };
  const [tenant] = (await shop.deps.db.listTenants()).filter((t) => t.id === shop.tenant.tenantId);
  if (tenant === undefined) throw new Error('the tenant is gone');
  const story = (await readNewestStories(shop.deps, tenant, 50)).find((s) => s.enrollmentId === enrollmentId);
  if (story === undefined) throw new Error('there is no story');
  const html = storyHtml(story, { of: () => ({ id: '', url: null }) }).text;
  return [
    enrollment.summary,
    ...entries.flatMap((e) => [e.sentence, ...(e.gates ?? []).flatMap((gate) => gate.note ?? [])]),
    ...[...html.matchAll(/title="([^"]*)"|>([^<]+)</g)].map(([, title, text]) => title ?? text ?? ''),
  ];
}

test('a lead gets its emails and texts in order, the call is left out with its reason, and nothing of it speaks of a cart', async () => {
  const lead = await leadFrom('nora');
  const enrollment = await ended(lead.id);
  expect(enrollment).toMatchObject({ status: 'COMPLETED', subjectKind: 'lead', segment: 'new', valueMinor: 450_000, currency: 'EUR' });
  const ledger = await shop.ledgerOf(enrollment.id);
  expect(Object.fromEntries(ledger.map((m) => [m.stepId, `${m.channel ?? ''} ${m.state} ${m.skipReason ?? ''}`.trim()]))).toEqual({
    email_welcome: 'email sent',
    sms_12h: 'sms sent',
    email_24h: 'email sent',
    call_2d: 'skipped not_connected',
    sms_5d: 'sms sent',
    email_7d: 'email sent',
  });
  const handle = temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'lead-nurture', enrollment.id));
  expect((await handle.describe()).searchAttributes['SubjectKind']).toEqual(['lead']);

  const mails = await Promise.all(mailsTo(lead.email).map((m) => PostalMime.parse(m.raw)));
  expect(mails.map((m) => m.subject)).toEqual([
    'Thank you for asking about a kitchen with an island',
    'More about a kitchen with an island',
    'Still interested in a kitchen with an island?',
  ]);
  const texts = await textsOf(enrollment.id);
  expect(texts).toHaveLength(2);
  expect(texts[0]).toContain('Ada');
  expect(texts[0]).toContain('a kitchen with an island');
  expect(texts[0]).toContain('Reply STOP to opt out');
  const read = [...mails.flatMap((m) => [m.subject ?? '', m.html ?? '', m.text ?? '']), ...texts];
  for (const text of read) expect(text).not.toMatch(/\bcarts?\b|\bcheckout\b|a secret/i);
  for (const m of mails) expect(m.text).toContain('because you left your contact details with');
  const written = await writtenAbout(enrollment.id);
  expect(written.length).toBeGreaterThan(20);
  for (const text of written) expect(text).not.toMatch(/\bcarts?\b|\bshoppers?\b|abandoned|a secret/i);
});

test('the link in a message leads to the page that they asked about', async () => {
  const lead = await leadFrom('lina');
  await sent(lead, 'sms_12h');
  const url = /https?:\/\/\S+\/s\/\S+/.exec((await textsOf(lead.enrollmentId))[0] ?? '')?.[0] ?? '';
  const answer = await shop.app.inject({ url: new URL(url).pathname, headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' } });
  expect([answer.statusCode, answer.headers['location']]).toEqual([302, 'https://shop.example.com/kitchens']);
});

test.each([
  ['a reply', 'replied', (email: string) => shop.deliver('message.received', { contact: { email }, channel: 'email', text: 'Tuesday at ten?' })],
  ['a colleague’s call', 'contacted', (_: string, id: string) => shop.deliver('lead.contacted', { lead_id: id, by: 'Bruno' })],
  ['a colleague’s call to the person', 'contacted', (email: string) => shop.deliver('lead.contacted', { contact: { email } })],
  ['an opt-out', 'opted_out', (email: string) => shop.deliver('contact.opted_out', { contact: { email }, channel: 'all' })],
])('%s ends it at once', async (what, reason, act) => {
  const lead = await leadFrom(`stop-${what.replace(/\W/g, '')}`);
  await sent(lead, 'email_welcome');
  expect((await act(lead.email, lead.id)).status).toBe(200);
  const row = await enrollmentNow(lead.id);
  expect(row).toMatchObject({ status: 'EXITED', stopReason: reason });
  const [mails, texts] = [mailsTo(lead.email).length, (await textsOf(row.id)).length];
  const handle = temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'lead-nurture', row.id));
  expect(await handle.result()).toEqual({ reason });
  expect([mailsTo(lead.email).length, (await textsOf(row.id)).length]).toEqual([mails, texts]);
  for (const text of await writtenAbout(row.id)) expect(text).not.toMatch(/\bcarts?\b|\bshoppers?\b|abandoned/i);
});

test('whatever a lead buys wins it, and the revenue is the lead’s in the figures, beside those of carts', async () => {
  const lead = await leadFrom('buyer');
  await sent(lead, 'email_welcome');
  await shop.deliver('cart.updated', aCart('cart-beside', 'beside@example.com'));
  await shop.smtp.waitForMail((m) => m.envelope.to.includes('beside@example.com'));
  await shop.deliver('order.placed', { order: { id: 'order-lead', currency: 'EUR', total: '4200.00' }, contact: { email: lead.email } });
  expect(await enrollmentNow(lead.id)).toMatchObject({ status: 'CONVERTED', stopReason: 'purchased' });

  const { body } = await ask(shop, shop.tenant.apiKey, '/recovery/analytics');
  const figures = body as {
    total_sequences: number;
    recovered_revenue: unknown[];
    all_subjects: { total_sequences: number };
    by_subject: Record<
      string,
      { total_sequences: number; revenue: unknown[]; converted_sequences: number; messages: { channel: string; open_rate: number | null }[] }
    >;
  };
  expect([figures.total_sequences, figures.recovered_revenue]).toEqual([1, []]);
  expect(figures.by_subject['lead']).toMatchObject({ converted_sequences: 1, revenue: [{ currency: 'EUR', amount: '4200.00' }] });
  expect(figures.by_subject['lead']?.messages.map((m) => m.channel)).toEqual(['email', 'sms']);
  // A store with leads alone is no empty one.
  const ofKinds = Object.values(figures.by_subject);
  expect(figures.all_subjects).toMatchObject({
    total_sequences: ofKinds.reduce((sum, kind) => sum + kind.total_sequences, 0),
    converted_sequences: ofKinds.reduce((sum, kind) => sum + kind.converted_sequences, 0),
    revenue: [{ currency: 'EUR', amount: '4200.00' }],
  });
  expect(figures.all_subjects.total_sequences).toBeGreaterThan(1);
  // Opens of a text cannot be measured.
  expect(figures.by_subject['lead']?.messages.find((m) => m.channel === 'sms')?.open_rate).toBeNull();
  const html = figuresHtml(shop.deps.subjects, await readAnalytics(shop.deps, shop.tenant.tenantId, 1)).text;
  expect(html).toContain('Became customers');
  expect(html).toContain('Texts sent');
});

test('a lead is no cart to the API: lists of carts leave it out, searches find it', async () => {
  const lead = await leadFrom('found');
  const carts = (await ask(shop, shop.tenant.apiKey, '/recovery/sequences')).body as { id: string }[];
  expect(carts.map((c) => c.id)).not.toContain(lead.enrollmentId);
  const found = (await ask(shop, shop.tenant.apiKey, `/api/enrollments?subject_id=${lead.id}`)).body as { data: Record<string, unknown>[] };
  expect(found.data).toMatchObject([
    {
      id: lead.enrollmentId,
      cart: null,
      sequence_type: null,
      subject: { kind: 'lead', value: '4500.00', external_ids: [{ kind: 'lead', value: lead.id }] },
    },
  ]);
});

test('a lead that nothing was begun about is explained as one', async () => {
  await shop.deliver('lead.created', { lead: { id: 'lead-silent' }, contact: { id: 'crm-77' } });
  const { body } = await ask(shop, shop.tenant.apiKey, '/api/explain?subject_id=lead-silent');
  const { subjects_without_sequence: quiet, carts_without_sequence: carts } = body as Record<string, { sentence: string }[]>;
  expect(quiet?.map((one) => one.sentence)).toEqual([
    'No sequence was begun about this lead: no address of its person is known that a sequence could write to.',
  ]);
  expect(carts).toEqual([]);
});

test('a sale that the tracker reports for the link of a message stops the lead at once: nothing goes out after the answer', async () => {
  const request = { integration: 'keitaro', name: 'Tracker', config: { currency: 'USD' }, secrets: ['an-invented-token'] };
  const { path } = await ensureConnection(shop.deps, shop.tenant.tenantId, request, 'test');
  const lead = await leadFrom('kira');
  await sent(lead, 'email_welcome');
  const attempt = (await shop.ledgerOf(lead.enrollmentId)).find(({ stepId }) => stepId === 'email_welcome')?.id ?? '';
  const postback = await shop.app.inject({ method: 'GET', url: `${path}?subid=click-of-kira&sub_id=${attempt}&status=sale&payout=30.50&tid=T-1` });
  expect([postback.statusCode, postback.body]).toEqual([200, 'OK']);
  const went = async () => (await shop.ledgerOf(lead.enrollmentId)).filter(({ state }) => state !== 'skipped').length;
  const before = await went();
  expect(await ended(lead.id)).toMatchObject({ status: 'CONVERTED', stopReason: 'purchased' });
  await until('the end of its workflow', async () => {
    const handle = temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'lead-nurture', lead.enrollmentId));
    return (await handle.describe()).status.name === 'COMPLETED';
  });
  expect(await went()).toBe(before);
  const { body } = await ask(shop, shop.tenant.apiKey, '/api/leads?email=kira%40example.com');
  expect(body).toMatchObject({ data: [{ status: 'CONVERTED' }] });
});
