import { existsSync } from 'node:fs';
import type { Kept } from './keep-running.ts';
import type { TemporalServer } from './temporal-server.ts';

const everyMs = 2_000;

/**
 * Start Temporal again when its database file is removed under it: it would go on writing into a file that no longer has a name, and lose
 * everything at its end. It comes back empty, and the reconciler rebuilds the sequences from Postgres.
 * @returns ends the watch
 */
export function watchTemporalFile(temporal: Kept<TemporalServer>): () => void {
  let renewing = false;
  const timer = setInterval(async () => {
    const { file } = temporal.current();
    if (renewing || file === null || existsSync(file)) return;
    renewing = true;
    await temporal.renew('lost its file: it begins empty, and running sequences are rebuilt from Postgres');
    renewing = false;
  }, everyMs);
  return () => clearInterval(timer);
}
