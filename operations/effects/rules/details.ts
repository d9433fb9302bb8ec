import type { PersonDetails } from '../../../domain/events.ts';
import { newStatements } from '../../../domain/people/consent.ts';
import { foldDetails } from '../../../domain/people/fold-details.ts';
import type { Draft } from '../../intake/draft.ts';

/** Fold what an event says about a contact, by the provider's clock. Consent is append-only: only what is new is added. */
export function applyDetails(draft: Draft, contactId: string, said: PersonDetails, occurredAtMs: number): void {
  draft.changeContact(contactId, { details: foldDetails(draft.contact(contactId).details, said, occurredAtMs) });
  const { connectionId } = draft.context.source;
  for (const statement of newStatements(said.consents, occurredAtMs, draft.consentsOf([contactId]))) {
    const source = `${statement.basis === 'record' ? 'record' : 'connection'}:${connectionId}`;
    draft.stateConsent({ contactId, ...statement, source, wording: statement.wording ?? null });
  }
}
