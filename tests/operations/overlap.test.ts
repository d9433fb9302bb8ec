import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseSequence } from '../../domain/sequence/parse-sequence.ts';
import { routingPass } from '../../operations/campaigns/route-leads.ts';
import { ask } from '../api/left-carts.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

// Whether somebody may be in the sequences of two campaigns at once (docs/rules.md#rule-78).

const sequenceOf = (name: string, overlap: string) => `sequence: ${name}
name: ${name}
on: manual
about: lead
overlap: ${overlap}
steps:
  - { id: hello, at: 1h, channel: email, content: ${name}/hello }
  - { id: again, at: 2d, channel: email, content: ${name}/again }
`;
const names = { alone: 'alone', aside: 'aside', open: 'open', free: 'free' };

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  for (const name of [names.alone, names.aside]) await publishYaml(shop, sequenceOf(name, 'refuse'));
  // What begins by itself is no campaign's.
  await api('/api/sequences/lead-nurture/archive', 'POST');
  for (const name of [names.open, names.free]) await publishYaml(shop, sequenceOf(name, 'allow'));
});
afterAll(() => shop.close());

const api = async (path: string, method: string, body?: Record<string, unknown>) => {
  const answer = await ask(shop, shop.tenant.apiKey, path, method as 'GET', body);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body as { id: string; reason: string | null };
};
let made = 0;
const campaign = (sequence: string, source: string) =>
  api('/api/campaigns', 'POST', { name: `Campaign ${++made}`, autoAssign: { sources: [source] }, sequence });
const end = (...all: { id: string }[]) => Promise.all(all.map(({ id }) => api(`/api/campaigns/${id}`, 'PATCH', { status: 'ENDED' })));
const lead = (id: string, source: string, contact: Record<string, unknown>) => shop.post('lead.created', { lead: { id, source }, contact });
async function route(): Promise<void> {
  while (await routingPass(shop.deps));
}
const query = async <R extends Record<string, unknown>>(text: ReturnType<typeof sql>) =>
  (await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.execute<R>(text))).rows;
/** In which sequences somebody is, and why not in others. */
async function stands(key: string) {
  const [found] = await query<{ runs: string[]; kept: string[]; lead: string }>(sql`
    select k.subject_id as lead,
      (select coalesce(array_agg(q.slug order by q.slug), '{}') from enrollments e join sequences q on q.id = e.sequence_id
        where e.subject_id = k.subject_id and e.ended_at is null) as runs,
      (select coalesce(array_agg(l.reason order by l.reason), '{}') from campaign_leads l where l.subject_id = k.subject_id and l.reason is not null) as kept
    from subject_keys k where k.value = ${key}`);
  return found ?? { runs: [], kept: [], lead: '' };
}

test('of two campaigns that take a new lead both begin, unless one of their sequences wants to be alone', async () => {
  for (const [first, second, expected] of [
    ['open', 'free', { runs: ['free', 'open'], kept: [] }],
    ['open', 'alone', { runs: ['open'], kept: ['another_campaign'] }],
    ['alone', 'open', { runs: ['alone'], kept: ['another_campaign'] }],
    ['alone', 'aside', { runs: ['alone'], kept: ['another_campaign'] }],
    // One sequence in two campaigns begins once, whatever it says.
    ['open', 'open', { runs: ['open'], kept: ['already_running'] }],
  ] as const) {
    const source = `${first} and ${second}`;
    const both = [await campaign(first, source), await campaign(second, source)];
    await lead(source, source, { email: `${first}-${second}@example.com` });
    await route();
    expect(await stands(source), source).toMatchObject(expected);
    await end(...both);
  }
});

test('whom another campaign has is taken in by hand once that one is done', async () => {
  const [one, other] = [await campaign('open', 'ads'), await campaign('alone', 'none')];
  await lead('later', 'ads', { email: 'later@example.com' });
  await route();
  const { lead: id } = await stands('later');
  expect(await api(`/api/campaigns/${other.id}/leads`, 'POST', { lead: id })).toMatchObject({ reason: 'another_campaign' });
  // Of the same campaign nothing stands in the way: what it was begun for runs already.
  expect(await api(`/api/campaigns/${one.id}/leads`, 'POST', { lead: id })).toMatchObject({ reason: 'already_running' });
  const [run] = await query<{ id: string }>(sql`select id from enrollments where subject_id = ${id} and ended_at is null`);
  await api(`/api/enrollments/${run?.id ?? ''}/stop`, 'POST', { reason: 'moved to another campaign' });
  expect(await api(`/api/campaigns/${other.id}/leads`, 'POST', { lead: id })).toMatchObject({ reason: null });
  expect((await stands('later')).runs).toEqual(['alone']);
  await end(one, other);
});

