import type { SendOutcome } from '../port.ts';

/** An answer, as far as it arrived. */
export interface HttpAnswer {
  status: number;
  /** At most 64 KiB; empty or cut off where the connection broke. */
  body: string;
  /** Lower-case names. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

// Statuses by which a server says that it did not do what was asked. Not among them: 408 and 499, which a proxy may give while the server works
// on; 409, which may be about an earlier call with the same key; 302 and 303, which may follow after the message was accepted.
const refusals = new Set([
  301, 307, 308, 400, 401, 402, 403, 404, 405, 406, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 425, 426, 428, 429, 431, 451,
]);

/**
 * What a status alone says about a message that was sent whole. A provider's own codes may say more: that the address does not exist, or that a
 * message was not accepted in spite of a 5xx.
 * @param response - for the ledger: no personal data
 */
export function judgeStatus(status: number, response: string, providerMessageId: string | null = null): SendOutcome {
  if (status >= 200 && status < 300) return { kind: 'accepted', providerMessageId, response };
  if (!refusals.has(status)) return { kind: 'unknown', response };
  return { kind: 'refused', severity: 'soft', response, ...(status === 401 ? { loginRefused: true } : {}) };
}
