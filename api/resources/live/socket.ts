import type { WebSocket } from '@fastify/websocket';
import type { EndReason, Listener } from '../../../operations/live/hub.ts';
import type { LiveEvent } from '../../../operations/live/read-events.ts';

/** What a listener may have waiting in this process, in bytes, before it is let go: some hundred events. */
const mostWaiting = 256 * 1024;
/** How long a listener that is let go may take for what it was sent before. */
const closeWithinMs = 5_000;

/** Close codes of our own: why, and what to do. */
const closeCodes: Readonly<Record<EndReason | 'not_allowed' | 'silent', number>> = {
  not_allowed: 4401,
  too_slow: 4408,
  cursor_expired: 4410,
  silent: 4411,
  interrupted: 4503,
  going_away: 1012,
};
export type CloseReason = keyof typeof closeCodes;

export interface ListeningSocket extends Listener {
  /** Send something that is no event. */
  say(message: Record<string, unknown>): void;
  close(reason: CloseReason): void;
}

/**
 * A listener over a WebSocket. One that takes its events too slowly is told where to go on and let go, so that nothing piles up for it here.
 * @param types - null: all
 * @param ended - called once, when it was let go
 */
export function listenOver(
  socket: WebSocket,
  { tenantId, withPersonalData, types }: { tenantId: string; withPersonalData: boolean; types: ReadonlySet<string> | null },
  ended: (reason: CloseReason) => void,
): ListeningSocket {
  let isOpen = true;
  /** Of the newest event that it was sent. */
  let resume: string | null = null;

  const send = (text: string, then?: () => void) => {
    // A socket that is gone closes by its own event.
    if (isOpen && socket.readyState === socket.OPEN) socket.send(text, () => then?.());
    else then?.();
  };
  const close = (reason: CloseReason) => {
    if (!isOpen) return;
    send(JSON.stringify({ kind: 'end', reason, resume: reason === 'cursor_expired' ? null : resume }));
    isOpen = false;
    socket.close(closeCodes[reason], reason);
    const timer = setTimeout(() => socket.terminate(), closeWithinMs);
    socket.once('close', () => clearTimeout(timer));
    ended(reason);
  };
  socket.on('close', () => {
    isOpen = false;
  });

  return {
    tenantId,
    withPersonalData,
    tell(event: LiveEvent) {
      if (!isOpen || (types !== null && !types.has(event.type))) return;
      const body = withPersonalData ? event.body.personal : event.body.plain;
      if (body === null) return;
      if (socket.bufferedAmount > mostWaiting) return close('too_slow');
      send(messageOf(event, body));
      resume = event.cursor;
    },
    drained: () =>
      new Promise((done) => {
        // Its callback comes when everything before has been written, or the socket is gone.
        if (isOpen && socket.readyState === socket.OPEN) socket.ping(undefined, undefined, () => done());
        else done();
      }),
    end: close,
    say: (message) => send(JSON.stringify(message)),
    close,
  };
}

const messages = new WeakMap<LiveEvent, Map<string, string>>();

/** The same text for all who listen: it is made once. */
function messageOf(event: LiveEvent, body: string): string {
  const made = messages.get(event) ?? new Map<string, string>();
  messages.set(event, made);
  const known = made.get(body);
  if (known !== undefined) return known;
  const { cursor, id } = event;
  const message = `${JSON.stringify({ kind: 'event', cursor, id }).slice(0, -1)},${body.slice(1)}`;
  made.set(body, message);
  return message;
}
