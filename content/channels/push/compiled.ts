import { z } from 'zod';

/** A notification compiled when its version is published: Liquid templates, JSON-serialisable. */
export const compiledPush = z.object({ language: z.string(), title: z.string(), text: z.string() });
export type CompiledPush = z.infer<typeof compiledPush>;
