import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { Api, RekindleError, Result } from '../../sdk/index.ts';
import { unwrap } from '../../sdk/index.ts';
import { useStore } from './session.ts';
import { useConnection } from './use-live.ts';

/** How often a page that shows what is going on asks again where nothing tells it. */
export const liveEveryMs = 10_000;
/** The same where a socket tells it: for what no event is about. */
const besideSocketMs = 60_000;

/** @returns how often what is live asks again by itself */
export const useLiveEveryMs = (): number => (useConnection() === 'socket' ? besideSocketMs : liveEveryMs);

export interface StoreQueryOptions {
  /** Asks again by itself while the page is looked at, and when something happens in the store. */
  live?: boolean;
  /** Of what is live: how often, instead of what is usual. */
  everyMs?: number;
  /** Shows the answer to the last question until the next one is there. */
  keep?: boolean;
  enabled?: boolean;
}

/**
 * An answer of the API for the store of this page. Answers of different stores never meet: the store is part of what they are kept under.
 * @param key - everything that the answer depends on
 */
export function useStoreQuery<T>(
  key: readonly unknown[],
  ask: (api: Api, signal: AbortSignal) => Promise<Result<T>>,
  { live = false, everyMs, keep = false, enabled = true }: StoreQueryOptions = {},
): UseQueryResult<T, RekindleError> {
  const { slug, api } = useStore();
  const usual = useLiveEveryMs();
  return useQuery<T, RekindleError>({
    queryKey: ['store', slug, ...key],
    queryFn: async ({ signal }) => unwrap(await ask(api, signal)),
    enabled,
    ...(live ? { refetchInterval: everyMs ?? usual, meta: { live } } : {}),
    ...(keep ? { placeholderData: keepPreviousData } : {}),
  });
}
