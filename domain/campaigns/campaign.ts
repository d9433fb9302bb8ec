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

/** The class of a stated source. */
export function leadSourceOf(stated: string | null): LeadSource {
  const name = (stated ?? '').trim().toUpperCase();
  return leadSources.find((source) => source === name) ?? 'API';
}

/** Whether a campaign takes leads from such a source by itself. */
export function takesFrom(autoAssign: AutoAssign | null, stated: string | null): boolean {
  if (autoAssign === null) return false;
  const names = new Set([leadSourceOf(stated), (stated ?? '').trim().toUpperCase()]);
  return autoAssign.sources.some((source) => names.has(source.trim().toUpperCase()));
}
