import PostalMime from 'postal-mime';
import { asc, eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrollments, subjectKeys } from '../../db/schema/index.ts';
import { recoveryWorkflowId } from '../../workflows/contract.ts';
import { ask } from '../api/left-carts.ts';
import { openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';

// From silence to message to response, on real Postgres, Temporal, SMTP and HTTP: 30 days in nine seconds.

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 300_000 });
  await shop.startWorker({ silentSweep: { most: 100, everySeconds: 1 }, namespaceEveryMs: 500 });
});
afterAll(() => shop.close());

const own = (path: string, method: 'GET' | 'POST' = 'GET') => ask(shop, shop.tenant.apiKey, path, method);
const leadFrom = async (name: string) => {
  const lead = { id: `lead-${name}`, email: `${name}@example.com` };
  const answer = await shop.deliver('lead.created', {
    lead: { id: lead.id, interest: 'a flat with a terrace', area: 'Döbling' },
    contact: { email: lead.email, first_name: 'Ada' },
  });
  expect(answer.status).toBe(200);
  return lead;
};
const silencesOf = ({ id }: { id: string }) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, async (tx) => {
    const rows = await tx
      .select({ row: enrollments })
      .from(enrollments)
      .innerJoin(subjectKeys, eq(subjectKeys.subjectId, enrollments.subjectId))
      .where(eq(subjectKeys.value, id))
      .orderBy(asc(enrollments.id));
    return rows.map(({ row }) => row);
  });
const mailsTo = (email: string) => shop.smtp.accepted.filter((m) => m.envelope.to.includes(email));
const stepsOf = async (id: string) => Object.fromEntries((await shop.ledgerOf(id)).map((m) => [m.stepId, m.skipReason ?? m.state]));

test('a silent lead gets its four messages, one that answers none after its answer, and one that was missed comes with the sweep', async () => {
  await own('/api/sequences/lead-nurture/archive', 'POST');
  const missed = await leadFrom('missed');
  expect(await silencesOf(missed)).toEqual([]);
  expect((await own('/api/sequences/silent-lead/resume', 'POST')).status).toBe(200);
  const [silent, answers] = [await leadFrom('silent'), await leadFrom('answers')];

  await until('the first message', () => mailsTo(answers.email).length > 0);
  const { body: before } = await own(`/api/leads/${(await silencesOf(answers))[0]?.subjectId ?? ''}/abandonment`);
  expect(before).toMatchObject({ reason: 'recovering', abandonment: { bot_type: 'lead', current_stage: expect.stringMatching(/d$/) } });
  const reply = await shop.deliver('message.received', { contact: { email: answers.email }, channel: 'email', text: 'Yes, I am still looking.' });
  expect(reply.status).toBe(200);
  const [first, next] = await silencesOf(answers);
  expect(first).toMatchObject({ status: 'EXITED', stopReason: 'replied' });
  const answered = await stepsOf(first?.id ?? '');
  // On a busy machine the silence after the answer may be long enough already.
  expect(next).toMatchObject({ endedAt: null });
  const handle = temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'silent-lead', first?.id ?? ''));
  expect(await handle.result()).toEqual({ reason: 'replied' });
  // A purchase ends the silence that is awaited, too.
  await shop.deliver('order.placed', { order: { id: 'o-1', currency: 'EUR', total: '1.00' }, contact: { email: answers.email } });
  const sentByThen = mailsTo(answers.email).length;
  // A step whose dispatch was on its way at the answer is settled as stopped.
  const settled = Object.entries(await stepsOf(first?.id ?? ''));
  expect(Object.fromEntries(settled.filter(([step, state]) => step in answered || state !== 'stopped'))).toEqual(answered);

  const done = await until('the end of the silence', async () => (await silencesOf(silent)).find(({ endedAt }) => endedAt !== null));
  expect(done.status).toBe('COMPLETED');
  expect(await stepsOf(done.id)).toEqual({ mark_24h: 'silent', message_3d: 'sent', message_7d: 'sent', message_14d: 'sent', message_30d: 'sent' });
  const mails = await Promise.all(mailsTo(silent.email).map((m) => PostalMime.parse(m.raw)));
  expect(mails).toHaveLength(4);
  for (const { text } of mails) expect(text).toContain('a flat with a terrace');

  const swept = await until('the missed lead', async () => (await silencesOf(missed)).find(({ endedAt }) => endedAt !== null));
  expect(swept.status).toBe('COMPLETED');
  expect(mailsTo(answers.email)).toHaveLength(sentByThen);
});
