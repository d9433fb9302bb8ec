import type { Integration } from '../port.ts';
import { recommendationsHttpConfig } from './config.ts';
import { createHttpRecommender } from './recommend.ts';

/** Recommends properties by asking a system of the store's own. */
export const recommendationsHttp: Integration = {
  name: 'recommendations-http',
  title: 'Properties from an address of yours',
  purpose: 'chat',
  guide: { before: ['Enter the address of your system that answers with properties. It gets a POST for each list that a chat shows.'], after: [] },
  config: recommendationsHttpConfig,
  recommender: (config) => createHttpRecommender(recommendationsHttpConfig.parse(config)),
};
