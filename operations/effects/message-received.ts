import type { AutoReplySign } from '../../domain/people/auto-reply.ts';
import { isStrong } from '../../domain/people/choose-contact.ts';
import { afterReply } from '../../domain/people/on-reply.ts';
import { readReply } from '../../domain/people/reply.ts';
import type { Draft } from '../intake/draft.ts';
import { usableOf } from '../intake/found.ts';
import { identitiesOf } from '../intake/source.ts';
import type { Effect, EventOf } from './effect.ts';
import { answerKeyword } from './rules/answer-keyword.ts';
import { isTurn, noteTurn } from './rules/chat.ts';
import { keepTurn } from './rules/chat-update.ts';
import { optIn } from './rules/opt-in.ts';
import { takeOver } from './rules/takeover.ts';
import { optOut } from './rules/opt-out.ts';
import { reachOrMeet } from './rules/persons.ts';
import { awaitsSilence, endsWithSilence, noteContact, noteDecline, talkedAbout } from './rules/silence.ts';
import { reviewOptOut } from './rules/review-opt-out.ts';
import { snooze } from './rules/snooze.ts';

/**
 * A reply ends the enrollments of everybody who shares the identity; STOP and START are an opt-out and an opt-in as well, on every channel. Where a STOP
 * closes its own channel only, sequences that stop on replies end as `replied`. Words that mean "later" move what is left, and an automatic reply
 * changes nothing. A silence ends with the reply, and the next one is counted from it.
 * Source: docs/rules.md#rule-20
 */
export const messageReceived: Effect<EventOf<'message.received'>> = {
  stops: 'always',
  reads: ['leads', 'runs', 'sequences', 'claims', 'suppressions'],
  decide(event, draft) {
    keepTurn(draft, event);
    const meaning = readReply(event);
    if (meaning.kind === 'automatic') return noteAutomatic(draft, meaning.sign);
    const stops = meaning.kind === 'opt_out' || meaning.kind === 'stop_all';
    answerKeyword(draft, event, meaning);
    if (isTurn(event) && !stops) noteTurn(draft, event);
    if (meaning.kind === 'later') return snooze(draft, event.occurredAtMs + meaning.ms);
    const { chat: _, ...words } = event;
    const said = { ...words, source: 'reply', basis: 'person' } as const;
    if (meaning.kind === 'opt_out' && meaning.inWords === true) reviewOptOut(draft, event);
    if (stops) optOut(draft, { ...said, type: 'contact.opted_out', final: meaning.kind === 'stop_all' }, event.text);
    if (meaning.kind === 'opt_in' && event.channel !== null)
      optIn(draft, { ...said, type: 'contact.opted_in', channel: event.channel, wording: event.text, confirmed: true });
    // A reply may come before anything else that is known of its person; a STOP has made them known.
    if (!stops) reachOrMeet(draft, usableOf(draft.found, identitiesOf(draft.context.source, event.person)));
    const persons = draft.personsOf(draft.found.reached);
    // STOP from a number that several people share closes the number; it does not count as anybody's reply.
    const isShared = draft.found.named.length > 1 && !identitiesOf(draft.context.source, event.person).some(isStrong);
    if (isShared && stops) return;
    for (const id of persons) {
      const { lastReplyAt, lastWhatsappAt } = draft.contact(id);
      const later = (known: number | null) => Math.max(known ?? event.occurredAtMs, event.occurredAtMs);
      draft.changeContact(id, {
        lastReplyAt: later(lastReplyAt),
        ...(event.channel === 'whatsapp' ? { lastWhatsappAt: later(lastWhatsappAt) } : {}),
      });
    }
    draft.coverPersons(persons);
    const { settings } = draft.context.tenant;
    const running = draft.openEnrollmentsOf(persons);
    const open = running.map((enrollment) => ({ enrollment, policy: afterReply(enrollment.version.definition, settings) }));
    // A reply ends every silence; one that has not begun to count is counted from the reply.
    const ending = open.filter(({ enrollment, policy }) => endsWithSilence(enrollment) || (policy === 'stop' && !awaitsSilence(enrollment)));
    draft.end(
      ending.map(({ enrollment }) => enrollment.id),
      'replied',
    );
    if (open.some(({ policy }) => policy === 'takeover')) takeOver(draft, persons, null);
    if (stops) return;
    noteDecline(draft, event.text, running.filter(endsWithSilence));
    noteContact(draft, talkedAbout(draft, persons), event.occurredAtMs, 'replied');
  },
};

/** Note the message in the story of each enrollment it reaches, because nothing else shows it. */
function noteAutomatic(draft: Draft, sign: AutoReplySign): void {
  for (const { id } of draft.openEnrollmentsOf(draft.personsOf(draft.found.reached)))
    draft.addStoryEntry({ enrollmentId: id, type: 'message.automatic', data: { sign } });
}
