import { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/**
 * A socket that sends everything written in one turn of the event loop as one packet. BEGIN and the first statement, or the last statement and
 * COMMIT, then cost one system call and wake Postgres once, which is a good part of a short transaction.
 */
export class GatheringSocket extends Socket {
  #gathering = false;

  constructor() {
    super();
    // Node puts its own `write` on a socket that connects (lib/net.js), in case an earlier life of it had ended.
    this.once('connect', () => Reflect.deleteProperty(this, 'write'));
  }

  // The driver corks and uncorks around each statement: its own cork below them holds everything until the turn is over.
  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    super.cork();
    process.nextTick(() => {
      this.#gathering = false;
      this.uncork();
    });
  }

  override cork(): void {
    this.#gather();
    super.cork();
  }

  override write(chunk: Uint8Array | string, done?: Done): boolean;
  override write(chunk: Uint8Array | string, encoding?: BufferEncoding, done?: Done): boolean;
  override write(chunk: Uint8Array | string, encoding?: BufferEncoding | Done, done?: Done): boolean {
    this.#gather();
    return typeof encoding === 'function' ? super.write(chunk, encoding) : super.write(chunk, encoding, done);
  }
}
