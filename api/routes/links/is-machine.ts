import { isbot } from 'isbot';
import type { FastifyRequest } from 'fastify';

// Image proxies fetch a picture when a person opens the email, so they count as people, though isbot calls them programs.
const readersProxies = /GoogleImageProxy|YahooMailProxy/;

/**
 * Whether a program followed a link, not a person: a scanner, a prefetch, a link preview. Recorded as such; no condition counts it.
 * Apple's Mail Privacy Protection fetches every picture as the bare `Mozilla/5.0`, which isbot knows.
 */
export function isMachine({ method, headers }: FastifyRequest): boolean {
  if (method === 'HEAD') return true;
  const purpose = [headers['sec-purpose'], headers['purpose'], headers['x-purpose'], headers['x-moz']].flat().join(' ');
  if (/prefetch|preview/i.test(purpose)) return true;
  const agent = headers['user-agent'] ?? '';
  if (readersProxies.test(agent)) return false;
  return agent === '' || isbot(agent);
}
