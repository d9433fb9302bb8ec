import type { Deadline, SendOutcome } from '../port.ts';
import { connect } from './connect.ts';
import { fencedRequest } from './fenced-request.ts';
import { type HttpAnswer, judgeStatus } from './judge.ts';

/** For connecting and TLS together. */
const openTimeoutMs = 4_000;
const continueMs = 500;
const longestRetryAfterMs = 24 * 3_600_000;

/**
 * POST something once to an address that a store has entered: no redirects, no retries, nothing after the deadline. Never throws: where no connection could be
 * opened, it was certainly not taken.
 */
export async function postOnce(
  { url, headers, body }: { url: string; headers: Readonly<Record<string, string>>; body: string },
  deadline: Deadline,
): Promise<SendOutcome> {
  const target = new URL(url);
  let connection;
  try {
    connection = await connect(target, openTimeoutMs);
  } catch (error) {
    return { kind: 'refused', severity: 'soft', outage: true, response: (error instanceof Error ? error.message : String(error)).slice(0, 200) };
  }
  const message = {
    url: target,
    headers: { 'content-type': 'application/json', 'user-agent': 'Rekindle', ...headers },
    body: Buffer.from(body),
    judge,
  };
  return fencedRequest(connection, message, deadline, new AbortController().signal, continueMs);
}

/** 404 and 410: nobody listens at this address any more, so that a repeat would change nothing. */
function judge({ status, headers }: HttpAnswer): SendOutcome {
  const outcome = judgeStatus(status, `HTTP ${status}`);
  if (outcome.kind !== 'refused') return outcome;
  if (status === 404 || status === 410) return { ...outcome, severity: 'hard' };
  const asked = String(headers['retry-after'] ?? '');
  return status === 429 && /^\d{1,6}$/.test(asked) ? { ...outcome, retryAfterMs: Math.min(Number(asked) * 1_000, longestRetryAfterMs) } : outcome;
}
