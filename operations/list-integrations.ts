import { z } from 'zod';
import type { Integration, IntegrationPurpose } from '../integrations/port.ts';
import type { Deps } from './deps.ts';

export { integrationPurposes } from '../integrations/port.ts';

/** What a store can be connected to, and which settings a connection takes. */
export interface IntegrationView {
  name: string;
  title: string;
  purpose: IntegrationPurpose;
  receives: boolean;
  sends: boolean;
  /** How the secret of its webhooks comes about. */
  secret: 'made_here' | 'entered' | 'in_config' | 'none';
  /** What somebody does at the provider, step by step. `secret`: where it shows the secret of its webhooks; null: it makes none. */
  guide: { before: string[]; secret: string | null; after: string[] };
  single: boolean;
  authorised: boolean;
  /** JSON Schema of its configuration; null: there is nothing to configure. */
  config: Record<string, unknown> | null;
}

/** In the order in which they are offered. */
export const listIntegrations = ({ integrations }: Pick<Deps, 'integrations'>): IntegrationView[] => Object.values(integrations).map(viewOf);

function viewOf({ name, title = name, purpose = 'other', guide, config, ...has }: Integration): IntegrationView {
  return {
    ...{ name, title, purpose, receives: has.receiver !== undefined, sends: has.sender !== undefined || has.senders !== undefined },
    ...{ secret: secretOf(has), single: has.isSingle === true, authorised: has.oauth !== undefined },
    guide: { before: [...(guide?.before ?? [])], secret: guide?.secret ?? null, after: [...(guide?.after ?? [])] },
    config: config === undefined ? null : shapeOf(config),
  };
}

function secretOf({ receiver, newSecret, webhookSecrets }: Omit<Integration, 'name'>): IntegrationView['secret'] {
  if (receiver === undefined) return 'none';
  if (newSecret !== undefined) return 'made_here';
  return webhookSecrets === undefined ? 'entered' : 'in_config';
}

/** Rules that JSON Schema cannot express are left out here; creating a connection checks them and names the field at fault. */
function shapeOf(config: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...shape } = z.toJSONSchema(config, { io: 'input', target: 'draft-2020-12', unrepresentable: 'any' });
  return shape;
}
