import { afterEach, expect, test } from 'vitest';
import pg from 'pg';
import { erasureWorkflowId, exportWorkflowId, recoveryWorkflowId } from '../../workflows/contract.ts';
import { ask } from '../api/left-carts.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';

// Erasures and exports as workflows, with a worker: docs/rules.md#rule-74

let shop: Shop;
afterEach(() => shop.close());

const own = (path: string, method: 'GET' | 'POST' = 'GET', body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, path, method, body);
const handleOf = (workflowId: string) => temporalClientOf(shop).workflow.getHandle(workflowId);
const stateOf = (workflowId: string) =>
  handleOf(workflowId)
    .describe()
    .then(
      ({ status }) => status.name as string,
      () => 'missing',
    );

test('a person whose sequence sleeps is erased: its workflow ends, its history goes, and the erasure’s own holds ids only', async () => {
  shop = await openShop({ timeScale: 1 });
  const worker = await shop.startWorker();
  const email = 'zebulon@example.com';
  await shop.deliver('cart.updated', {
    ...aCart('cart-1', null),
    contact: { email, phone: '+43660998877665', first_name: 'Vesper', last_name: 'Quill' },
  });
  const { id, contactId } = await until('the enrollment', () => shop.enrollmentOf('cart-1'));
  const sleeping = recoveryWorkflowId(shop.tenant.slug, 'cart', id);
  await until('its workflow to sleep', async () => (await stateOf(sleeping)) === 'RUNNING');
  await handleOf(sleeping).signal('stop', 'manual');
  await until('its end', async () => (await stateOf(sleeping)) === 'COMPLETED');
  await shop.deliver('cart.updated', { ...aCart('cart-2', email) });
  const second = await until('the second enrollment', () => shop.enrollmentOf('cart-2'));
  const asleep = recoveryWorkflowId(shop.tenant.slug, 'cart', second.id);
  await until('the second workflow to sleep', async () => (await stateOf(asleep)) === 'RUNNING');
  // With no worker the request is stored, and carried out when there is one.
  await worker.stop();
  const { status, body } = await own(`/api/contacts/${contactId}/erase`, 'POST', {});
  expect(status).toBe(202);
  const { id: erasureId } = body as { id: string };
  await shop.startWorker();
  const receipt = await until('the receipt', async () => {
    const { body: now } = await own(`/api/erasures/${erasureId}`);
    return (now as { state: string }).state === 'running' ? null : (now as Record<string, unknown>);
  });
  expect(receipt).toMatchObject({ state: 'done', found: [], histories: 2, erased: { contacts: 1, contact_identities: 2 } });
  for (const workflowId of [sleeping, asleep]) await until(`${workflowId} to be forgotten`, async () => (await stateOf(workflowId)) === 'missing');
  const history = await handleOf(erasureWorkflowId(shop.tenant.slug, erasureId)).fetchHistory();
  const stored = JSON.stringify(history.events, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : typeof value === 'bigint' ? String(value) : value,
  );
  expect(stored).toContain(erasureId);
  expect(stored).not.toMatch(/zebulon|vesper|quill|998877665/i);
  const owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  const { rows } = await owner.query('select id from erasures where sealed_traces is not null');
  await owner.end();
  expect(rows).toEqual([]);
});

test('an export is gathered by a workflow that sleeps until it expires', async () => {
  shop = await openShop({ timeScale: 1 });
  await shop.startWorker();
  await shop.deliver('cart.updated', aCart('cart-1', 'zebulon@example.com'));
  const { contactId } = await until('the enrollment', () => shop.enrollmentOf('cart-1'));
  const { body } = await own(`/api/contacts/${contactId}/export`, 'POST');
  const { id } = body as { id: string };
  await until('the export', async () => ((await own(`/api/exports/${id}`)).body as { state: string }).state === 'ready');
  expect((await own(`/api/exports/${id}/document`)).body).toMatchObject({ person: contactId, deliveries: [expect.anything()] });
  expect(await stateOf(exportWorkflowId(shop.tenant.slug, id))).toBe('RUNNING');
});
