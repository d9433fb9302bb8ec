import type { Integration } from '../port.ts';
import { recommendationsCsvConfig } from './config.ts';
import { createCsvRecommender } from './recommend.ts';

/** Recommends properties from a list that is kept as a file. */
export const recommendationsCsv: Integration = {
  name: 'recommendations-csv',
  title: 'Properties from a CSV file',
  purpose: 'chat',
  guide: { before: ['Paste the whole file: its first line names the columns. The documentation has their names.'], after: [] },
  config: recommendationsCsvConfig,
  recommender: (config) => createCsvRecommender(recommendationsCsvConfig.parse(config)),
};
