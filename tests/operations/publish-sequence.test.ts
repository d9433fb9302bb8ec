import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrollments, sequenceVersions } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { provisionTenant } from '../../operations/provision-tenant.ts';
import { loadPresets, presetsFolder, publishPresets } from '../../operations/publish-presets.ts';
import { compilePreset, PresetError, publishPreset } from '../../operations/publish-sequence.ts';
import { restartDemo } from '../../operations/restart-demo.ts';
import { anotherStore } from '../api/left-carts.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const yaml = (text: string) => `
sequence: cart
name: Cart recovery
on: cart.abandoned
quietFor: 1h
stopOn: [purchased, replied, opted_out]
maxAge: 7d
reentry: once-per-subject
goal: { event: order.placed, within: 7d }
steps:
${text}
`;
const versions = () => shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select({ version: sequenceVersions.version }).from(sequenceVersions));

test('an unchanged preset makes no new version, however often and however many processes publish it', async () => {
  const presets = await loadPresets(presetsFolder());
  await Promise.all(Array.from({ length: 5 }, async () => Promise.all(presets.map((p) => publishPreset(shop.deps, shop.tenant.tenantId, p)))));
  expect(await versions()).toEqual(presets.map(() => ({ version: 1 })));
});

test('a changed preset becomes a new version; running enrollments stay on theirs, new ones get it', async () => {
  await shop.post('cart.updated', aCart('cart-old', 'old@example.com'));
  const copy = { 'cart/one': { file: 'sequences/cart/one.liquid', text: await copyText() } };
  const changed = await compilePreset({
    file: 'sequences/cart.yaml',
    yaml: yaml('  - { id: one, at: 3h, channel: email, content: cart/one }'),
    copy,
  });
  expect(await publishPreset(shop.deps, shop.tenant.tenantId, changed)).toBe(2);
  await shop.post('cart.updated', aCart('cart-new', 'new@example.com'));
  const [old, fresh] = [await shop.enrollmentOf('cart-old'), await shop.enrollmentOf('cart-new')];
  expect(old?.versionId).not.toBe(fresh?.versionId);
  await letTimePass(shop, 3.5 * 3_600_000);
  for (const stepId of ['popup_1h', 'email_2h'])
    await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: old?.id ?? '', stepId });
  expect((await shop.ledgerOf(old?.id ?? '')).map((m) => `${m.stepId} ${m.state}`).sort()).toEqual(['email_2h sent', 'popup_1h skipped']);
  await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: fresh?.id ?? '', stepId: 'one' });
  expect((await shop.ledgerOf(fresh?.id ?? '')).map((m) => `${m.stepId} ${m.state}`)).toEqual(['one sent']);
  // Its only step is settled, so the dispatch has closed it.
  expect((await shop.enrollmentOf('cart-new'))?.status).toBe('COMPLETED');
});

test('while an older build runs, stores keep their versions, and a store without any gets the presets', async () => {
  const copy = { 'cart/one': { file: 'sequences/cart/one.liquid', text: await copyText() } };
  const newer = await compilePreset({ file: 'cart.yaml', yaml: yaml('  - { id: one, at: 5h, channel: email, content: cart/one }'), copy });
  const before = await versions();
  const { tenantId } = await provisionTenant(shop.deps, { slug: 'no-sequences', name: 'New', timeScale: 1, synthetic: true, settings: {} });
  const theirs = () => shop.deps.db.withTenant(tenantId, (tx) => tx.select({ version: sequenceVersions.version }).from(sequenceVersions));
  expect(await theirs()).toEqual([]);
  await publishPresets(shop.deps, [newer], { isHeld: true });
  expect(await versions()).toEqual(before);
  expect(await theirs()).toEqual([{ version: 1 }]);
  await publishPresets(shop.deps, [newer]);
  expect(await versions()).toHaveLength(before.length + 1);
  expect(await theirs()).toEqual([{ version: 1 }]);
});

test('a preset with mistakes is refused with file and line, and nothing changes', async () => {
  const before = await versions();
  await expect(
    compilePreset({ file: 'sequences/cart.yaml', yaml: yaml('  - { id: one, at: soon, channel: email, content: cart/one }'), copy: {} }),
  ).rejects.toThrow(PresetError);
  await expect(
    compilePreset({ file: 'sequences/cart.yaml', yaml: yaml('  - { id: one, at: 2h, channel: email, content: cart/nowhere }'), copy: {} }),
  ).rejects.toThrow(/cart\/nowhere/);
  await expect(
    compilePreset({ file: 'sequences/cart.yaml', yaml: yaml('  - { id: one, at: soon, channel: email, content: cart/one }'), copy: {} }),
  ).rejects.toThrow(/cart\.yaml:1\d/);
  expect(await versions()).toEqual(before);
});

test('what the linter says about a new version is logged, once, with its line', async () => {
  const said: unknown[][] = [];
  const log = { ...shop.deps.log, warn: (...words: unknown[]) => void said.push(words) } as typeof shop.deps.log;
  const { tenantId } = await anotherStore(shop, 'linted');
  const copy = { 'cart/one': { file: 'sequences/cart/one.liquid', text: await copyText() } };
  const never = await compilePreset({
    file: 'my-cart.yaml',
    yaml: yaml(
      '  - { id: one, at: 3h, channel: email, content: cart/one }\n  - { id: two, at: 9h, channel: email, content: cart/one, when: replied }',
    ),
    copy,
  });
  for (const _ of [1, 2]) await publishPreset({ ...shop.deps, log }, tenantId, never);
  expect(said.map(([fields, message]) => [(fields as { rule: string }).rule, String(message).split(' ', 1)[0]])).toEqual([
    ['postal_address', 'my-cart.yaml:11:24:'],
    ['unreachable', 'my-cart.yaml:12:59:'],
  ]);
});

test('a demo that starts again ends what it had left behind', async () => {
  await shop.post('cart.updated', aCart('cart-demo', 'demo@example.com'));
  expect(await restartDemo(shop.deps, shop.tenant.tenantId)).toBeGreaterThan(0);
  expect(await shop.enrollmentOf('cart-demo')).toMatchObject({ status: 'EXITED', stopReason: 'demo_restarted' });
  const open = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(enrollments).where(eq(enrollments.status, 'ACTIVE')));
  expect(open).toEqual([]);
});

async function copyText(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(new URL('../../sequences/cart/email_2h.liquid', import.meta.url), 'utf8');
}
