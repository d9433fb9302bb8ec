import type { z } from 'zod';
import type { NewLead } from '../../../operations/campaigns/create-lead.ts';
import type { LeadDetail, LeadView, LeadWork, ListedLead } from '../../../operations/read/leads.ts';
import { isoTime, isoTimeOrNull } from '../../routes/fields.ts';
import { presentAttempt } from '../attempts/schemas.ts';
import type { createBody, leadDetailSchema, leadSchema, listedLeadSchema } from './schemas.ts';

export const presentLead = (view: LeadView): z.input<typeof leadSchema> => ({
  id: view.id,
  contact: view.contactId,
  firstName: view.firstName,
  lastName: view.lastName,
  email: view.email,
  phone: view.phone,
  externalId: view.externalIds.find(({ kind }) => kind !== 'lead_of')?.value ?? null,
  sub_id: view.subId,
  click_id: view.clickId,
  source: view.source,
  statedSource: view.statedSource,
  interest: view.interest,
  status: view.status,
  campaigns: view.campaigns,
  duplicateOf: view.duplicateOf,
  createdAt: isoTime(view.createdAtMs),
  updatedAt: isoTime(view.updatedAtMs),
});

const presentChat = (chat: NonNullable<LeadDetail['chat']>, status: LeadView['status']) => ({
  telegram_chat_id: chat.chatId,
  status:
    chat.viewingScheduledAtMs !== null && (status === 'NEW' || status === 'IN_PROGRESS' || status === 'CONTACTED')
      ? ('VIEWING_SCHEDULED' as const)
      : status,
  phase: chat.phase,
  language: chat.language,
  name: chat.name,
  phone: chat.phone,
  goal: chat.goal,
  urgency_score: chat.urgencyScore,
  fomo_messages_sent: chat.fomoMessagesSent,
  ghost_reminder_sent: chat.ghostReminderSent,
  viewing_scheduled_at: isoTimeOrNull(chat.viewingScheduledAtMs),
  last_interaction_at: isoTimeOrNull(chat.lastInteractionAtMs),
  created_at: isoTime(chat.createdAtMs),
  updated_at: isoTime(chat.updatedAtMs),
});

export const presentListed = ({ lead, work }: ListedLead): z.input<typeof listedLeadSchema> => ({
  ...presentLead(lead),
  ...(work === null ? {} : presentWork(work)),
});

export const presentLeadDetail = ({ lead, chat, ...work }: LeadDetail): z.input<typeof leadDetailSchema> => ({
  ...presentLead(lead),
  chat: chat === null ? null : presentChat(chat, lead.status),
  ...presentWork(work),
});

const presentWork = ({ enrollments, attempts }: LeadWork): Pick<z.input<typeof leadDetailSchema>, 'enrollments' | 'attempts'> => ({
  enrollments: enrollments.map(({ row, sequence, steps, next, summary }) => {
    const settled = steps.filter(({ state }) => state === 'sent' || state === 'unknown' || state === 'skipped').length;
    return {
      id: row.id,
      sequence: sequence.slug,
      campaign: row.campaignId,
      status: row.status,
      currentStep: settled,
      completedSteps: settled,
      nextExecuteAt: isoTimeOrNull(next?.atMs ?? null),
      exitReason: row.stopReason,
      enrolledAt: isoTime(row.enrolledAt),
      summary,
    };
  }),
  attempts: attempts.map(presentAttempt),
});

/** As an event of the generic integration has it. */
export function wishOf({ externalId, source, interest, area, preferences, value, currency, url, ...rest }: z.output<typeof createBody>): NewLead {
  const { firstName, lastName, email, phone, locale, timeZone, country, sub_id: subId, click_id: clickId, marketing } = rest;
  return {
    externalId: externalId ?? null,
    source,
    lead: present({ interest, area, preferences, value, currency, url, sub_id: subId, click_id: clickId }),
    contact: present({ email, phone, first_name: firstName, last_name: lastName, locale, time_zone: timeZone, country, marketing }),
  };
}

const present = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
