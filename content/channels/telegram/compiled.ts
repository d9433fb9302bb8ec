import { z } from 'zod';

/** A text for a Telegram chat, compiled when its version is published: Liquid templates, JSON-serialisable. */
export const compiledTelegram = z.object({
  language: z.string(),
  text: z.string(),
  /** Below the text, one in each row. With a `value`, the bot hears which was pressed; without, it opens the message's link. */
  buttons: z.array(z.object({ text: z.string(), value: z.string().nullable() })),
});
export type CompiledTelegram = z.infer<typeof compiledTelegram>;
