import type { z } from 'zod';
import { cart } from '../../../domain/subjects/cart/index.ts';
import { sequenceTypes } from '../../../domain/subjects/cart/segment.ts';
import type { Amount, EnrollmentView } from '../../../operations/read/enrollment.ts';
import type { Entry, Explanation, FoundExplanations } from '../../../operations/read/explain.ts';
import type { NextDecision } from '../../../operations/read/next-decision.ts';
import type { QuietSubject } from '../../../operations/read/find-enrollments.ts';
import { majorUnits } from '../../../operations/read/major-units.ts';
import { isoTime, isoTimeOrNull } from '../../routes/fields.ts';
import type { WorkflowLinks } from '../../routes/workflow-links.ts';
import { presentExternalId, presentLeftWith, presentNext } from '../../routes/recovery/present.ts';
import type { enrollmentSchema, entrySchema, explanationSchema, foundSchema, quietSchema } from './schemas.ts';

export function presentEnrollment(view: EnrollmentView, links: WorkflowLinks): z.input<typeof enrollmentSchema> {
  const { row, subject, sequence } = view;
  const isCart = subject.kind === cart.kind;
  const value = { total_price: majorUnits(subject.now.minor, subject.now.currency), total_price_minor: subject.now.minor };
  return {
    id: row.id,
    sequence,
    status: row.status,
    contact: row.contactId,
    summary: view.summary,
    stop_reason: row.stopReason,
    stop_note: row.stopNote,
    held: row.held,
    subject: {
      kind: subject.kind,
      id: subject.id,
      segment: subject.segment,
      external_ids: subject.externalIds.map(presentExternalId),
      state: subject.state,
      value: value.total_price,
      value_minor: value.total_price_minor,
      currency: subject.now.currency,
      at_activation: presentAmount(subject.atActivation),
    },
    sequence_type: isCart ? (sequenceTypes.find((type) => type === subject.segment) ?? null) : null,
    cart: isCart
      ? {
          id: subject.id,
          external_ids: subject.externalIds.map(presentExternalId),
          state: subject.state,
          ...value,
          currency: subject.now.currency,
          when_left: presentLeftWith(subject.atActivation),
        }
      : null,
    time_scale: row.timeScale,
    anchor_at: isoTime(row.anchorAt),
    enrolled_at: isoTime(row.enrolledAt),
    activated_at: isoTimeOrNull(row.activatedAt),
    ended_at: isoTimeOrNull(row.endedAt),
    last_step: view.lastStep,
    next_step: presentNext(view.next),
    steps: view.steps.map((s) => ({
      id: s.id,
      channels: s.channels,
      due_at: isoTimeOrNull(s.dueAtMs),
      state: s.state,
      settled_at: isoTimeOrNull(s.settledAtMs),
      skip_reason: s.skipReason,
      opened_at: isoTimeOrNull(s.openedAtMs),
      clicked_at: isoTimeOrNull(s.clickedAtMs),
    })),
    workflow: links.of(view.tenantSlug, sequence.slug, row.id),
  };
}

export function presentExplanation({ enrollment, entries, next, truncated }: Explanation, links: WorkflowLinks): z.input<typeof explanationSchema> {
  const ofNext = next === null ? null : presentNextDecision(next);
  return { enrollment: presentEnrollment(enrollment, links), entries: entries.map(presentEntry), next: ofNext, truncated };
}

const presentNextDecision = (next: NextDecision) => ({
  step: next.stepId,
  verdict: next.verdict,
  reason: next.reason,
  until: isoTimeOrNull(next.untilMs),
  asked_at: isoTimeOrNull(next.askedAtMs),
  in_flight: next.inFlight,
  version: next.version,
  gates: next.checks,
  sentence: next.sentence,
});

export function presentFound({ explanations, quiet, more }: FoundExplanations, links: WorkflowLinks): z.input<typeof foundSchema> {
  return {
    explanations: explanations.map((e) => presentExplanation(e, links)),
    more,
    subjects_without_sequence: quiet.map((one) => ({ kind: one.kind, ...presentQuiet(one) })),
    carts_without_sequence: quiet.filter(({ kind }) => kind === cart.kind).map(presentQuiet),
  };
}

const presentQuiet = ({ id, externalIds, state, lastActivityAtMs, noSequence, sentence }: QuietSubject): z.input<typeof quietSchema> => ({
  id,
  external_ids: externalIds.map(presentExternalId),
  state,
  last_activity_at: isoTime(lastActivityAtMs),
  kept_from: (noSequence?.keptFrom ?? []).map(({ sequence, reason }) => ({ sequence, reason })),
  decided_at: isoTimeOrNull(noSequence?.atMs ?? null),
  sentence,
});

const presentAmount = ({ minor, currency }: Amount) => ({ value: majorUnits(minor, currency), value_minor: minor, currency });

function presentEntry(entry: Entry): z.input<typeof entrySchema> {
  const line = { at: isoTime(entry.atMs), step: entry.stepId, sentence: entry.sentence };
  switch (entry.kind) {
    case 'decision':
      return {
        kind: 'decision',
        ...line,
        verdict: entry.verdict,
        reason: entry.reason,
        until: isoTimeOrNull(entry.untilMs),
        version: entry.version,
        gates: entry.checks,
      };
    case 'message':
      return { kind: 'message', ...line, ...presentMessage(entry.row) };
    case 'event':
      return { kind: 'event', ...line, type: entry.type, data: entry.data, notes: entry.notes };
    case 'provider_event':
      return { kind: 'provider_event', ...line, type: entry.type, machine: entry.machine, data: entry.data };
  }
}

function presentMessage(row: Extract<Entry, { kind: 'message' }>['row']) {
  return {
    id: row.id,
    state: row.state,
    channel: row.channel,
    due_at: isoTimeOrNull(row.dueAt),
    claimed_at: isoTimeOrNull(row.claimedAt),
    settled_at: isoTimeOrNull(row.settledAt),
    opened_at: isoTimeOrNull(row.openedAt),
    clicked_at: isoTimeOrNull(row.clickedAt),
    in_doubt: row.inDoubt,
    failures: row.failures,
    refusals: row.refusals,
    skip_reason: row.skipReason,
    variant: row.variant,
    language: row.language,
    provider_response: row.response,
    provider_message_id: row.providerMessageId,
  };
}
