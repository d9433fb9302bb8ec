import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { lookupPublic, refusePrivateLiteral } from './outbound.ts';

/** A connection to a provider, secured where its URL says `https`, over which nothing was sent yet. */
export interface OpenHttp {
  /** Carries the request: the TLS socket, or the TCP socket itself. */
  socket: net.Socket;
  /** Resets the TCP connection and so discards what the kernel has not sent yet; a plain close would let it go on sending. */
  destroy(): void;
}

/** Thrown when no connection could be opened: refused, timed out, or TLS failed. Certainly nothing was sent. */
export class HttpOpenError extends Error {
  readonly code = 'http_open_failed';
  override readonly name = 'HttpOpenError';
}

/**
 * Connect, and secure the connection.
 * @param timeoutMs - for both together, wall clock
 * @throws HttpOpenError
 */
export async function connect(url: URL, timeoutMs: number): Promise<OpenHttp> {
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // The TCP socket is our own, because only that one can be reset.
  try {
    refusePrivateLiteral(host);
  } catch (cause) {
    throw new HttpOpenError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const tcp = net.connect({ host, port: Number(url.port || (secure ? 443 : 80)), noDelay: true, lookup: lookupPublic });
  const ignore = () => {};
  // An error event without a listener would end the process, also while the connection is idle.
  tcp.on('error', ignore);
  const timer = setTimeout(() => tcp.destroy(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
  const broken = new Promise<never>((_resolve, reject) => {
    tcp.once('error', reject);
    tcp.once('close', () => reject(new Error('the provider closed the connection')));
  });
  try {
    await Promise.race([once(tcp, 'connect'), broken]);
    const destroy = () => {
      if (!tcp.destroyed) tcp.resetAndDestroy();
    };
    if (!secure) return { socket: tcp, destroy };
    const secured = tls.connect({ socket: tcp, host, ...(net.isIP(host) === 0 ? { servername: host } : {}) });
    secured.on('error', ignore);
    await Promise.race([once(secured, 'secureConnect'), broken]);
    return {
      socket: secured,
      destroy: () => {
        destroy();
        secured.destroy();
      },
    };
  } catch (cause) {
    tcp.destroy();
    throw new HttpOpenError(`No connection to ${url.host}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    clearTimeout(timer);
    broken.catch(ignore);
  }
}
