import { encodeCursor, hasSeen, type LiveCursor } from '../../domain/live/cursor.ts';
import type { Deps } from '../deps.ts';
import { cursorOfNow, type LiveEvent, readEvents } from './read-events.ts';
import { recordForReaders } from './readers.ts';

/** Receives a store's events as they happen. */
export interface Listener {
  tenantId: string;
  withPersonalData: boolean;
  /** Called for each event; must return at once. */
  tell(event: LiveEvent): void;
  /** Resolves when the events handed over so far have left this process. Past events are read no faster than that. */
  drained(): Promise<void>;
  /** No event follows. */
  end(reason: EndReason): void;
}

export type EndReason =
  /** The listener read its events too slowly. */
  | 'too_slow'
  /** The events after its cursor have been deleted. */
  | 'cursor_expired'
  /** Postgres could not be read for the events it missed. */
  | 'interrupted'
  /** This process is shutting down. */
  | 'going_away';

export interface LiveHub {
  /**
   * Send a listener every event after its cursor, then new events as they happen.
   * @param after - null: only new events
   * @param begin - called with the starting cursor, before the first event
   * @throws when Postgres cannot be read
   */
  join(listener: Listener, after: LiveCursor | null, begin: (cursor: string) => void): Promise<void>;
  leave(listener: Listener): void;
  /** The cursor of a listener that has caught up; null: it is still reading past events. */
  cursorOf(listener: Listener): string | null;
  /** The number of listeners to a store in this process. */
  count(tenantId: string): number;
  close(): void;
}

export interface LiveHubOptions {
  /** How often Postgres is polled for new events while there are listeners, in milliseconds. */
  everyMs?: number;
}

const usualEveryMs = 50;
const atOnce = 100;
/** The most new events buffered while a listener reads past ones; beyond that it ends as `too_slow`. */
const mostBuffered = 2_000;
const renewEveryMs = 3_600_000;
const afterFailureMs = 1_000;

interface Member {
  listener: Listener;
  /** New events, held back while it reads past ones; null: it has caught up and gets them at once. */
  buffer: LiveEvent[] | null;
  /** Ids of events already sent as past ones, which will be read once more as new ones. */
  toldAlready: Set<string>;
}

interface Stream {
  tenantId: string;
  /** Up to where all its members have been sent events; always the end of a page. */
  cursor: LiveCursor;
  members: Map<Listener, Member>;
  /** Settles when the pages in hand are read; null: none is. */
  advancing: Promise<void> | null;
  renewAtMs: number;
}

/**
 * One per process. Each store with listeners is read once for all of them. It polls Postgres, because NOTIFY takes a lock that would make the commits of all
 * stores wait for each other.
 * Source: docs/adr/0087-live-events.md
 */
