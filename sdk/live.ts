import type { Api, RequestOptions } from './api.ts';
import { RekindleError } from './errors.ts';
import type { Data, Query } from './route-types.ts';

/** Something that has happened in the store. The schema of `data` follows from its type: `webhooks` of the API's description. */
export type LiveEvent = Data<'GET /api/events'>['data'][number];

/** As much of a WebSocket as is needed: the one of browsers and of Node from 22 on, or that of the package `ws`. */
export type WebSocketConstructor = new (
  url: string,
  protocols: string[],
) => {
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close' | 'error', listener: () => void): void;
  close(): void;
};

export interface LiveOptions {
  /** Only these types; default: all. */
  types?: readonly LiveEvent['type'][];
  /** The `cursor` of the newest event that you have; default: what happens from now on. */
  after?: string;
  /** With addresses and names of the people, which needs the permission `operate`. */
  personalData?: boolean;
  /** Ends the iterator. */
  signal?: AbortSignal;
  /** Default: the global one; null, or where there is none: events are asked for instead. */
  WebSocket?: WebSocketConstructor | null;
  /** How often events are asked for where no WebSocket can be opened. Default 2,000. */
  pollEveryMs?: number;
  /** Called when what is known of the connection changes: `socket`, `polling`, or `none` while the API cannot be reached. */
  onConnection?: (connection: 'socket' | 'polling' | 'none') => void;
}

/** How long nothing may come from a socket that is heard of every 15 s. */
const silentAfterMs = 45_000;
/** Events that wait for a caller who is slower than they come; beyond that the socket is closed, and the rest is asked for as it is needed. */
const mostWaiting = 1_000;
const mostRemembered = 2_000;
const socketAgainMs = 30_000;

/**
 * What happens in the store, as it happens. A connection that breaks is opened again where it left off; where no WebSocket can be opened, the events are
 * asked for every two seconds. Nothing is left out, and no event comes twice to one iterator.
 * @throws RekindleError `cursor_expired` where what came after `after` is not kept any more, and whatever else does not pass by waiting, such as 401
 */
export async function* listen(api: Api, options: LiveOptions = {}): AsyncGenerator<LiveEvent, void, undefined> {
  const isNew = remember();
  const isOver = () => options.signal?.aborted === true;
  const { signal, onConnection } = options;
  const Socket = options.WebSocket === undefined ? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket : (options.WebSocket ?? undefined);
  const place = { cursor: options.after ?? null };
  let connection: string | null = null;
  const say = (next: 'socket' | 'polling' | 'none') => {
    if (next !== connection) onConnection?.(next);
    connection = next;
  };
  let noSocketBeforeMs = 0;
  for (let failures = 0; !isOver(); ) {
    if (Socket !== undefined && Date.now() >= noSocketBeforeMs) {
      let opened = false;
      for await (const event of fromSocket(api, Socket, options, place)) {
        if (!opened) say('socket');
        opened = true;
        if (event !== null && isNew(event.id)) yield event;
      }
      if (isOver()) return;
      // One that was open is opened again, once what was missed is read.
      noSocketBeforeMs = opened ? 0 : Date.now() + socketAgainMs;
    }
    const read = await api.request('GET /api/events', { query: queryOf(options, place.cursor) }, asked(signal));
    if (read.error !== null) {
      if (isOver()) return;
      if (!passes(read.error)) throw read.error;
      say('none');
      await pause(Math.max(read.error.retryAfterMs ?? 0, Math.min(30_000, 500 * 2 ** failures++)), signal);
      continue;
    }
    failures = 0;
    for (const event of read.data.data) {
      place.cursor = event.cursor;
      if (isNew(event.id)) yield event;
    }
    place.cursor = read.data.cursor;
    if (read.data.more) continue;
    const usesSocket = Socket !== undefined && Date.now() >= noSocketBeforeMs;
    if (!usesSocket) say('polling');
    // A socket that is closed again and again is not opened in a loop.
    await pause(usesSocket ? 250 : (options.pollEveryMs ?? 2_000), signal);
  }
}

const asked = (signal: AbortSignal | undefined): RequestOptions => (signal === undefined ? {} : { signal });

function queryOf({ types, personalData }: LiveOptions, after: string | null): Query<'GET /api/events'> {
  return {
    ...(types === undefined ? {} : { types: types.join(',') }),
    ...(after === null ? {} : { after }),
    ...(personalData === true ? { personal_data: 'true' as const } : {}),
  };
}

/** What may be different a moment later. */
const passes = ({ status, code }: RekindleError) => code !== 'aborted' && (status === 0 || status === 429 || status >= 500);

/** @returns whether an id is new to it */
function remember(): (id: string) => boolean {
  const known = new Set<string>();
  return (id) => {
    if (known.has(id)) return false;
    known.add(id);
    for (const oldest of known) {
      if (known.size <= mostRemembered) break;
      known.delete(oldest);
    }
    return true;
  };
}

type Message =
  | { kind: 'hello'; cursor: string }
  | ({ kind: 'event' } & LiveEvent)
  | { kind: 'alive'; cursor: string | null }
  | { kind: 'end'; reason: string };

/** The events of one socket until it closes; null: it is open. */
async function* fromSocket(
  api: Api,
  Socket: WebSocketConstructor,
  options: LiveOptions,
  place: { cursor: string | null },
): AsyncGenerator<LiveEvent | null, void, undefined> {
  const { url, protocols } = api.socket('/api/live', queryOf(options, place.cursor));
  const waiting: Message[] = [];
  let closed = false;
  let wake: () => void = () => undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let socket: InstanceType<WebSocketConstructor>;
  try {
    socket = new Socket(url, protocols);
  } catch {
    return;
  }
  const close = () => {
    closed = true;
    clearTimeout(timer);
    socket.close();
    wake();
  };
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(close, silentAfterMs);
  };
  watch();
  socket.addEventListener('message', ({ data }) => {
    if (closed) return;
    watch();
    waiting.push(JSON.parse(String(data)) as Message);
    if (waiting.length > mostWaiting) close();
    wake();
  });
  socket.addEventListener('close', close);
  socket.addEventListener('error', close);
  options.signal?.addEventListener('abort', close, { once: true });
  try {
    for (;;) {
      const message = waiting.shift();
      if (message === undefined) {
        if (closed) return;
        await new Promise<void>((done) => (wake = done));
      } else if (message.kind === 'event') {
        const { kind: _, ...event } = message;
        place.cursor = event.cursor;
        yield event;
      } else if (message.kind === 'end') {
        // Why it is over is said by the next request, too, where it does not pass.
        if (message.reason === 'cursor_expired') throw expired();
      } else {
        place.cursor = message.cursor ?? place.cursor;
        yield null;
      }
    }
  } finally {
    options.signal?.removeEventListener('abort', close);
    close();
  }
}

const expired = () =>
  new RekindleError({
    code: 'cursor_expired',
    status: 410,
    detail: 'What came after this cursor is not kept. Read what you show anew, and begin without `after`.',
  });

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      done();
    };
    const timer = setTimeout(end, ms);
    if (signal?.aborted === true) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
}
