import type { AnswerToQuestions, Behaviour } from '../../helpers/stub-provider.ts';
import { type FarEnd, type FarEndBehaviour, lateMs } from '../sender-conformance.ts';

/** What the stub provider does for each behaviour of a far end. */
export const httpBehaviours: Record<FarEndBehaviour, Behaviour> = {
  takes: { act: 'accept' },
  takes_and_answers_slowly: { act: 'accept', byteDelayMs: 2 },
  is_away: { act: 'accept' },
  refuses: { act: 'answer', status: 400 },
  throttles: { act: 'answer', status: 429 },
  refuses_our_account: { act: 'answer', status: 401 },
  refuses_the_address: { act: 'answer', status: 422 },
  closes_before_taking: { atHead: 'close' },
  resets_before_taking: { atHead: 'reset' },
  hangs_before_taking: { atHead: 'hang' },
  stops_reading: { act: 'stall' },
  answers_before_the_end: { atHead: { status: 413 } },
  refuses_after_the_end: { act: 'answer', status: 429 },
  is_still_at_it: { act: 'answer', status: 409 },
  breaks_down: { act: 'answer', status: 500 },
  takes_then_breaks_down: { act: 'answer', status: 502, take: true },
  hangs_after_the_end: { act: 'hang' },
  closes_after_the_end: { act: 'close' },
  takes_then_hangs: { act: 'hang', take: true },
  takes_then_closes: { act: 'close', take: true },
  takes_then_resets: { act: 'reset', take: true },
  takes_then_answers_half: { act: 'half', take: true },
  takes_late: { act: 'hang', take: true, afterMs: lateMs },
};
export const httpAnswers: Record<Parameters<NonNullable<FarEnd['behaveWhenAsked']>>[0], AnswerToQuestions> = {
  tells_the_truth: 'the_truth',
  breaks_down: { status: 500 },
  throttles: { status: 429 },
  does_not_know_us: { status: 401 },
  hangs: 'hang',
  resets: 'reset',
  talks_nonsense: 'nonsense',
};
