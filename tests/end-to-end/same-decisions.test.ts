import { eq } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decisions } from '../../db/schema/index.ts';
import type { RehearsalEvent } from '../../domain/rehearsal/events.ts';
import { rehearse } from '../../domain/rehearsal/rehearse.ts';
import { plainSetting } from '../../domain/rehearsal/world.ts';
import { parseSequence } from '../../domain/sequence/parse-sequence.ts';
import type { SequenceDefinition } from '../../domain/sequence/definition.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import { recordEngagement } from '../../operations/record-engagement.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';

// Random histories through the real workflow, Postgres and Temporal, and through a rehearsal: the same decisions. More of them with HISTORIES=100.

const timeScale = 1_800;
const hourMs = 3_600_000 / timeScale;
const people = Number(process.env['HISTORIES'] ?? 12);

let shop: Shop;
beforeAll(async () => {
  // An hour in two seconds.
  shop = await openShop({ timeScale });
  // A worker publishes the presets when it starts.
  await shop.startWorker();
});
afterAll(() => shop.close());

/** Steps four hours apart, so that what happens between them happens well before one and well after the other. */
const sequences = fc
  .record({
    second: fc.constantFrom('', ', when: { not: { clicked: one } }', ', when: { opened: one }', ', when: { not: { opened: one } }'),
    third: fc.constantFrom(
      '',
      ', when: { any: [{ clicked: one }, { clicked: two }] }',
      ', when: { all: [{ opened: one }, { not: { clicked: two } }] }',
    ),
    event: fc.constantFrom('message.opened', 'message.clicked'),
    stopOn: fc.constantFrom('[purchased, opted_out, replied]', '[purchased, opted_out]'),
  })
  .map(
    ({ second, third, event, stopOn }) => `sequence: cart
name: Random
on: cart.abandoned
quietFor: 1h
stopOn: ${stopOn}
steps:
  - { id: one, at: 4h, channel: email, content: cart/one }
  - { id: again, on: { event: ${event}, step: one, within: 12h }, after: 4h, channel: email, content: cart/again }
  - { id: two, at: 12h, channel: email, content: cart/two${second} }
  - { id: mark, at: 16h, channel: none }
  - { id: three, at: 20h, channel: email, content: cart/three${third} }
`,
  );

type Happening = { hours: number; does: 'opened' | 'clicked' | 'order' | 'reply' | 'opt_out' | 'cart'; step: 'one' | 'two' };
/** Halfway between the steps. */
const histories = fc.array(
  fc.record<Happening>({
    hours: fc.constantFrom(2, 6, 10, 14, 18, 22),
    does: fc.constantFrom('opened', 'opened', 'clicked', 'clicked', 'order', 'reply', 'opt_out', 'cart'),
    step: fc.constantFrom('one', 'two'),
  }),
  { maxLength: 3 },
);

const own = <T>(look: (tx: Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0]) => Promise<T>) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, look);

/** Let one thing happen to a person, in the real shop. @returns the event of a rehearsal that stands for it; null: nothing came of it */
async function happen(cart: string, id: string, { does, step }: Happening): Promise<RehearsalEvent | null> {
  const contact = { email: `${cart}@example.com` };
  const atMs = Date.now();
  switch (does) {
    case 'opened':
    case 'clicked': {
      const message = (await shop.ledgerOf(id)).find((m) => m.stepId === step && m.state === 'sent');
      if (message === undefined) return null;
      await recordEngagement(shop.deps, { tenantId: shop.tenant.tenantId, messageId: message.id, type: does, machine: false });
      return { atMs, type: `message.${does}`, step };
    }
    case 'order':
      await shop.deliver('order.placed', { order: { id: `order-${cart}-${atMs}`, currency: 'EUR', total: '129.90' }, cart_id: cart, contact });
      return { atMs, type: 'order.placed', matched: true };
    case 'reply':
      await shop.deliver('message.received', { contact, channel: 'email', text: 'Is it still in stock?' });
      return { atMs, type: 'message.received' };
    case 'opt_out':
      await shop.deliver('contact.opted_out', { contact });
      return { atMs, type: 'contact.opted_out', channel: null };
    case 'cart':
      await shop.deliver('cart.updated', aCart(cart, contact.email), { at: atMs });
      return { atMs, type: 'subject.updated' };
  }
}

interface Lived {
  id: string;
  events: RehearsalEvent[];
}

