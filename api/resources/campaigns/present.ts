import type { z } from 'zod';
import type { CampaignFields, CampaignView, WeeklyWindow } from '../../../operations/campaigns/campaigns.ts';
import type { CampaignLeadRow } from '../../../operations/campaigns/leads-of-campaign.ts';
import { isoTime, isoTimeOrNull } from '../../routes/fields.ts';
import type { CampaignBody, campaignLeadSchema, campaignSchema, scheduleField } from './schemas.ts';

export function presentCampaign({
  campaign,
  sequence,
  sequenceState,
  open,
  converted,
  refused,
  notEnrolled,
  droppedOut,
}: CampaignView): z.input<typeof campaignSchema> {
  const { id, name, status, autoAssign, schedule, rate, call, leads, createdAt, endedAt } = campaign;
  return {
    ...{ id, name, status, autoAssign, sequence, call, leads, open, converted },
    schedule: schedule === null ? null : { days: [...schedule.days], from: clockOf(schedule.fromMinute), to: clockOf(schedule.toMinute) },
    rate: rate === null ? null : { most: rate.most, withinSeconds: rate.withinMs / 1_000 },
    notInSequence: refused,
    toEnroll: { not_enrolled: notEnrolled, dropped_out: droppedOut },
    notes: notesOn({ campaign, sequence, sequenceState }),
    createdAt: isoTime(createdAt),
    endedAt: isoTimeOrNull(endedAt),
  };
}

const notesOnSequence = {
  ACTIVE: null,
  DRAFT: 'is a draft: it takes leads and contacts nobody until the sequence is activated. Then enroll those who came meanwhile.',
  PAUSED: 'is paused: nothing is sent to those who are in it, and it takes in nobody.',
  ARCHIVED: 'is archived: it takes in nobody.',
} as const;

function notesOn({ campaign, sequence, sequenceState }: Pick<CampaignView, 'campaign' | 'sequence' | 'sequenceState'>): string[] {
  const { status, autoAssign, leads } = campaign;
  const full = autoAssign !== null && autoAssign.maxLeads !== null && leads >= autoAssign.maxLeads;
  const onSequence = sequenceState === null ? null : notesOnSequence[sequenceState];
  return [
    ...(onSequence === null ? [] : [`Its sequence ${sequence} ${onSequence}`]),
    ...(sequence === null ? ['It has no sequence: it takes leads and contacts nobody.'] : []),
    ...(status === 'PAUSED' ? ['It is paused: nothing is sent to its leads, and it takes none.'] : []),
    ...(status === 'ENDED' ? ['It has ended.'] : []),
    ...(full ? ['It is full: it takes no more leads.'] : []),
  ];
}

export const presentCampaignLead = (row: CampaignLeadRow): z.input<typeof campaignLeadSchema> => ({
  lead: row.subjectId,
  contact: row.contactId,
  cameBy: row.cameBy,
  by: row.actor,
  at: isoTime(row.at),
  enrollment: row.enrollmentId,
  enrollmentStatus: row.enrollmentStatus,
  reason: row.reason,
});

/** What a request names, in the shapes of the operation; what it leaves out stays away. */
export function fieldsOf({ name, autoAssign, sequence, schedule, rate, call }: CampaignBody): Partial<CampaignFields> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(autoAssign === undefined
      ? {}
      : { autoAssign: autoAssign === null ? null : { sources: autoAssign.sources, maxLeads: autoAssign.maxLeads ?? null } }),
    ...(sequence === undefined ? {} : { sequence }),
    ...(schedule === undefined ? {} : { schedule: schedule === null ? null : windowOf(schedule) }),
    ...(rate === undefined ? {} : { rate: rate === null ? null : { most: rate.most, withinMs: rate.withinSeconds * 1_000 } }),
    ...(call === undefined ? {} : { call }),
  };
}

const windowOf = ({ days, from, to }: z.output<typeof scheduleField>): WeeklyWindow => ({
  days,
  fromMinute: minutesOf(from),
  toMinute: minutesOf(to),
});

const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
const clockOf = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
