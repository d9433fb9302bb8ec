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
