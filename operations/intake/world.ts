import type { StoredRow } from '../../db/row-of.ts';
import type { Lifecycle } from '../../domain/people/lifecycle.ts';
import type { ClickReport } from '../../domain/conversions/fold.ts';
import type { MessagePayload } from '../../domain/channels/index.ts';
import type { NoRevenue } from '../../domain/events.ts';
import type { Identity } from '../../domain/people/choose-contact.ts';
import type { ConsentStatement } from '../../domain/people/consent.ts';
import type { ContactDetails } from '../../domain/people/fold-details.ts';
import type { EnrollmentStatus, StopReason } from '../../domain/sequence/plan.ts';
import type { Subject } from '../../domain/subjects/kind.ts';
import type { NoSequence } from '../../domain/subjects/no-sequence.ts';
import type { Version } from '../dispatch/versions.ts';
import type { LiveClaim } from '../lease-watch.ts';
import type { Found } from './found.ts';
import { instant, maybe, text } from './stored-rows.ts';

/** What an effect needs to know besides the people and the subjects that its event names. See db/functions/read_world.sql. */
export type WorldPart = 'leads' | 'earlier' | 'runs' | 'sequences' | 'order' | 'orders' | 'claims' | 'suppressions' | 'message' | 'conversions';

/**
 * What is known about the people and subjects of one event, as it stood under their locks. Oldest first in every list; times in epoch
 * milliseconds, UTC; money in minor units.
 */
export interface World {
  found: Found;
  contacts: readonly KnownContact[];
  identities: readonly KnownIdentity[];
  /** The latest statement of each kind, by contact and channel. */
  consents: readonly KnownConsent[];
  /** In force, for the identities whose hashes were asked for. */
  suppressions: readonly KnownSuppression[];
  /** Matched by the event's keys or its order, their predecessors, and those of `enrollments`. */
  subjects: readonly KnownSubject[];
  /** Every enrollment about a matched subject, ended ones too, and what is open for the persons. */
  enrollments: readonly KnownEnrollment[];
  sequences: readonly ActiveSequence[];
  /** Whether a new lead may have a campaign to go to. Absent: it has none. */
  routes?: boolean;
  /** The event's own order, where it is known already. */
  order: { subjectId: string | null } | null;
  orders: readonly KnownOrder[];
  /** The message that the event is about, of our own ledger. */
  message: KnownMessage | null;
  /** What trackers have reported about the matched subjects, and under the event's ids; oldest first. Absent: it was not asked for. */
  conversions?: readonly KnownConversion[];
  /** Leads that have one of the event's ids already, three of each at most. */
  tracked?: readonly string[];
  /** The message of ours that one of the event's ids names. */
  attempt?: KnownAttempt | null;
  /** Calls to any of these contacts that may be running. */
  claims: readonly (LiveClaim & { contactId: string })[];
}

export interface KnownContact {
  id: string;
  personId: string;
  lifecycle: Lifecycle;
  details: ContactDetails;
  lastSeenAt: number | null;
  lastOrderAt: number | null;
  lastReplyAt: number | null;
  lastContactedAt: number | null;
  lastWhatsappAt: number | null;
  /** A person has taken over, from and until these times; null: nobody has, and for the end: until it is released. */
  takenOverAt: number | null;
  takenOverUntil: number | null;
  /** Contacts that a merge was undone with, and that merge. */
  apart: Readonly<Record<string, string>>;
}

export interface KnownIdentity extends Identity {
  contactId: string;
}

export interface KnownConsent extends ConsentStatement {
  contactId: string;
  channel: string;
}

export interface KnownSuppression {
  id: string;
  addressHash: string;
  channel: string;
  reason: string;
  /** null: stored by a build that did not tell them apart; counts as the person's own. */
  basis: 'person' | 'record' | null;
  sinceMs: number;
}

/** What is known of a subject from its person's chat with the store's bot. */
export interface SubjectChat {
  /** When they last wrote or pressed a button there; null: never. */
  lastInteractionAt: number | null;
  /** The one reminder for who left the chat has gone out, or may have. */
  ghostReminderSent: boolean;
  /** When a viewing was agreed with them; null: none is. */
  viewingScheduledAt: number | null;
}

export const noChat: SubjectChat = { lastInteractionAt: null, ghostReminderSent: false, viewingScheduledAt: null };

/** A subject of any kind. Its kind in domain/subjects/ reads `details`. */
export interface KnownSubject extends Subject<unknown> {
  id: string;
  kind: string;
  contactId: string | null;
  convertedAt: number | null;
  /** When a colleague last spoke with its person about it. */
  contactedAt: number | null;
  /** The latest message about it in either direction, ours excepted. */
  lastContactAt: number | null;
  chat: SubjectChat;
  /** The subject that had its keys before. */
  previousSubjectId: string | null;
  /** Why no sequence was begun about it when it was last reported; null: one was, or it was never reported. */
  noSequence: NoSequence | null;
}

