import { z } from 'zod';
import { chatLanguages, chatPhases } from '../../../operations/chat/chat-of-lead.ts';
import { lifecycles } from '../../../operations/read/leads.ts';
import { lineField, timeField } from '../../routes/fields.ts';
import { attemptSchema } from '../attempts/schemas.ts';

export const leadSchema = z
  .object({
    id: z.uuid(),
    contact: z.uuid().nullable(),
    firstName: z.string().nullable(),
    lastName: z.string().nullable(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    externalId: z.string().nullable().meta({ description: 'What its source calls it.' }),
    sub_id: z.string().nullable(),
    click_id: z.string().nullable(),
    source: z.string().meta({ description: '`META`, `API`, `MANUAL` or `BULK`.' }),
    statedSource: z.string().nullable().meta({ description: 'As its source states it.' }),
    interest: z.string().nullable(),
    status: z.enum(lifecycles),
    campaigns: z.array(z.object({ id: z.uuid(), name: z.string() })),
    duplicateOf: z
      .uuid()
      .nullable()
      .meta({ description: 'The first lead of the same person, where this one came later: it is routed to no campaign. null: this is the first.' }),
    createdAt: timeField,
    updatedAt: timeField,
  })
  .meta({ id: 'Lead' });

const leadEnrollment = z.object({
  id: z.uuid(),
  sequence: z.string(),
  campaign: z.uuid().nullable(),
  status: z.string(),
  currentStep: z.int().meta({ description: 'How many of its steps are settled: the next one, counted from 0.' }),
  completedSteps: z.int(),
  nextExecuteAt: timeField.nullable(),
  exitReason: z.string().nullable(),
  enrolledAt: timeField,
  summary: z.string(),
});

const leadChat = z
  .object({
    telegram_chat_id: z.string(),
    status: z
      .enum([...lifecycles, 'VIEWING_SCHEDULED'])
      .meta({ description: 'The lead’s, or `VIEWING_SCHEDULED` while a viewing is agreed with them: then nobody is written to as a ghost.' }),
    phase: z.enum(chatPhases),
    language: z.enum(chatLanguages).nullable(),
    name: z.string().nullable(),
    phone: z.string().nullable(),
    goal: z.string().nullable().meta({ description: '`buy`, `rent`, `invest`, or the lead’s own words.' }),
    urgency_score: z.int().meta({ description: '0 to 10.' }),
    fomo_messages_sent: z.int(),
    ghost_reminder_sent: z.boolean(),
    viewing_scheduled_at: timeField.nullable(),
    last_interaction_at: timeField.nullable(),
    created_at: timeField,
    updated_at: timeField,
  })
  .meta({ id: 'LeadChat', description: 'How the lead stands in their chat with the bot.' });

export const telegramLinkSchema = z
  .object({
    url: z.string().meta({ description: 'Leads this lead into the chat with the bot. Whoever opens it joins their chat to the lead’s person.' }),
    expiresAt: timeField,
  })
  .meta({ id: 'TelegramLink' });

export const listedLeadSchema = leadSchema
  .extend({
    enrollments: z.array(leadEnrollment).optional().meta({ description: 'Where leads were searched for.' }),
    attempts: z.array(attemptSchema).optional().meta({ description: 'Where leads were searched for.' }),
  })
  .meta({ id: 'ListedLead' });

export const leadDetailSchema = leadSchema
  .extend({ chat: leadChat.nullable(), enrollments: z.array(leadEnrollment), attempts: z.array(attemptSchema) })
  .meta({ id: 'LeadDetail' });

export const createBody = z.strictObject({
  firstName: lineField(200).optional(),
  lastName: lineField(200).optional(),
  email: lineField(320).optional(),
  phone: lineField(60).optional(),
  externalId: lineField(200).optional().meta({ description: 'What your system calls it. Named again, it fills in what was not known.' }),
  source: z.enum(['API', 'MANUAL']).default('API'),
  interest: lineField(500).optional(),
  area: lineField(200)
    .optional()
    .meta({ description: 'The part of the town or country that they asked about, as facts of the kind `market` name it.' }),
  preferences: lineField(500)
    .optional()
    .meta({ description: 'What else they want of it; messages may repeat it.', examples: ['three rooms, a garden'] }),
  value: lineField(40)
    .optional()
    .meta({ description: 'What the lead may be worth, or may spend: `{{ budget }}` in texts.', examples: ['450000'] }),
  currency: lineField(3).optional().meta({ description: 'ISO 4217, of `value`; left out, that of the store.' }),
  url: z.string().max(2_000).optional(),
  sub_id: lineField(200).optional(),
  click_id: lineField(200).optional(),
  locale: lineField(35).optional(),
  timeZone: lineField(60).optional(),
  country: lineField(60).optional(),
  marketing: z
    .strictObject({
      email: z.boolean().optional(),
      sms: z.boolean().optional(),
      whatsapp: z.boolean().optional(),
      call: z.boolean().optional(),
      wording: z.string().max(1_000).optional().meta({ description: 'What stood beside the box: it is kept with the consent.' }),
    })
    .optional()
    .meta({ description: 'To which channels the person agreed. `false` is an unticked box, and says nothing.' }),
});

export const createdSchema = z
  .object({
    lead: leadSchema,
    repeated: z.boolean(),
    notes: z.array(z.object({ field: z.string(), reason: z.string() })).meta({ description: 'Fields that were left out, or read with a guess.' }),
  })
  .meta({ id: 'LeadCreated' });
