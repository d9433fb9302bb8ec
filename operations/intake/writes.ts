import { callUnawaited, type Tx } from '../../db/client.ts';
import { statusOf } from '../../domain/sequence/ending.ts';
import type { Draft } from './draft.ts';
import { iso, isoOrNull } from './stored-rows.ts';
import type { KnownContact, KnownSubject } from './world.ts';

/** The lists of db/functions/write_world.sql. */
type List =
  | 'new_contacts'
  | 'merges'
  | 'identities'
  | 'contacts'
  | 'consents'
  | 'suppressions'
  | 'new_suppressions'
  | 'new_subjects'
  | 'subjects'
  | 'routings'
  | 'united'
  | 'moved_keys'
  | 'keys'
  | 'ends'
  | 'moved_enrollments'
  | 'snoozes'
  | 'woken'
  | 'enrollments'
  | 'stories'
  | 'credited'
  | 'orders'
  | 'order_updates'
  | 'chat_updates'
  | 'keyword_answers'
  | 'tasks'
  | 'receipts'
  | 'lead_conversions'
  | 'tracker_ids'
  | 'calls'
  | 'privacy_requests'
  | 'facts'
  | 'behaviours'
  | 'redeemed'
  | 'disconnected'
  | 'applied'
  | 'reported';

/** What is to be written: a list of rows under each name that has any. */
export type Writes = Partial<Record<List, unknown[]>>;

