import type { ProofReport, Violation } from './run-proof.ts';

/** The seed, what was violated, and everything that happened in the history, in order. */
export function printViolation(seed: number, { index, violations, trace }: Violation): void {
  console.log(`\nVIOLATION in history ${index} (npm run proof -- --seed ${seed} --history ${index})`);
  for (const line of violations) console.log(`  ${line}`);
  for (const line of trace) console.log(`    ${line}`);
}

export function printReport(report: ProofReport): void {
  const rows = (title: string, counts: Record<string, number>) => {
    console.log(`\n${title}`);
    for (const [name, count] of Object.entries(counts))
      console.log(`  ${String(count).padStart(8)}  ${/^[a-z_]+$/.test(name) ? name.replaceAll('_', ' ') : name}`);
  };
  const perSecond = (report.histories / (report.tookMs / 1_000)).toFixed(1);
  console.log(`\n${report.histories} histories in ${(report.tookMs / 1_000).toFixed(0)} s (${perSecond} a second), seed ${report.seed}`);
  rows('what happened', { ...report.counts });
  rows('steps at the end', report.ends);
  rows('answers to stops, and the calls they met', report.waits);
  if (Object.keys(report.surprises).length > 0) rows('errors that nothing done to the process explains', report.surprises);
  console.log(`\nviolations: ${report.violations.length}`);
}