export function createLiveHub(deps: Pick<Deps, 'db' | 'log' | 'clock' | 'telemetry'>, { everyMs = usualEveryMs }: LiveHubOptions = {}): LiveHub {
  const streams = new Map<string, Promise<Stream>>();
  const open = new Map<string, Stream>();
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  let failing = false;

  const openStream = (tenantId: string): Promise<Stream> => {
    const known = streams.get(tenantId);
    if (known !== undefined) return known;
    const opened = (async () => {
      await recordForReaders(deps, tenantId);
      const cursor = await cursorOfNow(deps, tenantId);
      const stream: Stream = { tenantId, cursor, members: new Map(), advancing: null, renewAtMs: deps.clock.nowMs() + renewEveryMs };
      open.set(tenantId, stream);
      pollAgain();
      return stream;
    })();
    streams.set(tenantId, opened);
    opened.catch(() => streams.delete(tenantId));
    return opened;
  };

  const endAll = (stream: Stream, reason: EndReason) => {
    for (const listener of [...stream.members.keys()]) end(stream, listener, reason);
    forget(stream);
  };

  const forget = (stream: Stream) => {
    if (open.get(stream.tenantId) !== stream) return;
    open.delete(stream.tenantId);
    streams.delete(stream.tenantId);
  };

  const end = (stream: Stream, listener: Listener, reason: EndReason) => {
    if (stream.members.delete(listener)) listener.end(reason);
  };

  const publish = (stream: Stream, event: LiveEvent) => {
    for (const { listener, buffer, toldAlready } of [...stream.members.values()]) {
      if (toldAlready.delete(event.id)) continue;
      if (buffer === null) listener.tell(event);
      else if (buffer.length < mostBuffered) buffer.push(event);
      else end(stream, listener, 'too_slow');
    }
    deps.telemetry.liveTold(Math.max(0, deps.clock.nowMs() - event.atMs));
  };

  const advance = async (stream: Stream): Promise<void> => {
    for (;;) {
      const all = [...stream.members.keys()];
      const wanted = { plain: all.some((one) => !one.withPersonalData), personal: all.some((one) => one.withPersonalData) };
      const read = await readEvents(deps, stream.tenantId, { after: stream.cursor, limit: atOnce, wanted });
      if (read.kind === 'expired') return endAll(stream, 'cursor_expired');
      for (const event of read.events) publish(stream, event);
      stream.cursor = read.cursor;
      if (!read.more || stream.members.size === 0) return undefined;
    }
  };

  const advanceOnce = (stream: Stream): Promise<void> => {
    stream.advancing ??= advance(stream).finally(() => {
      stream.advancing = null;
    });
    return stream.advancing;
  };

  const poll = async (): Promise<void> => {
    const nowMs = deps.clock.nowMs();
    for (const stream of open.values()) {
      if (nowMs < stream.renewAtMs) continue;
      await recordForReaders(deps, stream.tenantId);
      stream.renewAtMs = nowMs + renewEveryMs;
    }
    const resting = [...open.values()].filter(({ advancing }) => advancing === null);
    const withNews = new Set(await deps.db.storesWithNews(resting.map(({ tenantId, cursor }) => ({ tenantId, seen: cursor.seen }))));
    // Not awaited, so that one store's events do not delay another's.
    for (const stream of resting) if (withNews.has(stream.tenantId)) advanceOnce(stream).catch(noteFailure);
  };

  const noteFailure = (err: unknown) => {
    // Log only the first failure of a series. Listeners stay connected and get the events once Postgres answers.
    if (!failing) deps.log.warn({ err }, 'live events cannot be read right now');
    failing = true;
  };

  const pollAgain = () => {
    if (timer !== null || closed) return;
    timer = setTimeout(
      () => {
        void poll()
          .then(() => {
            failing = false;
          }, noteFailure)
          .then(() => {
            timer = null;
            if (open.size > 0) pollAgain();
          });
      },
      failing ? afterFailureMs : everyMs,
    );
  };

  /** Send past events page by page, while new ones wait in the buffer. */
  const catchUp = async (stream: Stream, member: Member, from: LiveCursor): Promise<void> => {
    const { listener } = member;
    const { tenantId, withPersonalData } = listener;
    const { seen } = stream.cursor;
    const wanted = { plain: !withPersonalData, personal: withPersonalData };
    for (let after = from; ; ) {
      const read = await readEvents(deps, tenantId, { after, limit: atOnce, wanted });
      if (!stream.members.has(listener)) return;
      if (read.kind === 'expired') return end(stream, listener, 'cursor_expired');
      for (const event of read.events) {
        if (!hasSeen(seen, event.txid)) member.toldAlready.add(event.id);
        listener.tell(event);
      }
      await listener.drained();
      if (!read.more) break;
      after = read.cursor;
    }
    const waiting = member.buffer ?? [];
    member.buffer = null;
    for (const event of waiting) if (!member.toldAlready.delete(event.id)) listener.tell(event);
  };

  return {
    async join(listener, after, begin) {
      const stream = await openStream(listener.tenantId);
      // Between two pages the cursor is exactly what all members have been sent.
      while (stream.advancing !== null) await stream.advancing.catch(() => undefined);
      if (closed) throw new Error('this process ends');
      // The stream was dropped meanwhile, when its last listener left.
      if (open.get(listener.tenantId) !== stream) return this.join(listener, after, begin);
      const member: Member = { listener, buffer: after === null ? null : [], toldAlready: new Set() };
      begin(encodeCursor(after ?? stream.cursor));
      stream.members.set(listener, member);
      if (after !== null)
        catchUp(stream, member, after).catch((err: unknown) => {
          noteFailure(err);
          end(stream, listener, 'interrupted');
        });
    },
    leave(listener) {
      const stream = open.get(listener.tenantId);
      if (stream?.members.delete(listener) === true && stream.members.size === 0) forget(stream);
    },
    cursorOf(listener) {
      const stream = open.get(listener.tenantId);
      return stream?.members.get(listener)?.buffer === null && stream.advancing === null ? encodeCursor(stream.cursor) : null;
    },
    count: (tenantId) => open.get(tenantId)?.members.size ?? 0,
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      for (const stream of [...open.values()]) endAll(stream, 'going_away');
    },
  };
}
