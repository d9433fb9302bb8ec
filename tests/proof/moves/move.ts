import type { MortalProcess } from '../mortal-process.ts';
import type { Scene } from '../plan.ts';
import type { HistoryStage } from '../stage.ts';
import type { StopRecord } from '../observer.ts';

/**
 * Something that arrives while a step is dispatched. A new kind is one file and one line in `index.ts`; what it covers is judged by the
 * record that it leaves.
 */
export interface Move {
  /** How often it is drawn in comparison with others, about a run of a scene; 0: only where a history asks for it by name. */
  weight(scene: Scene, run: number): number;
  /** What is sent, and the record of it. @param name - unique in the history. @returns null: there is nothing to send */
  make(stage: HistoryStage, run: number, name: string): Sent | null | Promise<Sent | null>;
}

export type Sent = Delivered | Called;

/** A webhook: delivered again until it is answered 2xx. */
export interface Delivered {
  kind: 'delivery';
  type: string;
  data: Record<string, unknown>;
  /** When it happened, epoch milliseconds. */
  atMs: number;
  /** A 2xx counts as the answer to a stop, also where the event is only stored. */
  isStop: boolean;
  /** The first 2xx, on the monotonic clock. */
  answered(atMs: number): void;
  /** After the last answer. */
  afterwards?(): Promise<void>;
}

/** A request that is no webhook: made again until it is answered. */
export interface Called {
  kind: 'call';
  words: string;
  call(process: MortalProcess): Promise<'stopped' | 'not_found' | 'busy'>;
  answered(atMs: number): void;
}

type StopFields = Pick<StopRecord, 'kind' | 'by'> & Partial<Omit<StopRecord, 'kind' | 'by' | 'sentMs' | 'answeredMs'>>;

/** Note a stop that is about to be sent. */
export function noteStop(stage: HistoryStage, fields: StopFields): (atMs: number) => void {
  const defaults = { closesOnly: null, number: null, reaches: 'person', about: null, lasts: true, optsOut: false } as const;
  const record: StopRecord = { ...defaults, ...fields, sentMs: performance.now(), answeredMs: null };
  stage.seen.stops.push(record);
  return (atMs) => void (record.answeredMs ??= atMs);
}

/** A stop that comes as a webhook, and happens now. */
export function deliverStop(stage: HistoryStage, type: string, data: Record<string, unknown>, fields: StopFields): Delivered {
  return { kind: 'delivery', type, data, atMs: Date.now(), isStop: true, answered: noteStop(stage, fields) };
}
