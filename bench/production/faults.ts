import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { budgeted, type Figure, known, type Measured, until } from '../measure.ts';
import { allEnded } from '../recovery.ts';
import { type Account, type Promised, settleAccounts, type TakenMail } from './account.ts';
import { type Load, runShop } from './busy-shop.ts';
import { dipOf, type Happening, usualMs } from './dip.ts';
import { ledgerOf, settled, stillRunning } from './ledger.ts';
import type { Part } from './part.ts';
import { cartPreset, tenantWith } from './tenant.ts';
import type { Topology } from './topology.ts';

/** An hour of the plan in a second: the cart sequence takes 72 s, and a cart is too old for it after 168 s, which is longer than any fault here. */
const timeScale = 3_600;
/** What a supervisor waits before it starts a process again. */
const restartAfterMs = 3_000;

/** Of one answer of the mail server; a provider takes its time, so that a killed worker has calls in hand. */
const byteDelayMs = 10;

interface Fault {
  part: Part;
  /** Share of the load's time that has passed. */
  at: number;
}

/**
 * Carts flow through the product's own cart sequence, half of them end by a purchase, a reply or an opt-out on the way, and one
 * process of each kind, of Temporal's services too where they are apart, is killed and started again. Counted at the end from outside: the shop's answers and the mail server's record.
 */
export async function measureFaults(topology: Topology, client: Client, load: Load): Promise<Measured & { violations: string[] }> {
  const { balancer, deps, smtp, temporal } = topology;
  const preset = await cartPreset();
  const tenant = await tenantWith(deps, 'bench-faults', timeScale, preset);
  const mailSteps = preset.definition.steps.filter((step) => step.channels.includes('email'));
  const victims = [...topology.apis.slice(0, 1), ...topology.workers.slice(0, 1), ...temporal.oneOfEach];
  const faults = victims.map((part, index): Fault => ({ part, at: 0.15 + (0.6 * index) / (victims.length - 1) }));

  smtp.accepted.length = 0;
  smtp.always({ at: 'dot', act: 'pass', byteDelayMs });
  const shop = runShop(balancer, tenant, load);
  const faultTimesMs = await strike(faults, load);
  const { carts, deliveries } = await shop;
  load.log(`${carts.length} carts posted; waiting for their ends …`);
  const acknowledged = carts.filter((cart) => cart.ackedAtMs !== null).length;
  // What has not ended by then shows in the account.
  await allEnded(deps, tenant.tenantId, acknowledged).catch(() => undefined);
  await until('no call to be open', async () => (await ledgerOf(deps, tenant)).every(settled), 60_000, 500).catch(() => undefined);
  const running = await stillRunning(client, tenant);

  const mails = smtp.accepted.map(({ envelope, raw, atMs }): TakenMail => ({ to: envelope.to[0] ?? '', stepId: stepOf(raw), atMs }));
  const promised: Promised = {
    dueAfterMs: new Map(mailSteps.map((step) => [step.id, step.due.delayMs / timeScale])),
    // The shortest life of a step (docs/rules.md#rule-5).
    lifeMs: 120_000,
    maxAgeMs: preset.definition.maxAgeMs / timeScale,
  };
  const account = settleAccounts(carts, mails, await ledgerOf(deps, tenant), promised);
  account.stuck.push(...running.map((id) => `${id}: its workflow has not ended`));
  const ended = [...topology.apis, ...topology.workers, ...temporal.nodes].filter((part) => part.pid === null);

  const postedAtMs = new Map(carts.map((cart) => [cart.email, cart.postedAtMs]));
  const due = mails.map(({ to, stepId, atMs }): Happening => {
    const shouldAtMs = (postedAtMs.get(to) ?? atMs) + (promised.dueAfterMs.get(stepId) ?? 0);
    return { shouldAtMs, tookMs: atMs - shouldAtMs };
  });
  const answers = deliveries.map(({ ackedAtMs, latencyMs }): Happening => ({ shouldAtMs: ackedAtMs - latencyMs, tookMs: latencyMs }));
  return {
    figures: [known('faults_carts_acknowledged', acknowledged, 'carts'), known('faults_mails', mails.length, 'mails'), ...figuresOf(account, ended)],
    tables: [dipTable(faults, faultTimesMs, answers, due)],
    notes: [
      `${carts.filter((cart) => cart.stop !== null).length} stops; ${deliveries.filter((d) => d.attempts > 1).length} events were posted more than once; ${carts.length - acknowledged} carts were never answered`,
    ],
    violations: [
      ...account.lost,
      ...account.duplicates,
      ...account.afterStop,
      ...account.unaccounted,
      ...account.stuck,
      ...ended.map(({ name }) => `${name} ended by itself`),
    ],
  };
}

/**
 * Kill each part at its time, right after a burst began, and start it again, as a supervisor would.
 * @returns when each was killed, epoch milliseconds
 */
async function strike(faults: readonly Fault[], { seconds, log }: Load): Promise<number[]> {
  const startMs = Date.now();
  const timesMs: number[] = [];
  for (const { part, at } of faults) {
    const second = Math.max(Math.round(at * seconds), Math.ceil((Date.now() - startMs) / 1_000));
    await sleep(startMs + second * 1_000 + 10 - Date.now());
    timesMs.push(Date.now());
    part.kill();
    log(`${part.name} killed`);
    await sleep(restartAfterMs);
    await part.start();
    log(`${part.name} runs again after ${((Date.now() - (timesMs.at(-1) ?? 0)) / 1_000).toFixed(1)} s`);
  }
  return timesMs;
}

/** The send key stands in the Message-ID: `<enrollment.step@…>`. */
function stepOf(raw: Buffer): string {
  return /^Message-ID:\s+<[\w-]+\.(\w+)@/im.exec(raw.toString('latin1'))?.[1] ?? 'without a Message-ID';
}

function figuresOf(account: Account, ended: Part[]): Figure[] {
  const none = (name: string, found: unknown[]) => budgeted(name, found.length, '', '0, guaranteed', (n) => n === 0);
  return [
    none('faults_carts_lost', account.lost),
    none('faults_sent_twice', account.duplicates),
    none('faults_sent_after_stop', account.afterStop),
    none('faults_steps_unaccounted', account.unaccounted),
    none('faults_stuck', account.stuck),
    none('faults_processes_ended', ended),
    // One worker of two was killed: it had at most its activity slots in hand.
    budgeted('faults_steps_unknown', account.unknown, '', '<= 40: in hand of the killed worker, never sent again', (n) => n <= 40),
    known('faults_steps_too_late', account.tooLate, ''),
  ];
}

function dipTable(faults: readonly Fault[], timesMs: readonly number[], answers: readonly Happening[], due: readonly Happening[]) {
  const firstMs = timesMs[0] ?? 0;
  const limits = { answers: usualMs(answers, firstMs), due: usualMs(due, firstMs) };
  const seconds = (ms: number) => (ms / 1_000).toFixed(1);
  return {
    title: `Dips: events answered later than ${seconds(limits.answers)} s (repeats included), emails taken later than ${seconds(limits.due)} s after they were due`,
    columns: ['Killed', 'Late answers', 'worst, s', 'over after, s', 'Late emails', 'worst, s', 'over after, s'],
    rows: faults.map(({ part }, index) => {
      const [a, m] = [dipOf(answers, timesMs, index, limits.answers), dipOf(due, timesMs, index, limits.due)];
      return [part.name, a.late, seconds(a.worstMs), seconds(a.overAfterMs), m.late, seconds(m.worstMs), seconds(m.overAfterMs)];
    }),
  };
}
