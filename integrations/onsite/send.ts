import { type Deadline, type OnsitePayload, type PopupStore, PopupStoreError, type Sender, type SenderSession, type SendOutcome } from '../port.ts';

/** Both clocks count towards the deadline and a timer follows one of them, so the deadline is checked at least this often. */
const checkAgainMs = 100;

/**
 * Puts pop-ups down for the next page view. Accepted means: it is stored and waits. It has not been shown; the page reports that.
 *
 * The send key is unique for good, so a repeat of a call in doubt is exact, however much later it comes: it stores the pop-up or finds it there.
 * Source: docs/adr/0038-the-pop-up.md
 */
export function createOnsiteSender(popups: PopupStore | undefined): Sender<'onsite'> {
  return {
    channel: 'onsite',
    account: 'onsite',
    times: { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'keys', keyLifeMs: Number.POSITIVE_INFINITY },
    async open() {
      if (popups === undefined) throw new Error('nothing stores pop-ups here');
      return openSession(popups);
    },
  };
}

function openSession(popups: PopupStore): SenderSession<'onsite'> {
  const closing = new AbortController();
  let used = false;
  return {
    async send(popup, sendKey, deadline, begun) {
      if (used) throw new Error('A session puts down one pop-up.');
      used = true;
      if (closing.signal.aborted) return notStored('the session was closed', true);
      if (deadline.remainingMs() <= 0) return notStored('the deadline came before the call', true);
      begun?.();
      return putDown(popups, popup, sendKey, deadline, closing.signal);
    },
    close: () => closing.abort(),
  };
}

/** One call: over with its outcome, with the deadline, or when the session is closed. */
function putDown(popups: PopupStore, popup: OnsitePayload, sendKey: string, deadline: Deadline, closing: AbortSignal): Promise<SendOutcome> {
  return new Promise((resolve) => {
    /** COMMIT was sent: from here on the pop-up may be there. */
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
    const giveUp = (why: string): void => finish(committing ? { kind: 'unknown', response: why } : notStored(why, true));
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
    popups.putDown(sendKey, popup, mayCommit).then(
      (result) => finish(outcomeOf(result)),
      (error: unknown) => finish(failureOf(error, committing)),
    );
  });
}

function outcomeOf(result: 'stored' | 'another' | 'too_late'): SendOutcome {
  if (result === 'stored') return { kind: 'accepted', providerMessageId: null, response: 'it waits for the next page view' };
  if (result === 'another') return notStored('another pop-up waits under this key', false);
  return notStored('the deadline came before the end', true);
}

function failureOf(error: unknown, committing: boolean): SendOutcome {
  const said = error instanceof Error ? error.message : String(error);
  const code = error instanceof PopupStoreError ? error.code : committing ? 'unclear' : 'away';
  return code === 'unclear' ? { kind: 'unknown', response: said } : notStored(said, code === 'away');
}

const notStored = (response: string, outage: boolean): SendOutcome => ({
  kind: 'refused',
  severity: 'soft',
  ...(outage ? { outage: true } : {}),
  response,
});
