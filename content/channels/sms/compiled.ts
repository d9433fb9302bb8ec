import { z } from 'zod';

/** A text message compiled when its version is published: a Liquid template, JSON-serialisable. */
export const compiledSms = z.object({ text: z.string(), language: z.string() });
export type CompiledSms = z.infer<typeof compiledSms>;
