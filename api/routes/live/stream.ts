import type { FastifyReply } from 'fastify';
import type { Feed, Update } from './feed.ts';

const heartbeatMs = 15_000;

/** Answer with server-sent events until the page goes away or the server closes. The first event is everything, also after a reconnect. */
export async function stream(reply: FastifyReply, feed: Feed): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  raw.write('retry: 1000\n');
  const write = (update: Update) => {
    if (!raw.writableEnded) raw.write(`data: ${JSON.stringify(update)}\n\n`);
  };
  // Listen first, so that nothing is lost that happens while the first event is read.
  let early: Update[] | null = [];
  const ignore = feed.listen(
    (update) => (early === null ? write(update) : void early.push(update)),
    () => raw.end(),
  );
  const heartbeat = setInterval(() => raw.write(': still here\n\n'), heartbeatMs);
  raw.on('close', () => {
    clearInterval(heartbeat);
    ignore();
  });
  try {
    write({ kind: 'everything', html: await feed.everything() });
    for (const update of early) write(update);
    early = null;
  } catch (error) {
    reply.log.warn({ err: error }, 'the live page cannot be fed right now');
    // The page reconnects by itself.
    raw.end();
  }
}
