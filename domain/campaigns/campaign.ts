import type { Rate } from '../rate.ts';
import type { WeeklyWindow } from '../time/weekly-window.ts';

/** `ENDED` is final: everybody who is in it exits. */
export const campaignStatuses = ['ACTIVE', 'PAUSED', 'ENDED'] as const;
export type CampaignStatus = (typeof campaignStatuses)[number];

/** How leads come in. A lead whose source states another name came by the API, unless a campaign asks for that name. */
export const leadSources = ['META', 'API', 'MANUAL', 'BULK'] as const;
export type LeadSource = (typeof leadSources)[number];

/** Which new leads a campaign takes by itself. */
export interface AutoAssign {
  /** Of `leadSources`, or a name that a source states; compared without regard to case. */
  sources: string[];
  /** So many leads altogether; null: all. */
  maxLeads: number | null;
}

/** What a campaign asks of the messages to its leads. */
export interface CampaignRules {
  /** The hours and days at which they are contacted, on their own clock; null: at any. */
  schedule: WeeklyWindow | null;
  /** So many messages at most within a time, over all its leads; null: no limit of its own. */
  rate: Rate | null;
}

/** What is known of how a lead came in. */
export interface LeadOrigin {
  /** As its source names it; null: it does not say. */
  source: string | null;
  /** The way, where `source` is a label of its own; absent: `source` says it. */
  via?: LeadSource | undefined;
}

/** The way by which a lead came in. */
export function leadSourceOf({ source, via }: LeadOrigin): LeadSource {
  const name = (source ?? '').trim().toUpperCase();
  return via ?? leadSources.find((known) => known === name) ?? 'API';
}

/** Whether a campaign takes a lead that came so by itself. */
export function takesFrom(autoAssign: AutoAssign | null, origin: LeadOrigin): boolean {
  if (autoAssign === null) return false;
  const way = leadSourceOf(origin);
  const label = (origin.source ?? '').trim().toUpperCase();
  // A list that is labelled META did not come by Meta.
  const names = leadSources.some((source) => source === label) ? [way] : [way, label];
  return autoAssign.sources.some((source) => names.includes(source.trim().toUpperCase()));
}
