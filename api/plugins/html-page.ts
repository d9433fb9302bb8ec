import { randomBytes } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Html } from '../html.ts';

/** An answer with a page, for a route's schema. */
export const pageAnswer = (description: string) => ({ description, content: { 'text/html': { schema: z.string() } } });

/**
 * Answer with a page under a strict content security policy: scripts and styles run only where they carry the page's nonce, and nothing else is
 * loaded.
 * @param page - gets the nonce that its own style and script elements must bear
 * @param frames - `own`: it may show other answers of ours in frames
 */
export function sendPage(reply: FastifyReply, status: number, page: (nonce: string) => Html, frames: 'none' | 'own' = 'none'): FastifyReply {
  const nonce = randomBytes(16).toString('base64');
  const own = `'nonce-${nonce}'`;
  return reply
    .code(status)
    .headers({
      'content-security-policy': `default-src 'none'; script-src ${own}; style-src ${own}; connect-src 'self'; img-src 'self' data:; ${frames === 'own' ? "frame-src 'self'; " : ''}form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'x-robots-tag': 'noindex',
      'cache-control': 'no-store',
    })
    .type('text/html; charset=utf-8')
    .send(page(nonce).text);
}

/** Answer with somebody's email, to be shown in a frame of a page of ours: it runs nothing, and loads pictures alone. */
export function sendFramedEmail(reply: FastifyReply, email: string): FastifyReply {
  return reply
    .headers({
      'content-security-policy':
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex',
      'cache-control': 'no-store',
    })
    .type('text/html; charset=utf-8')
    .send(email);
}
