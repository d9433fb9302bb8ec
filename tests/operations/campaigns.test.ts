import fc from 'fast-check';
import { and, eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { campaignLeads, campaigns, enrollmentEvents, enrollments, leadRoutings, subjectKeys } from '../../db/schema/index.ts';
import { routingPass } from '../../operations/campaigns/route-leads.ts';
import { currentProgress } from '../../operations/current-progress.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { anotherStore, ask, dispatch } from '../api/left-carts.ts';
import { asOwner } from '../helpers/database.ts';
import { letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// Leads on their way to campaigns, and what these ask (docs/rules.md#rule-49).

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const own = <T>(look: (tx: Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0]) => Promise<T>) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, look);
const api = (path: string, method: string, body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, path, method as 'GET', body);
const post = (id: string, source: string | null, contact: Record<string, unknown> = { email: `${id}@example.com`, first_name: 'Ada' }) =>
  shop.post('lead.created', { lead: { id, ...(source === null ? {} : { source }), interest: 'a flat with a garden' }, contact });

interface Campaign {
  id: string;
  status: string;
  leads: number;
  open: number;
  notes: string[];
  notInSequence: Record<string, number>;
  toEnroll: { not_enrolled: number; dropped_out: number };
}
let names = 0;
async function campaign(fields: Record<string, unknown>): Promise<Campaign> {
  const made = await api('/api/campaigns', 'POST', { name: `Campaign ${++names}`, ...fields });
  expect(made, JSON.stringify(made.body)).toMatchObject({ status: 201 });
  return made.body as Campaign;
}
const show = async (id: string) => (await api(`/api/campaigns/${id}`, 'GET')).body as Campaign;
async function end(...all: Campaign[]): Promise<void> {
  for (const { id } of all) expect(await api(`/api/campaigns/${id}`, 'PATCH', { status: 'ENDED' })).toMatchObject({ status: 200 });
}
/** As the workers do. */
async function route(): Promise<void> {
  while (await routingPass(shop.deps));
}
const leadOf = async (key: string) => (await own((tx) => tx.select().from(subjectKeys).where(eq(subjectKeys.value, key))))[0]?.subjectId ?? '';
const enrollmentsOf = async (key: string) => {
  const id = await leadOf(key);
  return own((tx) => tx.select().from(enrollments).where(eq(enrollments.subjectId, id)));
};
const outcomeOf = async (key: string) => {
  const id = await leadOf(key);
  return (await own((tx) => tx.select().from(leadRoutings).where(eq(leadRoutings.subjectId, id))))[0]?.outcome ?? null;
};

test('a lead that is named by hand says what the person agreed to', async () => {
  const body = {
    externalId: 'crm-agrees',
    email: 'agrees@example.com',
    phone: '+436607654399',
    marketing: { call: true, sms: false, wording: 'You may call me.' },
  };
  expect(await api('/api/leads', 'POST', body)).toMatchObject({ status: 201, body: { notes: [] } });
  const { data } = (await api('/api/consents?email=agrees@example.com', 'GET')).body as { data: object[] };
  expect(data).toMatchObject([{ channel: 'call', state: 'granted', wording: 'You may call me.' }]);
});

test('without campaigns a lead begins its sequence at once, and is not routed', async () => {
  await post('plain', 'META');
  expect(await enrollmentsOf('plain')).toMatchObject([{ campaignId: null, status: 'ACTIVE' }]);
  expect(await outcomeOf('plain')).toBe(null);
});

