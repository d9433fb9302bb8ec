import type { Deps } from './deps.ts';
import { enrollByHand } from './enroll-by-hand.ts';
import { readSequence } from './versions/read.ts';

/** What became of one lead. `reason`: why it was refused; null: it was enrolled. */
export interface EnrolledOne {
  lead: string;
  enrollmentId: string | null;
  reason: string | null;
  detail: string | null;
}

/**
 * Begin a sequence about several leads by hand, one after the other: what is refused for one does not keep the others from it.
 * @returns null where the tenant has no such sequence
 */
export async function enrollMany(
  deps: Deps,
  { tenantId, slug, leads, actor }: { tenantId: string; slug: string; leads: readonly string[]; actor: string },
): Promise<EnrolledOne[] | null> {
  if ((await readSequence(deps, tenantId, slug)) === null) return null;
  const results: EnrolledOne[] = [];
  for (const lead of new Set(leads)) {
    const started = await enrollByHand(deps, { tenantId, subjectId: lead, sequence: { slug }, note: null, actor, key: null });
    switch (started.kind) {
      case 'enrolled':
        results.push({ lead, enrollmentId: started.enrollmentId, reason: null, detail: null });
        break;
      case 'refused':
        results.push({ lead, enrollmentId: null, reason: started.reason, detail: started.detail });
        break;
      case 'unknown_subject':
        results.push({ lead, enrollmentId: null, reason: 'unknown_lead', detail: 'There is no such lead.' });
        break;
      case 'no_sequence':
        results.push({ lead, enrollmentId: null, reason: 'no_sequence', detail: started.detail });
        break;
      default:
        results.push({ lead, enrollmentId: null, reason: started.kind, detail: 'Try again.' });
    }
  }
  return results;
}