/** An enrollment. */
export interface KnownEnrollment {
  id: string;
  subjectId: string;
  contactId: string;
  sequenceId: string;
  versionId: string;
  version: Version;
  /** The campaign that began it; null or absent: none did, or a function of an earlier version did not say. */
  campaignId?: string | null;
  status: EnrollmentStatus;
  stopReason: StopReason | null;
  anchorAt: number;
  activatedAt: number | null;
  enrolledAt: number;
  endedAt: number | null;
}

/** An active sequence and its current version. */
export interface ActiveSequence {
  id: string;
  versionId: string;
  version: Version;
  /** Its campaigns begin it, and nothing else does by itself. Absent: it is in none. */
  inCampaigns?: boolean;
}

export interface KnownOrder {
  id: string;
  subjectId: string | null;
  enrollmentId: string | null;
  placedAt: number;
  noRevenue: NoRevenue | null;
}

export interface KnownMessage {
  id: string;
  enrollmentId: string;
  stepId: string;
  /** null: the call was never made, or its payload was erased. */
  payload: MessagePayload | null;
  /** What is known of its telephone call; null: nothing, or it is none. */
  call: { hasTranscript: boolean } | null;
}

/** A report of a tracker. */
export interface KnownConversion extends ClickReport {
  connectionId: string;
  click: string;
  subId: string | null;
  clickId: string | null;
  status: string;
  atMs: number;
  /** null: it is not matched. */
  subjectId: string | null;
  messageId: string | null;
  matchedAt: number | null;
  matchedBy: 'report' | 'lead' | 'hand' | null;
  reversedAt: number | null;
}

/** A message of ours whose link was followed. */
export interface KnownAttempt {
  id: string;
  enrollmentId: string;
}

/** The world as db/functions/read_world.sql returns it. */
export type StoredWorld = Record<
  'contacts' | 'identities' | 'consents' | 'suppressions' | 'subjects' | 'runs' | 'sequences' | 'orders',
  StoredRow[]
> & {
  routes?: boolean;
  order?: StoredRow;
  message?: StoredRow;
  conversions?: StoredRow[];
  tracked?: string[];
  attempt?: StoredRow;
  claims: (LiveClaim & { contact_id: string })[];
};

/** The versions that a stored world names. */
export function versionsIn(stored: StoredWorld): string[] {
  return [...new Set([...stored.runs, ...stored.sequences].map((row) => text(row, 'version_id')))];
}

/** @param versions - those that `versionsIn` names */
export function parseWorld(stored: StoredWorld, found: Found, versions: ReadonlyMap<string, Version>): World {
  const versionOf = (id: string): Version => {
    const version = versions.get(id);
    if (version === undefined) throw new Error(`sequence version ${id} was not loaded`);
    return version;
  };
  return {
    found,
    contacts: stored.contacts.map(parseContact),
    identities: stored.identities.map((row) => ({ contactId: text(row, 'contact_id'), kind: text(row, 'kind'), value: text(row, 'value') })),
    consents: stored.consents.map((row) => ({
      contactId: text(row, 'contact_id'),
      channel: text(row, 'channel'),
      state: row['state'] as ConsentStatement['state'],
      basis: row['basis'] as ConsentStatement['basis'],
      atMs: Date.parse(text(row, 'latest_at')),
    })),
    suppressions: stored.suppressions.map(parseSuppression),
    subjects: stored.subjects.map(parseSubject),
    enrollments: stored.runs
      .map((row) => {
        const versionId = text(row, 'version_id');
        return {
          id: text(row, 'id'),
          subjectId: text(row, 'subject_id'),
          contactId: text(row, 'contact_id'),
          sequenceId: text(row, 'sequence_id'),
          versionId,
          version: versionOf(versionId),
          campaignId: maybe<string>(row, 'campaign_id'),
          status: row['status'] as EnrollmentStatus,
          stopReason: maybe<StopReason>(row, 'stop_reason'),
          anchorAt: Date.parse(text(row, 'anchor_at')),
          activatedAt: instant(row, 'activated_at'),
          enrolledAt: Date.parse(text(row, 'enrolled_at')),
          endedAt: instant(row, 'ended_at'),
        };
      })
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    sequences: stored.sequences.map((row) => {
      const versionId = text(row, 'version_id');
      return { id: text(row, 'id'), versionId, version: versionOf(versionId), inCampaigns: row['in_campaigns'] === true };
    }),
    routes: stored.routes === true,
    order: stored.order === undefined ? null : { subjectId: maybe<string>(stored.order, 'subject_id') },
    orders: stored.orders.map((row) => ({
      id: text(row, 'id'),
      subjectId: maybe<string>(row, 'subject_id'),
      enrollmentId: maybe<string>(row, 'enrollment_id'),
      placedAt: Date.parse(text(row, 'placed_at')),
      noRevenue: maybe<NoRevenue>(row, 'no_revenue'),
    })),
    message:
      stored.message === undefined
        ? null
        : {
            id: text(stored.message, 'id'),
            enrollmentId: text(stored.message, 'enrollment_id'),
            stepId: text(stored.message, 'step_id'),
            payload: maybe<MessagePayload>(stored.message, 'payload'),
            call: maybe<{ hasTranscript: boolean }>(stored.message, 'call'),
          },
    ...(stored.conversions === undefined ? {} : { conversions: stored.conversions.map(parseConversion), tracked: stored.tracked ?? [] }),
    attempt: stored.attempt === undefined ? null : { id: text(stored.attempt, 'id'), enrollmentId: text(stored.attempt, 'enrollment_id') },
    claims: stored.claims.map(({ claim, leaseMs, contact_id }) => ({ claim, leaseMs, contactId: contact_id })),
  };
}

