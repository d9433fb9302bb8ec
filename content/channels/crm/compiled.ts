import { z } from 'zod';

/** Which workflow a step puts the contact into, compiled when its version is published. JSON-serialisable. */
export const compiledCrm = z.object({
  language: z.string(),
  workflow: z.string(),
  /** What it is for, as a preview shows it; nobody is sent it. */
  note: z.string(),
});
export type CompiledCrm = z.infer<typeof compiledCrm>;
