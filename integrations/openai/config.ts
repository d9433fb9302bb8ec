import { z } from 'zod';

/** A connection to a server that speaks the chat-completions protocol, as it is entered. The key stays with the address that it is sent to. */
export const openAiConfig = z.strictObject({
  apiKey: z.string().trim().min(1, 'is empty').max(500),
  /** OpenAI's own, another region, or any compatible server. */
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://api.openai.com/v1'),
  model: z.string().trim().min(1, 'is empty').max(200).default('gpt-4o'),
  temperature: z.number().min(0).max(2).default(0.7),
  /** For one answer, however it comes. */
  timeoutSeconds: z.number().min(1).max(60).default(30),
  /** Whether the server knows `response_format` with a JSON Schema. Without it the prompt alone asks for the parts. */
  structured: z.boolean().default(true),
  /** Whether answers come piece by piece: a broken line is noticed at once, and not after the time-out. */
  stream: z.boolean().default(true),
});

export type OpenAiConfig = z.output<typeof openAiConfig>;
