import type { Integration } from '../port.ts';
import { openAiConfig } from './config.ts';
import { createOpenAiWriter } from './write.ts';

/** Texts by a language model, at OpenAI or at any server with the same protocol. */
export const openAi: Integration = {
  name: 'openai',
  title: 'OpenAI, or a model with its API',
  purpose: 'model',
  config: openAiConfig,
  writer: (config) => createOpenAiWriter(openAiConfig.parse(config)),
};
