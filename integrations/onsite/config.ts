import { z } from 'zod';

/** A site on which pop-ups are shown, as it is entered. Its public key is the connection's id. */
export const onsiteConfig = z.strictObject({
  /** Origins of the pages, such as `https://shop.example.com`: the script is answered there and nowhere else. */
  origins: z
    .array(
      z
        .url({ protocol: /^https?$/, error: 'is no address like https://shop.example.com' })
        .refine(
          (text) => URL.canParse(text) && new URL(text).origin === text,
          'is no origin: write it without a path, like https://shop.example.com',
        ),
    )
    .min(1, 'are missing: name the pages’ own origin')
    .max(20, 'are more than 20'),
});
