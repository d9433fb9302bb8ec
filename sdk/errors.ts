/** Codes of errors that the client itself finds; all others come from the API. */
export type ClientErrorCode =
  /** No answer: the API is not running, or cannot be reached from here. */
  | 'unreachable'
  /** No answer within `timeoutMs`. */
  | 'timed_out'
  /** The caller's signal was aborted. */
  | 'aborted'
  /** An answer that is not the API's: a proxy's page, for example. */
  | 'unexpected_answer';

/** What is wrong with one field of a request. */
export interface FieldError {
  path: string;
  message: string;
}

/**
 * Why a request did not succeed: the API's problem details (RFC 9457), or what kept the client from having an answer. Programs act on `code`,
 * people on `message`.
 */
export class RekindleError extends Error {
  override readonly name = 'RekindleError';
  /** For programs; it does not change. */
  readonly code: ClientErrorCode | (string & {});
  /** Of the HTTP answer; 0 where there was none. */
  readonly status: number;
  /** What is wrong and what to do; the same as `message`. */
  readonly detail: string;
  /** The invalid fields of the request, for `invalid_request`. */
  readonly errors: readonly FieldError[];
  /** What cannot be read in an event, for `unreadable`. */
  readonly fields: readonly { field: string; reason: string }[];
  /** The answer as it came; null where there was none. */
  readonly body: unknown;
  /** Names the request in the server's log; null where there was no answer. */
  readonly requestId: string | null;
  /** How long to wait before the next attempt, as the API asked; null where it did not. */
  readonly retryAfterMs: number | null;

  constructor(given: {
    code: string;
    status?: number;
    detail: string;
    body?: unknown;
    requestId?: string | null;
    retryAfterMs?: number | null;
    cause?: unknown;
  }) {
    super(given.detail, given.cause === undefined ? undefined : { cause: given.cause });
    this.code = given.code;
    this.status = given.status ?? 0;
    this.detail = given.detail;
    this.body = given.body ?? null;
    this.requestId = given.requestId ?? null;
    this.retryAfterMs = given.retryAfterMs ?? null;
    this.errors = listIn<FieldError>(given.body, 'errors');
    this.fields = listIn<{ field: string; reason: string }>(given.body, 'fields');
  }
}

/** Of every request: the API's answer, or why there is none. */
export type Result<T> = { data: T; error: null } | { data: null; error: RekindleError };

/**
 * The data of a result, for those who would rather catch than ask.
 * @throws RekindleError
 */
export function unwrap<T>(result: Result<T>): T {
  if (result.error !== null) throw result.error;
  return result.data;
}

/** The error that an answer of the API stands for. @param body - as it was read: JSON where it is some, else text */
export function errorOfAnswer(status: number, headers: Headers, body: unknown): RekindleError {
  const problem = typeof body === 'object' && body !== null ? (body as { code?: unknown; detail?: unknown }) : {};
  return new RekindleError({
    code: typeof problem.code === 'string' ? problem.code : 'unexpected_answer',
    status,
    detail: typeof problem.detail === 'string' ? problem.detail : `The API answered ${status}.`,
    body,
    requestId: headers.get('x-request-id'),
    retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
  });
}

/** `Retry-After` is a number of seconds or a date. @returns milliseconds from `nowMs` on; null where it says neither */
function retryAfterMs(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1_000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}

function listIn<T>(body: unknown, name: string): readonly T[] {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
  return Array.isArray(value) ? (value as T[]) : [];
}