/** The changes of a decided event as rows. */
export function writesOf(draft: Draft): Writes {
  const { changes: c, context } = draft;
  const { inboxId, source, newId } = context;
  const begun = new Set(c.beginnings.map((b) => b.id));
  const writes: Record<Exclude<List, 'applied' | 'reported'>, unknown[]> = {
    new_contacts: [...c.newContacts].map((id) => contactRow(draft.contact(id))),
    merges: c.merges.map((m) => ({
      id: newId(),
      kept: m.keptId,
      merged: m.mergedId,
      contacts: m.contactIds,
      brought_by: m.broughtBy,
      identity_kinds: m.identityKinds,
      ended: m.endedIds,
      inbox_id: inboxId,
    })),
    identities: c.identities.map((i) => ({ id: newId(), contact_id: i.contactId, kind: i.kind, value: i.value })),
    contacts: [...c.contacts].map((id) => contactRow(draft.contact(id))),
    consents: c.consents.map((s) => ({
      id: newId(),
      contact_id: s.contactId,
      channel: s.channel,
      state: s.state,
      source: s.source,
      basis: s.basis,
      wording: s.wording,
      proof: s.proof ?? {},
      occurred_at: iso(s.atMs),
    })),
    suppressions: [...c.suppressions.values()].map((s) => ({ id: s.id, since: iso(s.sinceMs), basis: s.basis, lifted: s.lifted })),
    new_suppressions: c.newSuppressions.map((s) => ({
      id: s.id,
      address_hash: s.addressHash,
      channel: s.channel,
      reason: s.reason,
      basis: s.basis,
      since: iso(s.sinceMs),
    })),
    new_subjects: [...c.newSubjects].map((id) => subjectRow(draft, id)),
    subjects: [...c.subjects].map(([id, fields]) => changedSubjectRow(draft, id, fields)),
    routings: c.routings.map((id) => ({ subject_id: id })),
    united: c.united,
    moved_keys: c.movedKeys.map((k) => ({ subject_id: k.subjectId, connection_id: k.connectionId, kind: k.kind, value: k.value })),
    keys: c.keys.map((k) => ({ id: newId(), subject_id: k.subjectId, connection_id: k.connectionId, kind: k.kind, value: k.value })),
    ends: c.ends.map((end) => ({
      id: end.id,
      event_id: newId(),
      inbox_id: inboxId,
      status: statusOf(end.reason),
      reason: end.reason,
      note: end.note,
      data: end.data,
    })),
    moved_enrollments: [...c.movedEnrollments].map((id) => {
      const { contactId, subjectId } = draft.enrollment(id);
      return { id, contact_id: contactId, subject_id: subjectId };
    }),
    woken: [...c.woken].map((id) => ({ id })),
    snoozes: c.snoozes.map((s) => ({ id: s.enrollmentId, event_id: newId(), inbox_id: inboxId, at_ms: s.atMs, until_ms: s.untilMs })),
    enrollments: c.beginnings.map((b) => ({
      id: b.id,
      event_id: newId(),
      inbox_id: inboxId,
      sequence_id: b.sequenceId,
      version_id: b.versionId,
      contact_id: b.contactId,
      subject_id: b.subjectId,
      subject_kind: b.subjectKind,
      segment: b.segment,
      value_minor: b.valueMinor,
      currency: b.currency,
      time_scale: b.timeScale,
      anchor_at: iso(b.anchorAt),
      enrolled: b.enrolled,
      campaign_id: b.campaignId ?? null,
    })),
    stories: c.stories.map((s) => ({
      id: newId(),
      enrollment_id: s.enrollmentId,
      type: s.type,
      inbox_id: inboxId,
      data: s.data,
      of_beginning: begun.has(s.enrollmentId),
    })),
    credited: c.credited.map((o) => ({ id: o.orderId, enrollment_id: o.enrollmentId, event_id: newId(), inbox_id: inboxId })),
    orders: c.orders.map((o) => ({
      inbox_id: inboxId,
      at: iso(o.atMs),
      // `credit_order` does not change the stop reason of an enrollment that this event itself has ended.
      ends: c.ends.map((end) => ({ id: end.id })),
      order: {
        id: newId(),
        event_id: newId(),
        connection_id: o.connectionId ?? source.connectionId,
        order_id: o.externalId,
        contact_id: o.contactId,
        subject_id: o.subjectId,
        enrollment_id: o.enrollmentId,
        currency: o.currency,
        value_minor: o.totalMinor,
        no_revenue: o.noRevenue,
      },
    })),
    order_updates: c.orderUpdates,
    chat_updates: c.chatUpdates.map((u) => ({
      connection_id: source.connectionId,
      update_id: u.updateId,
      chat_id: u.chatId,
      did: u.did,
      token: u.token,
      query_id: u.queryId,
      language_code: u.languageCode,
      name: u.name,
      late: u.late,
    })),
    keyword_answers: c.keywordAnswers.map((a) => ({
      id: newId(),
      connection_id: source.connectionId,
      channel: a.channel,
      keyword: a.keyword,
      address: a.address,
      address_hash: a.addressHash,
      locale: a.locale,
      asked_at: iso(a.askedAtMs),
    })),
    tasks: c.tasks.map((t) => ({ id: newId(), kind: t.kind, key: t.key, subject_id: t.subjectId, enrollment_id: t.enrollmentId, data: t.data })),
    receipts: c.receipts.map((r) => ({
      id: newId(),
      event_id: newId(),
      message_id: r.messageId,
      enrollment_id: r.enrollmentId,
      step_id: r.stepId,
      type: r.type,
      at: iso(r.atMs),
      detail: r.detail,
      inbox_id: inboxId,
    })),
    lead_conversions: [...c.conversions.values()].map((one) => ({
      id: one.id,
      connection_id: one.connectionId,
      click: one.click,
      sub_id: one.subId,
      click_id: one.clickId,
      tid: one.tid,
      status: one.status,
      outcome: one.outcome,
      currency: one.currency,
      payout_minor: one.payoutMinor,
      reported_at: iso(one.atMs),
      subject_id: one.subjectId,
      message_id: one.messageId,
      matched_at: isoOrNull(one.matchedAt),
      matched_by: one.matchedBy,
      reversed_at: isoOrNull(one.reversedAt),
      ids: [...new Set([one.click, one.subId, one.clickId])].filter((id) => id !== null),
    })),
    tracker_ids: c.trackerIds.map(({ value, kind, subjectId }) => ({ value, kind, subject_id: subjectId })),
    calls: c.calls.map((call) => ({
      message_id: call.messageId,
      outcome: call.outcome,
      reason: call.reason,
      transcript: call.transcript,
      keywords: call.keywords,
      started_at: call.startedAtMs === null ? null : iso(call.startedAtMs),
      ended_at: call.endedAtMs === null ? null : iso(call.endedAtMs),
    })),
    privacy_requests: c.privacyRequests.map((p) => ({
      id: newId(),
      topic: p.topic,
      contact_id: p.contactId,
      connection_id: source.connectionId,
      requested_at: iso(p.requestedAtMs),
    })),
    facts: c.facts.map((f) => ({
      id: newId(),
      kind: f.kind,
      subject: f.subject,
      value: f.value,
      source: f.source,
      connection_id: f.connectionId,
      observed_at: iso(f.observedAtMs),
      expires_at: iso(f.expiresAtMs),
    })),
    behaviours: c.behaviours.map((b) => ({ id: newId(), subject_id: b.subjectId, key: b.key, kind: b.kind, data: b.data, occurred_at: iso(b.atMs) })),
    redeemed: c.redeemed.map((r) => ({ code: r.code, order: r.order, at: iso(r.atMs) })),
    disconnected: c.disconnects ? [source.connectionId] : [],
  };
  return Object.fromEntries(Object.entries(writes).filter(([, rows]) => rows.length > 0));
}

