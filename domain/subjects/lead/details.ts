import { z } from 'zod';

/** The fields that only a lead has. Version 1. */
export interface LeadDetails {
  /** Where it came from, as the source names it: `META`, `website` …; null: the source does not say. */
  source: string | null;
  /** What the person asked about; null: nothing in particular. */
  interest: string | null;
  /** What the person wrote. Shown to the store, never repeated in a message. */
  message: string | null;
  /** The page about what they asked for; null: there is none. */
  url: string | null;
  /** The area that they asked about; absent or null: the source does not say. */
  area?: string | null | undefined;
}

const maybeText = z.string().nullable().default(null);

export const leadDetails = z.object({
  source: maybeText,
  interest: maybeText,
  message: maybeText,
  url: maybeText,
  area: z.string().nullable().optional(),
}) satisfies z.ZodType<LeadDetails>;
