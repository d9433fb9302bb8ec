import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kept } from './keep-running.ts';
import type { TemporalServer } from './temporal-server.ts';

const everyMs = 2_000;

/**
 * Start Temporal again when its database file is removed under it: it would go on writing into a file that no longer has a name, and lose
 * everything at its end. It comes back empty, and the reconciler rebuilds the sequences from Postgres.
 * @returns ends the watch
 */
export function watchTemporalFile(temporal: Kept<TemporalServer>): () => void {
  const stopped = new AbortController();
  void watch(temporal, stopped.signal);
  return () => stopped.abort();
}

async function watch(temporal: Kept<TemporalServer>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal }).catch(() => {});
    const { file } = temporal.current();
    if (signal.aborted || file === null || existsSync(file)) continue;
    await temporal.renew('lost its file: it begins empty, and running sequences are rebuilt from Postgres');
  }
}
