import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { Api, RekindleError, Result } from '../../sdk/index.ts';
import { unwrap } from '../../sdk/index.ts';
import { useStore } from './session.ts';

/** How often a page that shows what is going on asks again. */
export const liveEveryMs = 10_000;

export interface StoreQueryOptions {
  /** Asks again by itself while the page is looked at. */
  live?: boolean;
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
  { live = false, keep = false, enabled = true }: StoreQueryOptions = {},
): UseQueryResult<T, RekindleError> {
  const { slug, api } = useStore();
  return useQuery<T, RekindleError>({
    queryKey: ['store', slug, ...key],
    queryFn: async ({ signal }) => unwrap(await ask(api, signal)),
    enabled,
    ...(live ? { refetchInterval: liveEveryMs } : {}),
    ...(keep ? { placeholderData: keepPreviousData } : {}),
  });
}
