import { z } from 'zod';
import { campaignStatuses, weekdays } from '../../../operations/campaigns/campaigns.ts';
import { leadChoices } from '../../../operations/campaigns/lead-choices.ts';
import { lineField, noteField, timeField } from '../../routes/fields.ts';

const clock = z
  .string()
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'is no time of day: write it as 09:00')
  .meta({ description: 'On the lead’s own clock, `HH:MM`.' });

export const scheduleField = z
  .strictObject({
    days: z
      .array(z.enum(weekdays))
      .min(1)
      .max(7)
      .default([...weekdays]),
    from: clock,
    to: clock,
  })
  .refine(({ from, to }) => from !== to, { path: ['to'], message: 'is never open: `from` and `to` are the same' })
  .refine(({ from }) => from !== '24:00', { path: ['from'], message: 'begins at 24:00, which is 00:00 of the next day: write that' })
  .meta({ description: 'When leads are contacted. Where `from` is the later, it runs across midnight.' });

const rateField = z
  .strictObject({ most: z.int().min(1).max(100_000), withinSeconds: z.int().min(1).max(2_678_400) })
  .meta({ description: 'So many messages at most within a time, over all leads of the campaign, evenly spaced.' });

const autoAssignField = z.strictObject({
  sources: z
    .array(lineField(60))
    .min(1)
    .max(50)
    .meta({ description: '`META`, `API`, `MANUAL`, `BULK`, or a name that a source states. Compared without regard to case.' }),
  maxLeads: z.int().min(1).max(10_000_000).nullish().meta({ description: 'So many leads altogether; null: all.' }),
});

const fields = {
  name: lineField(120),
  autoAssign: autoAssignField.nullish().meta({ description: 'Which new leads it takes by itself; null: none.' }),
  sequence: z.string().max(40).nullish().meta({ description: 'The slug of a sequence about leads; null: it takes leads and contacts nobody.' }),
  schedule: scheduleField.nullish(),
  rate: rateField.nullish(),
  call: z
    .strictObject({
      assistant: lineField(100).optional().meta({ description: 'Which of the provider’s assistants speaks.' }),
      phoneNumber: lineField(100).optional().meta({ description: 'Which of the account’s numbers it calls from.' }),
      maxSeconds: z.int().min(10).max(3_600).optional(),
    })
    .nullish()
    .meta({ description: 'How its leads are called. What the script of the call says goes before it, and what it leaves out is the connection’s.' }),
};

export const createBody = z.strictObject({ ...fields, status: z.enum(['ACTIVE', 'PAUSED']).default('ACTIVE') });
export const changeBody = z.strictObject({ ...fields, status: z.enum(campaignStatuses) }).partial();
export type CampaignBody = z.output<typeof changeBody>;

export const campaignSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    status: z.enum(campaignStatuses),
    autoAssign: z.object({ sources: z.array(z.string()), maxLeads: z.int().nullable() }).nullable(),
    sequence: z.string().nullable(),
    schedule: z.object({ days: z.array(z.enum(weekdays)), from: z.string(), to: z.string() }).nullable(),
    rate: z.object({ most: z.int(), withinSeconds: z.int() }).nullable(),
    call: z.record(z.string(), z.unknown()).nullable(),
    leads: z.int().meta({ description: 'How many it has taken.' }),
    open: z.int().meta({ description: 'How many are in its sequence now.' }),
    converted: z.int(),
    notInSequence: z.record(z.string(), z.int()).meta({ description: 'Leads that its sequence was not begun for, by reason.' }),
    toEnroll: z
      .object({ not_enrolled: z.int(), dropped_out: z.int() })
      .meta({ description: 'How many leads `POST /api/campaigns/{id}/enroll` would try now, by `which`.' }),
    notes: z.array(z.string()).meta({ description: 'What keeps it from contacting anybody, as sentences.' }),
    createdAt: timeField,
    endedAt: timeField.nullable(),
  })
  .meta({ id: 'Campaign' });

export const campaignLeadSchema = z
  .object({
    lead: z.uuid(),
    contact: z.uuid().nullable().meta({ description: 'Who it is; null: nobody is known yet.' }),
    cameBy: z.enum(['routing', 'hand', 'bulk']),
    by: z.string().nullable(),
    at: timeField,
    enrollment: z.uuid().nullable(),
    enrollmentStatus: z.string().nullable(),
    reason: z.string().nullable().meta({ description: 'Why the latest try began no sequence; null: it did.' }),
  })
  .meta({ id: 'CampaignLead' });

export const enteredSchema = z
  .object({ lead: z.uuid(), enrollment: z.uuid().nullable(), reason: z.string().nullable() })
  .meta({ id: 'CampaignEntry', description: 'It is in the campaign; `reason` says why its sequence was not begun.' });

export const enrollBody = z.strictObject({
  which: z
    .enum(leadChoices)
    .default('not_enrolled')
    .meta({ description: '`dropped_out`: who was in its sequence and left it without converting, or came to its end.' }),
  leads: z.array(z.uuid()).min(1).max(500).optional().meta({ description: 'Of these only; default: of all on its list.' }),
  note: noteField.optional().meta({ description: 'Why, for the audit log and the story of each enrollment.' }),
  limit: z.int().min(1).max(500).default(100),
  after: z.uuid().nullable().optional(),
});

export const enrolledSchema = z
  .object({
    results: z.array(z.object({ lead: z.uuid(), enrollment: z.uuid().nullable(), reason: z.string().nullable() })),
    enrolled: z.int(),
    next: z.uuid().nullable().meta({ description: 'To go on with, as `after`; null: there are no more.' }),
  })
  .meta({ id: 'CampaignEnrolled' });
