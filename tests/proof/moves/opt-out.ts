import { addressOf } from '../../../domain/channels/index.ts';
import { unsubscribe as unsubscribeByLink } from '../../../operations/stop-one.ts';
import { isNumberAlone } from '../people.ts';
import type { HistoryPlan } from '../plan.ts';
import { deliverStop, type Move, noteStop } from './move.ts';

/** What an opt-out from emails closes. */
const ofEmail = ({ optOutAll }: HistoryPlan) => ({ closesOnly: optOutAll ? null : ('email' as const), optsOut: true });

/** From emails, as the shop tells it. */
export const optOut: Move = {
  weight: (scene, run) => (isNumberAlone(scene, run) ? 0 : 3),
  make(stage, run) {
    const address = stage.ownerOf(run);
    return deliverStop(
      stage,
      'contact.opted_out',
      { contact: stage.people.contact(address), channel: 'email' },
      { kind: 'opt_out', by: { address }, ...ofEmail(stage.plan) },
    );
  },
};

/** Names a number alone. Where two share it, it closes the number for texts, and nobody's email; else it is its holder's opt-out from texts. */
export const textOptOut: Move = {
  weight: ({ shape, texts }) => (shape === 'shared_number' ? 4 : texts ? 2 : 0),
  make(stage, run) {
    const address = stage.ownerOf(run);
    const number = stage.people.numberOf(address);
    const closesOnly = stage.plan.shape === 'shared_number' || !stage.plan.optOutAll ? ('number' as const) : null;
    return deliverStop(
      stage,
      'contact.opted_out',
      { contact: { phone: number }, channel: 'sms' },
      { kind: 'text_opt_out', by: { address }, closesOnly, number, optsOut: true },
    );
  },
};

/** By the link of an email that has gone out. */
export const unsubscribe: Move = {
  weight: () => 1.5,
  async make(stage, run) {
    const payload = stage.payloads.get(run);
    const messageId = await stage.messageIdOf(payload);
    // A text message has no link to unsubscribe.
    if (payload?.channel !== 'email' || messageId === null) return null;
    const { tenantId } = stage;
    return {
      kind: 'call',
      words: 'unsubscribes',
      call: (process) => unsubscribeByLink(process.deps, { tenantId, messageId }),
      // Whoever was written to unsubscribes, whosever the subject is by now.
      answered: noteStop(stage, { kind: 'unsubscribe', by: { address: addressOf(payload)?.value ?? '' }, ...ofEmail(stage.plan) }),
    };
  },
};
