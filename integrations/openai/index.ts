import type { Integration } from '../port.ts';
import { openAiConfig } from './config.ts';
import { createOpenAiWriter } from './write.ts';

/** Texts by a language model, at OpenAI or at any server with the same protocol. */
export const openAi: Integration = {
  name: 'openai',
  title: 'OpenAI, or a model with its API',
  purpose: 'model',
  guide: {
    before: [
      'Make a key of the API at your provider.',
      'Leave the base URL out for OpenAI itself; any server with the same API takes its own address there.',
    ],
    after: [],
  },
  config: openAiConfig,
  writer: (config) => createOpenAiWriter(openAiConfig.parse(config)),
};