test('a new lead goes to every active campaign that takes its source; a person who is a lead already is not routed again', async () => {
  const ads = await campaign({ autoAssign: { sources: ['meta'] }, sequence: 'lead-nurture' });
  const listed = await campaign({ autoAssign: { sources: ['META', 'landing page'] } });
  const other = await campaign({ autoAssign: { sources: ['BULK'] } });
  const paused = await campaign({ autoAssign: { sources: ['META'] }, status: 'PAUSED' });
  await post('routed', 'META');
  // Campaigns begin it, and nothing else does.
  expect(await enrollmentsOf('routed')).toEqual([]);
  await route();
  expect(await enrollmentsOf('routed')).toMatchObject([{ campaignId: ads.id, status: 'ACTIVE' }]);
  expect(await outcomeOf('routed')).toBe('routed');
  expect(await show(ads.id)).toMatchObject({ leads: 1, open: 1, notes: [] });
  // A campaign without a sequence takes leads, contacts nobody, and says so.
  expect(await show(listed.id)).toMatchObject({
    leads: 1,
    open: 0,
    notes: ['It has no sequence: it takes leads and contacts nobody.'],
    notInSequence: { no_sequence: 1 },
  });
  // Nor does one whose sequence is a draft.
  const draft = (await api('/api/sequences', 'POST', { name: 'Not yet', campaignId: other.id })).body as { slug: string };
  expect((await show(other.id)).notes).toEqual([expect.stringMatching(`^Its sequence ${draft.slug} is a draft: .* contacts nobody until`)]);
  expect((await api(`/api/campaigns/${other.id}`, 'PATCH', { sequence: 'lead-nurture' })).status).toBe(200);
  expect([(await show(other.id)).leads, (await show(paused.id)).leads]).toEqual([0, 0]);
  const lead = await leadOf('routed');
  expect((await api(`/api/campaigns/${ads.id}/leads`, 'GET')).body).toMatchObject({
    data: [{ lead, cameBy: 'routing', by: null, enrollmentStatus: 'ACTIVE', reason: null }],
  });
  // A repeat, and the same person under another id and with more to say.
  await post('routed', 'META');
  await post('again', 'META', { email: 'routed@example.com', phone: '+43 660 1234567' });
  await route();
  expect(await outcomeOf('again')).toBe('duplicate');
  // Both are found, with what was begun about each; the later one says whose it is.
  const [again, first] = ((await api('/api/leads?email=routed@example.com', 'GET')).body as { data: Record<string, unknown>[] }).data;
  expect(again).toMatchObject({ duplicateOf: first?.['id'], phone: '+436601234567', campaigns: [], enrollments: [], attempts: [] });
  expect(first).toMatchObject({
    duplicateOf: null,
    campaigns: [{ id: ads.id }, { id: listed.id }],
    enrollments: [{ status: 'ACTIVE' }],
    attempts: [{ status: 'SCHEDULED' }],
  });
  const { data: all } = (await api('/api/leads', 'GET')).body as { data: object[] };
  expect(all[0]).not.toHaveProperty('attempts');
  expect(await show(ads.id)).toMatchObject({ leads: 1, open: 1 });
  // A source that states another name, and one that states none.
  await post('named', 'Landing page');
  await post('silent', null);
  await route();
  expect([await outcomeOf('named'), await outcomeOf('silent')]).toEqual(['routed', 'no_campaign']);
  expect(await show(listed.id)).toMatchObject({ leads: 2 });
  await end(ads, listed, other, paused);
});

test('what a lead is refused for stands with it, and it can be put in by hand', async () => {
  const ads = await campaign({ autoAssign: { sources: ['API'] }, sequence: 'lead-nurture' });
  await shop.post('contact.opted_out', { contact: { email: 'closed@example.com' }, channel: 'all' });
  await post('closed', 'API');
  await route();
  expect(await show(ads.id)).toMatchObject({ leads: 1, open: 0, notInSequence: { opted_out: 1 } });
  await post('by-hand', 'MANUAL');
  await route();
  const lead = await leadOf('by-hand');
  expect(await api(`/api/campaigns/${ads.id}/leads`, 'POST', { lead })).toMatchObject({ status: 200, body: { reason: null } });
  // A repeat begins nothing twice.
  expect(await api(`/api/campaigns/${ads.id}/leads`, 'POST', { lead })).toMatchObject({
    status: 200,
    body: { enrollment: null, reason: 'already_running' },
  });
  // That it is in the sequence already is no reason why it is in none.
  expect(await show(ads.id)).toMatchObject({ leads: 2, open: 1 });
  expect((await api(`/api/campaigns/${ads.id}`, 'GET')).body).toMatchObject({ notInSequence: { opted_out: 1 } });
  expect((await api(`/api/campaigns/${ads.id}`, 'GET')).body).not.toHaveProperty('notInSequence.already_running');
  expect(await api(`/api/campaigns/${ads.id}/leads`, 'POST', { lead: ads.id })).toMatchObject({ status: 404, body: { code: 'unknown_lead' } });
  await end(ads);
  expect(await api(`/api/campaigns/${ads.id}/leads`, 'POST', { lead })).toMatchObject({ status: 409, body: { code: 'campaign_not_active' } });
});

