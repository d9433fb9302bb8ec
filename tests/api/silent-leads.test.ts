import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eq } from 'drizzle-orm';
import { subjects } from '../../db/schema/index.ts';
import { createLogger } from '../../config/logger.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { sweepSilent } from '../../operations/sweep-silent.ts';
import { createAbandonmentTrigger } from '../../sdk/index.ts';
import { letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { ask } from './left-carts.ts';

// Silent leads by the API: docs/silent-leads.md

const dayMs = 86_400_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const own = (path: string, method: 'GET' | 'POST' | 'PATCH' = 'GET', body?: object) =>
  ask(shop, shop.tenant.apiKey, path, method, body as Record<string, unknown> | undefined);
const sweep = (most = 100) => sweepSilent(shop.deps, { most, everySeconds: 14_400 });
let count = 0;
/** Somebody who asked so many days ago. */
async function leadOf({ days, area = 'Döbling', bot }: { days: number; area?: string; bot?: string }) {
  const key = `quiet-${++count}`;
  const email = `${key}@example.com`;
  await shop.post(
    'lead.created',
    {
      lead: {
        id: key,
        interest: 'a flat',
        area,
        preferences: 'a garden',
        value: '450000',
        currency: 'EUR',
        ...(bot === undefined ? {} : { bot_type: bot }),
      },
      contact: { email, first_name: 'Ada' },
    },
    { at: Date.now() - days * dayMs },
  );
  const { body } = await own(`/api/leads?externalId=${key}`);
  const id = (body as { data: { id: string }[] }).data[0]?.id ?? '';
  return { key, email, id };
}
type Lead = Awaited<ReturnType<typeof leadOf>>;
const silenceOf = async ({ id }: Lead) => (await own(`/api/leads/${id}/abandonment`)).body as Record<string, unknown>;
const enrollmentOf = async (lead: Lead) => String((await silenceOf(lead))['enrollment']);
/** What a process of its own would write into its log. */
function watchLog() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return { lines, log: createLogger({ part: 'test', level: 'info', destination }) };
}
const dispatch = (enrollmentId: string, stepId: string, log = shop.deps.log) =>
  dispatchStep({ ...shop.deps, log }, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });

test('the preset takes nobody in until the store resumes it; then the sweep finds whom it missed', async () => {
  const lead = await leadOf({ days: 4 });
  expect(await silenceOf(lead)).toMatchObject({ stage: '3d', eligible: false, reason: 'no_sequence', enrollment: null });
  expect(await sweep()).toEqual({ found: 0, begun: 0, failed: 0 });
  expect((await own('/api/sequences/silent-lead/resume', 'POST')).status).toBe(200);
  expect(await silenceOf(lead)).toMatchObject({ stage: '3d', eligible: true, reason: 'missed', enrollment: null });
  expect(await sweep()).toEqual({ found: 1, begun: 1, failed: 0 });
  expect(await silenceOf(lead)).toMatchObject({ stage: '3d', eligible: true, reason: 'recovering', enrollment: expect.any(String) });
  // Whoever is in a sequence is not found again.
  expect(await sweep()).toEqual({ found: 0, begun: 0, failed: 0 });
});

