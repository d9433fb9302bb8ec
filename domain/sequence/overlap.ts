import type { SequenceDefinition } from './definition.ts';

/** What matters of an enrollment. */
export interface InCampaign {
  /** The campaign that began it; null: none did. */
  campaignId: string | null;
  definition: Pick<SequenceDefinition, 'overlap'>;
}

/**
 * Whether one person may be in both at once, as far as campaigns go. Sequences of one campaign, and those that no campaign has begun, never stand in
 * each other's way. One of two different campaigns that refuses overlap is enough.
 * Source: docs/rules.md#rule-78
 */
export function mayOverlap(one: InCampaign, other: InCampaign): boolean {
  if (one.campaignId === null || other.campaignId === null || one.campaignId === other.campaignId) return true;
  return one.definition.overlap !== 'refuse' && other.definition.overlap !== 'refuse';
}