test('`maxLeads` holds when 200 leads arrive at the same moment', async () => {
  const few = await campaign({ autoAssign: { sources: ['rush'], maxLeads: 17 }, sequence: 'lead-nurture' });
  const many = await campaign({ autoAssign: { sources: ['rush'], maxLeads: 150 } });
  const arrivals = Array.from({ length: 200 }, (_, n) => post(`rush-${n}`, 'rush'));
  // Several workers route while leads still come in.
  await Promise.all([...arrivals, route(), route(), route()]);
  await Promise.all([route(), route()]);
  for (const [{ id }, most] of [
    [few, 17],
    [many, 150],
  ] as const) {
    const [row] = await own((tx) => tx.select({ leads: campaigns.leads }).from(campaigns).where(eq(campaigns.id, id)));
    const taken = await own((tx) => tx.select().from(campaignLeads).where(eq(campaignLeads.campaignId, id)));
    expect([row?.leads, taken.length]).toEqual([most, most]);
  }
  expect(await show(few.id)).toMatchObject({ open: 17, notes: ['It is full: it takes no more leads.'] });
  await end(few, many);
});

describe('a campaign that is', () => {
  test('paused holds everybody in it, and goes on when it is resumed; ended, everybody exits at the next decision', async () => {
    const held = await campaign({ autoAssign: { sources: ['held'] }, sequence: 'lead-nurture' });
    await post('held', 'held');
    await post('ends', 'held');
    await route();
    const [one] = await enrollmentsOf('held');
    const [other] = await enrollmentsOf('ends');
    const [id, otherId] = [one?.id ?? '', other?.id ?? ''];
    expect((await api(`/api/campaigns/${held.id}`, 'PATCH', { status: 'PAUSED' })).body).toMatchObject({ status: 'PAUSED', open: 2 });
    expect(await dispatch(shop, id, 'email_welcome')).toMatchObject({ kind: 'done', ended: null, note: 'campaign_paused' });
    const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, id);
    expect(explained?.next).toMatchObject({ verdict: 'hold', reason: 'campaign_paused' });
    await api(`/api/campaigns/${held.id}`, 'PATCH', { status: 'ACTIVE' });
    await dispatch(shop, id, 'email_welcome');
    expect(await shop.ledgerOf(id)).toMatchObject([{ stepId: 'email_welcome', state: 'sent' }]);
    await end(held);
    // Woken, and asked for its next step: both ways end it.
    expect(await dispatch(shop, otherId, 'email_welcome')).toMatchObject({ kind: 'done', ended: 'campaign_ended' });
    expect(await currentProgress(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, version: 1 })).toMatchObject({
      ended: 'campaign_ended',
    });
    expect(await enrollmentsOf('held')).toMatchObject([{ status: 'EXITED', stopReason: 'campaign_ended' }]);
    expect(await api(`/api/campaigns/${held.id}`, 'PATCH', { status: 'ACTIVE' })).toMatchObject({ status: 409, body: { code: 'campaign_ended' } });
    expect(await api(`/api/campaigns/${held.id}`, 'PATCH', { status: 'ENDED' })).toMatchObject({ status: 200 });
  });

  test('closed at this hour puts a message off to its next opening, on the clock of the lead', async () => {
    // Open for two hours that begin in three, on the lead's clock, which is nobody else's here.
    const from = new Date(Date.now() + 3 * 3_600_000 + 9 * 3_600_000).getUTCHours();
    const clock = (hour: number) => `${String(hour % 24).padStart(2, '0')}:00`;
    const hours = await campaign({
      autoAssign: { sources: ['hours'] },
      sequence: 'lead-nurture',
      schedule: { from: clock(from), to: clock(from + 2) },
    });
    await post('hours', 'hours', { email: 'hours@example.com', time_zone: 'Asia/Tokyo' });
    await route();
    const id = (await enrollmentsOf('hours'))[0]?.id ?? '';
    await dispatch(shop, id, 'email_welcome');
    const explained = await explainEnrollment(shop.deps, shop.tenant.tenantId, id);
    const deferred = explained?.entries.find(
      (e) => e.sentence.includes('The campaign contacts its leads') || e.sentence.includes('outside the hours of its campaign'),
    );
    expect(deferred, JSON.stringify(explained?.entries)).toBeDefined();
    expect(await shop.ledgerOf(id)).toEqual([]);
    await letTimePass(shop, 3 * 3_600_000);
    // What a campaign asks counts from the next decision on.
    await api(`/api/campaigns/${hours.id}`, 'PATCH', { schedule: null });
    await dispatch(shop, id, 'email_welcome');
    expect(await shop.ledgerOf(id)).toMatchObject([{ stepId: 'email_welcome', state: 'sent' }]);
    await end(hours);
  });

  test('limited spaces the messages to all its leads', async () => {
    const slow = await campaign({ autoAssign: { sources: ['slow'] }, sequence: 'lead-nurture', rate: { most: 2, withinSeconds: 3_600 } });
    for (const n of [1, 2, 3]) await post(`slow-${n}`, 'slow');
    await route();
    const ids = await Promise.all([1, 2, 3].map(async (n) => (await enrollmentsOf(`slow-${n}`))[0]?.id ?? ''));
    for (const id of ids) await dispatch(shop, id, 'email_welcome');
    const sent = await Promise.all(ids.map(async (id) => (await shop.ledgerOf(id)).filter((m) => m.state === 'sent').length));
    expect(sent.toSorted((a, b) => a - b)).toEqual([0, 0, 1]);
    await end(slow);
  });
});

