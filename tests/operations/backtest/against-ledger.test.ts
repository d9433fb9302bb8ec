import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compilePlan } from '../../../domain/sequence/compile-plan.ts';
import type { SequenceDefinition } from '../../../domain/sequence/definition.ts';
import { nextMove } from '../../../domain/sequence/next-move.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';
import { currentProgress } from '../../../operations/current-progress.ts';
import { closeEnrollment } from '../../../operations/close-enrollment.ts';
import { dispatchStep } from '../../../operations/dispatch-step.ts';
import { runBacktest } from '../../../operations/backtest/run-backtest.ts';
import { asOwner } from '../../helpers/database.ts';
import { publishYaml } from '../../helpers/publish-yaml.ts';
import { aCart, letTimePass, openShop, type Shop } from '../../helpers/shop.ts';

// Random histories run through the operations that dispatch real messages, on real Postgres; a loop around `nextMove` stands for the workflow. Then the
// same version is backtested over the same time, from the stored deliveries alone, and has to come to what the ledger says of every step.
//
// Time passes by moving what is stored into the past, so the hour of the day never changes: quiet hours and windows are compared elsewhere
// (tests/end-to-end/same-decisions.test.ts).

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const yaml = `
sequence: trial
name: Trial
on: cart.abandoned
maxAge: 6d
reentry: { cooldown: 30h }
stopOn: [purchased, opted_out, replied]
steps:
  - { id: first, at: 2h, channel: email, content: trial/first }
  - { id: second, at: 20h, channel: email, content: trial/second, when: { value: { atLeast: 100 } } }
  - { id: third, after: 5h, channel: email, content: trial/third, when: { not: { segment: RETURNING } }, expires: 6h }
  - { id: fourth, at: 3d, channel: [sms, email], content: trial/fourth }
`;
let shop: Shop;
let definition: SequenceDefinition;
beforeAll(async () => {
  shop = await openShop({
    timeScale: 1,
    settings: {
      caps: [
        { channel: null, most: 2, withinHours: 24 },
        { channel: null, most: 3, withinHours: 96 },
      ],
    },
  });
  await publishYaml(shop, yaml);
  await asOwner(shop.database.url, `update sequences set status = 'ARCHIVED' where slug <> 'trial'`);
  const parsed = parseSequence(yaml);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  ({ definition } = parsed);
});
afterAll(() => shop.close());

const people = 3;
/** Something that happens so many hours after what came before it. */
const happening = fc.record({
  does: fc.constantFrom('cart', 'cart', 'cart', 'cart', 'order', 'opt_out', 'opt_in', 'reply'),
  who: fc.nat(people - 1),
  which: fc.nat(2),
  afterHours: fc.constantFrom(0, 0, 1, 3, 11, 19, 30, 49),
  total: fc.constantFrom('40.00', '160.00'),
});
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

const of = (does: Happening['does'], afterHours: number, more: Partial<Happening> = {}): Happening =>
  ({ does, who: 0, which: 1, afterHours, total: '40.00', ...more }) as Happening;
/** Of a cart that is worth too little for the second email, the order names the cart. */
const bought = [of('cart', 0), of('order', 30)];
/** With two carts, one after the other, more is due than the caps allow. */
const capped = [of('cart', 0, { total: '160.00' }), of('cart', 19, { which: 2, total: '160.00' })];

/** Deliveries say when they happened inside of their events, too. */
async function pass(ms: number): Promise<void> {
  await letTimePass(shop, ms);
  await asOwner(
    shop.database.url,
    `update inbox set events = (select jsonb_agg(e || jsonb_build_object('occurredAtMs', (e ->> 'occurredAtMs')::numeric - $1)
       || case when e ? 'cart' then jsonb_build_object('cart', e -> 'cart' || jsonb_build_object('createdAtMs', (e -> 'cart' ->> 'createdAtMs')::numeric - $1))
          else '{}' end order by n)
       from jsonb_array_elements(events) with ordinality as a(e, n)) where events <> '[]'`,
    [ms],
  );
}

interface Open {
  id: string;
  version: number;
}
const rowsOf = async <R extends Record<string, unknown>>(text: string, values: unknown[] = []): Promise<R[]> =>
  (await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.$client.query<R>({ text, values }))).rows;

/** Do what the workflow would do now. @returns whether it did anything, else until when it waits; null: it has ended, or only a signal wakes it */
async function act({ id, version }: Open): Promise<'acted' | number | null> {
  const asked = { tenantId: shop.tenant.tenantId, enrollmentId: id };
  const current = await currentProgress(shop.deps, { ...asked, version });
  if (current === null || current.ended !== null) return null;
  const move = nextMove(compilePlan(definition, version, 1), current.progress, Date.now());
  if (move.kind === 'wait') return move.untilMs;
  if (move.kind === 'finish') await closeEnrollment(shop.deps, { ...asked, reason: move.reason, note: null });
  else if (move.kind === 'dispatch') await dispatchStep(shop.deps, { ...asked, stepId: move.stepId });
  else return null;
  return 'acted';
}

