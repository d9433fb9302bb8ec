import { z } from 'zod';
import { parkedActions, parkedKinds } from '../../../operations/parked/index.ts';
import { noteField, timeField } from '../../routes/fields.ts';
import { externalIdSchema } from '../../routes/recovery/schemas.ts';

export const kindSchema = z.enum(parkedKinds).meta({
  description:
    '`connection`: its provider does not let us in. `sequence`: people are in it, and none of its channels is connected. `delivery`: it could not be read. `outcome`: nobody can say whether a message was accepted. `endpoint`: an endpoint of outgoing webhooks was disabled by its failures.',
});

export const parkedSchema = z
  .object({
    id: z.string().meta({ examples: ['delivery:01a1fd44-f1bb-70be-947b-3bad40efe406'] }),
    kind: kindSchema,
    cause: z.enum(['login_refused', 'no_channel', 'unreadable', 'outcome_unknown', 'endpoint_gone', 'endpoint_failing', 'not_told']),
    since: timeField.nullable().meta({ description: 'null: not known, because an earlier build noted it.' }),
    age_seconds: z.int().nullable(),
    sentence: z.string().meta({ description: 'What is the matter, for people.' }),
    what_to_do: z.string(),
    affected: z
      .object({ enrollments: z.int(), deliveries: z.int() })
      .meta({ description: 'How many running enrollments and deliveries wait for it.' }),
    actions: z.array(z.enum(parkedActions)).meta({ description: 'What can be done about it here.' }),
    connection: z.uuid().nullable(),
    sequence: z.string().nullable(),
    enrollment: z.uuid().nullable(),
    step: z.string().nullable(),
    external_ids: z.array(externalIdSchema).meta({ description: 'The source’s own ids of the subject; empty: it is about no single one.' }),
  })
  .meta({ id: 'ParkedItem' });

const note = noteField.optional().meta({ description: 'Why, for whoever reads it later.' });

export const actBody = z.strictObject({ note }).nullish();
export const actAllBody = z.strictObject({
  kind: kindSchema,
  dry_run: z.boolean().default(false).meta({ description: 'Only count what it would be done about.' }),
  note,
});

export const doneSchema = z.object({ id: z.string(), action: z.enum(parkedActions), done: z.literal(true) }).meta({ id: 'ParkedDone' });

export const doneAllSchema = z
  .object({
    kind: kindSchema,
    action: z.enum(parkedActions),
    dry_run: z.boolean(),
    matched: z.int().meta({ description: 'How many were parked of that kind, as far as they were looked at.' }),
    done: z.int(),
    refused: z.array(z.object({ id: z.string(), code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'ParkedAllDone' });
