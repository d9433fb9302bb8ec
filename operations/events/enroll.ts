import { v7 as uuidv7 } from 'uuid';
import { channels } from '../../domain/channels.ts';
import { baseSegment, type PurchaseHistory, segmentModifiers, sequenceType } from '../../domain/people/segments.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import type { StopReason } from '../../domain/sequence/plan.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import type { Version } from '../dispatch/versions.ts';
import type { CartWorld, KnownCart } from './cart-world.ts';

/** A cart whose owner is known, at the moment when a sequence might begin about it. */
export interface Candidate {
  subject: KnownCart & { contactId: string };
  /** Kinds of all identities of the owner's person. */
  identityKinds: string[];
  owner: PurchaseHistory;
  person: { lifecycle: string; lastOrderAt: number | null };
  /** All marketing to any of the person's identities is closed. */
  suppressed: boolean;
  nowMs: number;
}

/** A row of `enrollments` that begins, with the first line of its story. */
export interface Beginning {
  id: string;
  event_id: string;
  sequence_id: string;
  version_id: string;
  contact_id: string;
  subject_id: string;
  sequence_type: string;
  cart_value_minor: number | null;
  currency: string | null;
  time_scale: number;
  anchor_at: string;
  enrolled: Record<string, unknown>;
}

/** One active sequence and its current version. */
export interface ActiveSequence {
  id: string;
  versionId: string;
  version: Version;
}

/**
 * The active sequences that this cart triggers and that may begin. Guards are silent (S1-24): a cart that may not start is not an
 * error. The first dispatch checks all of it again under the lock.
 */
export function sequencesToBegin(
  candidate: Candidate,
  active: readonly ActiveSequence[],
  runs: CartWorld['enrollments'],
  tenant: { settings: TenantSettings; timeScale: number },
): Beginning[] {
  const { subject, person, nowMs } = candidate;
  if (person.lifecycle === 'DO_NOT_CONTACT' || person.lifecycle === 'REJECTED' || candidate.suppressed) return [];
  // The order may have arrived before this older cart event.
  if (person.lastOrderAt !== null && person.lastOrderAt >= subject.lastActivityAt) return [];
  return active.flatMap((sequence) => {
    const { definition, version } = sequence.version;
    if (definition.on !== 'cart.abandoned' || runs.some((run) => run.sequenceId === sequence.id && keepsFromBeginning(run))) return [];
    const plan = compilePlan(definition, version, tenant.timeScale);
    if (nowMs > subject.lastActivityAt + plan.maxAgeMs) return [];
    // A cart starts no workflow until a channel of its steps could reach the person (rule 10).
    const reachable = plan.steps.some((step) => step.channels.some((c) => candidate.identityKinds.some((kind) => kind === channels[c].address)));
    return reachable ? [beginning(candidate, sequence, plan.timeScale, tenant.settings)] : [];
  });
}

// Ended before activation for a reason that may pass: the cart was emptied or its checkout gone, or another run of it went on instead.
const passingEnds: readonly StopReason[] = ['not_abandoned', 'expired', 'merged'];

/** Once per cart (requirements, section 3, re-entry): a run that is open, was activated, or ended for good. */
function keepsFromBeginning(run: CartWorld['enrollments'][number]): boolean {
  return run.endedAt === null || run.activatedAt !== null || run.stopReason === null || !passingEnds.includes(run.stopReason);
}

function beginning({ subject, owner }: Candidate, sequence: ActiveSequence, timeScale: number, settings: TenantSettings): Beginning {
  const segment = baseSegment(owner, settings);
  return {
    id: uuidv7(),
    event_id: uuidv7(),
    sequence_id: sequence.id,
    version_id: sequence.versionId,
    contact_id: subject.contactId,
    subject_id: subject.id,
    sequence_type: sequenceType(segment, segmentModifiers(subject.items, settings)),
    cart_value_minor: subject.totalMinor,
    currency: subject.currency,
    time_scale: timeScale,
    anchor_at: new Date(subject.lastActivityAt).toISOString(),
    enrolled: {
      version: sequence.version.version,
      value_minor: subject.totalMinor,
      currency: subject.currency,
      items: subject.items.length,
      segment,
    },
  };
}
