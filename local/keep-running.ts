import { setTimeout as sleep } from 'node:timers/promises';

/** A server or process that may end without having been asked to. */
export interface Running {
  stop(): Promise<void>;
  onUnexpectedEnd(listener: (lastWords: string) => void): void;
}

export interface Kept<T> {
  /** The one that runs now, or ran last. */
  current(): T;
  /** Restart it; the reason is logged. */
  renew(reason: string): Promise<void>;
  stop(): Promise<void>;
}

const firstDelayMs = 500;
const longestDelayMs = 15_000;
const steadyAfterMs = 60_000;

/**
 * Start something and start it again, with growing pauses, whenever it ends unexpectedly. The first start's error is the caller's; later
 * ones are reported and tried again.
 */
export async function keepRunning<T extends Running>(name: string, start: () => Promise<T>, say: (line: string) => void): Promise<Kept<T>> {
  const stopped = new AbortController();
  let delayMs = firstDelayMs;
  let startedAtMs = performance.now();
  let work: Promise<void> = Promise.resolve();
  let current = await start();
  watch(current);

  function watch(running: T): void {
    running.onUnexpectedEnd((lastWords) => {
      if (running !== current || stopped.signal.aborted) return;
      const reason = lastWords === '' ? 'ended unexpectedly' : `ended unexpectedly: ${lastWords}`;
      work = startAgain(reason);
    });
  }

  async function startAgain(reason: string): Promise<void> {
    if (performance.now() - startedAtMs > steadyAfterMs) delayMs = firstDelayMs;
    for (let why = reason; !stopped.signal.aborted; ) {
      say(`${name} ${why}`);
      say(`${name} is started again in ${delayMs / 1000} s …`);
      await sleep(delayMs, undefined, { signal: stopped.signal }).catch(() => {});
      delayMs = Math.min(delayMs * 2, longestDelayMs);
      if (stopped.signal.aborted) return;
      try {
        startedAtMs = performance.now();
        current = await start();
        watch(current);
        say(`${name} runs again.`);
        return;
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
    }
  }

  return {
    current: () => current,
    async renew(reason) {
      await work;
      if (stopped.signal.aborted) return;
      await current.stop();
      work = startAgain(reason);
      await work;
    },
    async stop() {
      stopped.abort();
      await work;
      await current.stop();
    },
  };
}
