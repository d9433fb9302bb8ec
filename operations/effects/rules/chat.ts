import type { ChatTurn, PersonDetails } from '../../../domain/events.ts';
import { foldDetails, noDetails } from '../../../domain/people/fold-details.ts';
import { isAboutSilence } from '../../../domain/people/silence.ts';
import { lead } from '../../../domain/subjects/lead/index.ts';
import type { Draft } from '../../intake/draft.ts';
import { usableOf } from '../../intake/found.ts';
import { identitiesOf, keysOf } from '../../intake/source.ts';
import type { KnownSubject } from '../../intake/world.ts';
import type { EventOf } from '../effect.ts';
import { resolveContact } from './persons.ts';
import { reportSubject } from './report-subject.ts';
import { talkedAbout } from './silence.ts';

type Turn = EventOf<'message.received'> & { chat: ChatTurn };

/** Whether a message is a turn in a chat with the store's bot. */
export const isTurn = (event: EventOf<'message.received'>): event is Turn => event.chat !== undefined;

/**
 * Whoever writes to the bot is a lead: the one that the chat is known by, else the open lead of its person, else a new one. The turn is their latest
 * interaction, and proves that messages reach the chat.
 * Source: docs/rules.md#rule-66
 */
export function noteTurn(draft: Draft, event: Turn): void {
  const { chat, occurredAtMs } = event;
  const identities = usableOf(draft.found, identitiesOf(draft.context.source, event.person));
  const contact = resolveContact(draft, identities);
  if (contact === null) return;
  fillIn(draft, contact.contactId, chat, occurredAtMs);
  reopen(draft, identities);
  const own = leadOfChat(draft, event, contact.personId);
  if (own === null) return;
  const { lastInteractionAt, ...rest } = draft.subject(own.id).chat;
  draft.changeSubject(own.id, { chat: { ...rest, lastInteractionAt: Math.max(lastInteractionAt ?? occurredAtMs, occurredAtMs) } });
}

function leadOfChat(draft: Draft, event: Turn, personId: string): KnownSubject | null {
  const known = draft.matched().find(({ kind }) => kind === lead.kind);
  if (known !== undefined) return known;
  const { occurredAtMs, toTheSecond, keys = [] } = event;
  const [open] = talkedAbout(draft, [personId]).filter(({ kind }) => kind === lead.kind);
  if (open !== undefined) {
    draft.addKeys(open.id, keysOf(draft.context.source, keys));
    return open;
  }
  const before = new Set(draft.changes.newSubjects);
  const unknown = { interest: null, message: null, url: null, currency: null, valueMinor: null };
  const report = { createdAtMs: occurredAtMs, source: 'TELEGRAM', ...unknown };
  const person = { ...personOf(event.chat), ...event.person };
  const precision = toTheSecond === undefined ? {} : { toTheSecond };
  reportSubject(
    draft,
    lead,
    { ...precision, occurredAtMs, type: 'lead.created', keys, person, report },
    // The bot talks with them: they are not welcomed a second time.
    { begins: isAboutSilence },
  );
  const [made] = [...draft.changes.newSubjects].filter((id) => !before.has(id));
  if (made === undefined) return null;
  // As for every new lead, a campaign may take it.
  if (draft.world.routes === true) draft.changes.routings.push(made);
  return draft.subject(made);
}

const personOf = ({ firstName, lastName, language }: ChatTurn): PersonDetails => {
  const { detailsAt: _, ...unknown } = noDetails;
  return { ...unknown, email: null, phone: null, externalId: null, consents: [], firstName, lastName, locale: language };
};

/** What Telegram says of somebody is what they call themselves there: it fills in what nobody else has said. */
function fillIn(draft: Draft, contactId: string, chat: ChatTurn, atMs: number): void {
  const { details } = draft.contact(contactId);
  const foldedAtMs = details.detailsAt === null ? atMs : Math.min(atMs, details.detailsAt - 1);
  draft.changeContact(contactId, { details: foldDetails(details, personOf(chat), foldedAtMs) });
}

/** A chat that refused a message for good, because the person had blocked the bot, takes messages again. Their opt-out stands until they take it back. */
function reopen(draft: Draft, identities: ReturnType<typeof identitiesOf>): void {
  const hashes = identities.map((identity) => draft.context.addressHash(identity));
  for (const { id, addressHash, channel, reason } of draft.suppressions())
    if (reason === 'refused' && channel === 'telegram' && hashes.includes(addressHash)) draft.liftSuppression(id);
}
