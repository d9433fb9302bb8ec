import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, isOfFarEnd } from './faults.ts';
import type { Installation } from './installation.ts';
import type { MailRecord } from './mail-record.ts';
import type { ProviderRecord } from './provider-record.ts';
import type { RunClock } from './run-clock.ts';
import type { Schedule } from './schedule.ts';
import type { Shop } from './shop.ts';
import type { DoneFault } from './witnessed.ts';

/** Who and what takes part in a run. */
export interface Cast {
  installation: Installation;
  mail: MailRecord;
  providers: ProviderRecord;
  shop: Shop;
  clock: RunClock;
  say: (line: string) => void;
}

/** What the shop has still to do; what is begun is not waited for. */
export interface Errands {
  begin(work: Promise<void>): void;
  waiting(): number;
}

export function keepErrands(): Errands {
  const errands = new Set<Promise<void>>();
  return {
    begin(work) {
      const errand: Promise<void> = work.finally(() => errands.delete(errand));
      errands.add(errand);
    },
    waiting: () => errands.size,
  };
}

/**
 * Let the shoppers of a schedule come, and its faults strike, at their times.
 * @returns what was done to the installation, once all of it has been undone
 */
export async function storm(cast: Cast, schedule: Schedule, forMs: number, errands: Errands): Promise<DoneFault[]> {
  const { clock, shop, installation } = cast;
  const startMs = clock.nowMs();
  const done: DoneFault[] = [];
  const striking = schedule.faults.map(async (fault) => {
    await clock.until(startMs + fault.atMs);
    const fromMs = clock.nowMs();
    cast.say(`${(fromMs / 1_000).toFixed(1).padStart(6)} s  ${fault.kind} ${fault.what}, for ${(fault.forMs / 1_000).toFixed(1)} s`);
    if (await strike(cast, fault)) done.push({ fault, fromMs, toMs: clock.nowMs() });
    else cast.say(`          ${fault.what} does not serve yet and was left alone`);
  });
  for (const planned of schedule.shoppers.flatMap((s) => s.deliveries)) {
    const delivery = { ...planned, happenedAtMs: startMs + planned.happenedAtMs, sentAtMs: startMs + planned.sentAtMs };
    errands.begin(clock.until(delivery.sentAtMs).then(() => shop.deliver(delivery)));
  }
  await Promise.all([clock.until(startMs + forMs), ...striking]);
  await installation.ready();
  return done.sort((a, b) => a.fromMs - b.fromMs);
}

async function strike({ installation, mail, providers }: Cast, fault: Fault): Promise<boolean> {
  if (!isOfFarEnd(fault)) return installation.strike(fault);
  if (fault.kind === 'mail') mail.trouble(fault.what);
  else providers.trouble(fault.what);
  await sleep(fault.forMs);
  (fault.kind === 'mail' ? mail : providers).behave();
  return true;
}
