import { z } from 'zod';
import { conversionOutcomes } from '../../../operations/conversions/conversions.ts';
import { lineField, timeField } from '../../routes/fields.ts';

export const conversionSchema = z
  .object({
    id: z.uuid(),
    lead: z.uuid().nullable().meta({ description: 'null: it is not matched yet.' }),
    attempt: z.uuid().nullable().meta({ description: 'Whose link was followed; null: it is not known.' }),
    campaign: z.object({ id: z.uuid(), name: z.string() }).nullable(),
    channel: z.string().nullable(),
    status: z.string().meta({ description: 'As the tracker states it, in lower case.' }),
    outcome: z.enum(conversionOutcomes).meta({ description: 'What it means. `other`: it is not known, and changes nothing.' }),
    revenue: z
      .object({ amountMinor: z.int(), currency: z.string() })
      .nullable()
      .meta({ description: 'Of this report alone; null: none was stated.' }),
    sub_id: z.string().nullable(),
    click_id: z.string().nullable(),
    click: z.string().meta({ description: 'By which its reports belong together: the tracker’s own id, or else the `sub_id`.' }),
    tid: z.string().nullable(),
    reportedAt: timeField,
    matchedAt: timeField.nullable(),
    matchedBy: z.enum(['report', 'lead', 'hand']).nullable().meta({ description: '`lead`: it waited until its lead came.' }),
    reversedAt: timeField.nullable().meta({ description: 'A refusal has taken it back.' }),
  })
  .meta({ id: 'Conversion' });

export const reportBody = z.strictObject({
  sub_id: lineField(255).meta({ description: 'The id of an attempt or of a lead, or what the lead’s source or tracker calls it.' }),
  status: z.enum(conversionOutcomes).exclude(['other']),
  payout: z
    .union([z.string().max(40), z.number()])
    .optional()
    .meta({ description: 'In major units: `30.50`.' }),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'is no currency: write it as EUR')
    .optional()
    .meta({ description: 'Absent: the store’s.' }),
  click_id: lineField(255).optional(),
  tid: lineField(255).optional().meta({ description: 'Tells several transactions of one click apart: each status of each counts once.' }),
});

export const reportedSchema = z.object({ conversion: conversionSchema, repeated: z.boolean() }).meta({ id: 'ConversionReported' });
