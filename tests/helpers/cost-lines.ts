/**
 * What the whole suite may take of the processors, in seconds: eleven minutes of the two that CI has. Processor time and not the clock's: a busy machine
 * takes longer, and is nobody's fault.
 */
const wholeBudget = 1_320;
/** What one file may take. Whoever needs more has a command of their own that runs the whole, and a short run here. */
const fileBudget = 30;
/** A run of fewer files says nothing about the suite. */
const wholeRun = 300;
const listed = 12;

export interface FileCost {
  /** Relative to the project. */
  file: string;
  seconds: number;
}

/**
 * What a run took of the processors, for people: the files that took most, and what is over its budget. Nothing fails by it.
 * @param seconds - of the run, with the servers that all files share
 */
export function costLines(files: readonly FileCost[], seconds: number): string[] {
  if (files.length < 2) return [];
  const most = files.toSorted((a, b) => b.seconds - a.seconds).slice(0, listed);
  const own = files.reduce((sum, cost) => sum + cost.seconds, 0);
  return [
    `Processor time: ${Math.round(seconds)} s for ${files.length} files${files.length < wholeRun ? '' : `, of ${wholeBudget} s`}, ${Math.round(own)} s of it in the files themselves and the rest in servers that they share. Most by itself:`,
    ...most.map(
      (cost) => `${cost.seconds.toFixed(1).padStart(7)} s  ${cost.file}${cost.seconds > fileBudget ? `  OVER the ${fileBudget} s of a file` : ''}`,
    ),
    ...(files.length >= wholeRun && seconds > wholeBudget
      ? [`OVER BUDGET by ${Math.round(seconds - wholeBudget)} s: docs/adr/0121-the-suite-has-a-budget.md`]
      : []),
  ];
}