/** Whether anything was written that is taken up right after COMMIT: to the outbox, or in a chat. */
export const tellsTemporal = ({ ends, enrollments, woken, chat_updates, keyword_answers }: Writes): boolean =>
  [ends, enrollments, woken, chat_updates, keyword_answers].some((list) => list !== undefined);

/** Write without waiting for the result: an error fails the COMMIT. */
export function writeWorld(tx: Tx, writes: Writes): void {
  if (Object.keys(writes).length > 0) callUnawaited(tx, 'write_world($1)', [JSON.stringify(writes)]);
}

/** Write the changes of several events that have nothing in common. */
export function joined(all: readonly Writes[]): Writes {
  const [first, ...others] = all;
  if (first === undefined || others.length === 0) return first ?? {};
  const names = new Set(all.flatMap((writes) => Object.keys(writes) as List[]));
  return Object.fromEntries([...names].map((name) => [name, all.flatMap((writes) => writes[name] ?? [])]));
}

function contactRow(c: KnownContact) {
  return {
    id: c.id,
    person_id: c.personId,
    lifecycle: c.lifecycle,
    first_name: c.details.firstName,
    last_name: c.details.lastName,
    locale: c.details.locale,
    time_zone: c.details.timeZone,
    country: c.details.country,
    region: c.details.region,
    order_count: c.details.orderCount,
    lifetime_value_minor: c.details.lifetimeValueMinor,
    details_at: isoOrNull(c.details.detailsAt),
    last_seen_at: isoOrNull(c.lastSeenAt),
    last_order_at: isoOrNull(c.lastOrderAt),
    last_reply_at: isoOrNull(c.lastReplyAt),
    last_contacted_at: isoOrNull(c.lastContactedAt),
    last_whatsapp_at: isoOrNull(c.lastWhatsappAt),
    takeover: { at: isoOrNull(c.takenOverAt), until: isoOrNull(c.takenOverUntil) },
    apart: c.apart,
  };
}

function subjectRow(draft: Draft, id: string): Record<string, unknown> {
  const s = draft.subject(id);
  return {
    id: s.id,
    kind: s.kind,
    contact_id: s.contactId,
    state: s.state,
    currency: s.currency,
    value_minor: s.valueMinor,
    details: s.details,
    details_version: draft.kindOf(s.kind).detailsVersion,
    email: s.email,
    email_at: isoOrNull(s.emailAt),
    phone: s.phone,
    phone_at: isoOrNull(s.phoneAt),
    previous_subject_id: s.previousSubjectId,
    no_sequence: s.noSequence,
    started_at: iso(s.startedAt),
    last_activity_at: iso(s.lastActivityAt),
    converted_at: isoOrNull(s.convertedAt),
    contacted_at: isoOrNull(s.contactedAt),
    last_contact_at: isoOrNull(s.lastContactAt),
    last_interaction_at: isoOrNull(s.chat.lastInteractionAt),
    ghost_reminder_sent: s.chat.ghostReminderSent,
    viewing_scheduled_at: isoOrNull(s.chat.viewingScheduledAt),
  };
}

/** The columns of what may change. */
const columnsOf: Record<Exclude<keyof KnownSubject, 'id' | 'kind' | 'previousSubjectId'>, readonly string[]> = {
  contactId: ['contact_id'],
  state: ['state'],
  currency: ['currency'],
  valueMinor: ['value_minor'],
  details: ['details', 'details_version'],
  email: ['email'],
  emailAt: ['email_at'],
  phone: ['phone'],
  phoneAt: ['phone_at'],
  startedAt: ['started_at'],
  lastActivityAt: ['last_activity_at'],
  convertedAt: ['converted_at'],
  contactedAt: ['contacted_at'],
  lastContactAt: ['last_contact_at'],
  chat: ['last_interaction_at', 'ghost_reminder_sent', 'viewing_scheduled_at'],
  noSequence: ['no_sequence'],
};

/** Only what has changed. */
function changedSubjectRow(draft: Draft, id: string, fields: ReadonlySet<keyof KnownSubject>): Record<string, unknown> {
  const row = subjectRow(draft, id);
  const columns = ['id', ...[...fields].flatMap((field) => (field in columnsOf ? columnsOf[field as keyof typeof columnsOf] : []))];
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}
