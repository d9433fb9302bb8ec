import { z } from 'zod';
import { type Contactability, contactChannels } from '../../../operations/read/contactability.ts';
import { isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import { gateSchema } from '../enrollments/schemas.ts';

export const contactabilityQuery = z.strictObject({
  channel: z
    .enum(contactChannels)
    .optional()
    .meta({ description: 'Left out: by email, else by text message, else by call, as the lead can be reached.' }),
  campaign: z.uuid().optional().meta({ description: 'Whose schedule and status count besides.' }),
  at: z.iso.datetime({ offset: true }).optional().meta({ description: 'The moment that is asked about, at most 90 days ahead. Left out, now.' }),
});

export const contactabilitySchema = z
  .object({
    lead: z.uuid(),
    at: timeField,
    channel: z.string().nullable().meta({ description: 'The first of those asked about that is possible; null: none is.' }),
    canContactLead: z
      .boolean()
      .meta({ description: 'Nothing but the hour stands in the way: neither status, consent and address, nor a limit of messages.' }),
    reason: z
      .string()
      .nullable()
      .meta({ description: 'What does, by the name that decisions have for it, such as `opted_out`, `no_address`, `cap`; null: nothing.' }),
    isWithinSchedule: z.boolean().meta({
      description:
        'Quiet hours, the hours of the law, the store’s days and the schedule of the campaign allow it at that moment, on the lead’s clock.',
    }),
    nextAvailableSlot: timeField
      .nullable()
      .meta({ description: 'The first moment from `at` on at which both hold; null: waiting alone leads to none.' }),
    gates: z.array(gateSchema).meta({ description: 'What was asked, in order, with what it was decided by.' }),
  })
  .meta({ id: 'LeadContactability' });

export const presentContactability = (lead: string, atMs: number, of: Contactability): z.input<typeof contactabilitySchema> => ({
  ...{ lead, at: isoTime(atMs), channel: of.channel, canContactLead: of.canContactLead, reason: of.reason },
  ...{ isWithinSchedule: of.isWithinSchedule, nextAvailableSlot: isoTimeOrNull(of.nextAvailableSlotMs), gates: [...of.checks] },
});
