import { type InfiniteData, useInfiniteQuery, type UseInfiniteQueryResult } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef } from 'react';
import type { Api, RekindleError, Result } from '../../sdk/index.ts';
import { unwrap } from '../../sdk/index.ts';
import { useStore } from '../session/session.ts';
import { useLiveEveryMs } from '../session/store-query.ts';
import { Button } from './button.tsx';
import { Failed, Loading, Offline } from './states.tsx';

interface PageOf<T> {
  data: T[];
  nextCursor: string | null;
}
/** One page of a list, asked of the API. */
export type PageAsk<T> = (api: Api, page: { cursor?: string; limit: number }, signal: AbortSignal) => Promise<Result<PageOf<T>>>;
type Pages<T> = UseInfiniteQueryResult<InfiniteData<PageOf<T>, string | undefined>, RekindleError>;

/** A list of the API, page after page. @param live - asks again by itself, as long as the first page is all that is shown */
export function usePages<T>(
  key: readonly unknown[],
  ask: PageAsk<T>,
  { live = false, limit = 50 }: { live?: boolean; limit?: number } = {},
): Pages<T> {
  const { slug, api } = useStore();
  const everyMs = useLiveEveryMs();
  return useInfiniteQuery<PageOf<T>, RekindleError, InfiniteData<PageOf<T>, string | undefined>, readonly unknown[], string | undefined>({
    queryKey: ['store', slug, 'pages', ...key],
    queryFn: async ({ pageParam, signal }) => unwrap(await ask(api, { limit, ...(pageParam === undefined ? {} : { cursor: pageParam }) }, signal)),
    initialPageParam: undefined,
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    ...(live
      ? { refetchInterval: (query) => (query.state.data !== undefined && query.state.data.pages.length > 1 ? false : everyMs), meta: { live } }
      : {}),
  });
}

export const rowsOf = <T,>(pages: Pages<T>): T[] => pages.data?.pages.flatMap((page) => page.data) ?? [];

/** In the place of a list that has nothing to show: it is on its way, it failed, or there is no connection. */
export function NoPagesYet<T>({ of: pages }: { of: Pages<T> }) {
  if (pages.fetchStatus === 'paused') return <Offline />;
  return pages.error === null ? <Loading lines={8} /> : <Failed error={pages.error} retry={() => void pages.refetch()} />;
}

/** What pages have so far, and the way to more of it: by itself at its end, or by the button. */
export function AllPages<T>({ of: pages, empty, children }: { of: Pages<T>; empty: ReactNode; children: (rows: T[]) => ReactNode }) {
  const end = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  useEffect(() => {
    const element = end.current;
    if (element === null || !hasNextPage) return undefined;
    const observer = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting === true && !isFetchingNextPage) void fetchNextPage();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (pages.data === undefined) return <NoPagesYet of={pages} />;
  const rows = rowsOf(pages);
  if (rows.length === 0) return empty;
  return (
    <>
      {children(rows)}
      <div ref={end} className="border-t border-line p-3 text-center text-[0.8125rem] text-soft">
        {hasNextPage ? (
          <Button look="quiet" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {isFetchingNextPage ? 'Loading more' : 'Show more'}
          </Button>
        ) : (
          `${rows.length === 1 ? 'One' : `All ${rows.length}`} shown`
        )}
      </div>
    </>
  );
}
