import { isStrong } from '../../../domain/people/choose-contact.ts';
import type { Draft } from '../../intake/draft.ts';
import { usableOf } from '../../intake/found.ts';
import { identitiesOf } from '../../intake/source.ts';
import type { EventOf } from '../effect.ts';
import { resolveContact } from './persons.ts';
import { liftOptOuts, liftSwitched } from './suppressions.ts';

/** The person's own opt-in lifts an opt-out on that channel; DO_NOT_CONTACT, bounces and complaints stay (rule 13). */
export function optIn(draft: Draft, event: EventOf<'contact.opted_in'>): void {
  if (event.dnd === true || event.channel === null) return switchOpen(draft, event);
  const { channel } = event;
  const identities = usableOf(draft.found, identitiesOf(draft.context.source, event.person));
  if (identities.length === 0) return;
  // START from a number that several people share opens the number for all of them.
  const shared = !identities.some(isStrong) && draft.found.named.length > 1;
  const contact = shared ? null : resolveContact(draft, identities);
  const personIds = contact === null ? draft.personsOf(draft.found.named) : [contact.personId];
  const basis = event.basis === 'record' && !event.confirmed ? ('record' as const) : ('person' as const);
  for (const contactId of contact === null ? personIds : [contact.contactId]) {
    const { source, wording, occurredAtMs, proof } = event;
    draft.stateConsent({ contactId, channel, state: 'granted', basis, atMs: occurredAtMs, source, wording, proof });
  }
  const held = shared ? identities : draft.identitiesOf(personIds);
  liftOptOuts(draft, held, { channel, saidAtMs: event.occurredAtMs, basis });
}

/** A switch of the CRM stands open: what the record has closed is opened again, where the record's no was said before. */
function switchOpen(draft: Draft, { person, channel, occurredAtMs }: EventOf<'contact.opted_in'>): void {
  const identities = usableOf(draft.found, identitiesOf(draft.context.source, person));
  liftSwitched(draft, [...identities, ...draft.identitiesOf(draft.personsOf(draft.found.named))], { channel, saidAtMs: occurredAtMs });
}
