import fc from 'fast-check';
import { and, eq, isNotNull } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contacts, conversions, enrollments, leadConversions, messages, subjectKeys, subjects } from '../../db/schema/index.ts';
import { ensureConnection } from '../../operations/connections.ts';
import { ask, dispatch } from '../api/left-carts.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

// What trackers report, and whose it is (docs/rules.md#rule-60).

let shop: Shop;
let path: string;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  const request = {
    integration: 'keitaro',
    name: 'Tracker',
    config: { currency: 'USD', statuses: { confirmed: 'sale' } },
    secrets: ['a-secret-of-ours'],
  };
  path = (await ensureConnection(shop.deps, shop.tenant.tenantId, request, 'test')).path;
});
afterAll(() => shop.close());

const own = <T>(look: (tx: Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0]) => Promise<T>) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, look);
const api = (where: string, method: 'GET' | 'POST' = 'GET', body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, where, method, body);
const postback = async (fields: Record<string, string>) => {
  const answer = await shop.app.inject({ method: 'GET', url: `${path}?${new URLSearchParams(fields).toString()}` });
  return [answer.statusCode, answer.body];
};
const taken = [200, 'OK'];

let leads = 0;
/** @returns its id, and the enrollment that it began */
async function aLead(more: Record<string, unknown> = {}, key = `lead-${++leads}`) {
  const email = `${key}@example.com`;
  expect(await shop.post('lead.created', { lead: { id: key, interest: 'a flat', ...more }, contact: { email, first_name: 'Ada' } })).toMatchObject({
    status: 200,
  });
  const [row] = await own((tx) =>
    tx
      .select()
      .from(subjectKeys)
      .where(and(eq(subjectKeys.kind, 'lead'), eq(subjectKeys.value, key))),
  );
  const id = row?.subjectId ?? '';
  const [enrollment] = await own((tx) => tx.select().from(enrollments).where(eq(enrollments.subjectId, id)));
  return { key, email, id, enrollment: enrollment?.id ?? '' };
}
/** Its welcome goes out. @returns the attempt */
async function contacted(lead: { enrollment: string }): Promise<string> {
  expect(await dispatch(shop, lead.enrollment, 'email_welcome')).toMatchObject({ kind: 'done', ended: null });
  const [row] = await own((tx) =>
    tx
      .select()
      .from(messages)
      .where(and(eq(messages.enrollmentId, lead.enrollment), isNotNull(messages.claim))),
  );
  return row?.id ?? '';
}
const stateOf = (id: string) =>
  own(async (tx) => {
    const [found] = await tx
      .select({ lifecycle: contacts.lifecycle, subject: subjects.state })
      .from(subjects)
      .innerJoin(contacts, eq(contacts.id, subjects.contactId))
      .where(eq(subjects.id, id));
    const [run] = await tx.select().from(enrollments).where(eq(enrollments.subjectId, id));
    return { ...found, status: run?.status ?? null, reason: run?.stopReason ?? null };
  });
/** Revenue of a lead as it is counted: orders that stand. */
const revenueOf = (id: string) =>
  own(async (tx) => {
    const orders = await tx.select().from(conversions).where(eq(conversions.subjectId, id));
    return orders.filter(({ reversedAt }) => reversedAt === null).map(({ currency, valueMinor }) => [currency, valueMinor]);
  });

