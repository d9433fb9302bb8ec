import type { SendOutcome } from '../port.ts';

/** nodemailer's error of a transaction that failed. */
export interface SmtpFailure {
  message: string;
  code?: string | undefined;
  command?: string | undefined;
  response?: string | undefined;
  responseCode?: number | undefined;
}

/**
 * What became of a message that the server did not confirm. Judged by what was given out, not by the error's code: a server that
 * takes the message and then hangs or closes looks just like one that could not be reached.
 * @param complete - the end of the message was given out, so it may have been accepted
 */
export function judgeFailure(complete: boolean, failure: SmtpFailure): SendOutcome {
  const response = forLedger(failure.response ?? failure.message);
  if (!complete) {
    const hard = failure.command === 'RCPT TO' && isDeadMailbox(failure.response ?? '', 'recipient');
    // No answer, or 421: the server is away or going down, which says nothing about this message.
    const outage = failure.response === undefined || failure.responseCode === 421;
    return { kind: 'refused', severity: hard ? 'hard' : 'soft', ...(outage ? { outage } : {}), response };
  }
  // Only a whole reply to the message itself is an answer. RFC 5321, 4.2.5: after 4yz and 5yz the server has not taken it.
  const answered = failure.code === 'EMESSAGE' && failure.command === 'DATA' && isRefusal(failure.responseCode);
  if (!answered) return { kind: 'unknown', response };
  return { kind: 'refused', severity: isDeadMailbox(failure.response ?? '', 'message') ? 'hard' : 'soft', response };
}

/** A server's text as the ledger keeps it: one line of limited length. It may name the address. */
export function forLedger(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Surrogate}]+/gu, ' ')
    .trim()
    .slice(0, 500);
}

function isRefusal(code: number | undefined): boolean {
  return code !== undefined && code >= 400 && code < 600;
}

// RFC 3463: no such mailbox, no such domain, bad syntax, moved, null MX (5.1.x); mailbox disabled (5.2.1).
const deadMailbox = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1']);
const aboutUs = /relay|block|spam|polic|blacklist|blocklist|reputation|authenti|rcpthosts|not allowed/i;

/**
 * Whether a 5yz reply says that this address will never work. It suppresses the address, so a refusal that is about the sender (relaying, reputation,
 * policy) must not count: the enhanced code decides where there is one, else the reply to RCPT TO.
 */
function isDeadMailbox(response: string, refused: 'recipient' | 'message'): boolean {
  const match = /^(5\d\d)[ -](?:(\d\.\d{1,3}\.\d{1,3})\b)?/.exec(response);
  if (match === null) return false;
  const [, basic = '', enhanced] = match;
  if (enhanced !== undefined) return deadMailbox.has(enhanced);
  // 552 is a full mailbox: it may be emptied. 554 and the rest are about the transaction.
  return refused === 'recipient' && ['550', '551', '553', '556'].includes(basic) && !aboutUs.test(response);
}
