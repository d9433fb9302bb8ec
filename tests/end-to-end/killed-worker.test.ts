import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Checkpoint } from '../../operations/deps.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';

const masterKey = randomBytes(32);
let shop: Shop;
let doomed: ChildProcess | null = null;
beforeEach(async () => {
  shop = await openShop({ masterKey, timeScale: 3_600 });
});
afterEach(async () => {
  doomed?.kill('SIGKILL');
  await shop.close();
});

/** Start a worker process that stops for good at a point, wait until it is there, kill it. */
async function killWorkerAt(hangAt: Checkpoint): Promise<void> {
  const config = { databaseUrl: shop.database.url, masterKey: masterKey.toString('base64'), smtpUrl: shop.smtp.url, ...shop.temporal, hangAt };
  const script = fileURLToPath(new URL('../helpers/worker-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(config)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  doomed = child;
  const messages: unknown[] = [];
  child.on('message', (m) => messages.push(m));
  await until('the worker to be ready', () => messages.includes('ready'), 60_000);
  await shop.post('cart.updated', aCart('cart-1', 'ada@example.com'));
  await until(`the worker to reach ${hangAt}`, () => messages.includes(hangAt), 60_000);
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const mails = () => shop.smtp.accepted.filter((m) => m.envelope.to.includes('ada@example.com'));
const stateOf = async (stepId: string) => {
  const enrollment = await shop.enrollmentOf('cart-1');
  return enrollment === null ? null : ((await shop.ledgerOf(enrollment.id)).find((m) => m.stepId === stepId)?.state ?? null);
};

test('killed before the claim: nothing was sent, and the next worker sends once', async () => {
  await killWorkerAt('dispatch.session_open');
  expect(mails()).toHaveLength(0);
  await shop.startWorker();
  await until('the first mail to be sent', async () => (await stateOf('email_2h')) === 'sent', 60_000);
  expect(mails().filter((m) => m.raw.includes('.email_2h@'))).toHaveLength(1);
}, 150_000);

test('killed after the claim, before the call: unknown, never sent', async () => {
  await killWorkerAt('dispatch.claimed');
  await shop.startWorker();
  await until('the row to be unknown', async () => (await stateOf('email_2h')) === 'unknown', 60_000);
  await until('the sequence to go on', async () => (await stateOf('email_24h')) === 'sent', 60_000);
  expect(mails().filter((m) => m.raw.includes('.email_2h@'))).toHaveLength(0);
}, 150_000);

test('killed after the provider accepted: unknown, never sent again', async () => {
  await killWorkerAt('dispatch.called');
  expect(mails()).toHaveLength(1);
  await shop.startWorker();
  await until('the row to be unknown', async () => (await stateOf('email_2h')) === 'unknown', 60_000);
  await until('the sequence to go on', async () => (await stateOf('email_24h')) === 'sent', 60_000);
  expect(mails().filter((m) => m.raw.includes('.email_2h@'))).toHaveLength(1);
}, 150_000);
