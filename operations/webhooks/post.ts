import { type AttemptOutcome, retryAfterMsOf } from '../../domain/webhooks/next-attempt.ts';
import { outboundFetch } from '../../integrations/http/outbound.ts';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import type { Clock } from '../clock.ts';

/** For the whole attempt. A receiver that needs longer should answer first and work afterwards. */
export const attemptMs = 15_000;
/** How much of an answer is kept, in bytes. */
const keptBytes = 500;

export interface Posted {
  outcome: AttemptOutcome;
  /** Why there was no answer; null: there was one. */
  error: string | null;
  answer: string | null;
  durationMs: number;
}

/**
 * One attempt, signed by the Standard Webhooks specification with every secret that counts now. Redirects are not followed. Never throws.
 * @param secrets - opened, the newest first
 */
export async function postWebhook(
  clock: Clock,
  { url, id, body, secrets }: { url: string; id: string; body: string; secrets: readonly string[] },
  ended: AbortSignal,
): Promise<Posted> {
  const startedMs = clock.monotonicMs();
  const nowMs = clock.nowMs();
  const seconds = Math.floor(nowMs / 1_000);
  const durationMs = () => Math.round(clock.monotonicMs() - startedMs);
  try {
    const response = await outboundFetch(url, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Rekindle-Webhooks',
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        'webhook-signature': secrets.map((secret) => signStandardWebhook(secret, id, seconds, body)).join(' '),
      },
      redirect: 'manual',
      signal: AbortSignal.any([ended, AbortSignal.timeout(attemptMs)]),
    });
    const outcome = { kind: 'answered' as const, status: response.status, retryAfterMs: retryAfterMsOf(response.headers.get('retry-after'), nowMs) };
    return { outcome, error: null, answer: await beginningOf(response), durationMs: durationMs() };
  } catch (error) {
    return { outcome: { kind: 'unanswered' }, error: reasonOf(error), answer: null, durationMs: durationMs() };
  }
}

/** The status has come, and decides: what becomes of the rest of the answer does not matter. */
async function beginningOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of response.body ?? []) {
      parts.push(part);
      bytes += part.byteLength;
      // Leaving the loop ends the answer.
      if (bytes >= keptBytes) break;
    }
  } catch {
    // As far as it came.
  }
  return Buffer.concat(parts).subarray(0, keptBytes).toString('utf8').replaceAll('\0', '');
}

/** What went wrong, from the innermost cause: fetch itself only says that it failed. */
function reasonOf(error: unknown): string {
  let deepest: unknown = error;
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause;
  if (!(deepest instanceof Error)) return 'the connection failed';
  if (deepest.name === 'TimeoutError') return `no answer within ${attemptMs / 1_000} s`;
  return (deepest.message === '' ? deepest.name : deepest.message).slice(0, 300).replaceAll('\0', '');
}
