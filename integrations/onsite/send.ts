import { callOwnDatabase } from '../own-database.ts';
import { type PopupStore, PopupStoreError, type Sender, type SenderSession, type SendOutcome } from '../port.ts';

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
      const store = async (mayCommit: () => boolean) => outcomeOf(await popups.putDown(sendKey, popup, mayCommit));
      return callOwnDatabase({ store, failed: failureOf, notStored: (why) => notStored(why, true) }, deadline, closing.signal);
    },
    close: () => closing.abort(),
  };
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
