import { z } from 'zod';

/**
 * An email compiled when its version is published: Liquid templates, JSON-serialisable, no further MJML work at send time. `language` of its copy, BCP 47;
 * versions from before it was stored have none.
 */
export const compiledEmail = z.object({
  subject: z.string(),
  html: z.string(),
  text: z.string(),
  language: z.string().default('en'),
  /** For previews alone: both stand in `html` too. */
  preheader: z.string().nullable().default(null),
  cta: z.string().nullable().default(null),
});
export type CompiledEmail = z.infer<typeof compiledEmail>;
