import { z } from 'zod';

/** A text for WhatsApp, compiled when its version is published: Liquid templates, JSON-serialisable. One of `text` and `template` is there. */
export const compiledWhatsapp = z.object({
  language: z.string(),
  /** Free text; null: the message is sent as the template only. */
  text: z.string().nullable(),
  /** Approved at the provider; null: the message is sent inside the service window only. */
  template: z.object({ name: z.string(), language: z.string(), parameters: z.array(z.string()) }).nullable(),
});
export type CompiledWhatsapp = z.infer<typeof compiledWhatsapp>;
