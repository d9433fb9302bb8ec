import { z } from 'zod';

/** An email compiled when its version is published: Liquid templates, JSON-serialisable, no further MJML work at send time. */
export const compiledEmail = z.object({ subject: z.string(), html: z.string(), text: z.string() });
export type CompiledEmail = z.infer<typeof compiledEmail>;
