import type { Log } from './deps.ts';

/** A job that runs again and again until it is stopped. */
export interface Background {
  /** Run now, or again at once if it is running. */
  kick(): void;
  /** Resolves when the pass in hand is over. */
  stop(): Promise<void>;
}

/**
 * Run `pass` every `everyMs`, and at once when kicked. A pass that fails is logged and tried again: it never ends the job.
 * @param pass - returns true when there may be more to do right away
 */
export function runInBackground(name: string, everyMs: number, pass: () => Promise<boolean>, log: Log): Background {
  let stopped = false;
  let kicked = false;
  let wake: (() => void) | null = null;

  const rest = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, everyMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const running = (async () => {
    let failures = 0;
    while (!stopped) {
      kicked = false;
      const more = await pass().then(
        (result) => {
          failures = 0;
          return result;
        },
        (error: unknown) => {
          failures++;
          // Log only the first failure of a series.
          if (failures === 1) log.error({ job: name, err: error }, 'a background job failed and will be tried again');
          return false;
        },
      );
      if (!more && !kicked && !stopped) await rest();
      wake = null;
    }
  })();

  return {
    kick() {
      kicked = true;
      wake?.();
    },
    async stop() {
      stopped = true;
      wake?.();
      await running;
    },
  };
}
