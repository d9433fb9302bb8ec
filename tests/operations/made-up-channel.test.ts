import { afterAll, beforeAll, expect, test } from 'vitest';
import { channelContents } from '../../content/channels/index.ts';
import { channelNames, channels, type MessagePayload } from '../../domain/channels/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { flown, pigeon, pigeonContent, pigeonSender } from '../extension/loft.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// A channel that the product does not know, handed to its registries: dispatch, composing and refusals work on it as on any other.

let refuses = false;
const sender = pigeonSender('roof', () =>
  refuses ? { kind: 'refused', severity: 'hard', response: 'no such loft' } : { kind: 'accepted', providerMessageId: null, response: 'landed' },
);

let shop: Shop;
beforeAll(async () => {
  Object.assign(channels, { pigeon });
  channelNames.push('pigeon' as never);
  Object.assign(channelContents, { pigeon: pigeonContent });
  shop = await openShop({ timeScale: 1, moreSenders: [sender] });
  const yaml = `
sequence: cart
name: By air
on: cart.abandoned
quietFor: 1h
maxAge: 7d
steps:
  - { id: fly, at: 2h, channel: [pigeon, email], content: cart/fly }
`;
  const email = '---\nsubject: Your cart\npreheader: It waits\nheading: Your cart\ncta: Back to it\n---\nHello.\n\n[cart]\n';
  const copy = { 'cart/fly': { file: 'fly.liquid', text: email }, 'cart/fly.pigeon': { file: 'fly.pigeon.liquid', text: 'Come back.' } };
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: 'air.yaml', yaml, copy }));
});
afterAll(() => shop.close());

async function dispatch(cart: string, email: string): Promise<MessagePayload | null | undefined> {
  await shop.post('cart.updated', aCart(cart, email));
  const enrollment = await shop.enrollmentOf(cart);
  if (enrollment === null) throw new Error('no enrollment');
  await letTimePass(shop, 2 * 3_600_000 + 1_000);
  await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: enrollment.id, stepId: 'fly' });
  return (await shop.ledgerOf(enrollment.id)).find((m) => m.stepId === 'fly')?.payload;
}

test('a step goes out on it, composed by its own content', async () => {
  expect(await dispatch('cart-1', 'ada@example.com')).toEqual({ channel: 'pigeon', loft: 'ada@example.com', scroll: 'Our store: Come back.' });
  expect(flown).toHaveLength(1);
});

test('where it refuses for good, the next channel goes out, and the address stays open for that one', async () => {
  refuses = true;
  expect(await dispatch('cart-2', 'grace@example.com')).toMatchObject({ channel: 'email', to: { address: 'grace@example.com' } });
  expect(shop.smtp.accepted.filter((m) => m.envelope.to.includes('grace@example.com'))).toHaveLength(1);
});
