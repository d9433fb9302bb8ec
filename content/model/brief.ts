import { z } from 'zod';
import { readYaml } from '../../domain/yaml-file.ts';
import { type CopySource, CopySourceError } from '../copy-source.ts';

const tones = ['helpful', 'urgent', 'incentive'] as const;
/** What a model may claim where the brief allows it and the fact is known. */
export const claimNames = ['stock', 'price_drop', 'reviews', 'shipping', 'returns'] as const;
export type ClaimName = (typeof claimNames)[number];

const wordList = z.array(z.string().trim().min(1, 'is empty').max(60, 'is longer than 60 characters')).max(50, 'are more than 50').default([]);

const briefSchema = z.strictObject(
  {
    goal: z.string('is missing: say what the message is to achieve').trim().min(1, 'is empty').max(1_000, 'is longer than 1000 characters'),
    tone: z.enum(tones, `is one of ${tones.join(', ')}`).default('helpful'),
    claims: z.array(z.enum(claimNames, `is one of ${claimNames.join(', ')}`)).default([]),
    banned: wordList,
    required: wordList,
    /** Words of an email's body at most. */
    length: z.int('is a whole number of words').min(20, 'is below 20').max(300, 'is above 300').default(120),
  },
  'is no brief: write goal, tone, claims, banned, required, length',
);

/** The instructions for a model, as `cart/email_2h.brief.yaml` has it and as a published version stores it. */
export type Brief = z.output<typeof briefSchema>;

/** @throws CopySourceError naming file and line */
export function parseBrief({ file, text }: CopySource): Brief {
  const read = readYaml(text, briefSchema);
  if (read.ok) return read.value;
  throw new CopySourceError(read.errors.map(({ line, message }) => ({ file, line, message })));
}

/** As a version stores it. @throws ZodError where it is none */
export const readBrief = (stored: unknown): Brief => briefSchema.parse(stored);

/** For steps without a brief of their own. */
export function generalBrief(kind: string): Brief {
  const goal =
    kind === 'cart'
      ? 'Remind the shopper of what is in the cart and offer help with whatever keeps them from buying. One clear way back to the cart.'
      : 'Take up the conversation about what the person was interested in, offer help, and make the next step easy.';
  return briefSchema.parse({ goal });
}

/** One that no file says. */
export const writtenBrief = (fields: z.input<typeof briefSchema>): Brief => briefSchema.parse(fields);

/** Under which name a version stores a brief. */
export const briefNameOf = (brief: string): string => `${brief}.brief`;
