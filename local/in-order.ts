import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from './start-error.ts';

/** Things that are started one after the other, each on top of those before it, and stopped in the opposite order. */
export interface InOrder {
  /** Aborted when the start is called off: a step that takes long ends what it has begun, and fails. */
  readonly calledOff: AbortSignal;
  /**
   * Do the next step of the start, unless it was called off, and remember how to undo it.
   * @param name - for people; empty: not reported
   * @throws StartError when the start was called off
   */
  begin<T>(name: string, step: (calledOff: AbortSignal) => Promise<T>, undo: (made: T) => Promise<void>): Promise<T>;
  /** Call off what is being started, wait until that is over, then stop all the rest, the last one first. Never throws. */
  stop(report: { stopped(name: string): void; failed(name: string, error: unknown): void }): Promise<void>;
}

/** @param patienceMs - how long a step that is under way may take to end after the start was called off */
export function inOrder(patienceMs = 30_000): InOrder {
  const running: { name: string; stop: () => Promise<void> }[] = [];
  const off = new AbortController();
  /** The step in hand; resolves to its name where it ends without having come up. */
  let underWay: Promise<string | null> = Promise.resolve(null);

  async function take<T>(name: string, step: (calledOff: AbortSignal) => Promise<T>, undo: (made: T) => Promise<void>): Promise<T> {
    const made = await step(off.signal);
    running.push({ name, stop: () => undo(made) });
    return made;
  }

  return {
    calledOff: off.signal,
    async begin(name, step, undo) {
      if (off.signal.aborted) throw new StartError('The start was called off.');
      const taking = take(name, step, undo);
      underWay = taking.then(
        () => null,
        () => name,
      );
      return taking;
    },
    async stop({ stopped, failed }) {
      off.abort();
      // It depends on those before it, so they stop after it: a worker that is still starting must not lose its Temporal.
      const ended = await Promise.race([underWay, sleep(patienceMs, null, { ref: false })]);
      if (ended !== null) stopped(ended);
      for (let part = running.pop(); part !== undefined; part = running.pop()) {
        const { name } = part;
        await part.stop().then(
          () => stopped(name),
          (error: unknown) => failed(name, error),
        );
      }
    },
  };
}
