import { and, eq, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { alias } from 'drizzle-orm/pg-core';
import { contacts, enrollments, messages } from '../../db/schema/index.ts';
import type { Channel } from '../../domain/channels/index.ts';
import type { OutageDrill } from '../../domain/drills/outage-drill.ts';
import { backoffMs } from '../../domain/sequence/backoff.ts';
import type { StepDefinition } from '../../domain/sequence/definition.ts';
import { stepOfVariant } from '../../domain/sequence/step-of-variant.ts';
import type { SenderSession } from '../../integrations/port.ts';
import type { Outlet, Outlets } from '../outlets.ts';
import { readVariant } from './variant.ts';
import type { VersionCache } from './versions.ts';

/** The session that stands ready for a call, before anything is decided. */
export type Opened =
  /** None was tried: the step did not seem to need one. */
  | { kind: 'none' }
  | { kind: 'open'; outlet: Outlet; session: SenderSession }
  | { kind: 'failed'; outlet: Outlet; fault: string; loginRefused: boolean };

/** Temporal's clock decides when a step is dispatched; this worker's clock may be behind by this much. */
const clockSkewMs = 2_000;

/** What a step probably needs, read before its locks are taken. The decision under the locks says what it really needs. */
export interface StepPreview {
  /** The channels that it may go out on, in order of preference; empty: it does not seem to be due to be sent. */
  channels: readonly Channel[];
  /** The account and channel of a call in doubt, which alone may repeat it; null: no call is in doubt. */
  pinned: { account: string; channel: string } | null;
  /** The moment that it has reserved under its rates seems to have come: what answers have pushed is not counted. */
  isItsMoment: boolean;
  /** The outage that the store practises; null: none. */
  drill: OutageDrill | null;
}

/** The outlet that a step probably needs; null: none. */
export function likelyOutlet({ channels, pinned }: Pick<StepPreview, 'channels' | 'pinned'>, outlets: Outlets): Outlet | null {
  if (channels.length === 0) return null;
  if (pinned !== null) {
    const outlet = outlets.ofAccount(pinned.account, pinned.channel);
    // Only where keys are known is a call in doubt repeated.
    return outlet?.sender.reconciliation.kind === 'keys' ? outlet : null;
  }
  for (const channel of channels) {
    const outlet = outlets.forChannel(channel);
    if (outlet !== null) return outlet;
  }
  return null;
}

/**
 * Connect before the claim, so that a slow connection uses up no lease.
 * @param isAway - whether an outage is practised in which its provider does not answer
 */
export async function openSession(outlet: Outlet | null, isAway: (outlet: Outlet) => boolean): Promise<Opened> {
  if (outlet === null) return { kind: 'none' };
  if (isAway(outlet)) return { kind: 'failed', outlet, fault: 'An outage is practised: the provider counts as away.', loginRefused: false };
  try {
    return { kind: 'open', outlet, session: await outlet.sender.open() };
  } catch (error) {
    const loginRefused = error instanceof Error && 'loginRefused' in error && error.loginRefused === true;
    return { kind: 'failed', outlet, fault: error instanceof Error ? error.message : String(error), loginRefused };
  }
}

export async function previewStep(
  tx: Tx,
  versions: VersionCache,
  step: { enrollmentId: string; stepId: string },
  nowMs: number,
): Promise<StepPreview> {
  const [row] = await tx
    .select({
      enrollment: { endedAt: enrollments.endedAt, timeScale: enrollments.timeScale, versionId: enrollments.versionId, slots: enrollments.slots },
      message: {
        state: messages.state,
        live: messages.live,
        account: messages.account,
        channel: messages.channel,
        failures: messages.failures,
        refusedForGood: messages.refusedForGood,
        settledAt: messages.settledAt,
      },
      // Read along: a statement of its own would cost every dispatch.
      drill: sql<OutageDrill | null>`(
        select json_build_object('part', d.part, 'channel', d.channel, 'sharePercent', d.share_percent,
          'endsAtMs', round(extract(epoch from d.ends_at) * 1000))
        from outage_drills d where d.ended_at is null and d.ends_at > ${new Date(nowMs).toISOString()}::timestamptz limit 1)`,
    })
    .from(enrollments)
    .leftJoin(messages, and(eq(messages.enrollmentId, enrollments.id), eq(messages.stepId, step.stepId)))
    .where(eq(enrollments.id, step.enrollmentId));
  const nothing: StepPreview = { channels: [], pinned: null, isItsMoment: false, drill: row?.drill ?? null };
  if (row === undefined) return nothing;
  const { enrollment, message, drill } = row;
  if (enrollment.endedAt !== null || message?.live === true || message?.state === 'sent' || message?.state === 'skipped') return nothing;
  if (message?.state === 'failed' && message.failures > 0 && message.settledAt !== null) {
    // Which address and channel come next after a refusal for good, only the decision knows.
    if (message.refusedForGood) return nothing;
    const retryAtMs = message.settledAt + backoffMs(message.failures, enrollment.timeScale);
    if (retryAtMs - clockSkewMs > nowMs) return nothing;
  }
  const planned = (await versions.load(tx, enrollment.versionId)).definition.steps.find((s) => s.id === step.stepId);
  const pinned = message?.state === 'unknown' ? { account: message.account ?? '', channel: message.channel ?? '' } : null;
  const slotMs = enrollment.slots[step.stepId];
  const channels = planned === undefined ? [] : await channelsFor(tx, planned, step.enrollmentId);
  return { channels, pinned, isItsMoment: slotMs !== undefined && slotMs <= nowMs, drill };
}

/** Of a step whose variants have channels of their own, those of the person's. */
async function channelsFor(tx: Tx, step: StepDefinition, enrollmentId: string): Promise<readonly Channel[]> {
  if (step.variants?.some(({ channels }) => channels !== undefined) !== true) return step.channels;
  const own = alias(contacts, 'own');
  const theirs = await tx
    .select({ id: contacts.id, personId: contacts.personId, sequenceId: enrollments.sequenceId })
    .from(enrollments)
    .innerJoin(own, eq(own.id, enrollments.contactId))
    .innerJoin(contacts, eq(contacts.personId, own.personId))
    .where(eq(enrollments.id, enrollmentId));
  const [first] = theirs;
  if (first === undefined) return step.channels;
  const person = { personId: first.personId, contactIds: theirs.map(({ id }) => id), step };
  const chosen = await readVariant(tx, { id: enrollmentId, sequenceId: first.sequenceId }, person);
  return stepOfVariant(step, chosen?.variant).channels;
}
