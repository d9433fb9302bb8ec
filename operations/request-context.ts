import { AsyncLocalStorage } from 'node:async_hooks';

/** The request for which something is done, by its `X-Request-Id`. */
interface RequestContext {
  /** Several where deliveries were taken in together; null: something is done for no request. */
  requestId: string | null;
}

const requests = new AsyncLocalStorage<RequestContext>();

/** For log lines, the audit log and the outbox; null: what is running now belongs to no request. */
export const currentRequestId = (): string | null => requests.getStore()?.requestId ?? null;

/** Do something for a request: everything that it calls and awaits knows it. */
export const withRequestId = <T>(requestId: string | null, work: () => T): T => requests.run({ requestId }, work);

/** The request that is running now turns out to have another id: its caller has a key, and has named one. */
export function renameRequest(requestId: string): void {
  const context = requests.getStore();
  if (context !== undefined) context.requestId = requestId;
}

/** A well-formed id: nothing that could be taken for something else in a log or a statement. */
export const isRequestId = (text: unknown): text is string => typeof text === 'string' && /^[A-Za-z0-9][\w.:-]{0,99}$/.test(text);

const mostTogether = 10;

/** The id of what is done for several requests at once. */
export function joinedRequestIds(ids: readonly (string | null)[]): string | null {
  const known = [...new Set(ids.filter((id) => id !== null))].slice(0, mostTogether);
  return known.length === 0 ? null : known.join(',');
}
