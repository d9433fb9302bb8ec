import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';
import type { LinkTarget } from '../../../operations/link-tokens.ts';
import { pageAnswer, sendPage } from '../../plugins/html-page.ts';
import type { Limits } from '../../plugins/rate-limits.ts';
import { tryAgainPage, unknownLinkPage } from './pages.ts';

export const linkParams = z.object({ token: z.string() });

/** Answers that every page behind a link may give. */
export const linkAnswers = {
  404: pageAnswer('We did not sign this link for this purpose, or what it was about is gone.'),
  429: pageAnswer('Asked too often; `Retry-After` says when to try again.'),
  503: pageAnswer('Not now; `Retry-After` says when to try again.'),
};

export type ReadLink = { kind: 'good'; target: LinkTarget } | { kind: 'bad' } | { kind: 'too_often'; waitSeconds: number };

/** Read a link's token. */
export function readLink(
  options: { deps: Pick<Deps, 'links'>; limits: Limits },
  request: FastifyRequest,
  token: string,
  purpose: LinkTarget['purpose'],
): Promise<ReadLink> {
  return limitLink(options, request, options.deps.links.read(token, purpose));
}

/** Answers 429 to callers that try tokens or call one link again and again. @param target - what the token stands for; null: nothing */
export async function limitLink({ limits }: { limits: Limits }, request: FastifyRequest, target: LinkTarget | null): Promise<ReadLink> {
  const waitSeconds =
    target === null ? await limits.badToken(request) : await limits.link(request, `${target.purpose} ${target.tenantId} ${target.messageId}`);
  if (waitSeconds !== null) return { kind: 'too_often', waitSeconds };
  return target === null ? { kind: 'bad' } : { kind: 'good', target };
}

/** The page for an invalid link. */
export function refuseLink(reply: FastifyReply, link: Exclude<ReadLink, { kind: 'good' }>): FastifyReply {
  if (link.kind === 'too_often') return sendPage(reply.header('retry-after', String(link.waitSeconds)), 429, tryAgainPage);
  return sendPage(reply, 404, unknownLinkPage);
}
