import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

const chunkBytes = 16 * 1024;

/**
 * A message's bytes on their way into the DATA command. The final dot follows the last byte, so the last bytes are given out only
 * while `mayFinish` says so, asked in the same turn, and only once the socket has nothing else left to write: what is still
 * queued before them cannot delay the dot past the deadline.
 */
export class GuardedBody extends Readable {
  /** The end was given out: from here on the server may have accepted the message. Before it, it certainly has not. */
  complete = false;
  readonly #message: Buffer;
  readonly #mayFinish: () => boolean;
  readonly #socket: () => Socket | null;
  #offset = 0;

  /** @param message - whole lines; the last line break is held back */
  constructor(message: Buffer, socket: () => Socket | null, mayFinish: () => boolean) {
    // No read-ahead: each chunk is requested only when it can be passed on.
    super({ highWaterMark: 0 });
    this.#message = message;
    this.#socket = socket;
    this.#mayFinish = mayFinish;
  }

  override _read(): void {
    const heldBack = Math.max(0, this.#message.length - 2);
    if (this.#offset >= heldBack) {
      this.#finish(heldBack);
      return;
    }
    const chunk = this.#message.subarray(this.#offset, Math.min(this.#offset + chunkBytes, heldBack));
    this.#offset += chunk.length;
    this.push(chunk);
  }

  #finish(heldBack: number): void {
    const socket = this.#socket();
    if (socket?.writableNeedDrain === true) {
      socket.once('drain', () => this.#finish(heldBack));
      return;
    }
    // One turn later: a reply that has already arrived came too early to be the answer to this message, and ends the call first.
    setImmediate(() => {
      if (this.destroyed) return;
      if (socket?.writableNeedDrain === true) this.#finish(heldBack);
      else this.#giveOutTheEnd(heldBack);
    });
  }

  #giveOutTheEnd(heldBack: number): void {
    if (!this.#mayFinish()) {
      this.destroy(new Error('The deadline came before the end of the message.'));
      return;
    }
    this.complete = true;
    this.push(this.#message.subarray(heldBack));
    this.push(null);
  }
}
