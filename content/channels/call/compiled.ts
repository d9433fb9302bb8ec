import { z } from 'zod';

/** The script of a call, compiled when its version is published: a Liquid template, JSON-serialisable. */
export const compiledCall = z.object({
  text: z.string(),
  language: z.string(),
  assistant: z.string().nullable(),
  phoneNumber: z.string().nullable(),
  maxSeconds: z.number().nullable(),
});
export type CompiledCall = z.infer<typeof compiledCall>;
