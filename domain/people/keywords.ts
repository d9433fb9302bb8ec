/** What a text message that is only a keyword asks for. */
export type Keyword = 'opt_out' | 'stop_all' | 'opt_in' | 'help';

const optOut = ['stop', 'unsubscribe', 'cancel', 'end', 'quit', 'revoke', 'optout', 'opt out', 'remove', 'arret', 'arrete', 'arrett'];
const stopAll = ['stopall', 'stop all'];
// Not `yes`, which some providers treat as an opt-in: it is more often the answer to a question.
const optIn = ['start', 'unstop'];
const help = ['help', 'info'];

/**
 * Read a keyword: trimmed, case-folded, punctuation and accents stripped; the whole message must be the keyword.
 * @returns null for an ordinary message
 * Source: FCC 47 CFR 64.1200(a)(10), the carriers' common list, and the keywords that Twilio acts on by default
 */
export function readKeyword(text: string): Keyword | null {
  const plain = text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[\p{P}\p{S}]/gu, ' ')
    .trim()
    .replace(/\s+/g, ' ')
    .toLowerCase();
  if (stopAll.includes(plain)) return 'stop_all';
  if (optOut.includes(plain)) return 'opt_out';
  if (optIn.includes(plain)) return 'opt_in';
  return help.includes(plain) ? 'help' : null;
}
