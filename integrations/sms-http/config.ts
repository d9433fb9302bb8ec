import { z } from 'zod';
import { gatewayProfile, type GatewayProfile, templatesOf } from './profile.ts';
import { profileNames, profiles } from './profiles.ts';
import { placeholdersIn } from './template.ts';

/** A gateway for texts over HTTP as it is entered: one of the ready profiles, or one of your own. */
export const smsHttpConfig = z
  .strictObject({
    profile: z.enum(profileNames, { error: `is none of ${profileNames.join(', ')}` }).optional(),
    gateway: gatewayProfile.optional(),
    /** What the profile names as `{{secret.…}}`. */
    secrets: z.record(z.string().regex(/^[\w-]{1,40}$/), z.string().min(1).max(500)).default({}),
    /** A number or a name; the store's own `smsSender` goes before it. */
    from: z.string().trim().min(1).max(32).optional(),
    /** A token in the address of reports, because these gateways sign nothing. */
    webhookToken: z.string().regex(/^[\w.~-]{16,200}$/, 'has 16 to 200 letters, digits, dots, hyphens, tildes and underscores'),
    /** Tells several accounts of one store apart: receipts and calls in doubt belong to one of them. */
    account: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/, 'is lower-case letters, digits and hyphens, 40 at most')
      .default('main'),
    /** Takes the place of the profile's scheme and host: another region, or a stand-in. */
    baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  })
  .refine(({ profile, gateway }) => (profile === undefined) !== (gateway === undefined), {
    message: 'Name either `profile` or `gateway`: one of them says how the gateway is asked.',
  })
  .superRefine((config, context) => {
    const { profile, gateway, secrets } = config;
    const used = profile === undefined ? gateway : profiles[profile];
    if (used === undefined) return;
    const missing = templatesOf(used)
      .flatMap((template) => placeholdersIn(template).secrets)
      .filter((name) => !Object.hasOwn(secrets, name));
    for (const name of new Set(missing)) context.addIssue({ code: 'custom', path: ['secrets', name], message: 'is missing' });
  });

export type SmsHttpConfig = z.output<typeof smsHttpConfig>;

export function profileOf({ profile, gateway }: SmsHttpConfig): GatewayProfile {
  const used = profile === undefined ? gateway : profiles[profile];
  if (used === undefined) throw new Error('a configuration without a profile');
  return used;
}

/** Names the account in the ledger and in receipts. */
export const accountOf = (account: string): string => `sms-http:${account}`;