test('a sale finds the attempt whose link was followed, ends everything at once, and counts once', async () => {
  const lead = await aLead();
  const attempt = await contacted(lead);
  const sale = { subid: 'k-1', sub_id: attempt, status: 'Sale', payout: '30,50', tid: 'T-1', click_id: 'c-1' };
  expect(await postback(sale)).toEqual(taken);
  expect(await stateOf(lead.id)).toEqual({ lifecycle: 'CONVERTED', subject: 'converted', status: 'CONVERTED', reason: 'purchased' });
  // The next step may not go out any more.
  expect(await dispatch(shop, lead.enrollment, 'sms_12h')).toMatchObject({ ended: 'purchased' });
  // Repeated, also with other fields around it.
  expect((await postback(sale))[0]).toBe(200);
  expect((await postback({ ...sale, payout: '99' }))[0]).toBe(200);
  expect(await revenueOf(lead.id)).toEqual([['USD', 3050]]);
  const found = (await api(`/api/conversions?lead=${lead.id}`)).body;
  expect(found).toMatchObject({
    data: [
      {
        lead: lead.id,
        attempt,
        channel: 'email',
        status: 'sale',
        outcome: 'sale',
        revenue: { amountMinor: 3050, currency: 'USD' },
        click_id: 'c-1',
        tid: 'T-1',
        matchedBy: 'report',
      },
    ],
  });
  const [order] = await own((tx) => tx.select().from(conversions).where(eq(conversions.subjectId, lead.id)));
  expect(order?.enrollmentId).toBe(lead.enrollment);
});

test('a refusal takes the sale back and restarts nothing; a rebill is further revenue of the same conversion', async () => {
  const lead = await aLead({ sub_id: 'ad-77' });
  await contacted(lead);
  expect(await postback({ subid: 'k-2', sub_id: 'ad-77', status: 'sale', payout: '10', tid: 'A' })).toEqual(taken);
  // Keitaro's own id is enough from now on.
  expect(await postback({ subid: 'k-2', status: 'rebill', payout: '5.25', tid: 'B' })).toEqual(taken);
  expect(await revenueOf(lead.id)).toEqual([['USD', 1525]]);
  expect(await postback({ subid: 'k-2', status: 'rejected', payout: '10', tid: 'A' })).toEqual(taken);
  expect(await revenueOf(lead.id)).toEqual([['USD', 525]]);
  expect(await stateOf(lead.id)).toMatchObject({ lifecycle: 'CONVERTED' });
  expect(await postback({ subid: 'k-2', status: 'rejected', tid: 'B' })).toEqual(taken);
  expect(await revenueOf(lead.id)).toEqual([]);
  expect(await stateOf(lead.id)).toMatchObject({ lifecycle: 'REJECTED', status: 'CONVERTED', reason: 'purchased' });
  const reversed = (await api(`/api/conversions?lead=${lead.id}&outcome=sale`)).body as { data: { reversedAt: string | null }[] };
  expect(reversed.data[0]?.reversedAt).not.toBe(null);
});

test('a refusal ends what runs for the lead, and other statuses change nothing', async () => {
  const lead = await aLead();
  expect(await postback({ sub_id: lead.key, status: 'lead', payout: '0', tid: '' })).toEqual(taken);
  expect(await postback({ sub_id: lead.key, status: 'Hold', tid: '' })).toEqual(taken);
  expect(await stateOf(lead.id)).toMatchObject({ lifecycle: 'IN_PROGRESS', status: 'ACTIVE' });
  const all = (await api(`/api/conversions?lead=${lead.id}`)).body;
  expect(all).toMatchObject({
    data: [
      { status: 'hold', outcome: 'other' },
      { status: 'lead', outcome: 'lead' },
    ],
  });
  expect(await postback({ sub_id: lead.key, status: 'trash', tid: '' })).toEqual(taken);
  expect(await stateOf(lead.id)).toEqual({ lifecycle: 'REJECTED', subject: 'open', status: 'EXITED', reason: 'rejected' });
  expect(await dispatch(shop, lead.enrollment, 'email_welcome')).toMatchObject({ ended: 'rejected' });
});

