import { asc, eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrollments, subjectKeys, subjects } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// The silence of a lead: docs/rules.md#rule-62

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  await publishYaml(
    shop,
    [
      'sequence: quiet\nname: Quiet\non: lead.silent\nmaxAge: 60d\nsteps:',
      '  - { id: mark_24h, at: 24h, channel: none }',
      '  - { id: mail_3d, at: 3d, channel: email, texts: [lead/one, lead/two] }',
      '  - { id: mail_7d, at: 7d, channel: email, content: lead/three }',
      '  - { id: mail_14d, at: 14d, channel: email, content: lead/four }',
      '  - { id: mail_30d, at: 30d, channel: email, content: lead/five, expires: 20d }',
    ].join('\n'),
  );
});
afterAll(() => shop.close());

let count = 0;
/** Somebody who asked so long ago. */
async function leadFrom({ agoMs = 0, email = `silent-${++count}@example.com` }: { agoMs?: number; email?: string } = {}) {
  const id = `silent-lead-${++count}`;
  const at = { at: Date.now() - agoMs };
  await shop.post('lead.created', { lead: { id, interest: 'a flat', area: 'Döbling' }, contact: { email } }, at);
  return { id, email };
}
type Lead = Awaited<ReturnType<typeof leadFrom>>;
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
/** The enrollments about its silences, the first one first. */
const silencesOf = ({ id }: Lead) =>
  inTenant(async (tx) => {
    const rows = await tx
      .select({ row: enrollments })
      .from(enrollments)
      .innerJoin(subjectKeys, eq(subjectKeys.subjectId, enrollments.subjectId))
      .where(eq(subjectKeys.value, id))
      .orderBy(asc(enrollments.id));
    const found = [];
    for (const { row } of rows) {
      const { definition } = await shop.deps.versions.load(tx, row.versionId);
      if (definition.on === 'lead.silent') found.push(row);
    }
    return found;
  });
const open = async (lead: Lead) => (await silencesOf(lead)).find((row) => row.endedAt === null);
const dispatch = async (lead: Lead, stepId: string) => {
  const row = await open(lead);
  if (row === undefined) throw new Error('no silence is awaited');
  return dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: row.id, stepId });
};
const stepsOf = async (enrollmentId: string) =>
  Object.fromEntries((await shop.ledgerOf(enrollmentId)).map((m) => [m.stepId, m.skipReason === null ? m.state : m.skipReason]));
const reply = ({ email }: Lead, text: string, agoMs = 0) =>
  shop.post('message.received', { contact: { email }, channel: 'email', text }, { at: Date.now() - agoMs });
const called = ({ id }: Lead, more: Record<string, unknown> = {}) => shop.post('lead.contacted', { lead_id: id, by: 'Bruno', ...more });
/** Through the mark and the message of the third day. */
async function silentFor3Days() {
  const lead = await leadFrom({ agoMs: 3 * dayMs + 60_000 });
  await dispatch(lead, 'mark_24h');
  await dispatch(lead, 'mail_3d');
  return lead;
}

describe('what a silence is counted from', () => {
  test('a minute less than 24 hours is no silence; a second more is', async () => {
    const lead = await leadFrom({ agoMs: 24 * hourMs - 60_000 });
    expect(await dispatch(lead, 'mark_24h')).not.toMatchObject({ progress: { activatedAtMs: expect.any(Number) } });
    await letTimePass(shop, 61_000);
    await dispatch(lead, 'mark_24h');
    expect(await open(lead)).toMatchObject({ activatedAt: expect.any(Number) });
  });

  test.each([
    ['a reply', (lead: Lead) => reply(lead, 'Let me think about it.')],
    ['a colleague’s call', (lead: Lead) => called(lead)],
    ['a colleague’s call to the person', ({ email }: Lead) => shop.post('lead.contacted', { contact: { email } })],
    ['a message of another system', (lead: Lead) => called(lead, { automated: true })],
  ])('%s before it counts moves it, and ends nothing', async (_, act) => {
    const lead = await leadFrom({ agoMs: 23 * hourMs });
    await act(lead);
    await letTimePass(shop, 2 * hourMs);
    expect(await dispatch(lead, 'mark_24h')).toMatchObject({ kind: 'done', note: 'deferred: activity', ended: null });
    await letTimePass(shop, 23 * hourMs);
    await dispatch(lead, 'mark_24h');
    const [only, ...others] = await silencesOf(lead);
    expect(others).toEqual([]);
    expect(only).toMatchObject({ endedAt: null, activatedAt: expect.any(Number) });
    expect(Math.abs((only?.anchorAt ?? 0) - (Date.now() - 25 * hourMs))).toBeLessThan(60_000);
  });

  test('our own message does not: the next stages come', async () => {
    const lead = await silentFor3Days();
    await letTimePass(shop, 4 * dayMs);
    await dispatch(lead, 'mail_7d');
    const row = await open(lead);
    expect(await stepsOf(row?.id ?? '')).toEqual({ mark_24h: 'silent', mail_3d: 'sent', mail_7d: 'sent' });
  });

  test('an automatic reply is nobody’s', async () => {
    const lead = await silentFor3Days();
    await shop.post('message.received', {
      contact: { email: lead.email },
      channel: 'email',
      text: 'I am away.',
      headers: { 'Auto-Submitted': 'auto-replied' },
    });
    expect(await silencesOf(lead)).toHaveLength(1);
    expect((await open(lead))?.endedAt).toBeNull();
  });
});

