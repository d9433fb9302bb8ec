import { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/**
 * A socket that sends as one packet what is written in one turn of the event loop. BEGIN and the first statement, or the last statement
 * and COMMIT, then cost one system call and wake Postgres once: a good part of a short transaction.
 */
export class GatheringSocket extends Socket {
  override write(chunk: Uint8Array | string, done?: Done): boolean;
  override write(chunk: Uint8Array | string, encoding?: BufferEncoding, done?: Done): boolean;
  override write(chunk: Uint8Array | string, encoding?: BufferEncoding | Done, done?: Done): boolean {
    if (this.writableCorked === 0) {
      this.cork();
      process.nextTick(() => this.uncork());
    }
    return typeof encoding === 'function' ? super.write(chunk, encoding) : super.write(chunk, encoding, done);
  }
}