describe('what finds nobody', () => {
  test('is kept and listed, and is matched when its lead comes: nothing begins about it', async () => {
    expect(await postback({ subid: 'k-4', sub_id: 'ad-early', status: 'confirmed', payout: '12.00' })).toEqual(taken);
    expect((await api('/api/conversions?matched=false')).body).toMatchObject({ data: [{ sub_id: 'ad-early', lead: null, outcome: 'sale' }] });
    const lead = await aLead({ sub_id: 'ad-early' });
    expect(await stateOf(lead.id)).toEqual({ lifecycle: 'CONVERTED', subject: 'converted', status: null, reason: null });
    expect(await revenueOf(lead.id)).toEqual([['USD', 1200]]);
    expect((await api(`/api/conversions?lead=${lead.id}`)).body).toMatchObject({ data: [{ matchedBy: 'lead' }] });
  });

  test('is matched by hand, with everything of the same click, and stops what runs', async () => {
    const lead = await aLead();
    for (const [status, tid] of [
      ['sale', 'X'],
      ['rebill', 'Y'],
    ] as const)
      expect(await postback({ subid: 'k-5', status, payout: '1', tid })).toEqual(taken);
    const waiting = (await api('/api/conversions?matched=false')).body as { data: { id: string }[] };
    const id = waiting.data[0]?.id ?? '';
    expect(await api(`/api/conversions/${id}/match`, 'POST', { lead: id })).toMatchObject({ status: 404, body: { code: 'unknown_lead' } });
    expect(await api(`/api/conversions/${id}/match`, 'POST', { lead: lead.id })).toMatchObject({
      status: 200,
      body: { lead: lead.id, matchedBy: 'hand' },
    });
    expect(await api(`/api/conversions/${id}/match`, 'POST', { lead: lead.id })).toMatchObject({ status: 200 });
    expect(await revenueOf(lead.id)).toEqual([['USD', 200]]);
    expect(await stateOf(lead.id)).toMatchObject({ lifecycle: 'CONVERTED', reason: 'not_abandoned' });
    const another = await aLead();
    expect(await api(`/api/conversions/${id}/match`, 'POST', { lead: another.id })).toMatchObject({ status: 409, body: { code: 'matched_before' } });
  });

  test('stays nobody’s where several leads have the id', async () => {
    const [one, other] = [await aLead({ sub_id: 'banner' }), await aLead({ sub_id: 'banner' })];
    expect(await postback({ sub_id: 'banner', status: 'sale', payout: '1' })).toEqual(taken);
    const third = await aLead({ sub_id: 'banner' });
    for (const { id } of [one, other, third]) expect(await stateOf(id)).toMatchObject({ lifecycle: 'IN_PROGRESS', status: 'ACTIVE' });
  });
});

test('where one person asked several times under one id, whoever pays is that person: nothing goes out to them any more', async () => {
  const contact = { email: 'often@example.com', first_name: 'Ada' };
  const lead = await aLead({ sub_id: 'often' });
  await shop.post('lead.created', { lead: { id: 'often-1', interest: 'a flat', sub_id: 'twice' }, contact });
  await shop.post('lead.created', { lead: { id: 'often-2', interest: 'a flat', sub_id: 'twice' }, contact });
  const own = await api('/api/enrollments?email=often@example.com');
  const running = (own.body as { data: { id: string; status: string }[] }).data.filter(({ status }) => status === 'ACTIVE').map(({ id }) => id);
  expect(running.length).toBeGreaterThan(0);
  expect(await postback({ sub_id: 'twice', status: 'sale', payout: '9' })).toEqual(taken);
  // Before its first step a sequence has not begun.
  for (const id of running) expect(await dispatch(shop, id, 'email_welcome')).toMatchObject({ ended: 'not_abandoned' });
  const newest = async (search: string) => ((await api(`/api/conversions?${search}`)).body as { data: unknown[] }).data[0];
  expect(await newest('matched=true')).toMatchObject({ sub_id: 'twice', matchedBy: 'report' });
  // Of two persons it stays nobody's, however many leads either has.
  await aLead({ sub_id: 'thrice' });
  await shop.post('lead.created', { lead: { id: 'often-3', interest: 'a flat', sub_id: 'thrice' }, contact });
  await shop.post('lead.created', { lead: { id: 'often-4', interest: 'a flat', sub_id: 'thrice' }, contact });
  expect(await postback({ sub_id: 'thrice', status: 'sale', payout: '9' })).toEqual(taken);
  expect(await newest('matched=false')).toMatchObject({ sub_id: 'thrice', lead: null });
  expect(await stateOf(lead.id)).toMatchObject({ lifecycle: 'IN_PROGRESS', status: 'ACTIVE' });
});

