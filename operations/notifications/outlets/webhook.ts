import { postOnce } from '../../../integrations/http/post-once.ts';
import { signStandardWebhook } from '../../../integrations/standard-webhooks.ts';
import type { NotificationOutlet } from './outlet.ts';
import { hostOf, readUrl } from './read-url.ts';

/** Signed by the Standard Webhooks specification. Every attempt has the same `webhook-id`, by which a receiver recognises a repeat. */
export const webhook: NotificationOutlet = {
  readAddress: readUrl,
  show: hostOf,
  isRepeatable: true,
  isSigned: true,
  missing: '',
  way: ({ address, secret = '' }, { clock }) => ({
    account: `webhook:${hostOf(address)}`,
    question: null,
    send({ id, body: text, links, task, cause, atMs }, deadline) {
      const name = `msg_${id}`;
      const seconds = Math.floor(clock.nowMs() / 1_000);
      const data = { notification_id: id, cause, task, text, links };
      const body = JSON.stringify({ type: 'task.notification', timestamp: new Date(atMs).toISOString(), data });
      const headers = {
        'webhook-id': name,
        'webhook-timestamp': String(seconds),
        'webhook-signature': signStandardWebhook(secret, name, seconds, body),
      };
      return postOnce({ url: address, headers, body }, deadline);
    },
  }),
};
