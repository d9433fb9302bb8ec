import type { EpochMs } from '../sequence/plan.ts';
import type { ContactRecord } from './facts.ts';

/** The latest of a person's contacts; null: none has such a time. Epoch ms. */
export function latestOf(contacts: readonly ContactRecord[], field: 'lastOrderMs' | 'lastReplyMs' | 'lastSeenMs' | 'lastWhatsappMs'): EpochMs | null {
  let latest: EpochMs | null = null;
  for (const { [field]: atMs } of contacts) if (atMs != null && (latest === null || atMs > latest)) latest = atMs;
  return latest;
}
