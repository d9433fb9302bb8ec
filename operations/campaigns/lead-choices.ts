import { inArray, isNull, type SQL } from 'drizzle-orm';
import { campaignLeads, enrollments } from '../../db/schema/index.ts';

/** Which leads of a campaign its sequence is begun for. `dropped_out`: who was in it and left it without converting, or came to its end. */
export const leadChoices = ['not_enrolled', 'dropped_out', 'all'] as const;
export type LeadChoice = (typeof leadChoices)[number];

/** Conditions on `campaign_leads` with the enrollment of each; undefined: everybody. */
export const chosenLeads: Record<LeadChoice, SQL | undefined> = {
  all: undefined,
  not_enrolled: isNull(campaignLeads.enrollmentId),
  dropped_out: inArray(enrollments.status, ['EXITED', 'COMPLETED']),
};
