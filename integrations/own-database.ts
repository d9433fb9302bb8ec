import type { Deadline, SendOutcome } from './port.ts';

/** Both clocks count towards the deadline and a timer follows one of them, so the deadline is checked at least this often. */
const checkAgainMs = 100;

/** One transaction of a sender whose provider is our own database. */
export interface OwnCall {
  /** @param mayCommit - asked right before COMMIT; where it says no, the transaction has to be rolled back */
  store: (mayCommit: () => boolean) => Promise<SendOutcome>;
  /** @param committing - COMMIT was sent */
  failed: (error: unknown, committing: boolean) => SendOutcome;
  /** Where it ends before COMMIT was sent. */
  notStored: (why: string) => SendOutcome;
}

/** Over with its outcome, with the deadline, or when the session is closed. Where COMMIT was sent before it was given up, the outcome is `unknown`. */
export function callOwnDatabase({ store, failed, notStored }: OwnCall, deadline: Deadline, closing: AbortSignal): Promise<SendOutcome> {
  return new Promise((resolve) => {
    /** COMMIT was sent: from here on it may be there. */
    let committing = false;
    let finished = false;
    let watch: NodeJS.Timeout | undefined;
    const finish = (outcome: SendOutcome): void => {
      if (finished) return;
      finished = true;
      clearTimeout(watch);
      closing.removeEventListener('abort', onClose);
      resolve(outcome);
    };
    const giveUp = (why: string): void => finish(committing ? { kind: 'unknown', response: why } : notStored(why));
    const onClose = (): void => giveUp('the session was closed');
    const checkDeadline = (): void => {
      const remainingMs = deadline.remainingMs();
      if (remainingMs > 0) watch = setTimeout(checkDeadline, Math.min(remainingMs, checkAgainMs));
      else giveUp('the deadline came before an answer');
    };
    const mayCommit = (): boolean => {
      if (finished || deadline.remainingMs() <= 0) return false;
      committing = true;
      return true;
    };
    checkDeadline();
    closing.addEventListener('abort', onClose);
    store(mayCommit).then(finish, (error: unknown) => finish(failed(error, committing)));
  });
}
