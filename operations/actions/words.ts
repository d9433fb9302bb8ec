import type { Words } from '../../domain/subjects/kind.ts';
import { instantWords, wordsForDefer, wordsForHold, wordsForSkip, wordsForStop } from '../read/words.ts';

/** What an action on an enrollment came to. */
export interface ActionDone {
  action: 'pause' | 'resume' | 'skip' | 'snooze' | 'send_now' | 'stop' | 'move';
  outcome:
    | 'paused'
    | 'resumed'
    | 'skipped'
    | 'snoozed'
    | 'sent'
    | 'unknown'
    | 'deferred'
    | 'held'
    | 'left_out'
    | 'under_way'
    | 'stopped'
    | 'moved'
    | 'ended'
    | 'unchanged';
  changed: boolean;
  /** null: it was about the whole enrollment. */
  step: string | null;
  /** Of `snoozed` and `deferred`: epoch milliseconds. */
  untilMs: number | null;
  reason: string | null;
}

/** What an action came to, as a sentence. */
export function actionSentence(about: Words, { action, outcome, step, untilMs, reason }: ActionDone): string {
  const named = step ?? 'The step';
  const until = untilMs === null ? 'later' : instantWords(untilMs);
  switch (outcome) {
    case 'paused':
      return 'It is paused: nothing of it is sent until it is resumed.';
    case 'resumed':
      return 'It goes on; what became too old meanwhile is skipped.';
    case 'skipped':
      return `${named} is left out.`;
    case 'snoozed':
      return `What is left of it moves: ${named} is due at ${until} at the earliest.`;
    case 'sent':
      return `${named} went out.`;
    case 'unknown':
      return `Whether ${named} was accepted is not known; it counts as sent and is never repeated blindly.`;
    case 'deferred':
      return `${named} is due, and was put off until ${until}: ${wordsForDefer(about, reason ?? '')}.`;
    case 'held':
      return `${named} is due, and waits: ${wordsForHold(reason ?? '')}.`;
    case 'left_out':
      return `${named} was not sent: ${wordsForSkip(about, reason ?? '')}.`;
    case 'under_way':
      return `${named} is due, and it is not decided yet: explain says what comes of it.`;
    case 'stopped':
      return 'It is stopped: nothing of it can go out any more.';
    case 'ended':
      return `${named} was not sent: the sequence ended instead.`;
    case 'moved':
      return step === null ? 'It goes on in the other version.' : `It goes on at ${step}.`;
    case 'unchanged':
      if (action === 'move') return 'It stands there already.';
      if (action === 'stop') return `It had ended before: ${reason === 'completed' ? 'it ran to its end' : wordsForStop(about, reason ?? '')}.`;
      return action === 'pause' ? 'It was paused already.' : 'It was not paused.';
  }
}