/** One person's history in the real shop, to its end. */
async function live(cart: string, happenings: readonly Happening[]): Promise<Lived> {
  const startMs = Date.now();
  const events: RehearsalEvent[] = [{ atMs: startMs, type: 'subject.updated' }];
  await shop.deliver('cart.updated', aCart(cart, `${cart}@example.com`), { at: startMs });
  const { id } = await until('the enrollment', () => shop.enrollmentOf(cart));
  for (const one of happenings.toSorted((a, b) => a.hours - b.hours)) {
    await until(`hour ${one.hours}`, () => Date.now() >= startMs + one.hours * hourMs, 120_000);
    const event = await happen(cart, id, one);
    if (event !== null) events.push(event);
  }
  await until('the end', async () => (await shop.enrollmentOf(cart))?.endedAt ?? null, 180_000);
  return { id, events };
}

/** In order of time: `two skip condition`. Not whether a dispatch came a moment early. */
async function decidedIn({ id }: Lived) {
  const rows = await own((tx) => tx.select().from(decisions).where(eq(decisions.enrollmentId, id)));
  return rows
    .filter(({ verdict, reason }) => !(verdict === 'defer' && reason === 'due'))
    .toSorted((a, b) => a.at - b.at)
    .map(({ stepId, verdict, reason }) => `${stepId} ${verdict} ${reason}`);
}

function decidedInRehearsal(definition: SequenceDefinition, { events }: Lived) {
  const { log, finished } = rehearse(definition, events, {
    ...plainSetting,
    timeScale,
    settings: settingsOf({ settings: { quietHours: null, legalHours: false, consentLaw: 'off', caps: [] } }),
  });
  const decided = log.flatMap((entry) => {
    switch (entry.kind) {
      case 'sent':
        return [`${entry.step} send ${entry.channel}`];
      case 'deferred':
        return [`${entry.step} defer ${entry.reason}`];
      case 'skipped':
        return [`${entry.step} skip ${entry.reason}`];
      case 'finished':
        return [];
    }
  });
  return { decided: decided.filter((line) => !line.endsWith(' defer due')), ended: finished?.reason ?? null };
}

/** Whether nothing was so late, or so close to something else, that it may have come after what it was to precede. */
async function wasPunctual({ id, events }: Lived): Promise<boolean> {
  const [first] = events;
  const rows = await shop.ledgerOf(id);
  const lates = rows.map((m) => (m.claimedAt ?? m.settledAt ?? 0) - (m.dueAt ?? 0)).filter((ms) => Number.isFinite(ms));
  const late = events.map(({ atMs }) => (((atMs - (first?.atMs ?? 0)) / hourMs) % 4) - 2);
  // The step after an event falls due as what happens four hours later does.
  const reactsAtMs = events.flatMap(({ type, atMs }) => (type.startsWith('message.') && type !== 'message.received' ? [atMs + 4 * hourMs] : []));
  const apart = events.every(({ atMs }) => reactsAtMs.every((dueMs) => Math.abs(atMs - dueMs) > 1.5 * hourMs));
  return apart && lates.every((ms) => ms < 1.5 * hourMs) && late.slice(1).every((hours) => Math.abs(hours) < 0.7);
}

test('what a rehearsal decides about a random history, the workflow decides too', async () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1_000_000));
  const [yaml = ''] = fc.sample(sequences, { numRuns: 1, seed });
  const stories = fc.sample(histories, { numRuns: people, seed });
  const parsed = parseSequence(yaml);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  await publishYaml(shop, yaml);
  const lived = await Promise.all(stories.map((story, n) => live(`same-${seed}-${n}`, story)));
  let compared = 0;
  for (const [n, one] of lived.entries()) {
    if (!(await wasPunctual(one))) continue;
    compared += 1;
    const { decided, ended } = decidedInRehearsal(parsed.definition, one);
    const about = `SEED=${seed} ${JSON.stringify(stories[n])}\n${yaml}`;
    expect(await decidedIn(one), about).toEqual(decided);
    const row = await shop.enrollmentOf(`same-${seed}-${n}`);
    expect(row?.status === 'COMPLETED' ? 'completed' : row?.stopReason, about).toBe(ended);
  }
  // On a machine that is late with everything nothing can be compared, which shows nothing.
  if (compared === 0) console.warn(`none of ${people} histories was punctual enough to be compared`);
}, 300_000);
