import { z } from 'zod';
import { fieldNoteSchema } from '../enrollments/schemas.ts';
import { timeField } from '../../routes/fields.ts';

/** Where a delivery came from, for every list of them. */
export const source = {
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
        '`applied`: it took effect. `pending`: it will in a moment. `ignored`: nothing here acts on it, or a person dismissed it. `quarantined`: it could not be read.',
    }),
    notes: z.array(fieldNoteSchema).meta({ description: 'What was left out or read with a guess.' }),
    received_at: timeField,
    applied_at: timeField.nullable(),
  })
  .meta({ id: 'Delivery' });
