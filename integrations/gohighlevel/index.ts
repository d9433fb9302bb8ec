import { askJson } from '../http/ask.ts';
import type { Integration } from '../port.ts';
import { newToken } from '../shared-token.ts';
import { accountOf, goHighLevelConfig, headersOf, urlOf } from './config.ts';
import { loginOf } from './login.ts';
import { goHighLevelOAuth } from './oauth.ts';
import { goHighLevelReceiver } from './receive.ts';
import { createGoHighLevelSenders } from './send.ts';

/** GoHighLevel: messages through the conversations of a location, and what happens there. */
export const goHighLevel: Integration = {
  name: 'gohighlevel',
  title: 'GoHighLevel',
  purpose: 'crm',
  guide: {
    before: [
      'In the location (sub-account), under Settings, Private Integrations, make a token with the scopes for contacts, conversations and workflows.',
      'The id of the location stands in the address of its pages, after “location”.',
    ],
    after: [
      'In an app of the marketplace, enter the address for its webhooks; they are signed by HighLevel itself.',
      'In a workflow, add a Custom Webhook with the address and a header x-rekindle-token whose value is the secret.',
    ],
  },
  config: goHighLevelConfig,
  // For workflows, whose own webhooks are not signed.
  newSecret: newToken,
  receiver: goHighLevelReceiver,
  senders: (config, context) => createGoHighLevelSenders(goHighLevelConfig.parse(config), context),
  accountOf: (config) => goHighLevelConfig.parse(config).locationId,
  oauth: goHighLevelOAuth,
  tellsOptOuts: true,
  async check(config, context) {
    const parsed = goHighLevelConfig.parse(config);
    const url = urlOf(parsed, '/conversations/search');
    url.search = new URLSearchParams({ locationId: parsed.locationId, limit: '1' }).toString();
    await askJson(url, headersOf(await loginOf(parsed, context).token()), 5_000);
    return `${accountOf(parsed.locationId)} lets us in`;
  },
};