describe('what ends it', () => {
  test.each([
    ['a reply', 'replied', (lead: Lead) => reply(lead, 'I am still thinking.')],
    ['a colleague’s call', 'contacted', (lead: Lead) => called(lead)],
    ['a message of another system', 'contacted', (lead: Lead) => called(lead, { automated: true })],
    ['another inquiry', 'replied', ({ id, email }: Lead) => shop.post('lead.created', { lead: { id }, contact: { email } })],
  ])('%s ends it at once, and the next silence is counted from there', async (_, reason, act) => {
    const lead = await silentFor3Days();
    expect((await act(lead)).status).toBe(200);
    const [first, second, ...others] = await silencesOf(lead);
    expect(first).toMatchObject({ status: 'EXITED', stopReason: reason });
    expect(others).toEqual([]);
    expect(second).toMatchObject({ endedAt: null, activatedAt: null });
    expect(Math.abs((second?.anchorAt ?? 0) - Date.now())).toBeLessThan(30_000);
  });

  test.each([
    ['an opt-out', 'opted_out', ({ email }: Lead) => shop.post('contact.opted_out', { contact: { email }, channel: 'all' })],
    ['STOP', 'opted_out', (lead: Lead) => reply(lead, 'STOP')],
    [
      'a purchase',
      'purchased',
      ({ email, id }: Lead) => shop.post('order.placed', { order: { id: `o-${id}`, currency: 'EUR', total: '9.00' }, contact: { email } }),
    ],
  ])('%s ends it, and no other is awaited', async (_, reason, act) => {
    const lead = await silentFor3Days();
    await act(lead);
    const rows = await silencesOf(lead);
    expect(rows).toMatchObject([{ stopReason: reason }]);
    expect(await open(lead)).toBeUndefined();
  });

  test('a contact that only a merge brings along ends it before the next message', async () => {
    const lead = await silentFor3Days();
    const { id = '', subjectId = '' } = (await open(lead)) ?? {};
    await inTenant((tx) =>
      tx
        .update(subjects)
        .set({ lastContactAt: Date.now() - dayMs })
        .where(eq(subjects.id, subjectId)),
    );
    await letTimePass(shop, 4 * dayMs);
    expect(await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId: 'mail_7d' })).toMatchObject({
      ended: 'contacted',
    });
    expect((await stepsOf(id))['mail_7d']).toBe('stopped');
  });

  test('a plain no to our message ends it for good, until they ask again', async () => {
    const lead = await silentFor3Days();
    await reply(lead, 'No, thanks!');
    expect(await silencesOf(lead)).toMatchObject([{ stopReason: 'replied' }]);
    await called(lead);
    expect(await silencesOf(lead)).toHaveLength(1);
    await shop.post('lead.created', { lead: { id: lead.id }, contact: { email: lead.email } }, { at: Date.now() + 1_000 });
    expect(await silencesOf(lead)).toHaveLength(2);
  });

  test('a reply from before it ends it too, and the same silence is not had twice', async () => {
    const lead = await silentFor3Days();
    await reply(lead, 'Sent long ago, delivered late.', 10 * dayMs);
    expect(await silencesOf(lead)).toMatchObject([{ stopReason: 'replied' }]);
  });
});

describe('stages', () => {
  test('a lead that is found late enters at its highest stage; earlier ones are not caught up', async () => {
    const lead = await leadFrom({ agoMs: 10 * dayMs });
    for (const step of ['mark_24h', 'mail_3d', 'mail_7d']) await dispatch(lead, step);
    const row = await open(lead);
    expect(await stepsOf(row?.id ?? '')).toEqual({ mark_24h: 'silent', mail_3d: 'too_old', mail_7d: 'sent' });
  });

  test('through all of them, each once', async () => {
    const lead = await silentFor3Days();
    const { id = '' } = (await open(lead)) ?? {};
    for (const [step, days] of [
      ['mail_7d', 4],
      ['mail_14d', 7],
      ['mail_30d', 16],
    ] as const) {
      await letTimePass(shop, days * dayMs);
      await dispatch(lead, step);
      await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId: step });
    }
    expect(await stepsOf(id)).toEqual({ mark_24h: 'silent', mail_3d: 'sent', mail_7d: 'sent', mail_14d: 'sent', mail_30d: 'sent' });
    expect(shop.smtp.accepted.filter((m) => m.envelope.to.includes(lead.email))).toHaveLength(4);
  });

  test('texts vary: nobody gets one again while another is unused', async () => {
    const lead = await silentFor3Days();
    for (let silence = 1; silence < 4; silence++) {
      await reply(lead, 'One moment, please.');
      await letTimePass(shop, 3 * dayMs + 60_000);
      await dispatch(lead, 'mark_24h');
      await dispatch(lead, 'mail_3d');
    }
    const got = [];
    for (const { id } of await silencesOf(lead)) got.push((await shop.ledgerOf(id)).find((m) => m.stepId === 'mail_3d')?.variant);
    expect(new Set(got.slice(0, 2))).toEqual(new Set(['one', 'two']));
    expect(new Set(got.slice(2, 4))).toEqual(new Set(['one', 'two']));
  });

  test('of several leads of one person, the next silence is about the one that they asked about last', async () => {
    const older = await leadFrom({ agoMs: 4 * dayMs });
    const newer = await leadFrom({ agoMs: 3 * dayMs + 60_000, email: older.email });
    await dispatch(newer, 'mark_24h');
    await reply(newer, 'I am back.');
    expect(await open(older)).toBeUndefined();
    expect(await open(newer)).toMatchObject({ activatedAt: null });
  });
});
