import type { z } from 'zod';
import type { EnrollmentView } from '../../../operations/read/enrollment.ts';
import type { Entry, Explanation, FoundExplanations } from '../../../operations/read/explain.ts';
import { majorUnits } from '../../../operations/read/major-units.ts';
import { isoTime, isoTimeOrNull } from '../fields.ts';
import type { WorkflowLinks } from '../workflow-links.ts';
import { presentExternalId, presentLeftWith, presentNext } from '../recovery/present.ts';
import type { enrollmentSchema, entrySchema, explanationSchema, foundSchema } from './schemas.ts';

export function presentEnrollment(view: EnrollmentView, links: WorkflowLinks): z.input<typeof enrollmentSchema> {
  const { row, cart, sequence } = view;
  return {
    id: row.id,
    sequence,
    status: row.status,
    summary: view.summary,
    stop_reason: row.stopReason,
    stop_note: row.stopNote,
    held: row.held,
    sequence_type: row.sequenceType,
    cart: {
      id: cart.id,
      external_ids: cart.externalIds.map(presentExternalId),
      state: cart.state,
      total_price: majorUnits(cart.now.minor, cart.now.currency),
      total_price_minor: cart.now.minor,
      currency: cart.now.currency,
      when_left: presentLeftWith(cart.whenLeft),
    },
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
      due_at: isoTime(s.dueAtMs),
      state: s.state,
      settled_at: isoTimeOrNull(s.settledAtMs),
      skip_reason: s.skipReason,
      opened_at: isoTimeOrNull(s.openedAtMs),
      clicked_at: isoTimeOrNull(s.clickedAtMs),
    })),
    workflow: links.of(view.tenantSlug, sequence.slug, row.id),
  };
}

export function presentExplanation({ enrollment, entries, truncated }: Explanation, links: WorkflowLinks): z.input<typeof explanationSchema> {
  return { enrollment: presentEnrollment(enrollment, links), entries: entries.map(presentEntry), truncated };
}

export function presentFound({ explanations, quietCarts, more }: FoundExplanations, links: WorkflowLinks): z.input<typeof foundSchema> {
  return {
    explanations: explanations.map((e) => presentExplanation(e, links)),
    more,
    carts_without_sequence: quietCarts.map((cart) => ({
      id: cart.id,
      external_ids: cart.externalIds.map(presentExternalId),
      state: cart.state,
      last_activity_at: isoTime(cart.lastActivityAtMs),
      sentence: cart.sentence,
    })),
  };
}

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
    provider_response: row.response,
    provider_message_id: row.providerMessageId,
  };
}
