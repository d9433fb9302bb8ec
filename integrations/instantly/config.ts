import { z } from 'zod';

const campaign = z.uuid('is no id of a campaign');

/** An Instantly connection as it is entered. */
export const instantlyConfig = z.strictObject({
  apiKey: z.string().min(8).max(300),
  /** The Instantly campaign that sends, where its step has none of its own. A lead is in a campaign once, so each step should have one. */
  campaign,
  /** By the step's id. */
  steps: z.record(z.string().min(1).max(100), campaign).default({}),
  /** Tells several Instantly workspaces of one store apart: events and calls in doubt belong to one of them. */
  account: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'is lower-case letters, digits and hyphens, 40 at most')
    .default('main'),
  /** `[]`: emails leave by another connection of yours, and what happens in Instantly counts all the same. */
  sends: z.array(z.literal('email')).max(1).default(['email']),
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://api.instantly.ai'),
});
export type InstantlyConfig = z.output<typeof instantlyConfig>;

/** Names the account in the ledger and in events. */
export const accountOf = (account: string): string => `instantly:${account}`;

/** Variables of a lead that come back with its events. */
export const accountField = 'rk_account';
export const keyField = 'rk_attempt';

/** A send key ends with the step's id. */
export function campaignOf({ campaign: usual, steps }: InstantlyConfig, sendKey: string): string {
  const step = sendKey.slice(sendKey.indexOf(':') + 1);
  return (Object.hasOwn(steps, step) ? steps[step] : undefined) ?? usual;
}

export const urlOf = ({ baseUrl }: InstantlyConfig, path: string): URL => new URL(`${baseUrl.replace(/\/+$/, '')}/api/v2${path}`);

/** The variables of a lead, as Instantly gives them back. */
export function variablesOf(lead: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | null {
  const found = lead['payload'];
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? { ...found } : null;
}
