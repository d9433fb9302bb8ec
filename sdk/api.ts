import { errorOfAnswer, RekindleError, type Result } from './errors.ts';
import type { Body, Data, Item, ListRoute, PathValues, PlainRoute, Query, Route, RouteWithBody, RouteWithQuery } from './route-types.ts';

export interface ApiOptions {
  /** Where the API is reached, such as `https://rekindle.example.com`. */
  baseUrl: string;
  /** A store's key (`rk_…`); for `tenants`, the installation's key; empty for what needs none. */
  apiKey: string;
  /** Without a key, in a browser where somebody is signed in: the id or slug of the store that is meant. */
  store?: string;
  /** Default: the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** How often a request is repeated that may be: GET, and what takes an Idempotency-Key. Default 2; 0: never. */
  retries?: number;
  /** How long one attempt may take, until its answer is read. Default 30,000. */
  timeoutMs?: number;
  /** Waits between two attempts. Default: a timer. */
  wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** Of a single request. */
export interface RequestOptions {
  signal?: AbortSignal;
  /** Instead of the client's; null: it may take any time. */
  timeoutMs?: number | null;
  /** Of a POST; default: a new one for each call, the same for its repeats. */
  idempotencyKey?: string;
}

/** A request that is not of the usual shape. */
export interface RawRequest {
  path?: readonly string[];
  query?: object | undefined;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, instead of `body`. A stream is read once, and such a request never repeated. */
  content?: { type: string; data: string | Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> };
  /** Besides the key's. */
  headers?: Readonly<Record<string, string>>;
  /** Answers with the address that the API redirects to, instead of going there. */
  redirected?: boolean;
}

/** All of a query's filters may be left out, or some are needed. */
type QueryOf<R extends Route> = object extends Query<R> ? [query?: Query<R>] : [query: Query<R>];
/** A body that may be null may be left out. */
type BodyOf<R extends Route> = null extends Body<R> ? [body?: Body<R>] : [body: Body<R>];
type WithOptions<T extends unknown[]> = [...T, options?: RequestOptions];

/** One installation and one key. Resources are tables of such methods: `enrollments(api)`. */
export interface Api {
  /** Any operation, by its route. */
  request<R extends Route>(route: R, request?: RawRequest, options?: RequestOptions): Promise<Result<Data<R>>>;
  /** A method with the values of the path, and the query. */
  withQuery<R extends RouteWithQuery>(route: R): (...given: WithOptions<[...PathValues<R>, ...QueryOf<R>]>) => Promise<Result<Data<R>>>;
  /** A method with the values of the path, and the body. */
  withBody<R extends RouteWithBody>(route: R): (...given: WithOptions<[...PathValues<R>, ...BodyOf<R>]>) => Promise<Result<Data<R>>>;
  /** A method with the values of the path alone. */
  plain<R extends PlainRoute>(route: R): (...given: WithOptions<PathValues<R>>) => Promise<Result<Data<R>>>;
  /** The address of a WebSocket of the API, and the protocols that open it. */
  socket(path: string, query: object): { url: string; protocols: string[] };
  /**
   * Every entry of a list, page after page as they are asked for.
   * It throws RekindleError where a page cannot be had: an iterator has no other way to say so.
   */
  pages<R extends ListRoute>(route: R): (...given: WithOptions<[...PathValues<R>, ...QueryOf<R>]>) => AsyncGenerator<Item<R>, void, undefined>;
}

/** @throws TypeError when `baseUrl` is no address */
export function connect(options: ApiOptions): Api {
  const base = new URL(options.baseUrl).href.replace(/[/]+$/, '');
  const send = (route: Route, request: RawRequest, given: RequestOptions) => {
    const key = takesKey(route) ? (given.idempotencyKey ?? randomKey()) : null;
    return attempts(options, given, mayRepeat(route, request, key), () => buildRequest(base, options, route, request, key));
  };
  const method =
    (route: Route, part: 'query' | 'body' | null) =>
    (...given: unknown[]) => {
      const { path, value, last } = split(route, given, part !== null);
      return send(route, { path, ...(part === null ? {} : { [part]: value }) }, last);
    };
  async function* everyPage(route: Route, given: unknown[]) {
    const { path, value, last } = split(route, given, true);
    let cursor: string | undefined;
    do {
      const { data, error, headers } = await send(route, { path, query: { ...(value as object | undefined), ...(cursor && { cursor }) } }, last);
      if (error !== null) throw error;
      const page = data as unknown[] | { data: unknown[]; nextCursor: string | null };
      yield* Array.isArray(page) ? page : page.data;
      cursor = (Array.isArray(page) ? cursorOfLink(headers, base) : page.nextCursor) ?? undefined;
    } while (cursor !== undefined);
  }
  // The types of a route follow from its text, which the compiler cannot see through here.
  return {
    request: async (route: Route, request: RawRequest = {}, given: RequestOptions = {}) => resultOf(await send(route, request, given)),
    withQuery:
      (route: Route) =>
      async (...given: unknown[]) =>
        resultOf(await method(route, 'query')(...given)),
    withBody:
      (route: Route) =>
      async (...given: unknown[]) =>
        resultOf(await method(route, 'body')(...given)),
    plain:
      (route: Route) =>
      async (...given: unknown[]) =>
        resultOf(await method(route, null)(...given)),
    socket: (path: string, query: object) => socketOf(base, options, path, query),
    pages:
      (route: Route) =>
      (...given: unknown[]) =>
        everyPage(route, given),
  } as unknown as Api;
}

type Outcome = Result<unknown> & { headers: Headers };

const resultOf = ({ data, error }: Outcome) => ({ data, error });

/** A method's arguments: the values of the path, then the query or body, then the options. */
function split(route: Route, given: readonly unknown[], hasValue: boolean): { path: string[]; value: unknown; last: RequestOptions } {
  const count = route.split('{').length - 1;
  const [value, last] = hasValue ? [given[count], given[count + 1]] : [undefined, given[count]];
  return { path: given.slice(0, count) as string[], value, last: (last ?? {}) as RequestOptions };
}

/** Every POST of the API takes an Idempotency-Key. What shops deliver, readers click and agents say is not made with this client's key, and signing in takes none, nor does what only reads a form. */
const takesKey = (route: Route) => /^POST [/](?:api|recovery)[/](?!webhooks[/]|session\b)/.test(route) && !/[/]form[/](?:check|preview)$/.test(route);

/** Only what does nothing twice is repeated. A stream is gone once it was read. */
const mayRepeat = (route: Route, { content }: RawRequest, key: string | null) => content === undefined && (route.startsWith('GET ') || key !== null);

function buildRequest(
  base: string,
  { apiKey, store }: ApiOptions,
  route: Route,
  { path = [], query, body, content, headers, redirected }: RawRequest,
  key: string | null,
): [url: string, init: RequestInit] {
  const [method, template] = route.split(' ') as [string, string];
  const values = [...path];
  const filled = template.replace(/\{[^}]+\}/g, () => encodeURIComponent(values.shift() ?? ''));
  const search = searchOf(query ?? {});
  const sent: RequestInit & { duplex?: 'half' } =
    content === undefined
      ? body === undefined
        ? {}
        : { body: JSON.stringify(body) }
      : // Node takes any asynchronous iterable; the types of `fetch` know streams only.
        { body: content.data as string, duplex: 'half' };
  return [
    `${base}${filled}${search}`,
    {
      method,
      headers: {
        ...headers,
        ...(apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` }),
        ...(store === undefined ? {} : { 'rekindle-store': store }),
        ...(content === undefined ? (body === undefined ? {} : { 'content-type': 'application/json' }) : { 'content-type': content.type }),
        ...(key === null ? {} : { 'idempotency-key': key }),
      },
      ...(redirected === true ? { redirect: 'manual' } : {}),
      ...sent,
    },
  ];
}

function searchOf(query: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null) parameters.set(name, String(value));
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

/** A WebSocket takes no headers: what they would say stands in its address and its protocols. */
function socketOf(base: string, { apiKey, store }: ApiOptions, path: string, query: object): { url: string; protocols: string[] } {
  return {
    url: `${base.replace(/^http/, 'ws')}${path}${searchOf({ ...query, store })}`,
    protocols: ['rekindle.live', ...(apiKey === '' ? [] : [`rekindle.key.${apiKey}`])],
  };
}

/** Longer than this nobody waits for `Retry-After`: the caller gets the error, which says how long. */
const longestWaitMs = 30_000;
const worthRepeating: ReadonlySet<number> = new Set([429, 502, 503, 504]);

async function attempts(
  options: ApiOptions,
  given: RequestOptions,
  repeatable: boolean,
  build: () => [url: string, init: RequestInit],
): Promise<Outcome> {
  const most = repeatable ? (options.retries ?? 2) : 0;
  for (let attempt = 0; ; attempt++) {
    const outcome = await once(options, given, build());
    const { error } = outcome;
    if (error === null || attempt >= most || error.code === 'aborted') return outcome;
    // Of `idempotency_key_in_use` an earlier attempt is still being carried out: it is waited for.
    if (error.status !== 0 && !worthRepeating.has(error.status) && error.code !== 'idempotency_key_in_use') return outcome;
    const waitMs = Math.max(error.retryAfterMs ?? 0, backOffMs(attempt));
    if (waitMs > longestWaitMs) return outcome;
    try {
      await (options.wait ?? wait)(waitMs, given.signal);
    } catch (cause) {
      return { data: null, error: aborted(cause), headers: new Headers() };
    }
  }
}

/** Between half and all of 0.25 s, 0.5 s, 1 s …: callers that failed together do not come back together. */
const backOffMs = (attempt: number) => Math.min(8_000, 250 * 2 ** attempt) * (0.5 + Math.random() / 2);

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done, refuse) => {
    const end = () => {
      clearTimeout(timer);
      refuse(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      done();
    }, ms);
    if (signal?.aborted === true) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
}

async function once(options: ApiOptions, given: RequestOptions, [url, init]: [string, RequestInit]): Promise<Outcome> {
  const timeoutMs = given.timeoutMs === undefined ? (options.timeoutMs ?? 30_000) : given.timeoutMs;
  const timeout = timeoutMs === null ? null : AbortSignal.timeout(timeoutMs);
  const signals = [given.signal, timeout].filter((signal) => signal !== null && signal !== undefined);
  try {
    const response = await (options.fetch ?? fetch)(url, { ...init, signal: AbortSignal.any(signals) });
    const body = read(await response.text(), response.headers.get('content-type'));
    const { headers } = response;
    if (init.redirect === 'manual' && response.status >= 300 && response.status < 400) return { data: headers.get('location'), error: null, headers };
    if (!response.ok) return { data: null, error: errorOfAnswer(response.status, headers, body), headers };
    return { data: body, error: null, headers };
  } catch (cause) {
    return { data: null, error: noAnswer(options.baseUrl, timeoutMs, timeout, given.signal, cause), headers: new Headers() };
  }
}

function noAnswer(
  baseUrl: string,
  timeoutMs: number | null,
  timeout: AbortSignal | null,
  signal: AbortSignal | undefined,
  cause: unknown,
): RekindleError {
  if (signal?.aborted === true) return aborted(cause);
  if (timeout?.aborted === true)
    return new RekindleError({ code: 'timed_out', detail: `${baseUrl} did not answer within ${timeoutMs ?? 0} ms.`, cause });
  return new RekindleError({ code: 'unreachable', detail: `${baseUrl} does not answer.`, cause });
}

const aborted = (cause: unknown) => new RekindleError({ code: 'aborted', detail: 'The request was aborted.', cause });

/** JSON where it is some; null for an answer without content. */
function read(text: string, type: string | null): unknown {
  if (text === '') return null;
  if (type === null || !/\bjson\b/.test(type)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A list that answers with an array names its next page in the header `Link`. Only its cursor counts: a key is sent to `baseUrl` alone. */
function cursorOfLink(headers: Headers, base: string): string | null {
  const [, address] = /<([^>]+)>;\s*rel="next"/.exec(headers.get('link') ?? '') ?? [];
  return address === undefined ? null : new URL(address, base).searchParams.get('cursor');
}

function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
