/** The options of a run; bench/main.ts explains them. */
export interface BenchOptions {
  rounds: number;
  contacts: number;
  events: number;
  asleep: number[];
  workflows: number;
  sleeping: number[];
  /** Logs progress. */
  say(line: string): void;
}
