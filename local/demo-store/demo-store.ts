import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { leadNumber } from './lead.ts';
import { MailReader } from './mail-reader.ts';
import { ShopEvents, type ShopTargets } from './shop-events.ts';
import { shopperNumber } from './shopper.ts';
import { inquire, visit } from './visit.ts';

export interface DemoStore {
  stop(): Promise<void>;
}

const pollMs = 500;
const lively = { everyMs: 4_000, forMs: 3 * 60_000 };
// Later the pace drops, so that a demo left running for a week does not fill the disk.
const calmEveryMs = 20_000;
const mostAtOnce = 40;
/** Every n-th visitor fills in the form instead of a cart. */
const leadEvery = 4;

/**
 * Synthetic shoppers, one every few seconds, who shop by real webhooks and read real emails; some of them fill in a form instead.
 * @param timeScale - of the demo tenant; the shoppers live at its pace
 * @param say - called once when something keeps them from shopping, and once when they continue
 */
export function startDemoStore(options: {
  targets: ShopTargets;
  apiUrl: string;
  publicUrl: string;
  shopUrl: string;
  mailboxUrl: string;
  timeScale: number;
  say: (line: string) => void;
}): DemoStore {
  const stopping = new AbortController();
  const { signal } = stopping;
  // Each shopper listens for it with what they are waiting for.
  setMaxListeners(4 * mostAtOnce, signal);
  const mails = new MailReader(options.mailboxUrl);
  const shop = new ShopEvents(options.targets, options.shopUrl, signal);
  const deps = { shop, mails, hourMs: 3_600_000 / options.timeScale, publicUrl: options.publicUrl, apiUrl: options.apiUrl, signal };
  const run = Date.now().toString(36).slice(-5);
  const active = new Set<Promise<void>>();
  let troubled = false;

  function report(error: unknown): void {
    if (signal.aborted || troubled) return;
    troubled = true;
    options.say(`The demo store has trouble: ${error instanceof Error ? error.message : String(error)}. It goes on trying.`);
  }

  function welcome(number: number): void {
    const asks = number % leadEvery === leadEvery - 2;
    const shopping: Promise<void> = (asks ? inquire(leadNumber(Math.floor(number / leadEvery), run), deps) : visit(shopperNumber(number, run), deps))
      .then(() => {
        if (troubled && !signal.aborted) options.say('The demo store shops again.');
        troubled = false;
      }, report)
      .finally(() => active.delete(shopping));
    active.add(shopping);
  }

  const startedMs = performance.now();
  const arrivals = untilStopped(signal, async (round) => {
    if (active.size < mostAtOnce) welcome(round);
    return performance.now() - startedMs < lively.forMs ? lively.everyMs : calmEveryMs;
  });
  const reading = untilStopped(signal, async () => {
    await mails.poll().catch(report);
    return pollMs;
  });
  return {
    async stop() {
      stopping.abort();
      await Promise.all([arrivals, reading, ...active]);
    },
  };
}

/** Do something again and again; it says how long to wait before the next time. */
async function untilStopped(signal: AbortSignal, round: (number: number) => Promise<number>): Promise<void> {
  for (let number = 0; !signal.aborted; number += 1) {
    const waitMs = await round(number);
    await sleep(waitMs, undefined, { signal }).catch(() => {});
  }
}
