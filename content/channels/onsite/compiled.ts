import { z } from 'zod';

/** A pop-up compiled when its version is published: Liquid templates, JSON-serialisable. */
export const compiledPopup = z.object({ language: z.string(), heading: z.string(), text: z.string(), cta: z.string(), close: z.string() });
export type CompiledPopup = z.infer<typeof compiledPopup>;
