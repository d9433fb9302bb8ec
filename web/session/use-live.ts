import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useState } from 'react';
import type { Store } from './session.ts';
import { listen } from '../../sdk/index.ts';

/** How news come: told as they happen, asked for, or not at all. */
export type Connection = 'socket' | 'polling' | 'none';

export const ConnectionContext = createContext<Connection>('none');
export const useConnection = (): Connection => useContext(ConnectionContext);

/** Between two times that what is shown is asked again, however much happens. */
const atMostEveryMs = 3_000;
/** What happens together is shown together. */
const gatherMs = 250;

/** Asks again what is shown of the store whenever something happens in it. @returns how the news come */
export function useLive({ slug, api }: Store): Connection {
  const client = useQueryClient();
  const [connection, setConnection] = useState<Connection>('none');
  useEffect(() => {
    const ending = new AbortController();
    void follow(ending.signal);
    return () => ending.abort();

    async function follow(signal: AbortSignal): Promise<void> {
      const renew = atIntervals(() => renewShown(client, slug), signal);
      try {
        for await (const _event of listen(api, { signal, onConnection: setConnection })) renew();
      } catch {
        // Nobody is signed in any more, or the store is closed to them: what is shown says so when it is asked again.
        setConnection('none');
      }
    }
  }, [client, slug, api]);
  return connection;
}

/** Long lists that somebody reads on in stay as they are. */
function renewShown(client: QueryClient, slug: string): void {
  void client.invalidateQueries({
    queryKey: ['store', slug],
    refetchType: 'active',
    predicate: ({ meta, state }) => meta?.['live'] === true && !hasSeveralPages(state.data),
  });
}

const hasSeveralPages = (data: unknown) =>
  typeof data === 'object' && data !== null && 'pages' in data && Array.isArray(data.pages) && data.pages.length > 1;

/** Called as often as one likes, it acts soon, and not again before its time. */
function atIntervals(act: () => void, signal: AbortSignal): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastMs = 0;
  signal.addEventListener('abort', () => clearTimeout(timer));
  return () => {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        lastMs = Date.now();
        act();
      },
      Math.max(gatherMs, lastMs + atMostEveryMs - Date.now()),
    );
  };
}
