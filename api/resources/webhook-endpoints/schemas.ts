import { z } from 'zod';
import { deliveryStates, type WebhookAttempt, type WebhookDelivery } from '../../../operations/webhooks/delivery-log.ts';
import type { EndpointView } from '../../../operations/webhooks/endpoints.ts';
import { webhookEventTypes } from '../../../operations/webhooks/event-types.ts';
import { isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import { aList } from '../list.ts';

const typeField = z.enum(webhookEventTypes);
const urlField = z
  .url({ protocol: /^https?$/, error: 'is no http(s) address' })
  .max(2_000)
  .meta({ description: 'Where events are posted to. https, but for a machine of your own.' });
const typesField = z
  .array(typeField)
  .max(webhookEventTypes.length)
  .meta({ description: 'Which types it is told; empty: every one, those of later versions too.' });
const personalField = z.boolean().meta({
  description: 'Whether events hold the addresses and the name of the person. Without it they hold ids and your own ids.',
});
const descriptionField = z.string().max(500).meta({ description: 'What it is for.' });

export const endpointSchema = z
  .object({
    id: z.uuid(),
    url: z.string(),
    description: z.string(),
    event_types: z.array(z.string()),
    include_personal_data: personalField,
    state: z.enum(['enabled', 'disabled']),
    disabled_reason: z.enum(['by_hand', 'gone', 'failing']).nullable().meta({
      description:
        '`gone`: it answered 410. `failing`: it took nothing for five days. Then what happens meanwhile waits; not where it was disabled by hand.',
    }),
    disabled_at: timeField.nullable(),
    failing_since: timeField.nullable().meta({ description: 'Its first failure since it last took something.' }),
    old_secret_until: timeField.nullable().meta({ description: 'Until then the secret before the last rotation signs as well.' }),
    created_at: timeField,
  })
  .meta({ id: 'WebhookEndpoint' });

export const newEndpointSchema = endpointSchema
  .extend({ secret: z.string().meta({ description: '`whsec_…`, shown once. By it you verify the signature.' }) })
  .meta({ id: 'NewWebhookEndpoint' });

export const createSchema = z.strictObject({
  url: urlField,
  description: descriptionField.default(''),
  event_types: typesField.default([]),
  include_personal_data: personalField.default(false),
});

export const changeSchema = z.strictObject({
  url: urlField.optional(),
  description: descriptionField.optional(),
  event_types: typesField.optional(),
  include_personal_data: personalField.optional(),
  state: z.enum(['enabled', 'disabled']).optional().meta({
    description: '`disabled`: nothing is sent, nothing is recorded for it, and what waits is held. `enabled`: what is held is sent at once.',
  }),
});

export const rotateSchema = z.strictObject({
  overlap_hours: z
    .number()
    .min(0)
    .max(7 * 24)
    .default(24)
    .meta({ description: 'How long the old secret signs as well; 0: not at all, as after a leak.' }),
});

export const rotatedSchema = z
  .object({ secret: z.string().meta({ description: '`whsec_…`, shown once.' }), old_secret_until: timeField })
  .meta({ id: 'RotatedWebhookSecret' });

export const askedSchema = z
  .object({ delivery_id: z.uuid().meta({ description: 'Its log says what comes of it.' }) })
  .meta({ id: 'WebhookDeliveryAsked' });

export const deliverySchema = z
  .object({
    id: z.uuid(),
    webhook_id: z.string().meta({ description: 'The header `webhook-id` of all its attempts, also of a redelivery.' }),
    type: z.string(),
    state: z
      .enum(deliveryStates)
      .meta({ description: '`waiting`: it is attempted. `held`: its endpoint is disabled. `failed`: no attempt is left.' }),
    attempts: z.int().meta({ description: 'Of the schedule of ten, since it was created or redelivered.' }),
    next_attempt_at: timeField.nullable(),
    last_status: z.int().nullable(),
    last_error: z.string().nullable(),
    happened_at: timeField,
    created_at: timeField,
    settled_at: timeField.nullable(),
  })
  .meta({ id: 'WebhookDelivery' });

const attemptSchema = z
  .object({
    number: z.int(),
    started_at: timeField,
    duration_ms: z.int().nullable(),
    status: z.int().nullable().meta({ description: 'null: there was no answer.' }),
    error: z.string().nullable().meta({ description: 'Why there was none.' }),
    answer: z
      .string()
      .nullable()
      .meta({ description: 'Its first 500 bytes. Not kept where the endpoint is sent personal data, which it may repeat.' }),
  })
  .meta({ id: 'WebhookAttempt' });

export const deliveryWithLogSchema = deliverySchema.extend({ log: z.array(attemptSchema) }).meta({ id: 'WebhookDeliveryWithLog' });

export const redeliverSchema = z.strictObject({
  since: z.iso.datetime({ offset: true }).meta({ description: 'Everything that has failed and was created at this time or later.' }),
});
export const redeliveredSchema = z
  .object({ redelivered: z.int(), unfinished: z.boolean().meta({ description: 'There is more: ask again.' }) })
  .meta({ id: 'WebhooksRedelivered' });

export const endpointList = aList({ name: 'webhook-endpoints', first: 'oldest', item: endpointSchema, filters: {} });
export const deliveryList = aList({
  name: 'webhook-deliveries',
  item: deliverySchema,
  filters: {
    state: z.enum(deliveryStates).optional(),
    type: typeField.optional(),
    since: z.iso.datetime({ offset: true }).optional().meta({ description: 'Created at this time or later.' }),
  },
});

export const presentEndpoint = (e: EndpointView): z.input<typeof endpointSchema> => ({
  id: e.id,
  url: e.url,
  description: e.description,
  event_types: e.eventTypes,
  include_personal_data: e.includePersonalData,
  state: e.state,
  disabled_reason: e.disabledReason,
  disabled_at: isoTimeOrNull(e.disabledAtMs),
  failing_since: isoTimeOrNull(e.failingSinceMs),
  old_secret_until: isoTimeOrNull(e.oldSecretUntilMs),
  created_at: isoTime(e.createdAtMs),
});

export const presentDelivery = (d: WebhookDelivery): z.input<typeof deliverySchema> => ({
  id: d.id,
  webhook_id: d.messageId,
  type: d.type,
  state: d.state,
  attempts: d.attempts,
  next_attempt_at: isoTimeOrNull(d.nextAtMs),
  last_status: d.lastStatus,
  last_error: d.lastError,
  happened_at: isoTime(d.eventAtMs),
  created_at: isoTime(d.createdAtMs),
  settled_at: isoTimeOrNull(d.settledAtMs),
});

export const presentAttempt = (a: WebhookAttempt): z.input<typeof attemptSchema> => ({
  number: a.number,
  started_at: isoTime(a.startedAtMs),
  duration_ms: a.durationMs,
  status: a.status,
  error: a.error,
  answer: a.answer,
});