describe('leads', () => {
  interface Lead {
    id: string;
    status: string;
    attempts: { id: string | null; status: string; startedAt: string; step: string }[];
    enrollments: { status: string; currentStep: number; nextExecuteAt: string | null }[];
  }
  const lead = async (id: string) => (await api(`/api/leads/${id}`, 'GET')).body as Lead;

  test('come by the API, are found by what is known of them, and show what was tried and what comes next', async () => {
    const byHand = await campaign({ autoAssign: { sources: ['MANUAL'] }, sequence: 'lead-nurture' });
    const body = {
      firstName: 'Ada',
      email: 'ada-lead@example.com',
      phone: '+43 660 7654321',
      externalId: 'crm-1',
      source: 'MANUAL',
      sub_id: 's-1',
      click_id: 'c-1',
    };
    const made = await api('/api/leads', 'POST', body);
    expect(made, JSON.stringify(made.body)).toMatchObject({
      status: 201,
      body: {
        repeated: false,
        notes: [],
        lead: {
          firstName: 'Ada',
          email: 'ada-lead@example.com',
          phone: '+436607654321',
          externalId: 'crm-1',
          source: 'MANUAL',
          status: 'NEW',
          sub_id: 's-1',
          click_id: 'c-1',
        },
      },
    });
    const { id } = (made.body as { lead: Lead }).lead;
    await route();
    expect(await lead(id)).toMatchObject({
      status: 'IN_PROGRESS',
      campaigns: [{ id: byHand.id }],
      enrollments: [{ status: 'ACTIVE', sequence: 'lead-nurture', currentStep: 0, exitReason: null }],
      attempts: [{ id: null, step: 'email_welcome', channel: 'email', status: 'SCHEDULED' }],
    });
    const enrollment = (await enrollmentsOf('crm-1'))[0]?.id ?? '';
    await dispatch(shop, enrollment, 'email_welcome');
    const shown = await lead(id);
    const [message] = await shop.ledgerOf(enrollment);
    expect(shown).toMatchObject({ status: 'CONTACTED', enrollments: [{ currentStep: 1 }] });
    expect(shown.attempts).toMatchObject([
      { id: message?.id, step: 'email_welcome', status: 'SUCCESS', campaign: byHand.id },
      { id: null, step: 'sms_12h', status: 'SCHEDULED' },
    ]);
    expect(Date.parse(shown.attempts[1]?.startedAt ?? '')).toBeGreaterThan(Date.now() + 11 * 3_600_000);
    for (const search of ['email=ada-lead@example.com', 'phone=%2B436607654321', 'externalId=crm-1'])
      expect((await api(`/api/leads?${search}`, 'GET')).body, search).toMatchObject({ data: [{ id }], nextCursor: null });
    await shop.post('order.placed', { order: { id: 'o-lead', currency: 'EUR', total: '90.00' }, contact: { email: 'ada-lead@example.com' } });
    expect(await lead(id)).toMatchObject({
      status: 'CONVERTED',
      enrollments: [{ status: 'CONVERTED', exitReason: 'purchased', nextExecuteAt: null }],
    });
    await end(byHand);
  });

  test('of one person are one where they have no id of their own, and what was missing is filled in', async () => {
    const first = await api('/api/leads', 'POST', { email: 'once@example.com' });
    const second = await api('/api/leads', 'POST', { email: 'ONCE@example.com', firstName: 'Cleo', interest: 'a loft' });
    const id = (first.body as { lead: Lead }).lead.id;
    expect(second).toMatchObject({ status: 201, body: { lead: { id, firstName: 'Cleo', interest: 'a loft', externalId: null } } });
  });

  // Control characters and odd spaces are taken out of an id.
  test.each(['\u00a0crm 7\u008a', 'crm\u008a8'])('are found by an id that is not kept as it was written: %j', async (externalId) => {
    const lead = { externalId, email: `${externalId.replaceAll(/\W/g, '')}@example.com` };
    const first = await api('/api/leads', 'POST', lead);
    expect(first.status).toBe(201);
    const { id } = (first.body as { lead: Lead }).lead;
    expect(await api('/api/leads', 'POST', { ...lead, interest: 'a loft' })).toMatchObject({
      status: 201,
      body: { lead: { id, interest: 'a loft' } },
    });
    expect((await api(`/api/leads?externalId=${encodeURIComponent(externalId)}`, 'GET')).body).toMatchObject({ data: [{ id }] });
  });

  test('are refused with the field that is wrong, and shown to their own store alone', async () => {
    expect(await api('/api/leads', 'POST', { email: 'x@example.com', misspelt: 1 })).toMatchObject({ status: 400 });
    expect(await api('/api/leads', 'POST', { firstName: 'Nobody' })).toMatchObject({ status: 400 });
    expect(await api('/api/leads?email=nonsense', 'GET')).toMatchObject({ status: 400, body: { errors: [{ path: 'querystring/email' }] } });
    const { apiKey } = await anotherStore(shop, 'leads-next-door');
    const id = await leadOf('crm-1');
    expect((await ask(shop, apiKey, `/api/leads/${id}`)).status).toBe(404);
    expect((await ask(shop, apiKey, '/api/leads?externalId=crm-1')).body).toMatchObject({ data: [] });
  });
});

