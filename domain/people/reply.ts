import { asksToStop } from './asks-to-stop.ts';
import type { AutoReplySign } from './auto-reply.ts';
import { type Keyword, readKeyword } from './keywords.ts';
import { readLater } from './later.ts';

/** What a message that came in means for the person's sequences. */
export type ReplyMeaning =
  | { kind: Exclude<Keyword, 'opt_out'> }
  /** `inWords`: by no keyword, but in a sentence, which a person should read. */
  | { kind: 'opt_out'; inWords?: true }
  /** A program wrote it: it changes nothing. */
  | { kind: 'automatic'; sign: AutoReplySign }
  /** The person asks to be contacted later. */
  | { kind: 'later'; ms: number }
  | { kind: 'reply' };

export interface ReplyText {
  /** An email quotes what it answers, and is signed. null: it is no channel of ours. */
  channel: string | null;
  subject?: string | null;
  text: string | null;
  automatic?: AutoReplySign | null;
}

/**
 * An opt-out by keyword counts in any message of any channel, whoever wrote it: mail programs unsubscribe for people. Then an automatic reply changes
 * nothing; a sentence that asks not to be written to again is an opt-out; words that mean "later" put the steps off; everything else is a reply.
 * Source: docs/rules.md#rule-20
 */
export function readReply({ channel, subject = null, text, automatic = null }: ReplyText): ReplyMeaning {
  const own = channel === 'email' ? ownWords(text ?? '') : (text ?? '').trim();
  const keyword = readKeyword(own) ?? (channel === 'email' ? readKeyword(firstParagraph(own)) : null);
  const inSubject = subject === null ? null : readKeyword(subject);
  const optOut = [keyword, inSubject].find((word) => word === 'opt_out' || word === 'stop_all') ?? null;
  if (optOut !== null) return { kind: optOut };
  if (automatic !== null) return { kind: 'automatic', sign: automatic };
  if (keyword !== null) return { kind: keyword };
  if (asksToStop(own)) return { kind: 'opt_out', inWords: true };
  const later = own === '' ? null : readLater(own);
  return later === null ? { kind: 'reply' } : { kind: 'later', ms: later };
}

// "On Tue, Ada wrote:", "Am 3. März schrieb Ada:", and what else mail programs put above the message that is answered.
const quoteBegins = [
  /^>/,
  /^-{2,}\s*$/,
  /^-{3,}.*(original|urspr|messag|nachricht).*-{3,}$/i,
  /^_{5,}$/,
  /^(on|am|le|el|il|em|op)\b.{4,200}\b(wrote|schrieb|écrit|escribió|scritto|escreveu|schreef)\b.*:?$/i,
  /^(from|von|de|da|van):\s.+/i,
  /^(sent|gesendet|envoyé|enviado|inviato|verzonden)\b.{0,10}\b(from|von|de|depuis|desde|da|vanaf|met)\b/i,
];

/** What somebody wrote into an email themselves: everything above the quotation or the signature. */
function ownWords(text: string): string {
  const lines = text.split(/\r?\n/);
  const end = lines.findIndex((line) => quoteBegins.some((begins) => begins.test(line.trim())));
  return (end < 0 ? lines : lines.slice(0, end)).join('\n').trim();
}

const firstParagraph = (text: string) => text.split(/\n\s*\n/)[0] ?? '';
