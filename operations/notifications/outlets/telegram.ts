import { bySender } from './by-sender.ts';
import { actionLabels } from './labels.ts';
import type { NotificationOutlet } from './outlet.ts';

/** By the store's bot, to a person or a group that has written to it. */
export const telegram: NotificationOutlet = {
  readAddress: (text) =>
    /^-?[1-9]\d{0,18}$/.test(text.trim())
      ? { address: text.trim() }
      : { fault: 'is no id of a Telegram chat: digits, with a minus in front for a group' },
  show: (address) => address,
  isRepeatable: false,
  isSigned: false,
  missing: 'The store has no Telegram bot: connect one.',
  way: ({ address }, context) =>
    bySender(context, 'telegram', ({ body, links }) => ({
      channel: 'telegram',
      to: address,
      // Telegram takes no button that leads to an address without a public name, so that links are text.
      text: `${body}\n\n${actionLabels.map(([action, label]) => `${label}: ${links[action]}`).join('\n')}`,
      buttons: [],
    })),
};