test('what is wrong with a campaign is said with its field', async () => {
  const taken = await campaign({});
  const wrong: [Record<string, unknown>, number, string][] = [
    [{ name: 'X', sequence: 'nonsense' }, 404, 'unknown_sequence'],
    [{ name: 'X', sequence: 'cart' }, 400, 'sequence'],
    [{ name: 'X', schedule: { from: '9', to: '17:00' } }, 400, 'schedule'],
    [{ name: 'X', schedule: { from: '09:00', to: '09:00' } }, 400, 'schedule'],
    [{ name: 'X', autoAssign: { sources: [] } }, 400, 'autoAssign'],
    [{ name: 'X', autoAssign: { sources: ['META'], maxLeads: 0 } }, 400, 'autoAssign'],
    [{ name: 'X', rate: { most: 0, withinSeconds: 1 } }, 400, 'rate'],
    [{ name: 'X', misspelt: true }, 400, 'misspelt'],
    [{ name: `Campaign ${names}` }, 409, 'name_taken'],
  ];
  for (const [body, status, part] of wrong) {
    const refused = await api('/api/campaigns', 'POST', body);
    expect([refused.status, JSON.stringify(refused.body)], JSON.stringify(body)).toEqual([status, expect.stringContaining(part)]);
  }
  const { apiKey } = await anotherStore(shop, 'campaigns-next-door');
  for (const [path, method, body] of [
    [`/api/campaigns/${taken.id}`, 'GET', undefined],
    [`/api/campaigns/${taken.id}`, 'PATCH', { status: 'ENDED' }],
    [`/api/campaigns/${taken.id}/leads`, 'GET', undefined],
    [`/api/campaigns/${taken.id}/leads`, 'POST', { lead: taken.id }],
  ] as const)
    expect((await ask(shop, apiKey, path, method as 'GET', body)).status).toBe(404);
  await end(taken);
});

