import { onlineManager, useIsFetching, useQueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { formatClock } from '../parts/format.ts';
import { useNow } from '../parts/use-now.ts';
import { liveEveryMs } from '../session/store-query.ts';
import type { Connection } from '../session/use-live.ts';

const useOnline = () =>
  useSyncExternalStore(
    (listener) => onlineManager.subscribe(listener),
    () => onlineManager.isOnline(),
  );

/** How new what is shown is: told as it happens, asked again every few seconds, or from before the connection was lost. */
export function Freshness({ connection }: { connection: Connection }) {
  useNow();
  const online = useOnline();
  const asking = useIsFetching() > 0;
  const client = useQueryClient();
  const shown = client
    .getQueryCache()
    .getAll()
    .filter((query) => query.isActive() && query.queryKey[0] === 'store');
  const failed = shown.some((query) => query.state.errorUpdatedAt > query.state.dataUpdatedAt);
  const newestMs = Math.max(0, ...shown.map((query) => query.state.dataUpdatedAt));
  const since = newestMs === 0 ? '' : formatClock(newestMs);
  const lost = !online || failed;
  const how = connection === 'socket' ? 'Live' : `Asked every ${liveEveryMs / 1_000} s`;
  const text = lost ? (since === '' ? 'Not connected' : `Not connected: as of ${since}`) : since === '' ? how : `${how}, last ${since}`;
  return (
    <p role="status" className="flex items-center gap-2 px-2 text-xs text-soft">
      <span
        aria-hidden="true"
        className={`size-2 shrink-0 rounded-full ${lost ? 'bg-bad' : 'bg-good'} ${asking && !lost ? 'animate-[pulse-soft_1s_ease-in-out_infinite]' : ''}`}
      />
      {text}
    </p>
  );
}