function parseConversion(row: StoredRow): KnownConversion {
  return {
    id: text(row, 'id'),
    connectionId: text(row, 'connection_id'),
    click: text(row, 'click'),
    subId: maybe<string>(row, 'sub_id'),
    clickId: maybe<string>(row, 'click_id'),
    tid: text(row, 'tid'),
    status: text(row, 'status'),
    outcome: row['outcome'] as KnownConversion['outcome'],
    currency: maybe<string>(row, 'currency'),
    payoutMinor: maybe<number>(row, 'payout_minor'),
    atMs: Date.parse(text(row, 'reported_at')),
    subjectId: maybe<string>(row, 'subject_id'),
    messageId: maybe<string>(row, 'message_id'),
    matchedAt: instant(row, 'matched_at'),
    matchedBy: maybe<'report' | 'lead' | 'hand'>(row, 'matched_by'),
    reversedAt: instant(row, 'reversed_at'),
  };
}

function parseContact(row: StoredRow): KnownContact {
  return {
    id: text(row, 'id'),
    personId: text(row, 'person_id'),
    lifecycle: text(row, 'lifecycle') as Lifecycle,
    details: {
      firstName: maybe<string>(row, 'first_name'),
      lastName: maybe<string>(row, 'last_name'),
      locale: maybe<string>(row, 'locale'),
      timeZone: maybe<string>(row, 'time_zone'),
      country: maybe<string>(row, 'country'),
      region: maybe<string>(row, 'region'),
      orderCount: maybe<number>(row, 'order_count'),
      lifetimeValueMinor: maybe<number>(row, 'lifetime_value_minor'),
      detailsAt: instant(row, 'details_at'),
    },
    lastSeenAt: instant(row, 'last_seen_at'),
    lastOrderAt: instant(row, 'last_order_at'),
    lastReplyAt: instant(row, 'last_reply_at'),
    lastContactedAt: instant(row, 'last_contacted_at'),
    lastWhatsappAt: instant(row, 'last_whatsapp_at'),
    takenOverAt: instant(row, 'taken_over_at'),
    takenOverUntil: instant(row, 'taken_over_until'),
    apart: maybe<Record<string, string>>(row, 'apart') ?? {},
  };
}

function parseSubject(row: StoredRow): KnownSubject {
  return {
    id: text(row, 'id'),
    kind: text(row, 'kind'),
    contactId: maybe<string>(row, 'contact_id'),
    state: row['state'] as KnownSubject['state'],
    currency: maybe<string>(row, 'currency'),
    valueMinor: maybe<number>(row, 'value_minor'),
    details: row['details'],
    email: maybe<string>(row, 'email'),
    emailAt: instant(row, 'email_at'),
    phone: maybe<string>(row, 'phone'),
    phoneAt: instant(row, 'phone_at'),
    previousSubjectId: maybe<string>(row, 'previous_subject_id'),
    noSequence: maybe<NoSequence>(row, 'no_sequence'),
    startedAt: Date.parse(text(row, 'started_at')),
    lastActivityAt: Date.parse(text(row, 'last_activity_at')),
    convertedAt: instant(row, 'converted_at'),
    contactedAt: instant(row, 'contacted_at'),
    lastContactAt: instant(row, 'last_contact_at'),
    chat: {
      lastInteractionAt: instant(row, 'last_interaction_at'),
      ghostReminderSent: row['ghost_reminder_sent'] === true,
      viewingScheduledAt: instant(row, 'viewing_scheduled_at'),
    },
  };
}

export function parseSuppression(row: StoredRow): KnownSuppression {
  return {
    id: text(row, 'id'),
    addressHash: text(row, 'address_hash'),
    channel: text(row, 'channel'),
    reason: text(row, 'reason'),
    basis: maybe<'person' | 'record'>(row, 'basis'),
    sinceMs: Date.parse(text(row, 'since')),
  };
}