test('leads, repeats, opt-outs, orders, pauses and ends in any order: places are counted exactly, and nobody is in a sequence twice', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ does: fc.constant('lead' as const), who: fc.nat(5), key: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('opt_out' as const, 'order' as const), who: fc.nat(5), key: fc.constant(0) }) },
    { weight: 3, arbitrary: fc.record({ does: fc.constant('route' as const), who: fc.constant(0), key: fc.constant(0) }) },
    {
      weight: 1,
      arbitrary: fc.record({ does: fc.constantFrom('pause' as const, 'resume' as const, 'end' as const), who: fc.constant(0), key: fc.constant(0) }),
    },
  );
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), fc.integer({ min: 1, max: 4 }), async (steps, maxLeads) => {
      const run = `any-${++runs}`;
      const made = await campaign({ autoAssign: { sources: [run], maxLeads }, sequence: 'lead-nurture' });
      const next: Record<string, () => Promise<unknown>> = {
        pause: () => api(`/api/campaigns/${made.id}`, 'PATCH', { status: 'PAUSED' }),
        resume: () => api(`/api/campaigns/${made.id}`, 'PATCH', { status: 'ACTIVE' }),
        end: () => api(`/api/campaigns/${made.id}`, 'PATCH', { status: 'ENDED' }),
        route,
      };
      for (const { does, who, key } of steps) {
        const email = `${run}-${who}@example.com`;
        if (does === 'lead') await post(`${run}-${who}-${key}`, run, { email });
        else if (does === 'opt_out') await shop.post('contact.opted_out', { contact: { email }, channel: 'all' });
        else if (does === 'order')
          await shop.post('order.placed', { order: { id: `${run}-${who}`, currency: 'EUR', total: '1.00' }, contact: { email } });
        else await next[does]?.();
      }
      await route();
      const taken = await own((tx) => tx.select().from(campaignLeads).where(eq(campaignLeads.campaignId, made.id)));
      expect((await show(made.id)).leads).toBe(taken.length);
      expect(taken.length).toBeLessThanOrEqual(maxLeads);
      const { rows } = await own((tx) =>
        tx.execute<{ n: number; persons: number }>(sql`
          select count(*)::int as n, count(distinct c.person_id)::int as persons from enrollments e join contacts c on c.id = e.contact_id
          where e.campaign_id = ${made.id} and e.ended_at is null`),
      );
      expect(rows[0]?.n).toBe(rows[0]?.persons);
      const { rows: twice } = await own((tx) =>
        tx.execute(sql`
          select c.person_id from campaign_leads l join subjects s on s.id = l.subject_id join contacts c on c.id = s.contact_id
          where l.campaign_id = ${made.id} group by 1 having count(*) > 1`),
      );
      expect(twice).toEqual([]);
      await api(`/api/campaigns/${made.id}`, 'PATCH', { status: 'ENDED' });
    }),
    { numRuns: 12 },
  );
});