/** Let so long pass, with every step dispatched when it is due. */
async function runFor(ms: number): Promise<void> {
  for (let leftMs = ms, turns = 0; turns < 500; turns++) {
    const open = await rowsOf<Open & Record<string, unknown>>(
      'select e.id, v.version from enrollments e join sequence_versions v on v.id = e.version_id where e.ended_at is null order by e.id',
    );
    const acts = [];
    for (const one of open) acts.push(await act(one));
    if (acts.includes('acted')) continue;
    const waitMs = Math.max(0, Math.min(...acts.filter((it) => typeof it === 'number')) - Date.now());
    if (waitMs >= leftMs) {
      await pass(leftMs);
      return;
    }
    await pass(waitMs);
    leftMs -= waitMs;
  }
  throw new Error('the rules make no progress');
}

const emailOf = (run: string, who: number) => `${run}-${who}@example.com`;
async function happens(run: string, { does, who, which, total }: Happening, index: number): Promise<void> {
  const contact = { email: emailOf(run, who) };
  const cart = `${run}-${who}-${which}`;
  const told = {
    cart: () => shop.post('cart.updated', aCart(cart, contact.email, { total })),
    order: () =>
      shop.post('order.placed', { order: { id: `${run}-o${index}`, currency: 'EUR', total, ...(which === 0 ? {} : { cart_id: cart }) }, contact }),
    opt_out: () => shop.post('contact.opted_out', { contact, channel: which === 0 ? 'email' : 'all' }),
    opt_in: () => shop.post('contact.opted_in', { contact, channel: 'email' }),
    reply: () => shop.post('message.received', { contact, channel: 'email', text: 'Is it still in stock?' }),
  };
  expect(await told[does](), does).toMatchObject({ status: 200 });
}

/** By person, their enrollments in order, with what became of each step and how they ended. */
type Outcome = Record<string, { finished: string | null; steps: string[] }[]>;

async function byLedger(run: string): Promise<Outcome> {
  const rows = await rowsOf<{ person: string; finished: string | null; steps: string[] }>(
    `select c.person_id as person, case when e.ended_at is null then null else coalesce(e.stop_reason, 'completed') end as finished,
       (select coalesce(array_agg(m.step_id || ' ' || case when m.state = 'skipped' then m.skip_reason else m.state || ' ' || m.channel end
          order by m.settled_at, m.step_id), '{}') from messages m where m.enrollment_id = e.id) as steps
     from enrollments e join contacts c on c.id = e.contact_id
     where exists (select from contact_identities i join contacts d on d.id = i.contact_id where d.person_id = c.person_id and i.value like $1)
     order by e.enrolled_at, e.id`,
    [`${run}-%`],
  );
  const outcome: Outcome = {};
  for (const { person, finished, steps } of rows) (outcome[person] ??= []).push({ finished, steps });
  return outcome;
}

async function byBacktest(wanted: readonly string[]): Promise<Outcome> {
  const outcome: Outcome = {};
  const [version] = await rowsOf<{ version: number; content: Record<string, unknown> }>(
    `select v.version, v.content from sequence_versions v join sequences s on s.current_version_id = v.id where s.slug = 'trial'`,
  );
  if (version === undefined) throw new Error('the sequence was not published');
  await runBacktest(shop.deps, {
    tenantId: shop.tenant.tenantId,
    tried: { ...version, definition },
    days: 60,
    prices: null,
    onProgress: () => undefined,
    onReplayed: (person, { enrollments }) => {
      if (!wanted.includes(person) || enrollments.length === 0) return;
      outcome[person] = enrollments.map(({ finished, log }) => ({
        finished,
        steps: log.flatMap((entry) =>
          entry.kind === 'deferred' ? [] : [entry.kind === 'sent' ? `${entry.step} sent ${entry.channel}` : `${entry.step} ${entry.reason}`],
        ),
      }));
    },
  });
  return outcome;
}

test('a backtest decides for every step what the ledger says', async () => {
  let runs = 0;
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 4, maxLength: 9 }), fc.constantFrom(0, 1, 5), async (happenings, restDays) => {
      const run = `history-${++runs}`;
      let atMs = 0;
      for (const [index, it] of happenings.entries()) {
        // Each at minutes of its own, so that no event and no step that counts from another one fall into the same moment.
        const nextMs = (Math.floor(atMs / hour) + it.afterHours) * hour + (index + 1) * 3 * minute;
        await runFor(nextMs - atMs);
        atMs = nextMs;
        await happens(run, it, index);
      }
      await runFor(restDays * day + hour + 31 * minute);
      const expected = await byLedger(run);
      expect(await byBacktest(Object.keys(expected))).toEqual(expected);
      for (const { finished, steps } of Object.values(expected).flat()) for (const it of [`end ${finished}`, ...steps]) seen.add(it);
      // The next history is about other people.
      await asOwner(
        shop.database.url,
        `update enrollments set ended_at = clock_timestamp(), status = 'EXITED', stop_reason = 'manual' where ended_at is null`,
      );
    }),
    {
      numRuns: Number(process.env['RUNS'] ?? 5),
      endOnFailure: true,
      examples: [
        [bought, 0],
        [capped, 1],
      ],
    },
  );
  // A test that never saw a purchase, a cap or a condition would say little.
  for (const it of ['end purchased', 'second condition', 'third capped', 'second sent email']) expect([...seen]).toContain(it);
});
