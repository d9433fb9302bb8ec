import type { Parts } from './parts.ts';

/** The options of a run; bench/main.ts explains them. */
export interface BenchOptions {
  rounds: number;
  contacts: number;
  events: number;
  asleep: number[];
  workflows: number;
  sleeping: number[];
  people: number;
  accounts: number[];
  leads: number;
  rows: number;
  /** Run what may fail without the rest of its section; it is named as failed at the end. */
  part: Parts['run'];
  /** Logs progress. */
  say(line: string): void;
}