test('the sequence is begun for everybody on the list, a part at a time, and again for those who dropped out: by one gate list and with who, why and when', async () => {
  // Campaigns begin the sequence, and nothing else does.
  const other = await campaign({ sequence: 'lead-nurture' });
  const spring = await campaign({});
  for (const key of ['list-a', 'list-b', 'list-c']) {
    await post(key, 'quiet');
    await route();
    expect(await api(`/api/campaigns/${spring.id}/leads`, 'POST', { lead: await leadOf(key) })).toMatchObject({ body: { reason: 'no_sequence' } });
  }
  await api(`/api/campaigns/${spring.id}`, 'PATCH', { sequence: 'lead-nurture' });
  await shop.post('contact.opted_out', { contact: { email: 'list-c@example.com' } });
  const enroll = async (body: Record<string, unknown>) =>
    (await api(`/api/campaigns/${spring.id}/enroll`, 'POST', body)) as { status: number; body: Listed };
  interface Listed {
    results: { lead: string; enrollment: string | null; reason: string | null }[];
    enrolled: number;
    next: string | null;
  }
  const toEnroll = async () => (await show(spring.id)).toEnroll;
  expect(await toEnroll(), 'counted before').toEqual({ not_enrolled: 3, dropped_out: 0 });
  const first = await enroll({ limit: 2, note: 'The garden is open' });
  expect(first.body).toMatchObject({ enrolled: 2, next: await leadOf('list-b') });
  const rest = await enroll({ limit: 2, after: first.body.next });
  expect(rest.body).toMatchObject({ results: [{ lead: await leadOf('list-c'), reason: 'opted_out' }], enrolled: 0, next: null });
  expect(await toEnroll()).toEqual({ not_enrolled: 1, dropped_out: 0 });
  const [begun] = await enrollmentsOf('list-a');
  expect(begun).toMatchObject({ campaignId: spring.id, status: 'ACTIVE' });
  const { rows } = await own((tx) =>
    tx.execute<{ data: Record<string, unknown> }>(
      sql`select data from audit_log where action = 'campaign.enter' and data ->> 'lead' = ${begun?.subjectId ?? ''} order by at desc limit 1`,
    ),
  );
  expect(rows[0]?.data).toMatchObject({ begun: begun?.id, note: 'The garden is open' });
  const [enrolled] = await own((tx) =>
    tx
      .select()
      .from(enrollmentEvents)
      .where(and(eq(enrollmentEvents.enrollmentId, begun?.id ?? ''), eq(enrollmentEvents.type, 'enrolled'))),
  );
  expect(enrolled?.data).toMatchObject({ by: 'bulk', note: 'The garden is open', campaign: spring.id });
  // Who is in it is not put in twice.
  expect((await enroll({ which: 'all' })).body.results.map(({ reason }) => reason)).toEqual(['already_running', 'already_running', 'opted_out']);
  // Who dropped out may come again once the cooldown is over, and who bought does not.
  for (const key of ['list-a', 'list-b']) await dispatch(shop, (await enrollmentsOf(key))[0]?.id ?? '', 'email_welcome');
  await api(`/recovery/sequences/${begun?.id ?? ''}/stop?reason=later`, 'POST');
  await shop.post('order.placed', { order: { id: 'list-order', total: '9.00', currency: 'EUR' }, contact: { email: 'list-b@example.com' } });
  const again = async (note?: string) => (await enroll({ which: 'dropped_out', note })).body.results.map(({ reason }) => reason);
  expect(await toEnroll(), 'whoever bought did not drop out').toEqual({ not_enrolled: 1, dropped_out: 1 });
  expect(await again()).toEqual(['cooldown']);
  await asOwner(
    shop.database.url,
    `update enrollments set enrolled_at = enrolled_at - interval '31 days', anchor_at = anchor_at - interval '31 days', activated_at = activated_at - interval '31 days', ended_at = ended_at - interval '31 days' where ended_at is not null`,
  );
  expect(await again('Another try')).toEqual([null]);
  // Who is in it again dropped out no more.
  expect(await again()).toEqual([]);
  await api(`/api/campaigns/${spring.id}`, 'PATCH', { status: 'PAUSED' });
  expect(await enroll({})).toMatchObject({ status: 409, body: { code: 'campaign_not_active' } });
  await end(spring, other);
});
