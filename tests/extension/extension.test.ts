import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { channelContents } from '../../content/channels/index.ts';
import { connections } from '../../db/schema/index.ts';
import { channelNames, channels } from '../../domain/channels/index.ts';
import { subjectKinds, subjectKindsOf } from '../../domain/subjects/index.ts';
import { integrations, registryOf } from '../../integrations/index.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { recoveryWorkflowId } from '../../workflows/contract.ts';
import { ask } from '../api/left-carts.ts';
import { openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { booking } from './booking.ts';
import { flown, loft, pigeon, pigeonContent } from './loft.ts';

// A subject, a channel and a provider that the product does not know, in this folder alone, handed to the registries of the product: from
// the event to the message to the stop, on real Postgres and Temporal.

const sequence = `
sequence: no-show
name: Missed appointments
on: booking.missed
steps:
  - { id: fly, at: 0s, channel: [pigeon, email], content: no-show/fly }
  - { id: write, at: 6h, channel: email, content: no-show/write }
  - { id: again, at: 6d, channel: email, content: no-show/write }
`;
const email = `---
subject: "About your {{ booking.service | default: 'booking' }}"
preheader: We missed you
heading: We missed you
cta: Choose another time
---
Hello.

[booking]
`;

let shop: Shop;
const connectionId = randomUUID();
beforeAll(async () => {
  Object.assign(channels, { pigeon });
  channelNames.push('pigeon' as never);
  Object.assign(channelContents, { pigeon: pigeonContent });
  const subjects = subjectKindsOf([...subjectKinds.all, booking]);
  // A day in two seconds.
  shop = await openShop({ timeScale: 40_000, subjects, integrations: registryOf([...Object.values(integrations), loft]) });
  const { tenantId } = shop.tenant;
  await shop.deps.db.withTenant(tenantId, (tx) =>
    tx.insert(connections).values({
      ...{ tenantId, id: connectionId, integration: 'loft', name: 'The loft' },
      secrets: [shop.deps.sealing.seal('coo')],
      sealedConfig: shop.deps.sealing.seal(JSON.stringify({ roof: 'north' })),
    }),
  );
  const copy = {
    'no-show/fly': { file: 'fly.liquid', text: email },
    'no-show/fly.pigeon': { file: 'fly.pigeon.liquid', text: 'Come another day.' },
    'no-show/write': { file: 'write.liquid', text: email },
  };
  await publishPreset(shop.deps, tenantId, await compilePreset({ file: 'no-show.yaml', yaml: sequence, copy }, subjects));
  await shop.startWorker();
});
afterAll(() => shop.close());

async function report(id: string, what: 'missed' | 'answered', more: Record<string, unknown> = {}): Promise<number> {
  const { statusCode } = await shop.app.inject({
    method: 'POST',
    url: `/api/webhooks/loft/${connectionId}`,
    headers: { 'content-type': 'application/json', 'x-loft-secret': 'coo' },
    payload: JSON.stringify({ id, what, email: `${id}@example.com`, ...more }),
  });
  return statusCode;
}

test('a made-up subject of a made-up provider goes out on a made-up channel and by email, until the guest answers', async () => {
  const id = 'booking-1';
  expect(await report(id, 'missed', { service: 'haircut', page: 'https://salon.example.com/book' })).toBe(200);
  const enrollment = await until('the enrollment', () => shop.enrollmentOf(id));
  expect(enrollment).toMatchObject({ subjectKind: 'booking', segment: 'missed', valueMinor: 7_500, currency: 'EUR' });
  const mail = await shop.smtp.waitForMail((m) => m.envelope.to.includes(`${id}@example.com`));
  expect(flown).toEqual([{ channel: 'pigeon', loft: `${id}@example.com`, scroll: 'Our store: Come another day.' }]);
  expect(mail.raw.toString()).toContain('About your haircut');
  expect((await shop.ledgerOf(enrollment.id)).find((m) => m.stepId === 'fly')).toMatchObject({ state: 'sent', channel: 'pigeon', account: 'north' });

  expect(await report(id, 'answered')).toBe(200);
  expect(await shop.enrollmentOf(id)).toMatchObject({ status: 'EXITED', stopReason: 'replied' });
  const handle = temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'no-show', enrollment.id));
  expect(await handle.result()).toEqual({ reason: 'replied' });
  expect((await handle.describe()).searchAttributes['SubjectKind']).toEqual(['booking']);

  const { body } = await ask(shop, shop.tenant.apiKey, `/api/enrollments/${enrollment.id}/explain`);
  const { enrollment: told, entries } = body as { enrollment: { summary: string; cart: unknown }; entries: { sentence: string }[] };
  const sentences = entries.map((e) => e.sentence);
  expect(sentences).toContain('The booking (EUR 75.00) was missed: the sequence has begun.');
  expect(sentences).toContain('The sequence was stopped: a message came in from the guest’s address or number.');
  expect(told.cart).toBeNull();
  for (const sentence of [...sentences, told.summary]) expect(sentence).not.toMatch(/\bcarts?\b|\bshoppers?\b|abandoned/);
  const figures = (await ask(shop, shop.tenant.apiKey, '/recovery/analytics')).body as { by_subject: Record<string, { messages: unknown[] }> };
  expect(figures.by_subject['booking']?.messages).toMatchObject([
    { channel: 'email', sent: 1 },
    { channel: 'pigeon', sent: 1, open_rate: null },
  ]);
});

test('what its kind calls unfit begins nothing, in words of the kind; a stranger’s report is refused', async () => {
  expect(await report('booking-2', 'missed')).toBe(200);
  const { body } = await ask(shop, shop.tenant.apiKey, '/api/explain?subject_id=booking-2');
  expect(body).toMatchObject({
    subjects_without_sequence: [{ kind: 'booking', sentence: 'No sequence was begun about this booking: nobody knows what was booked.' }],
  });
  const forged = await shop.app.inject({
    method: 'POST',
    url: `/api/webhooks/loft/${connectionId}`,
    headers: { 'x-loft-secret': 'caw' },
    payload: '{}',
  });
  expect(forged.statusCode).toBe(401);
});
