import { z } from 'zod';
import { lineField, timeField } from '../../routes/fields.ts';
import { fieldNoteSchema } from '../enrollments/schemas.ts';

const secret = z.string().min(8).max(500);

const rateSchema = z.strictObject({
  most: z.int().min(1).max(100_000).meta({ description: 'So many messages …' }),
  within_seconds: z.number().positive().max(86_400).meta({ description: '… within so many seconds.' }),
});

export const connectionSchema = z
  .object({
    id: z.uuid(),
    integration: z.string(),
    name: z.string(),
    state: z.enum(['connected', 'disconnected']),
    receives: z.boolean().meta({ description: 'It delivers webhooks.' }),
    sends: z.boolean().meta({ description: 'Messages leave through it.' }),
    webhook: z
      .object({
        url: z.string().meta({ description: 'Where the provider delivers.' }),
        secret: z.string().nullable().meta({ description: 'Shown once, where Rekindle made it; null afterwards, and where the provider did.' }),
      })
      .nullable(),
    rate: rateSchema.nullable().meta({ description: 'How many messages leave through it at most; null: as many as there are.' }),
    fault: z.string().nullable().meta({
      description:
        'Why its provider does not let us in; null: nothing of the kind is known. A change of the configuration, or a check that succeeds, ends it.',
    }),
    missigned_at: timeField.nullable().meta({
      description:
        'When a delivery came last that was not signed with its secrets, within a minute; null: none since they were changed. Where it is the provider’s, the secret here is another than theirs.',
    }),
    live_secrets: z.int().meta({ description: '2 while a secret is being rotated: both are accepted.' }),
    created_at: timeField,
  })
  .meta({ id: 'Connection' });

export const createSchema = z.strictObject({
  integration: z.string().min(1).max(100).meta({ description: 'E.g. `shopify`, `generic`, `smtp`.' }),
  name: lineField(120),
  config: z.record(z.string(), z.unknown()).optional().meta({ description: 'As the integration’s own documentation says. Stored sealed.' }),
  secrets: z.array(secret).max(2).default([]).meta({ description: 'Webhook secrets that the provider has made, the newest first.' }),
});

export const changeSchema = z.strictObject({
  name: lineField(120).optional(),
  state: z.enum(['connected', 'disconnected']).optional(),
  config: z.record(z.string(), z.unknown()).optional().meta({ description: 'The whole configuration anew.' }),
  rate: rateSchema.nullable().optional().meta({ description: 'What the provider allows; null: no limit. Messages beyond it wait for their turn.' }),
});

export const rotateSchema = z.strictObject({
  secret: secret.optional().meta({ description: 'As the provider has made it; without it Rekindle makes one, where the integration allows.' }),
  retire_old: z.boolean().default(false).meta({ description: 'End the older of two live secrets instead of making a new one.' }),
});

export const authoriseSchema = z.strictObject({
  code: z.string().trim().min(1).max(2_000).meta({ description: 'As the provider has put it behind the redirect URL, as `code`.' }),
  redirect_uri: z.url().max(2_000).optional().meta({ description: 'The redirect URL with which the code was asked for.' }),
});

export const checkSchema = z
  .object({
    sends: z
      .object({ ok: z.boolean(), detail: z.string() })
      .nullable()
      .meta({ description: 'Whether the provider lets us in; null: it sends nothing.' }),
    last_delivery_at: timeField.nullable(),
  })
  .meta({ id: 'ConnectionCheck' });

export const sendSchema = z.strictObject({
  type: lineField(100).meta({ examples: ['cart.updated', 'order.placed'] }),
  timestamp: timeField.optional().meta({ description: 'When it happened; now, where it is left out.' }),
  data: z.record(z.string(), z.unknown()).meta({ description: 'As a webhook of the integration `generic` has it.' }),
});

export const sentSchema = z
  .object({
    delivery_id: z.string().meta({ description: 'By which `GET /api/deliveries` and `GET /api/quarantine` find it.' }),
    status: z.enum(['applied', 'repeated', 'ignored', 'quarantined', 'pending']),
    notes: z.array(fieldNoteSchema).meta({ description: 'Fields that were left out or read with a guess.' }),
  })
  .meta({ id: 'SentEvent' });
