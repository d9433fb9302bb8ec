import type { Channel, Payload, SenderSession } from '../port.ts';
import { connect } from './connect.ts';
import { fencedRequest, type HttpMessage } from './fenced-request.ts';

export interface HttpSessionOptions<C extends Channel> {
  /** Any URL of the provider: the connection is made to its host. */
  url: URL;
  /** For connecting and TLS together. */
  openTimeoutMs: number;
  /** See `fencedRequest`. */
  continueMs: number;
  /** The request that hands over a message: the same bytes each time, whatever the order of the payload's fields. */
  toMessage(payload: Payload<C>, sendKey: string): HttpMessage;
}

/** A session over one connection, made before the claim. @throws HttpOpenError */
export async function openHttpSession<C extends Channel>(options: HttpSessionOptions<C>): Promise<SenderSession<C>> {
  const connection = await connect(options.url, options.openTimeoutMs);
  const closing = new AbortController();
  let used = false;
  return {
    async send(payload, sendKey, deadline, begun) {
      if (used) throw new Error('A session sends one message.');
      used = true;
      return fencedRequest(connection, options.toMessage(payload, sendKey), deadline, closing.signal, options.continueMs, begun);
    },
    close() {
      closing.abort();
      connection.destroy();
    },
  };
}
