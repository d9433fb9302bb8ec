import { z } from 'zod';
import { consentChannels } from '../../domain/events.ts';
import { leadFields } from './fields.ts';

/** The Graph API's version. Meta keeps one for two years; a newer one is set here, after its changelog was read. */
export const graphVersion = 'v26.0';

/** A Meta connection as it is entered: one app, and one page whose lead ads it reports. */
export const metaConfig = z.strictObject({
  /** Signs the notifications and proves that requests come from the app. */
  appSecret: z.string().min(1).max(200),
  /** Chosen by you and entered in the app's webhook settings: Meta names it when it checks the address. */
  verifyToken: z.string().min(8).max(200),
  /** Of the page, with `leads_retrieval`. Without it only leads whose notification carries their fields arrive. */
  pageAccessToken: z.string().min(1).max(1_000).optional(),
  /** What the questions of your forms mean, where their names are not understood by themselves: `{ "Wie heißt du?": "firstName" }`. */
  fields: z.record(z.string().min(1).max(200), z.enum(leadFields)).default({}),
  /**
   * To which channel somebody agrees by ticking a box or answering a question of your forms, by the box's key or the question's name:
   * `{ "sms_opt_in": "sms", "May we call you?": "call" }`.
   */
  consents: z.record(z.string().min(1).max(200), z.enum(consentChannels)).default({}),
  /** A stand-in for the Graph API. */
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://graph.facebook.com'),
});

export type MetaConfig = z.output<typeof metaConfig>;