describe('the record of a silence', () => {
  test.each([
    ['seller', 'seller'],
    ['Buyer', 'buyer'],
    ['something else', 'lead'],
  ])('names the bot that talks with the lead: %s is %s', async (bot, expected) => {
    const lead = await leadOf({ days: 4, bot });
    expect(await silenceOf(lead)).toMatchObject({ abandonment: { bot_type: expected } });
  });

  test('has its stage, its attempts and what the texts may use, and a response clears it', async () => {
    const lead = await leadOf({ days: 4 });
    const enrollment = await enrollmentOf(lead);
    await dispatch(enrollment, 'mark_24h');
    const { lines, log } = watchLog();
    await dispatch(enrollment, 'message_3d', log);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'message sent', subjectId: lead.id, language: 'en' }));
    const body = await silenceOf(lead);
    expect(body).toMatchObject({
      lead: lead.id,
      stage: '3d',
      abandonment: {
        contact_id: lead.key,
        location_id: shop.tenant.webhooks.generic.path.split('/').at(-1),
        bot_type: 'lead',
        current_stage: '3d',
        recovery_attempt_count: 1,
        metadata: {
          name: 'Ada',
          interest_area: 'Döbling',
          interest: 'a flat',
          budget: { amount_minor: 45_000_000, currency: 'EUR' },
          preferences: 'a garden',
        },
      },
    });
    expect(Math.abs(Number(body['last_contact_timestamp']) * 1_000 - (Date.now() - 4 * dayMs))).toBeLessThan(60_000);
    await shop.post('message.received', { contact: { email: lead.email }, channel: 'email', text: 'Yes, still.' });
    expect(await silenceOf(lead)).toMatchObject({ stage: 'none', eligible: false, reason: 'not_silent', abandonment: null });
  });

  test('of a lead that a program made has what it stated, and the contact where it gave no id of its own', async () => {
    const stated = { interest: 'a flat', area: 'Hietzing', preferences: 'three rooms', value: '1200.50', currency: 'EUR' };
    const { body } = await own('/api/leads', 'POST', { email: 'by-program@example.com', firstName: 'Bea', ...stated });
    const { id, contact } = (body as { lead: { id: string; contact: string } }).lead;
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx
        .update(subjects)
        .set({ lastActivityAt: Date.now() - 4 * dayMs })
        .where(eq(subjects.id, id)),
    );
    expect((await own(`/api/leads/${id}/abandonment`)).body).toMatchObject({
      abandonment: {
        contact_id: contact,
        metadata: { interest_area: 'Hietzing', budget: { amount_minor: 120_050, currency: 'EUR' }, preferences: 'three rooms' },
      },
    });
  });

  test('a lead that no channel of the sequence reaches is not eligible, and the record says why', async () => {
    const key = `quiet-${++count}`;
    await shop.post('lead.created', { lead: { id: key, interest: 'a flat' }, contact: { phone: '+436641234567' } }, { at: Date.now() - 4 * dayMs });
    const { body } = await own(`/api/leads?externalId=${key}`);
    const id = (body as { data: { id: string }[] }).data[0]?.id ?? '';
    expect((await own(`/api/leads/${id}/abandonment`)).body).toMatchObject({ stage: '3d', eligible: false, reason: 'no_address', enrollment: null });
    // Its address comes later: from then on it is eligible.
    await shop.post(
      'lead.created',
      { lead: { id: key, interest: 'a flat' }, contact: { phone: '+436641234567', email: `${key}@example.com` } },
      { at: Date.now() - 4 * dayMs },
    );
    expect((await own(`/api/leads/${id}/abandonment`)).body).toMatchObject({ eligible: true, reason: 'recovering' });
  });

  test('thresholds are settings, with versions', async () => {
    const lead = await leadOf({ days: 8 });
    expect(await silenceOf(lead)).toMatchObject({ stage: '7d' });
    const changed = (hours: Record<string, number>) => own('/api/settings', 'PATCH', { settings: { silenceHours: hours } });
    expect((await changed({ '24h': 24, '3d': 72, '7d': 240, '14d': 336, '30d': 720 })).status).toBe(200);
    expect(await silenceOf(lead)).toMatchObject({ stage: '3d' });
    expect((await changed({ '24h': 24, '3d': 400, '7d': 240, '14d': 336, '30d': 720 })).status).toBe(400);
    expect((await changed({ '24h': 24, '3d': 72, '7d': 168, '14d': 336, '30d': 720 })).status).toBe(200);
  });

  test('an unknown lead is none', async () => {
    expect((await own('/api/leads/00000000-0000-7000-8000-000000000000/abandonment')).status).toBe(404);
    expect((await own('/api/leads/nothing/abandonment')).status).toBe(404);
  });
});