test('a conversion is reported by hand: in major units, once, and refused where it is no amount', async () => {
  const lead = await aLead();
  const body = { sub_id: lead.id, status: 'sale', payout: '20.00', currency: 'EUR', tid: 'H' };
  expect(await api('/api/conversions', 'POST', { ...body, payout: 'much' })).toMatchObject({ status: 400 });
  expect(await api('/api/conversions', 'POST', body)).toMatchObject({ status: 201, body: { repeated: false, conversion: { lead: lead.id } } });
  expect(await api('/api/conversions', 'POST', body)).toMatchObject({ status: 201, body: { repeated: true } });
  expect(await revenueOf(lead.id)).toEqual([['EUR', 2000]]);
});

test('what holds unfilled macros is refused with the field, and the address without its secret needs the token', async () => {
  const refused = await shop.app.inject({ method: 'GET', url: `${path}?subid={subid}&payout={revenue}&status={status}&tid={trans_id}` });
  expect([refused.statusCode, refused.json()]).toMatchObject([
    422,
    { fields: [{ field: 'subid', reason: expect.stringContaining('macro') }, { field: 'status' }] },
  ]);
  const bare = (query: string) => shop.app.inject({ method: 'GET', url: `/api/webhooks/keitaro?sub_id=unheard-of&status=lead${query}` });
  expect((await bare('')).statusCode).toBe(401);
  expect((await bare('&token=guessed')).statusCode).toBe(401);
  expect((await bare('&token=a-secret-of-ours')).statusCode).toBe(200);
});

test('whatever is repeated, taken back and late, in any order: the lead and its revenue are those of the reports in their order', async () => {
  const report = fc.record({
    status: fc.constantFrom('sale', 'rebill', 'rejected', 'lead'),
    tid: fc.constantFrom('', 'a', 'b'),
    payout: fc.integer({ min: 1, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(report, { maxLength: 6 }), fc.nat(6), async (reports, arrival) => {
      const subId = `any-${++leads}`;
      const sent: typeof reports = [];
      let lead: Awaited<ReturnType<typeof aLead>> | null = null;
      for (const [at, one] of [...reports, ...reports].entries()) {
        if (at === arrival) lead = await aLead({ sub_id: subId });
        if (!sent.some((before) => before.status === one.status && before.tid === one.tid)) sent.push(one);
        expect((await postback({ sub_id: subId, ...one, payout: String(one.payout) }))[0]).toBe(200);
      }
      lead ??= await aLead({ sub_id: subId });
      // Independently of the fold: what is left after each refusal.
      let paid: typeof reports = [];
      for (const one of sent) {
        if (one.status === 'sale' || one.status === 'rebill') paid.push(one);
        if (one.status === 'rejected') paid = one.tid === '' ? [] : paid.filter(({ tid }) => tid !== one.tid && paidWithIds(sent, one));
      }
      const sum = paid.reduce((total, { payout }) => total + payout * 100, 0);
      expect(await revenueOf(lead.id)).toEqual(paid.length === 0 ? [] : [['USD', sum]]);
      const expected = paid.length > 0 ? 'CONVERTED' : sent.some(({ status }) => status === 'rejected') ? 'REJECTED' : 'IN_PROGRESS';
      expect((await stateOf(lead.id)).lifecycle).toBe(expected);
      const rows = await own((tx) => tx.select().from(leadConversions).where(eq(leadConversions.click, subId)));
      expect(rows.length).toBe(sent.length);
      if (expected !== 'IN_PROGRESS') expect((await stateOf(lead.id)).status).not.toBe('ACTIVE');
    }),
    { numRuns: 12 },
  );
});

/** Whether any payment before this refusal has an id of its own: without any, a refusal means all of them. */
function paidWithIds(sent: readonly { status: string; tid: string }[], refusal: { status: string; tid: string }): boolean {
  const before = sent.slice(
    0,
    sent.findIndex((one) => one.status === refusal.status && one.tid === refusal.tid),
  );
  return before.some(({ status, tid }) => status !== 'rejected' && status !== 'lead' && tid !== '');
}
