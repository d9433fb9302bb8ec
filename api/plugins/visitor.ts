import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Visitor } from '../../operations/identity/identity.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Origins of our own pages. */
    ownOrigins: readonly string[];
  }
}

export const visitorOf = ({ ip, headers }: FastifyRequest): Visitor => ({ address: ip, headers });

/** Beside cookies that were set before. */
export function keepCookies(reply: FastifyReply, cookies: readonly string[]): void {
  for (const cookie of cookies) void reply.header('set-cookie', cookie);
}

/** A WebSocket is to be opened. */
export const isUpgrade = ({ headers }: FastifyRequest): boolean => headers.upgrade?.toLowerCase() === 'websocket';

/** Browsers say where a page comes from that changes something. What is only read cannot be read by a foreign page, except from a WebSocket. */
export function isFromOwnPage(request: FastifyRequest): boolean {
  const { method, headers, server } = request;
  if (isUpgrade(request)) return headers.origin !== undefined && server.ownOrigins.includes(headers.origin);
  if (method === 'GET' || method === 'HEAD') return true;
  const { origin } = headers;
  return origin === undefined ? headers['sec-fetch-site'] !== 'cross-site' : server.ownOrigins.includes(origin);
}
