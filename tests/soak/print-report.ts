import { figuresOf } from './figures.ts';
import type { SoakReport } from './run-soak.ts';
import { storyOf } from './story.ts';

export function printReport(report: SoakReport): void {
  const figures = figuresOf(report);
  const rows = (title: string, counts: Record<string, number>) => {
    console.log(`\n${title}`);
    for (const [name, n] of Object.entries(counts)) console.log(`  ${String(n).padStart(7)}  ${name}`);
  };
  rows('traffic', figures.traffic);
  rows('what came of the attempts', figures.attempts);
  rows('faults', figures.faults);
  rows('starts of processes', figures.starts);
  rows('carts and leads', figures.subjects);
  rows('messages of their sequences, as the product has them', figures.messages);
  rows('unknown, and whether the far end had accepted it', figures.unknown);
  rows('not sent although the sequence ran to its end', figures.unsent);
  rows('stops', figures.stops);
  rows('workflows', figures.workflows);
  rows('rows left', figures.rows);
  console.log('\nprocesses that lived for more than two minutes, after warm-up and at their end');
  for (const { name, livedMs, residentMib: r, openFiles: f } of figures.processes) {
    const files = f === null ? '' : `   ${f.early} → ${f.late} open files`;
    console.log(`  ${name.padEnd(9)} ${(livedMs / 1_000).toFixed(0).padStart(4)} s   ${r.early.toFixed(0)} → ${r.late.toFixed(0)} MiB${files}`);
  }
  const { most, bound, atEnd } = figures.sessions;
  console.log(`  Postgres sessions: at most ${most} (bound ${bound}), ${atEnd} at the end`);
  const load = figures['load per core'];
  console.log(`  load of the machine, per core: median ${load.median}, at most ${load.most}`);
  rows(
    `seed ${figures.seed}, schedule ${figures.digest}, ${figures.seconds.storm} s and ${figures.seconds.drain} s to the end: violations`,
    figures.violations,
  );
}

const mostStories = 10;

/** Each violation, and everything that is known about its cart or lead. */
export function printViolations({ violations, witnessed, logDir }: SoakReport): void {
  for (const { kind, subject, text } of violations) console.log(`\nVIOLATION ${kind}${subject === null ? '' : ` ${subject}`}: ${text}`);
  const subjects = [...new Set(violations.flatMap((v) => v.subject ?? []))];
  for (const subject of subjects.slice(0, mostStories)) {
    console.log(`\nThe story of ${subject} (seconds of the run)`);
    for (const line of storyOf(witnessed, subject)) console.log(`  ${line}`);
  }
  if (logDir !== null) console.log(`\nThe logs of the processes: ${logDir}`);
}
