import { type AnsweredKeyword, keywordChannels } from '../../../domain/people/keyword-answers.ts';
import type { ReplyMeaning } from '../../../domain/people/reply.ts';
import type { Draft } from '../../intake/draft.ts';
import { identitiesOf } from '../../intake/source.ts';
import type { EventOf } from '../effect.ts';

const answered: Partial<Record<ReplyMeaning['kind'], AnsweredKeyword>> = { opt_out: 'stop', stop_all: 'stop', opt_in: 'start', help: 'help' };

/** Keep that a keyword is to be answered, where the provider leaves that to us. Source: docs/rules.md#rule-120 */
export function answerKeyword(draft: Draft, event: EventOf<'message.received'>, { kind }: ReplyMeaning): void {
  const { source, tenant, addressHash } = draft.context;
  const keyword = answered[kind];
  const channel = keywordChannels.find((one) => one === event.channel);
  if (keyword === undefined || channel === undefined || event.unanswered !== true || !tenant.settings.keywordAnswers) return;
  const phone = identitiesOf(source, event.person).find((identity) => identity.kind === 'phone');
  if (phone === undefined) return;
  const [first] = draft.found.reached;
  draft.changes.keywordAnswers.push({
    channel,
    keyword,
    address: phone.value,
    addressHash: addressHash(phone),
    locale: draft.findContact(first ?? null)?.details.locale ?? null,
    askedAtMs: event.occurredAtMs,
  });
}
