import { v7 as uuidv7 } from 'uuid';
import { channels } from '../../domain/channels/index.ts';
import { baseSegment, type PurchaseHistory, segmentModifiers, sequenceType } from '../../domain/people/segments.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import type { StopReason } from '../../domain/sequence/plan.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import type { Version } from '../dispatch/versions.ts';
import type { CartWorld, DecidedCart, KnownCart, Rival } from './cart-world.ts';
import type { End } from './write-ends.ts';

/** A cart whose owner is known, at the moment when a sequence might begin about it. */
export interface Candidate {
  subject: DecidedCart;
  /** Kinds of all identities of the owner's person. */
  identityKinds: string[];
  owner: PurchaseHistory;
  person: { id: string; lifecycle: string; lastOrderAt: number | null };
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

/** What else is known about runs of these sequences. */
export interface OtherRuns {
  /** About this very cart, ended ones too. */
  runs: CartWorld['enrollments'];
  /** About other carts of the person, still open. */
  rivals: readonly Rival[];
}

/**
 * The active sequences that this cart triggers and that may begin, and the runs about older carts of the person that give way to them: one
 * person is in one conversation per sequence, unless it says `together: many`. Guards are silent (S1-24): a cart that may not start is not
 * an error. The first dispatch checks all of it again under the lock.
 * Source: docs/rules.md#rule-17
 */
export function sequencesToBegin(
  candidate: Candidate,
  active: readonly ActiveSequence[],
  { runs, rivals }: OtherRuns,
  tenant: { settings: TenantSettings; timeScale: number },
): { begin: Beginning[]; ends: End[] } {
  const begin: Beginning[] = [];
  const ends: End[] = [];
  if (!mayBegin(candidate, tenant.settings)) return { begin, ends };
  const { subject } = candidate;
  for (const sequence of active) {
    const { definition, version } = sequence.version;
    if (definition.on !== 'cart.abandoned' || keepsFromBeginning(runs.filter((run) => run.sequenceId === sequence.id))) continue;
    const plan = compilePlan(definition, version, tenant.timeScale);
    if (candidate.nowMs > subject.lastActivityAt + plan.maxAgeMs) continue;
    // A cart starts no workflow until a channel of its steps could reach the person (rule 10).
    const reachable = plan.steps.some((step) => step.channels.some((c) => candidate.identityKinds.some((kind) => kind === channels[c].address)));
    if (!reachable) continue;
    const others = definition.together === 'many' ? [] : rivals.filter((rival) => rival.sequenceId === sequence.id);
    // The newer cart has the conversation, whichever is heard of first.
    if (others.some((rival) => rival.lastActivityAt > subject.lastActivityAt)) continue;
    const next = beginning(candidate, sequence, plan.timeScale, tenant.settings);
    begin.push(next);
    ends.push(...others.map(({ id }) => ({ id, reason: 'superseded' as const, data: { by_enrollment: next.id } })));
  }
  return { begin, ends };
}

/** What keeps a cart from every sequence. */
function mayBegin({ subject, person, suppressed }: Candidate, settings: TenantSettings): boolean {
  if (person.lifecycle === 'DO_NOT_CONTACT' || person.lifecycle === 'REJECTED' || suppressed) return false;
  // The order may have arrived before this older cart event.
  if (person.lastOrderAt !== null && person.lastOrderAt >= subject.lastActivityAt) return false;
  if (subject.origin !== null && !settings.recoverFrom.includes(subject.origin)) return false;
  return !isWorthNothing(subject);
}

/** Free samples only, or nothing that could be read: there is nothing to bring back. A total of nothing beside priced items is a source without totals. */
export function isWorthNothing({ items, totalMinor }: Pick<KnownCart, 'items' | 'totalMinor'>): boolean {
  if (items.length === 0) return (totalMinor ?? 0) === 0;
  return totalMinor === 0 && items.every((item) => item.priceMinor === 0);
}

// Ended before activation for a reason that may pass: an order for something else or a test order, an emptied or deleted cart, or another run
// of it went on instead. `not_abandoned` and `expired` stand for most of these in rows of builds before these reasons were told apart.
const passingEnds: readonly StopReason[] = ['purchased_elsewhere', 'order_void', 'emptied', 'cart_deleted', 'not_abandoned', 'expired', 'merged'];
// Two devices in turn must not begin a workflow with every click.
const mostTakeovers = 3;

/** Once per cart (requirements, section 3, re-entry): a run that is open, was activated, or ended for good. */
function keepsFromBeginning(runs: CartWorld['enrollments']): boolean {
  if (runs.filter((run) => run.stopReason === 'superseded').length >= mostTakeovers) return true;
  return runs.some((run) => {
    if (run.endedAt === null || run.activatedAt !== null || run.stopReason === null) return true;
    return run.stopReason !== 'superseded' && !passingEnds.includes(run.stopReason);
  });
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
