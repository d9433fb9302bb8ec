import { postOnce } from '../../../integrations/http/post-once.ts';
import { actionLabels } from './labels.ts';
import type { NotificationOutlet } from './outlet.ts';
import { hostOf, readUrl } from './read-url.ts';

/** Source: docs.slack.dev/messaging/formatting-message-text */
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** By an incoming webhook of Slack, or of whatever takes its format (Mattermost, Rocket.Chat). */
export const slack: NotificationOutlet = {
  readAddress: readUrl,
  show: hostOf,
  isRepeatable: false,
  isSigned: false,
  missing: '',
  way: ({ address }) => ({
    account: `slack:${hostOf(address)}`,
    question: null,
    send({ body, links }, deadline) {
      const actions = actionLabels.map(([action, label]) => `<${links[action]}|${label}>`).join('  ·  ');
      const text = `${escaped(body)}\n\n${actions}`;
      // Without previews Slack fetches no link; fetched or not, a link only shows a page.
      return postOnce({ url: address, headers: {}, body: JSON.stringify({ text, unfurl_links: false, unfurl_media: false }) }, deadline);
    },
  }),
};
