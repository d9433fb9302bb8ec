import { z } from 'zod';
import { compositionStates } from '../../../operations/composition/approvals.ts';
import { timeField } from '../../routes/fields.ts';

export const compositionSchema = z
  .object({
    id: z.uuid(),
    enrollment_id: z.uuid(),
    sequence: z.string(),
    step: z.string(),
    channel: z.string(),
    language: z.string(),
    state: z.enum(compositionStates).meta({
      description:
        '`writing`: the model is asked. `failed`: there is no text, see `reason`. `ready`: it goes out without an approval. `waiting`: for one. `timed_out`: nobody decided in time, and the template went out.',
    }),
    subject: z.string().nullable(),
    body: z.string().nullable(),
    cta_text: z.string().nullable(),
    edited: z.boolean().meta({ description: 'Whether a person changed what the model wrote.' }),
    due_at: timeField.meta({ description: 'When the step was to go out, as it stood when the model was asked.' }),
    waits_until: timeField.nullable().meta({ description: 'When the template goes out if nobody decides; null: it waits for nobody.' }),
    decided_by: z.string().nullable(),
    decided_at: timeField.nullable(),
    note: z.string().nullable().meta({ description: 'Why it was rejected.' }),
    reason: z.string().nullable().meta({ description: 'Why there is no text.' }),
    guard: z.string().nullable().meta({ description: 'The rule that the model’s text broke.' }),
    model: z.string(),
    calls: z.int(),
    input_tokens: z.int(),
    output_tokens: z.int(),
    cost: z.number().meta({ description: 'In the currency in which the model’s provider is paid.' }),
    created_at: timeField,
  })
  .meta({ id: 'Composition' });

const part = (most: number) => z.string().trim().min(1, 'is empty').max(most, `is longer than ${most} characters`).optional();

export const approveBody = z
  .strictObject({
    subject: part(200).meta({ description: 'Of an email; a text message has none.' }),
    body: part(5_000).meta({ description: 'Plain text; an empty line parts paragraphs.' }),
    cta_text: part(100),
  })
  .nullish();

export const rejectBody = z
  .strictObject({ note: z.string().trim().min(1, 'is empty').max(500, 'is longer than 500 characters').optional() })
  .nullish();
