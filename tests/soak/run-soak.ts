import { setTimeout as sleep } from 'node:timers/promises';
import { allHasEnded, readEnrollments, readRemains } from './end-state.ts';
import { type Flatness, judgeFlatness } from './flatness.ts';
import { openInstallation } from './installation.ts';
import { type AcceptedMail, startMailRecord } from './mail-record.ts';
import { judge } from './observer.ts';
import { type PlacedCall, startProviderRecord } from './provider-record.ts';
import { startRunClock } from './run-clock.ts';
import { drawSchedule, type ScheduleOptions } from './schedule.ts';
import { type PlannedDelivery, subjectOf } from './shopper.ts';
import { openShop } from './shop.ts';
import { keepErrands, storm } from './storm.ts';
import type { Verdict, Violation } from './verdict.ts';
import { watchVitalSigns } from './vital-signs.ts';
import type { Witnessed } from './witnessed.ts';

export interface SoakOptions extends ScheduleOptions {
  /** Run `dist/`, as production does; else the sources. */
  built: boolean;
  /** How long the rest may take, once shoppers and faults have ended. Milliseconds. */
  drainMs: number;
  say: (line: string) => void;
}

export interface SoakReport {
  seed: number;
  digest: string;
  tookMs: { storm: number; drain: number };
  verdict: Verdict;
  flatness: Flatness;
  witnessed: Witnessed;
  violations: Violation[];
  /** Where the logs of the processes are; null: nothing was wrong, and they are gone. */
  logDir: string | null;
}

// What arrives late would arrive by then.
const quietMs = 3_000;
// So long a call rings.
const ringMs = 1_000;

/** One run: start everything, let shoppers and faults at it, wait until all has ended, judge. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { say, seed } = options;
  const schedule = drawSchedule(options);
  const { shoppers, faults, digest } = schedule;
  say(`seed ${seed}, schedule ${digest}: ${shoppers.length} shoppers and ${faults.length} faults in ${options.forMs / 1_000} s; starting …`);
  const clock = startRunClock();
  const mail = await startMailRecord(clock, readMail);
  const providers = await startProviderRecord(clock, (call) => reportCall(call));
  const { built, timeScale } = options;
  const installation = await openInstallation({ built, smtpUrl: mail.smtpUrl, providersUrl: providers.url, timeScale, clock, log: say });
  const { access, leads, apiPorts, databaseUrl, lives } = installation;
  const shop = openShop({ ports: apiPorts, access, leads, clock });
  const errands = keepErrands();
  const read = new Map<string, number>();
  let keepLogs = true;

  /** Nobody takes a call, which its provider reports a little later. */
  function reportCall(call: PlacedCall): void {
    const happenedAtMs = clock.nowMs();
    const shopper = shoppers.find((s) => s.deliveries.some(({ event }) => 'names' in event && event.names?.phone === call.number));
    const planned: PlannedDelivery = {
      ...{ id: `call-${call.id}`, shopper: shopper?.name ?? 'nobody', store: 'leads', event: { type: 'call.reported', call, to: call.number } },
      ...{ happenedAtMs, sentAtMs: happenedAtMs, againAfterMs: null },
    };
    errands.begin(sleep(ringMs).then(() => shop.deliver(planned)));
  }

  /** Some of those who read an email unsubscribe by its link. */
  function readMail({ subject, to, unsubscribeUrl }: AcceptedMail): void {
    // Two may share an address: it is the cart or lead that says who reads.
    const shopper = shoppers.find((s) => s.deliveries.some(({ event }) => subjectOf(event) === subject));
    if (shopper === undefined) return;
    const number = (read.get(shopper.name) ?? 0) + 1;
    read.set(shopper.name, number);
    const { name, unsubscribe } = shopper;
    if (unsubscribe?.mail === number) errands.begin(sleep(unsubscribe.afterMs).then(() => shop.unsubscribe(name, to, unsubscribeUrl)));
  }

  try {
    await installation.ready();
    const startMs = clock.nowMs();
    say(`everything serves after ${seconds(startMs)}`);
    const vital = watchVitalSigns({ databaseUrl, clock, lives, everyMs: 3_000 });
    const done = await storm({ installation, mail, providers, shop, clock, say }, schedule, options.forMs, errands);
    const stormMs = clock.nowMs() - startMs;
    say(
      `the storm is over after ${seconds(stormMs)}: ${mail.accepted.length} emails, ${providers.accepted.length} texts and calls so far; waiting for the rest …`,
    );
    const patient = () => clock.nowMs() - startMs - stormMs < options.drainMs;
    // Late emails cause late webhooks: both must be done.
    while (patient() && (errands.waiting() > 0 || !(await allHasEnded(installation)))) await sleep(300);
    const drainMs = clock.nowMs() - startMs - stormMs;
    say(`${patient() ? 'all has ended' : 'gave up waiting'} after another ${seconds(drainMs)}`);
    await sleep(quietMs);
    await mail.settled();
    const [remains, enrollments] = [await readRemains(installation), await readEnrollments(installation, clock)];
    await vital.stop();
    shop.close();
    await installation.endProcesses();

    const { deliveries, unsubscribes } = shop;
    const loads = vital.samples.map(({ atMs, loadPerCore }) => ({ atMs, perCore: loadPerCore }));
    const messages = [...mail.accepted, ...providers.accepted];
    const witnessed = { shoppers, deliveries, unsubscribes, messages, enrollments, remains, lives: lives(), faults: done, loads };
    const verdict = judge(witnessed);
    const flatness = judgeFlatness(vital.samples, witnessed.lives);
    const violations = [...verdict.violations, ...notFlat(flatness)];
    keepLogs = violations.length > 0;
    const logDir = keepLogs ? installation.logDir : null;
    return { seed, digest, tookMs: { storm: stormMs, drain: drainMs }, verdict, flatness, witnessed, violations, logDir };
  } finally {
    shop.close();
    await installation.close(keepLogs);
    await Promise.all([mail.close(), providers.close()]);
  }
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(0)} s`;

function notFlat({ processes, sessions }: Flatness): Violation[] {
  const grown = processes
    .filter((p) => !p.flat)
    .map(({ name, livedMs, residentMib: { early, late }, openFiles }) => {
      const files = openFiles === null ? '' : `, open files ${openFiles.early} to ${openFiles.late}`;
      return `${name} grew in ${seconds(livedMs)}: ${early.toFixed(0)} to ${late.toFixed(0)} MiB${files}`;
    });
  const crowded = sessions.most > sessions.bound ? [`${sessions.most} sessions at Postgres, more than ${sessions.bound}`] : [];
  return [...grown, ...crowded].map((text) => ({ kind: 'GROWTH', subject: null, text }));
}
