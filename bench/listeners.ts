import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { WebSocket } from 'ws';

/** Many who listen at one address, in this process. */
export interface Listeners {
  /** How long it took from `atMs` until each of them had received the text, in milliseconds. */
  received(text: string, atMs: number): Promise<number[]>;
  close(): void;
}

/** @param headers - of each connection */
export async function openListeners(url: string, count: number, headers: Record<string, string> = {}): Promise<Listeners> {
  const sockets: WebSocket[] = [];
  let waiting: { text: string; atMs: number; tookMs: number[]; done: (tookMs: number[]) => void } | null = null;
  const seen: { text: string; atMs: number }[] = [];
  const note = (message: string, nowMs: number) => {
    if (waiting === null) return void seen.push({ text: message, atMs: nowMs });
    if (!message.includes(waiting.text)) return;
    waiting.tookMs.push(nowMs - waiting.atMs);
    if (waiting.tookMs.length < count) return;
    waiting.done(waiting.tookMs);
    waiting = null;
  };
  const open = () =>
    new Promise<void>((done, refuse) => {
      const socket = new WebSocket(url, ['rekindle.live'], { headers });
      sockets.push(socket);
      socket.on('message', (data: Buffer) => note(data.toString(), performance.now()));
      socket.once('error', refuse);
      // Whoever is greeted listens.
      socket.once('message', () => done());
    });
  // Not all at once: the kernel's line for new connections is shorter.
  for (let from = 0; from < count; from += 50) await Promise.all(Array.from({ length: Math.min(50, count - from) }, open));
  return {
    received: (text, atMs) =>
      new Promise((done) => {
        waiting = { text, atMs, tookMs: [], done };
        // Some may have been told before the caller knew what to wait for.
        for (const early of seen.splice(0)) note(early.text, early.atMs);
      }),
    close() {
      for (const socket of sockets) socket.terminate();
    },
  };
}

/**
 * Something happens in a store again and again, one after the other, each in a transaction of its own: from before it is sent, so its commit counts.
 * @returns for each listener and event the milliseconds until it was told
 */
export async function tellAll(databaseUrl: string, tenantId: string, listeners: Listeners, events: number): Promise<number[]> {
  const owner = new pg.Client({ connectionString: databaseUrl });
  await owner.connect();
  try {
    const all: number[] = [];
    for (let n = 0; n < events; n++) {
      const id = randomUUID();
      const atMs = performance.now();
      await owner.query(`insert into tasks (tenant_id, id, kind) values ($1, $2, 'question')`, [tenantId, id]);
      all.push(...(await listeners.received(id, atMs)));
    }
    return all;
  } finally {
    await owner.end();
  }
}
