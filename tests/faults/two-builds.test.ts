import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { endProcess } from '../../local/child-process.ts';
import { recoveryWorkflowId } from '../../workflows/contract.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { type Build, type Change, makeBuild } from './builds.ts';

// Workers of this build and of a next one, whose workflow has one more activity before each dispatch, run side by side during an upgrade.

// A worker that keeps no workflow in memory replays each from its history, whichever build wrote it: the worst case.
const forgetful: Change = { file: 'worker/start-worker.ts', from: /maxCachedWorkflows: \d+/g, to: 'maxCachedWorkflows: 0' };
const patchId = 'breathe-before-each-dispatch';
const changed: Change[] = [
  {
    file: 'workflows/recovery.ts',
    from: /const step = (?=\{ \.\.\.ids, stepId: move\.stepId, \.\.\.\(resumedAtMs)/g,
    to: `if (patched('${patchId}')) { await condition(() => ended !== null, 20); if (ended !== null) continue; }
        const step = `,
  },
];

const masterKey = randomBytes(32);
const running = new Set<ChildProcess>();
let shop: Shop;
let oldBuild: Build;
let newBuild: Build;
beforeAll(async () => {
  // An hour in a quarter of a second: emails after 0.5, 6, 12 and 18 s.
  shop = await openShop({ timeScale: 14_400, masterKey });
  [oldBuild, newBuild] = await Promise.all([makeBuild([forgetful]), makeBuild([forgetful, ...changed])]);
});
afterAll(async () => {
  await Promise.all([...running].map((worker) => endProcess(worker, 'SIGKILL', 1_000)));
  await shop.close();
  oldBuild.remove();
  newBuild.remove();
});

async function startWorker(build: Build, holdPatches: boolean): Promise<ChildProcess> {
  const { address, taskQueue } = shop.temporal;
  const databaseUrl = shop.database.url;
  const worker = await build.startWorker({
    databaseUrl,
    masterKey: masterKey.toString('base64'),
    smtpUrl: shop.smtp.url,
    address,
    taskQueue,
    holdPatches,
    presetsFile: inject('presetsFile'),
  });
  running.add(worker);
  return worker;
}
async function endWorker(worker: ChildProcess): Promise<void> {
  expect(await endProcess(worker, 'SIGTERM', 20_000)).toBe('clean');
  running.delete(worker);
}

const stepsTo = (cart: string) =>
  shop.smtp.accepted.filter((m) => m.envelope.to.includes(`${cart}@example.com`)).map((m) => /\.(email_\d+h)@/.exec(m.raw.toString())?.[1]);
const carts = (name: string) => Array.from({ length: 4 }, (_, i) => `${name}-${i}`);
async function begin(names: string[]): Promise<void> {
  for (const cart of names) await shop.post('cart.updated', aCart(cart, `${cart}@example.com`));
  await until(`the first mails to ${names[0]} and others`, () => names.every((cart) => stepsTo(cart).length > 0));
}
async function eventsOf(cart: string) {
  const enrollmentId = (await shop.enrollmentOf(cart))?.id ?? '';
  const handle = temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'cart', enrollmentId));
  return (await handle.fetchHistory()).events ?? [];
}
/** The builds that have worked on a sequence, by the process ids that Temporal noted. */
const workedOn = async (cart: string) =>
  new Set((await eventsOf(cart)).flatMap((e) => e.workflowTaskStartedEventAttributes?.identity?.split('@')[0] ?? []));

test('an upgrade while sequences run: no build fails at what the other wrote, and each email goes out once', async () => {
  const early = carts('early');
  const amid = carts('amid');
  const late = carts('late');
  const yesterday = await startWorker(oldBuild, false);
  await begin(early);

  // Side by side: what is new is held back, because yesterday's build could not replay it.
  const held = await startWorker(newBuild, true);
  await begin(amid);
  const both = [String(yesterday.pid), String(held.pid)].toSorted();
  await until('both builds to have worked on the same sequences', async () => {
    for (const cart of [...early, ...amid]) if ([...(await workedOn(cart))].toSorted().join() === both.join()) return true;
    return false;
  });
  await endWorker(yesterday);

  // No old worker is left, so the change takes effect.
  const tomorrow = await startWorker(newBuild, false);
  await endWorker(held);
  await begin(late);
  const everybody = [...early, ...amid, ...late];
  await until('every sequence to be through', () => everybody.every((cart) => stepsTo(cart).length >= 4));
  await until('every workflow to have ended', async () => {
    for (const cart of everybody) if ((await eventsOf(cart)).at(-1)?.workflowExecutionCompletedEventAttributes == null) return false;
    return true;
  });
  await endWorker(tomorrow);

  for (const cart of everybody) {
    expect(stepsTo(cart), cart).toEqual(['email_2h', 'email_24h', 'email_48h', 'email_72h']);
    const events = await eventsOf(cart);
    expect(
      events.flatMap((e) => e.workflowTaskFailedEventAttributes?.failure?.message ?? []),
      cart,
    ).toEqual([]);
  }
  for (const cart of late) {
    const marked = (await eventsOf(cart)).some((e) => e.markerRecordedEventAttributes?.markerName === 'core_patch');
    expect(marked, `${cart} runs the change`).toBe(true);
  }
}, 480_000);
