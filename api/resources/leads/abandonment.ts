import { z } from 'zod';
import { type Abandonment, botTypes, reachedStages, recoveryStates, silenceStages } from '../../../operations/read/abandonment.ts';
import { isoTime, timeField } from '../../routes/fields.ts';

const recordSchema = z.object({
  id: z.uuid().meta({ description: 'The lead.' }),
  contact_id: z.string().max(100).meta({ description: 'The id that its source has for it, else Rekindle’s of the contact.' }),
  location_id: z
    .string()
    .max(100)
    .meta({ description: 'Where it came from: the location in HighLevel, else the id of the connection that reported it.' }),
  bot_type: z.enum(botTypes).meta({ description: 'Which of the store’s bots talks with the lead, as its source said.' }),
  last_contact_timestamp: z.number().meta({ description: 'Unix seconds: the last message in either direction, ours excepted.' }),
  current_stage: z.enum(reachedStages),
  recovery_attempt_count: z.int().meta({ description: 'Calls to providers in this silence, failed ones included.' }),
  metadata: z.object({
    name: z.string().nullable(),
    interest_area: z.string().nullable(),
    interest: z.string().nullable(),
    budget: z.object({ amount_minor: z.int(), currency: z.string() }).nullable(),
    preferences: z.string().nullable(),
  }),
  created_at: timeField,
  updated_at: timeField,
});

export const abandonmentSchema = z
  .object({
    lead: z.uuid(),
    last_contact_timestamp: z.number().meta({ description: 'Unix seconds.' }),
    stage: z.enum(silenceStages).meta({ description: '`none`: no more than 24 hours have passed since the last contact.' }),
    eligible: z.boolean().meta({ description: 'Whether recovery may still write to it in this silence.' }),
    reason: z.enum(recoveryStates).meta({
      description:
        'Why, or why not. `missed`: no sequence has it yet, and the next sweep begins one. Where nothing has begun: what keeps a sequence from it, such as `no_address`.',
    }),
    enrollment: z.uuid().nullable().meta({ description: 'Whose `explain` has every decision.' }),
    abandonment: recordSchema.nullable().meta({ description: 'null: the lead is not silent.' }),
  })
  .meta({ id: 'LeadAbandonment' });

export function presentAbandonment({ leadId, lastContactAt, stage, eligible, state, record }: Abandonment): z.input<typeof abandonmentSchema> {
  const lastContact = lastContactAt / 1_000;
  return {
    lead: leadId,
    last_contact_timestamp: lastContact,
    stage,
    eligible,
    reason: state,
    enrollment: record?.enrollmentId ?? null,
    abandonment:
      record === null
        ? null
        : {
            id: leadId,
            contact_id: record.contactId,
            location_id: record.locationId,
            bot_type: record.botType,
            last_contact_timestamp: lastContact,
            current_stage: record.stage,
            recovery_attempt_count: record.attempts,
            metadata: record.metadata,
            created_at: isoTime(record.createdAt),
            updated_at: isoTime(record.updatedAt),
          },
  };
}
