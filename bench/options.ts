/** What a run was asked for; bench/main.ts tells what each means. */
export interface BenchOptions {
  rounds: number;
  contacts: number;
  events: number;
  asleep: number[];
  workflows: number;
  sleeping: number[];
  /** Progress, for whoever waits. */
  say(line: string): void;
}
