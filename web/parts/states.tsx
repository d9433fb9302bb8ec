import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { RekindleError } from '../../sdk/index.ts';
import { Button } from './button.tsx';

/** Grey lines in the place of what is on its way. */
export function Loading({ lines = 4 }: { lines?: number }) {
  return (
    <div role="status" className="space-y-3 p-4">
      <span className="sr-only">Loading</span>
      {Array.from({ length: lines }, (_, index) => (
        <div key={index} className={`h-4 animate-[pulse-soft_1.6s_ease-in-out_infinite] rounded bg-sunken ${index % 3 === 2 ? 'w-2/5' : 'w-4/5'}`} />
      ))}
    </div>
  );
}

/** Nothing is there: what that means, and what to do. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="px-4 py-6 text-center">
      <p className="font-medium">{title}</p>
      {children !== undefined && <div className="mx-auto mt-1 max-w-prose text-soft">{children}</div>}
    </div>
  );
}

const titles: Record<string, string> = {
  unreachable: 'No connection to Rekindle',
  timed_out: 'Rekindle did not answer in time',
  forbidden: 'Your role does not allow this',
  not_found: 'There is nothing here',
};

export function Failed({ error, retry }: { error: RekindleError; retry?: (() => void) | undefined }) {
  return (
    <div role="alert" className="px-4 py-8 text-center">
      <p className="font-medium">{titles[error.code] ?? 'This could not be loaded'}</p>
      <p className="mx-auto mt-1 max-w-prose text-soft">{error.message}</p>
      {error.requestId !== null && <p className="mt-1 text-xs text-soft">Request {error.requestId}</p>}
      {retry !== undefined && error.code !== 'forbidden' && (
        <Button className="mt-4" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** Nothing is asked while the device has no connection. */
export const Offline = () => (
  <div role="status" className="px-4 py-8 text-center">
    <p className="font-medium">You are offline</p>
    <p className="mx-auto mt-1 max-w-prose text-soft">This is loaded as soon as the connection is back.</p>
  </div>
);

/** What a query has, or why it has nothing. What was there before an error stays. */
export function Answer<T>({
  of: query,
  loading,
  children,
}: {
  of: UseQueryResult<T, RekindleError>;
  loading?: ReactNode;
  children: (data: NonNullable<T>) => ReactNode;
}) {
  const { data, error } = query;
  if (data !== undefined && data !== null) return children(data);
  if (query.fetchStatus === 'paused') return <Offline />;
  if (error !== null) return <Failed error={error} retry={() => void query.refetch()} />;
  return loading ?? <Loading />;
}
