import { z } from 'zod';
import { quarantineStates } from '../../../operations/read/quarantine.ts';
import { timeField } from '../../routes/fields.ts';
import { source } from '../deliveries/schemas.ts';
import { fieldNoteSchema } from '../enrollments/schemas.ts';

const setAside = {
  id: z.uuid(),
  ...source,
  reason: z.string(),
  fields: z.array(fieldNoteSchema).meta({ description: 'The fields at fault, where they could be named.' }),
  may_be_stop: z.boolean().meta({
    description: 'It may have been a purchase, a reply or an opt-out: until it is corrected, messages go on that it would have stopped.',
  }),
  received_at: timeField,
  state: z.enum(quarantineStates),
  released_at: timeField.nullable().meta({ description: 'When it took effect after all; null: it has not.' }),
  dismissed: z
    .object({ at: timeField, by: z.string(), reason: z.string() })
    .nullable()
    .meta({ description: 'Who judged that it is not to take effect, and why; null: nobody.' }),
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