test('two people who turn out to be one keep the conversation about the lead that was active last', async () => {
  const [one, other] = [await campaign('alone', 'first'), await campaign('open', 'second')];
  await lead('older', 'first', { email: 'older@example.com' });
  await lead('newer', 'second', { email: 'newer@example.com' });
  await route();
  expect([await stands('older'), await stands('newer')]).toMatchObject([{ runs: ['alone'] }, { runs: ['open'] }]);
  for (const email of ['older@example.com', 'newer@example.com']) await shop.post('contact.updated', { contact: { id: 'same', email } });
  expect([await stands('older'), await stands('newer')]).toMatchObject([{ runs: [] }, { runs: ['open'] }]);
  const [ended] = await query(
    sql`select e.stop_reason from enrollments e join subject_keys k on k.subject_id = e.subject_id where k.value = 'older'`,
  );
  expect(ended).toEqual({ stop_reason: 'superseded' });
  await end(one, other);
});

test('leads, entries by hand, stops and merges in any order: nobody is in what may not overlap', async () => {
  const step = fc.record({
    does: fc.constantFrom('lead', 'lead', 'route', 'enter', 'merge', 'stop'),
    who: fc.nat(2),
    at: fc.nat(3),
  });
  const taken = Object.values(names);
  let runs = 0;
  let beside = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 16 }), async (steps) => {
      const run = `overlap-${++runs}`;
      const all = [];
      for (const [index, sequence] of taken.entries()) all.push(await campaign(sequence, `${run} ${index % 2}`));
      for (const { does, who, at } of steps) {
        const email = `${run}-${who}@example.com`;
        const { lead: id } = await stands(`${run}-${who}`);
        if (does === 'lead') await lead(`${run}-${who}`, `${run} ${at % 2}`, { email });
        else if (does === 'route') await route();
        else if (does === 'merge') await shop.post('contact.updated', { contact: { id: `${run}-same`, email } });
        else if (does === 'enter' && id !== '') await api(`/api/campaigns/${all[at]?.id ?? ''}/leads`, 'POST', { lead: id });
        else if (does === 'stop' && id !== '') {
          const [open] = await query<{ id: string }>(sql`select id from enrollments where subject_id = ${id} and ended_at is null limit 1`);
          if (open !== undefined) await api(`/api/enrollments/${open.id}/stop`, 'POST', { reason: 'by chance' });
        }
      }
      await route();
      const pairs = await query<{ one: string; other: string }>(sql`
        select q.slug as one, p.slug as other
        from enrollments e join contacts c on c.id = e.contact_id join sequences q on q.id = e.sequence_id
          join contacts d on d.person_id = c.person_id join enrollments f on f.contact_id = d.id and f.id > e.id join sequences p on p.id = f.sequence_id
        where e.ended_at is null and f.ended_at is null and e.campaign_id <> f.campaign_id`);
      beside += pairs.length;
      for (const pair of pairs) expect([names.open, names.free]).toEqual(expect.arrayContaining([pair.one, pair.other]));
      await end(...all);
      // Who is in an ended campaign leaves at the next decision, which comes in this test for nobody.
      for (const { id } of await query<{ id: string }>(sql`select id from enrollments where ended_at is null`))
        await api(`/api/enrollments/${id}/stop`, 'POST', { reason: 'the next history' });
    }),
    // What may overlap does: without this history the test might have seen nothing at all.
    { numRuns: 15, examples: [[['lead', 'route', 'enter', 'enter'].map((does, at) => ({ does, who: 0, at: at === 3 ? 2 : 3 }))]] },
  );
  expect(beside).toBeGreaterThan(0);
});

test('a sequence that is not about leads is told that campaigns have none of it', () => {
  const parsed = parseSequence(sequenceOf('carts', 'refuse').replace('about: lead', 'about: cart'));
  expect(parsed).toMatchObject({ ok: false, errors: [{ message: expect.stringContaining('campaigns have leads alone') }] });
});