describe('the sweep', () => {
  test('takes the longest silent first, at most as many as it may, and goes on after an error', async () => {
    await own('/api/sequences/silent-lead/pause', 'POST');
    const leads = [await leadOf({ days: 5 }), await leadOf({ days: 9 }), await leadOf({ days: 7 })];
    await own('/api/sequences/silent-lead/resume', 'POST');
    expect(await sweep(1)).toEqual({ found: 1, begun: 1, failed: 0 });
    expect(await silenceOf(leads[1] as Lead)).toMatchObject({ reason: 'recovering' });
    expect(await silenceOf(leads[2] as Lead)).toMatchObject({ reason: 'missed' });
    const broken = { ...shop.deps, versions: shop.deps.versions, addressHash: undefined };
    let calls = 0;
    const sealing = new Proxy(shop.deps.sealing, {
      get(target, name, receiver) {
        if (name === 'addressHash' && calls++ === 0) throw new Error('a lead that cannot be read');
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
    const { lines, log } = watchLog();
    expect(await sweepSilent({ ...broken, sealing, log }, { most: 100, everySeconds: 60 })).toEqual({ found: 2, begun: 1, failed: 1 });
    // Whoever is called finds the lead by it.
    expect(lines.filter(({ level }) => level === 50).map(({ subjectId }) => subjectId)).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    // The one that failed is examined again a day later.
    await letTimePass(shop, 1.1 * dayMs);
    expect(await sweep()).toMatchObject({ found: 1, begun: 1 });
  });

  test('says in its log what it found, with counts as fields', async () => {
    const lines: [Record<string, unknown>, string][] = [];
    const info = (fields: Record<string, unknown>, line: string) => void lines.push([fields, line]);
    await sweepSilent({ ...shop.deps, log: { ...shop.deps.log, info } }, { most: 100, everySeconds: 14_400 });
    expect(lines).toEqual([
      [{ most: 100 }, 'scan for silent leads begun'],
      [{ found: 0 }, 'silent leads found'],
      [{ succeeded: 0, failed: 0, total: 0 }, 'batch of silent leads finished'],
      [{ seconds: 14_400 }, 'sleeping until the next scan for silent leads'],
    ]);
  });

  test('comes to a store as often as its settings say, from the next pass on, and never more often than the installation', async () => {
    const every = async (minutes: number | null) => {
      expect((await own('/api/settings', 'PATCH', { settings: { silentSweepMinutes: minutes } })).status).toBe(200);
    };
    const missed = async (days: number) => {
      await own('/api/sequences/silent-lead/pause', 'POST');
      const lead = await leadOf({ days });
      await own('/api/sequences/silent-lead/resume', 'POST');
      return lead;
    };
    await every(1_440);
    await missed(4);
    // Nobody knows when it was examined last: the first pass does it.
    expect(await sweep()).toMatchObject({ found: 1, begun: 1 });
    const lead = await missed(5);
    for (let pass = 1; pass <= 5; pass++) {
      await letTimePass(shop, 14_400_000);
      expect(await sweep(), `pass ${pass}`).toMatchObject({ found: 0 });
    }
    // Less than the installation's interval is its interval, and what is changed counts at once.
    await every(1);
    expect(await sweep()).toMatchObject({ found: 1, begun: 1 });
    expect(await silenceOf(lead)).toMatchObject({ reason: 'recovering' });
    await every(1_440);
    await missed(5);
    expect(await sweep()).toMatchObject({ found: 0 });
    // Six passes of four hours, less what a pass may come early.
    await letTimePass(shop, dayMs - 60_000);
    expect(await sweep()).toMatchObject({ found: 1, begun: 1 });
    await missed(6);
    expect(await sweep()).toMatchObject({ found: 0 });
    await every(null);
    expect(await sweep()).toMatchObject({ found: 1, begun: 1 });
    for (const wrong of [0, 1.5, 43_201, '60']) {
      const { status, body } = await own('/api/settings', 'PATCH', { settings: { silentSweepMinutes: wrong } });
      expect(status).toBe(400);
      expect(JSON.stringify(body)).toContain('silentSweepMinutes');
    }
  });

  test('examines as many leads as its store says, whatever another store has', async () => {
    const most = (value: number | null) => own('/api/settings', 'PATCH', { settings: { silentSweepMost: value } });
    await own('/api/sequences/silent-lead/pause', 'POST');
    for (const days of [4, 5, 6]) await leadOf({ days });
    await own('/api/sequences/silent-lead/resume', 'POST');
    expect((await most(2)).status).toBe(200);
    // The installation would examine one of each store.
    expect(await sweep(1)).toMatchObject({ found: 2, begun: 2 });
    expect((await most(null)).status).toBe(200);
    expect(await sweep(1)).toMatchObject({ found: 1, begun: 1 });
    for (const wrong of [0, 1.5, 10_001]) expect((await most(wrong)).status).toBe(400);
  });

  test('finishes the lead in hand when its process ends, and leaves the others to the next one', async () => {
    await own('/api/sequences/silent-lead/pause', 'POST');
    for (const days of [4, 5, 6]) await leadOf({ days });
    await own('/api/sequences/silent-lead/resume', 'POST');
    const ends = new AbortController();
    const onProgress = () => ends.abort();
    expect(await sweepSilent(shop.deps, { most: 100, everySeconds: 60, signal: ends.signal, onProgress })).toMatchObject({ found: 3, begun: 1 });
    expect(await sweep()).toEqual({ found: 2, begun: 2, failed: 0 });
  });

  test('takes up nobody who has opted out, bought or answered within the day', async () => {
    await own('/api/sequences/silent-lead/pause', 'POST');
    const [out, bought, answered] = [await leadOf({ days: 4 }), await leadOf({ days: 4 }), await leadOf({ days: 4 })];
    await shop.post('contact.opted_out', { contact: { email: out.email }, channel: 'all' });
    await shop.post('order.placed', { order: { id: bought.key, currency: 'EUR', total: '9.00' }, contact: { email: bought.email } });
    await shop.post('message.received', { contact: { email: answered.email }, channel: 'email', text: 'Soon.' });
    await own('/api/sequences/silent-lead/resume', 'POST');
    expect(await sweep()).toMatchObject({ begun: 0, failed: 0 });
    for (const [lead, reason] of [
      [out, 'opted_out'],
      [bought, 'closed'],
      [answered, 'not_silent'],
    ] as const)
      expect(await silenceOf(lead)).toMatchObject({ eligible: false, reason, enrollment: null });
  });
});

describe('market triggers', () => {
  const news = { trigger: 'new_sales_nearby', area: 'Hietzing', statement: 'Three flats in Hietzing were sold.', source: 'land register' };
  const today = () => new Date().toISOString().slice(0, 10);
  const mailTo = (email: string) => shop.smtp.accepted.findLast((m) => m.envelope.to.includes(email))?.raw.toString() ?? '';
  async function messageTo(area: string) {
    const lead = await leadOf({ days: 3.1, area });
    const enrollment = await enrollmentOf(lead);
    await dispatch(enrollment, 'mark_24h');
    await dispatch(enrollment, 'message_3d');
    return mailTo(lead.email).replaceAll('=\r\n', '');
  }

  test('one about the area is in the message, with its date; without one it has a general update and claims nothing', async () => {
    const { status, body } = await own('/api/market-triggers', 'POST', { ...news, date: today() });
    expect(status).toBe(200);
    expect(body).toMatchObject({ data: [{ area: 'hietzing', fresh: true, created: true }] });
    expect(await messageTo('Hietzing')).toContain('Three flats in Hietzing were sold.');
    expect(await messageTo('Nowhere')).not.toContain('What is new in');
  });

  test('old news is stored and not stated', async () => {
    const { body } = await own('/api/market-triggers', 'POST', { ...news, area: 'Simmering', date: '2026-01-05' });
    expect(body).toMatchObject({ data: [{ fresh: false, created: true }] });
    expect(await messageTo('Simmering')).not.toContain('What is new in');
  });

  test('come as CSV, all or none, and a mistake has its line', async () => {
    const csv = (text: string) =>
      shop.app.inject({
        method: 'POST',
        url: '/api/market-triggers',
        headers: { authorization: `Bearer ${shop.tenant.apiKey}`, 'content-type': 'text/csv' },
        payload: text,
      });
    const good = await csv(
      `trigger,area,statement,date\nrate_change,Alsergrund,"Rates fell, to 3.4 %.",${today()}\nseasonal,Alsergrund,"Spring is ""open house"" time.",${today()}\n`,
    );
    expect(good.statusCode).toBe(200);
    expect(good.json()).toMatchObject({ data: [{ created: true }, { created: true }] });
    const bad = await csv(`trigger,area,statement,date\nrate_change,Alsergrund,Rates fell.,${today()}\nrumour,Alsergrund,Somebody said so.,soon\n`);
    expect(bad.statusCode).toBe(400);
    expect((bad.json<{ errors: { path: string }[] }>().errors ?? []).map(({ path }) => path)).toEqual(['body/line 3/trigger', 'body/line 3/date']);
  });

  test('come by webhook', async () => {
    await shop.post('market.triggered', { triggers: [{ ...news, area: 'Penzing', statement: 'Rents in Penzing went down.', date: today() }] });
    expect(await messageTo('Penzing')).toContain('Rents in Penzing went down.');
  });

  test('a recovery that is asked for begins at the lead’s stage, and at no other', async () => {
    await own('/api/sequences/silent-lead/pause', 'POST');
    const lead = await leadOf({ days: 8 });
    await own('/api/sequences/silent-lead/resume', 'POST');
    const trigger = (stage: '3d' | '7d') => own('/api/market-triggers', 'POST', createAbandonmentTrigger({ email: lead.email }, stage));
    expect(await trigger('3d')).toMatchObject({ status: 409, body: { code: 'other_stage' } });
    expect(await trigger('7d')).toMatchObject({ status: 201, body: { type: 'ABANDONMENT_RECOVERY', lead: lead.id, stage: '7d' } });
    expect(await trigger('7d')).toMatchObject({ status: 409, body: { code: 'took_part' } });
    const nobody = createAbandonmentTrigger({ email: 'nobody@example.com' }, '3d', 'silent-lead');
    expect((await own('/api/market-triggers', 'POST', nobody)).status).toBe(404);
    expect(() => createAbandonmentTrigger({}, '3d')).toThrow('names nobody');
  });
});

test('the figures count leads, with intervals, beside a target that is none of them', async () => {
  const lead = await leadOf({ days: 3.1 });
  const enrollment = await enrollmentOf(lead);
  await dispatch(enrollment, 'mark_24h');
  await dispatch(enrollment, 'message_3d');
  await shop.post('message.received', { contact: { email: lead.email }, channel: 'email', text: 'Yes.' });
  await shop.post('order.placed', { order: { id: lead.key, currency: 'EUR', total: '9.00' }, contact: { email: lead.email } });
  const { status, body } = await own('/api/silent-leads/figures');
  expect(status).toBe(200);
  const figures = body as Record<string, { cases: number; successes: number; rate: number; interval: { low: number; high: number }; target: object }>;
  expect(figures['reengagement']).toMatchObject({ successes: 2, target: { rate: 15, within_days: 30 } });
  expect(figures['reengagement']?.cases).toBeGreaterThan(2);
  expect(figures['reengagement']?.interval.low).toBeLessThan(figures['reengagement']?.rate ?? 0);
  expect(figures['recovery_conversion']).toMatchObject({ cases: 2, successes: 1, rate: 50 });
  expect(body).toMatchObject({
    stages: [{ stage: '3d', successes: 2 }, { stage: '7d' }, { stage: '14d' }, { stage: '30d', cases: 0, rate: null, interval: null }],
    days_to_reengagement: { responses: 2 },
  });
});
