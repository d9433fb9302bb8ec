import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A message as it reaches the provider. Epoch milliseconds, with fractions. */
export interface Seen {
  /** MAIL FROM, the first byte of a call. */
  callAtMs: number;
  /** The first byte of the message itself; null: none came. */
  bodyAtMs: number | null;
}

/** An SMTP server that accepts everything at once and notes when each message began. */
export interface FarEnd {
  url: string;
  /** By recipient. */
  seen: ReadonlyMap<string, Seen>;
  close(): Promise<void>;
}

const nowMs = () => performance.timeOrigin + performance.now();

export async function openFarEnd(): Promise<FarEnd> {
  const seen = new Map<string, Seen>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => void sockets.delete(socket)).on('error', () => undefined);
    converse(socket, seen);
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}?tls=off`,
    seen,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => void server.close(done));
    },
  };
}

function converse(socket: Socket, seen: Map<string, Seen>): void {
  let [waiting, callAtMs, inBody]: [string, number, boolean] = ['', 0, false];
  let current: Seen | null = null;
  socket.setNoDelay(true).write('220 bench\r\n');
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    if (inBody && current !== null) current.bodyAtMs ??= nowMs();
    waiting += chunk;
    for (;;) {
      const end = inBody ? '\r\n.\r\n' : '\r\n';
      const at = waiting.indexOf(end);
      if (at < 0) return;
      const line = waiting.slice(0, at);
      waiting = waiting.slice(at + end.length);
      if (inBody) {
        inBody = false;
        socket.write('250 taken\r\n');
      } else if (/^MAIL FROM/i.test(line)) {
        callAtMs = nowMs();
        socket.write('250 ok\r\n');
      } else if (/^RCPT TO/i.test(line)) {
        current = { callAtMs, bodyAtMs: null };
        seen.set(/<([^>]*)>/.exec(line)?.[1]?.toLowerCase() ?? line, current);
        socket.write('250 ok\r\n');
      } else if (/^DATA/i.test(line)) {
        inBody = true;
        socket.write('354 go on\r\n');
      } else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n');
      else socket.write('250 bench\r\n');
    }
  });
}
