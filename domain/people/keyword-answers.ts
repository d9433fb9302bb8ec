/** What somebody asked for by a keyword, as it is answered. */
export const answeredKeywords = ['stop', 'start', 'help'] as const;
export type AnsweredKeyword = (typeof answeredKeywords)[number];

/** The channels on which keywords are answered, where the provider does not do it. */
export const keywordChannels = ['sms', 'whatsapp'] as const;
export type KeywordChannel = (typeof keywordChannels)[number];

/** A confirmation that comes later is none: one is allowed within five minutes of an opt-out (47 CFR 64.1200(a)(12)). */
export const answerWithinMs = 5 * 60_000;
/** An answer that was certainly not taken is tried again after that, longer each time. */
const firstPauseMs = 5_000;

/** What becomes of an answer after an attempt. `unknown`: it may have arrived, and is not sent again. */
export type AnswerNext = { state: 'waiting'; atMs: number } | { state: 'sent' | 'unknown' | 'refused' | 'too_late' };

/**
 * @param attempts - how many were made, this one included
 * @param outcome - of the attempt; `not_opened`: the provider could not be reached
 * Source: docs/rules.md#rule-120
 */
export function nextAnswer(
  outcome: 'accepted' | 'unknown' | 'soft' | 'hard' | 'not_opened',
  attempts: number,
  askedAtMs: number,
  nowMs: number,
): AnswerNext {
  if (outcome === 'accepted') return { state: 'sent' };
  if (outcome === 'unknown') return { state: 'unknown' };
  if (outcome === 'hard') return { state: 'refused' };
  const atMs = nowMs + firstPauseMs * 2 ** (attempts - 1);
  return atMs < askedAtMs + answerWithinMs ? { state: 'waiting', atMs } : { state: 'too_late' };
}
