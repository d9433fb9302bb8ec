import { z } from 'zod';
import { fieldNoteSchema } from '../enrollments/schemas.ts';
import { timeField } from '../fields.ts';

const source = {
  integration: z.string(),
  connection: z.uuid(),
  delivery_id: z.string().meta({ description: 'What the sender calls the delivery, e.g. its `webhook-id`.' }),
  topic: z.string(),
};

export const deliverySchema = z
  .object({
    id: z.uuid(),
    ...source,
    state: z.enum(['applied', 'pending', 'ignored', 'quarantined']).meta({
      description:
        '`applied`: it took effect. `pending`: it will in a moment. `ignored`: nothing here acts on it. `quarantined`: it could not be read.',
    }),
    notes: z.array(fieldNoteSchema).meta({ description: 'What was left out or read with a guess.' }),
    received_at: timeField,
    applied_at: timeField.nullable(),
  })
  .meta({ id: 'Delivery' });

const setAside = {
  id: z.uuid(),
  ...source,
  reason: z.string(),
  fields: z.array(fieldNoteSchema).meta({ description: 'The fields at fault, where they could be named.' }),
  may_be_stop: z.boolean().meta({
    description: 'It may have been a purchase, a reply or an opt-out: until it is corrected, messages go on that it would have stopped.',
  }),
  received_at: timeField,
  released_at: timeField.nullable().meta({ description: 'When a replay took effect; null: it is still open.' }),
};
export const setAsideSchema = z.object(setAside).meta({ id: 'QuarantinedDelivery' });
export const setAsideWithBodySchema = z
  .object({ ...setAside, body: z.string().meta({ description: 'As it came. It holds personal data.' }) })
  .meta({ id: 'QuarantinedDeliveryWithBody' });

const resultSchema = z.enum(['applied', 'still_unreadable', 'already_released']).meta({
  description: '`applied`: it has taken effect, and calls that it stops are over. `still_unreadable`: nothing changed.',
});

export const replaySchema = z
  .object({
    id: z.uuid(),
    result: resultSchema,
    detail: z.string().meta({ description: 'For people: what happened.' }),
  })
  .meta({ id: 'Replay' });

export const replayAllSchema = z
  .object({ applied: z.int(), still_unreadable: z.int(), replays: z.array(replaySchema).meta({ description: 'The oldest first.' }) })
  .meta({ id: 'ReplayOfAll' });
