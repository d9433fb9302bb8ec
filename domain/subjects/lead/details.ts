import { z } from 'zod';
import { type LeadSource, leadSources } from '../../campaigns/campaign.ts';
import { type BotType, botTypes } from './bot-type.ts';
import type { Viewings } from './viewings.ts';

/** The fields that only a lead has. Version 1. */
export interface LeadDetails {
  /** Where it came from, as the source names it: `META`, `website` …; null: the source does not say. */
  source: string | null;
  /** By which way it came in, where `source` is a label of its own; absent: `source` says it. */
  via?: LeadSource | undefined;
  /** What the person asked about; null: nothing in particular. */
  interest: string | null;
  /** What the person wrote. Shown to the store, never repeated in a message. */
  message: string | null;
  /** The page about what they asked for; null: there is none. */
  url: string | null;
  /** The area that they asked about; absent or null: the source does not say. */
  area?: string | null | undefined;
  /** What else they want of it, such as `three rooms, a garden`; absent: the source does not say. */
  preferences?: string | undefined;
  /** Absent: the source does not say, and `lead` counts. */
  botType?: BotType | undefined;
  /** The ids under which a tracker knows the click that led here; absent: the source does not say. */
  subId?: string | undefined;
  clickId?: string | undefined;
  /** Answers for which there is no field, by the names of their questions. Shown to the store, never repeated in a message. */
  attributes?: Readonly<Record<string, string>> | undefined;
  /** The viewings that were agreed with them or called off; absent: none was reported. */
  viewings?: Viewings | undefined;
}

const maybeText = z.string().nullable().default(null);

export const leadDetails = z.object({
  source: maybeText,
  via: z.enum(leadSources).optional(),
  interest: maybeText,
  message: maybeText,
  url: maybeText,
  area: z.string().nullable().optional(),
  preferences: z.string().optional(),
  botType: z.enum(botTypes).optional(),
  subId: z.string().optional(),
  clickId: z.string().optional(),
  attributes: z.record(z.string(), z.string()).optional(),
  viewings: z.record(z.string(), z.object({ atMs: z.number(), isOff: z.boolean() })).optional(),
}) satisfies z.ZodType<LeadDetails>;
