import type { ParseArgsConfig } from 'node:util';
import type { Client } from '../sdk/index.ts';

/** The input of a command. */
export interface Context {
  /** Of the store whose key is used. */
  store: Client;
  /** With the installation's key. @throws UsageError where none is given */
  installation(): Client;
  /** The arguments after the command's name, without options. */
  args: string[];
  options: Record<string, string | boolean | string[] | undefined>;
}

/** A command's output: `data` for `--json`, `lines` for people. */
export interface Answer {
  data: unknown;
  lines: string[];
  /** Something could not be done although the API answered: the exit status is 1. */
  failed?: boolean;
}

/** An object of the API. */
export type Row = Record<string, unknown>;

export interface Command {
  /** One line for the list of commands. */
  summary: string;
  usage: string;
  /** One call as somebody would really write it; `--help` ends with it. */
  example: string;
  /**
   * Of its own commands, those that take something away for good, and what: they ask first, or take --yes. A text: the command itself does, unless it is
   * a --dry-run.
   */
  destroys?: Readonly<Record<string, string>> | string;
  options?: NonNullable<ParseArgsConfig['options']>;
  /** How many arguments it takes at most; where it has commands of its own, how many each of them takes after its name. */
  takes: number | Readonly<Record<string, number>>;
  run(context: Context): Promise<Answer>;
}

/** Thrown when the command line cannot be carried out as it stands; the message says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Thrown when the command line is right, but what it asks for cannot be done: the exit status is 1. */
export class NotPossibleError extends Error {
  override readonly name = 'NotPossibleError';
}

/** JSON given as an option, e.g. `--config '{"url":"smtp://…"}'`. @throws UsageError */
export function jsonOption(options: Context['options'], name: string): Record<string, unknown> | undefined {
  const text = options[name];
  if (typeof text !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Reported below, like a value of another kind.
  }
  throw new UsageError(`--${name} is no JSON object.`);
}

export function required(value: Context['options'][string], what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new UsageError(`${what} is missing.`);
}

/**
 * What was typed, as an operation takes it. The API itself judges every value and names the mistakes: a second judgement here would differ from it
 * sooner or later.
 */
export const asGiven = <T>(typed: unknown): T => typed as T;

/** Of a command that lists something. The API says which fields the list may be sorted by where it has not the one that is given. */
export const sortOption = { sort: { type: 'string' } } as const;

export const sorted = ({ sort }: Context['options']): { sort?: never } => asGiven(sort === undefined ? {} : { sort });

/** Every entry of a list. @throws RekindleError */
export async function collect<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

/** A value in a line of text. */
export const shown = (value: unknown): string =>
  value === null || value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);
