import { z } from 'zod';

/**
 * What HighLevel signs webhooks with, base64 of the SPKI form: the same for every app.
 * Source: marketplace.gohighlevel.com/docs/webhook/WebhookIntegrationGuide
 */
const webhookPublicKey = 'MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=';

/** A HighLevel connection as it is entered: one location. */
const fields = z.strictObject({
  /** Of the location (sub-account), as its address in the browser names it. */
  locationId: z.string().regex(/^[A-Za-z0-9_-]{4,64}$/, 'is the id of a location, such as ve9EPM428h8vShlRW1KT'),
  /** A private integration token of the location. */
  token: z.string().trim().min(8).max(4_000).optional(),
  /** Instead of it, an app of the marketplace, which is authorised for the location afterwards. */
  app: z.strictObject({ clientId: z.string().trim().min(1).max(200), clientSecret: z.string().trim().min(1).max(500) }).optional(),
  /** What leaves through it, where another connection of yours could take it as well. */
  sends: z
    .array(z.enum(['sms', 'email', 'whatsapp', 'crm']))
    .max(4)
    .default(['sms', 'email', 'whatsapp', 'crm']),
  /** Which of the location's numbers texts leave from; absent: the location's own choice. */
  fromNumber: z
    .string()
    .regex(/^\+[1-9]\d{6,14}$/, 'is no number in E.164')
    .optional(),
  /** Which address emails leave from; absent: the location's own choice. */
  emailFrom: z.email().optional(),
  /**
   * The location's id of each WhatsApp template, by the name that Meta approved, or `name:language` where languages differ. Its blanks are filled by HighLevel
   * from the contact: what our text says in them is not carried.
   */
  templates: z
    .record(z.string().trim().min(1).max(600), z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, 'is the id of a template of the location'))
    .default({}),
  /** Which contacts of the location are leads; absent: none. */
  leads: z.union([z.literal('every_contact'), z.strictObject({ tags: z.array(z.string().trim().min(1).max(100)).min(1).max(20) })]).optional(),
  /** What webhooks are signed with, where it is not HighLevel's own key. */
  webhookPublicKey: z.string().max(500).default(webhookPublicKey),
  /** A stand-in. */
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://services.leadconnectorhq.com'),
});
export const goHighLevelConfig = fields.refine(({ token, app }) => (token === undefined) !== (app === undefined), {
  message: 'Name either `token`, a private integration token of the location, or `app`, a client of the marketplace.',
});
export type GoHighLevelConfig = z.output<typeof goHighLevelConfig>;

/** Names the account in the ledger and in receipts: the location. */
export const accountOf = (locationId: string): string => `gohighlevel:${locationId}`;

/**
 * Ten requests in a second and location. A message may take two of them: its contact is looked for first.
 * Source: docs/rules.md#rule-34; the provider's own limit is 100 in 10 seconds, for each app and location
 */
export const messageRate = { most: 5, withinMs: 1_000 } as const;
/** A workflow may take three: the contact is looked for, made, and put into it. */
export const workflowRate = { most: 3, withinMs: 1_000 } as const;

export const urlOf = ({ baseUrl }: Pick<GoHighLevelConfig, 'baseUrl'>, path: string): URL => new URL(`${baseUrl.replace(/\/+$/, '')}${path}`);

/** Headers of every request. `Version`: one for all of the API since June 2026. */
export const headersOf = (token: string): Record<string, string> => ({
  authorization: `Bearer ${token}`,
  accept: 'application/json',
  'content-type': 'application/json',
  version: 'v3',
});

/** An id of HighLevel's: it becomes part of an address. */
export const isId = (value: unknown): value is string => typeof value === 'string' && /^[A-Za-z0-9_-]{1,100}$/.test(value);
