import { countSegments } from '../../../content/channels/sms/segments.ts';
import { normalisePhone } from '../../../domain/people/identity.ts';
import { bySender } from './by-sender.ts';
import type { NotificationOutlet } from './outlet.ts';

/** A text message, with one link for everything: each of them costs a part. */
export const sms: NotificationOutlet = {
  readAddress(text, { country }) {
    const address = normalisePhone(text, country);
    return address === null ? { fault: 'is no telephone number: write it with its country code, e.g. +12025550143' } : { address };
  },
  show: (address) => address,
  isRepeatable: false,
  isSigned: false,
  missing: 'The store has no account for text messages: connect one.',
  way: ({ address }, context) =>
    bySender(context, 'sms', ({ body, links }) => {
      const text = `${body}\n${links.task}`;
      return { channel: 'sms', to: address, from: context.settings.smsSender, text, shortUrl: links.task, segments: countSegments(text).segments };
    }),
};
