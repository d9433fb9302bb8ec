import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aCart, until } from '../helpers/shop.ts';
import { type OwnPostgres, ownPostgres } from '../chaos/own-postgres.ts';
import { openRealShop, type RealShop } from './real-shop.ts';

// A disk of its own for Postgres, in memory: only root may mount one, and a system may forbid it even then.
const disk = mkdtempSync(join(tmpdir(), 'rekindle-disk-'));
const mounted = process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', disk]).status === 0;

let postgres: OwnPostgres | null = null;
let shop: RealShop;
beforeAll(async () => {
  if (!mounted) return;
  postgres = await ownPostgres({ durable: true, within: disk });
  shop = await openRealShop(postgres);
});
afterAll(async () => {
  if (postgres !== null) {
    await shop.close();
    await postgres.remove();
  }
  if (mounted) spawnSync('umount', [disk]);
  rmSync(disk, { recursive: true, force: true });
});

const ballast = join(disk, 'ballast');

/** Write until not even a single block fits any more. */
function fillDisk(): void {
  const file = openSync(ballast, 'a');
  for (const bytes of [1 << 20, 1 << 12]) {
    try {
      for (;;) if (writeSync(file, Buffer.alloc(bytes, 1)) < bytes) break;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    }
  }
  closeSync(file);
}

const firstMailsTo = (cart: string) =>
  shop.smtp.accepted.filter((m) => m.envelope.to.includes(`${cart}@example.com`) && m.raw.includes('.email_2h@')).length;
const stored = async () => (await shop.query<{ dedupe_key: string }>('select dedupe_key from inbox')).map((row) => row.dedupe_key);

test('a full disk is said, accepts nothing that it does not store, and is got over without help', async (context) => {
  if (!mounted) return context.skip('no disk may be mounted here');
  // As root, Postgres may have had to lie elsewhere (local/postgres-place.ts).
  if (existsSync(join(disk, 'postgres/location'))) return context.skip('Postgres does not lie on the small disk');
  expect((await shop.get('/readyz')).status).toBe(200);
  expect((await shop.get('/healthz')).body).toMatchObject({ parts: { postgres: { status: 'ok' } } });
  // Room in the write-ahead log: without it Postgres would end, and this were the test of a crash.
  await shop.query('select pg_switch_wal()');
  await shop.query('checkpoint');

  fillDisk();
  const carts = Array.from({ length: 120 }, (_, i) => `cart-${i}`);
  const deliveries: Promise<unknown>[] = [];
  const next = carts.values();
  await until('the disk to be full', () => {
    const cart = next.next().value;
    if (cart !== undefined) deliveries.push(shop.deliver('cart.updated', aCart(cart, `${cart}@example.com`, { note: 'n'.repeat(2_000) })));
    return shop.tries.some((t) => t.status === 503);
  });
  const begun = carts.slice(0, deliveries.length);
  expect(JSON.parse(shop.tries.find((t) => t.status === 503)?.text ?? '')).toMatchObject({
    status: 503,
    code: 'unavailable',
    detail: expect.stringContaining('cannot store anything'),
  });
  const unready = await until('/readyz to say so', async () => {
    const answer = await shop.get('/readyz');
    return answer.status === 503 ? answer : null;
  });
  expect(unready.body).toMatchObject({ code: 'unavailable', detail: expect.stringContaining('disk is full') });
  // Its answers are kept for a second.
  const health = await until('/healthz to say so', async () => {
    const answer = await shop.get('/healthz');
    return answer.status === 503 ? answer : null;
  });
  expect(health.body).toMatchObject({ status: 'down', parts: { postgres: { status: 'full' }, temporal: { status: 'ok' } } });
  const known = new Set(await stored());
  expect(shop.tries.filter((t) => t.status === 200 && !known.has(t.id))).toEqual([]);
  expect(shop.tries.filter((t) => t.status !== 200 && t.status !== 503)).toEqual([]);

  rmSync(ballast);
  await until('/readyz to be well', async () => (await shop.get('/readyz')).status === 200, 10_000);
  await Promise.all(deliveries);
  expect((await stored()).toSorted()).toEqual([...new Set(shop.tries.map((t) => t.id))].toSorted());
  await until('the first mail of everybody', () => begun.every((cart) => firstMailsTo(cart) > 0));
  expect(begun.filter((cart) => firstMailsTo(cart) !== 1)).toEqual([]);
  expect(shop.alive()).toBe(true);
});
