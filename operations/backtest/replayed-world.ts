import type { DomainEvent } from '../../domain/events.ts';
import { type Identity, isStrong } from '../../domain/people/choose-contact.ts';
import { noDetails } from '../../domain/people/fold-details.ts';
import type { Plan } from '../../domain/sequence/plan.ts';
import type { LedgerRow, EnrollmentRow } from '../dispatch/progress.ts';
import { readSubject } from '../subject-row.ts';
import { effectOf, isStop } from '../effects/index.ts';
import { type Beginning, type DecisionContext, Draft } from '../intake/draft.ts';
import { type Found, mostHolders, type Names } from '../intake/found.ts';
import { namedBy } from '../intake/source.ts';
import type {
  ActiveSequence,
  KnownConsent,
  KnownContact,
  KnownEnrollment,
  KnownIdentity,
  KnownOrder,
  KnownSubject,
  KnownSuppression,
  World,
} from '../intake/world.ts';
import { ofIdentity, ofKey } from './history.ts';
import type { PersonHistory } from './people.ts';

/** A replayed enrollment: its row, and its send ledger. */
export interface Run {
  row: EnrollmentRow;
  ledger: readonly LedgerRow[];
  plan: Plan;
}

/**
 * What was known about one person at a moment of their history: the stand-in for the tables that intake reads and writes. What follows from an event
 * is decided by the event's effect, on a draft of this world.
 */
export class ReplayedWorld {
  readonly contacts = new Map<string, KnownContact>();
  /** In the order in which they became known. */
  identities: KnownIdentity[] = [];
  consents: KnownConsent[] = [];
  readonly subjects = new Map<string, KnownSubject>();
  readonly runs = new Map<string, Run>();
  readonly #suppressions = new Map<string, KnownSuppression>();
  readonly #keys = new Map<string, string>();
  readonly #orders = new Map<string, KnownOrder>();
  readonly #crowded: ReadonlySet<string>;
  readonly #sequence: ActiveSequence;
  readonly #planOf: (beginning: Beginning) => Plan;

  constructor(crowded: ReadonlySet<string>, sequence: ActiveSequence, planOf: (beginning: Beginning) => Plan) {
    this.#crowded = crowded;
    this.#sequence = sequence;
    this.#planOf = planOf;
  }

  /** What was known before the history begins. Of a contact's details no older state is stored than today's. */
  seed(history: PersonHistory, fromMs: number, kinds: DecisionContext['kinds']): void {
    for (const row of history.contacts) {
      if (row.createdAt >= fromMs) continue;
      const details = { ...noDetails, firstName: row.firstName, lastName: row.lastName, locale: row.locale, timeZone: row.timeZone };
      this.contacts.set(row.id, {
        id: row.id,
        personId: row.personId,
        lifecycle: 'NEW',
        details: { ...details, country: row.country, region: row.region, orderCount: row.orderCount, lifetimeValueMinor: row.lifetimeValueMinor },
        lastSeenAt: null,
        lastOrderAt: null,
        lastReplyAt: null,
        lastContactedAt: null,
        lastWhatsappAt: null,
        takenOverAt: null,
        takenOverUntil: null,
        apart: row.apart,
      });
    }
    // The contact that stands for the person may be younger than the history's beginning; then the oldest known one does.
    for (const contact of this.contacts.values()) {
      if (this.contacts.has(contact.personId)) continue;
      const [oldest = contact] = [...this.contacts.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      this.contacts.set(contact.id, { ...contact, personId: oldest.id });
    }
    for (const { contactId, kind, value, createdAt } of history.identities)
      if (createdAt < fromMs && this.contacts.has(contactId)) this.identities.push({ contactId, kind, value });
    for (const consent of history.consents) if (consent.atMs < fromMs && this.contacts.has(consent.contactId)) this.consents.push(consent);
    for (const { liftedMs, identity: _, ...suppression } of history.suppressions)
      if (suppression.sinceMs < fromMs && (liftedMs === null || liftedMs > fromMs)) this.#suppressions.set(suppression.id, suppression);
    for (const { subject: row, keys } of history.bought) {
      const { subject } = readSubject(kinds, row);
      const { contactId, convertedAt, contactedAt, lastContactAt, previousSubjectId, noSequence } = row;
      const owner = contactId !== null && this.contacts.has(contactId) ? contactId : null;
      this.subjects.set(row.id, {
        ...subject,
        id: row.id,
        kind: row.kind,
        contactId: owner,
        convertedAt,
        contactedAt,
        lastContactAt,
        chat: { lastInteractionAt: row.lastInteractionAt, ghostReminderSent: row.ghostReminderSent, viewingScheduledAt: row.viewingScheduledAt },
        previousSubjectId,
        noSequence,
      });
      for (const key of keys) this.#keys.set(ofKey(key), row.id);
    }
  }

  suppressions(): KnownSuppression[] {
    return [...this.#suppressions.values()];
  }

  /** An address that a provider had reported by then. */
  block(suppression: KnownSuppression): void {
    this.#suppressions.set(suppression.id, suppression);
  }

  keysOf(subjectId: string): string[] {
    return [...this.#keys].flatMap(([key, id]) => (id === subjectId ? [key] : []));
  }

  /** Let the event's effect decide, and keep what it changes. */
  apply(event: DomainEvent, context: DecisionContext): void {
    const draft = new Draft(this.#worldOf(event, context), context);
    effectOf(event).decide(event, draft);
    this.#keep(draft, event);
  }

  #worldOf(event: DomainEvent, context: DecisionContext): World {
    const found = this.#find({ ...namedBy(context.source, event), stops: isStop(event) });
    const number = effectOf(event).orderNumber?.(event) ?? null;
    const order = number === null ? undefined : this.#orders.get(`${context.source.connectionId} ${number}`);
    return {
      found,
      contacts: [...this.contacts.values()],
      identities: this.identities,
      consents: this.consents,
      suppressions: this.suppressions(),
      subjects: [...this.subjects.values()],
      enrollments: [...this.runs.values()].map((run) => this.#asKnown(run)),
      sequences: [this.#sequence],
      order: order === undefined ? null : { subjectId: order.subjectId },
      orders: [...this.#orders.values()].filter(({ subjectId }) => subjectId !== null && found.subjects.includes(subjectId)),
      message: null,
      claims: [],
    };
  }

  /** As `find_named_2` finds them among the rows of all people. */
  #find({ identities, keys, stops }: Names): Found {
    const subjects = unique(keys.flatMap((key) => this.#keys.get(ofKey(key)) ?? []));
    const personOf = (contactId: string | null) => (contactId === null ? undefined : this.contacts.get(contactId)?.personId) ?? [];
    const holders = (identity: Identity) =>
      this.identities.filter((held) => held.kind === identity.kind && held.value === identity.value).flatMap(({ contactId }) => personOf(contactId));
    const named = subjects.flatMap((id) => personOf(this.subjects.get(id)?.contactId ?? null));
    const crowded = identities.filter((identity) => this.#crowded.has(ofIdentity(identity)));
    const usable = identities.filter((identity) => !crowded.includes(identity));
    const strong = usable.filter(isStrong);
    const byNumber = unique(usable.filter((identity) => !isStrong(identity)).flatMap(holders));
    named.push(...strong.flatMap(holders), ...(strong.length === 0 ? byNumber : []));
    if (stops) for (const { row } of this.runs.values()) if (subjects.includes(row.subjectId)) named.push(...[personOf(row.contactId)].flat());
    const reached = stops ? this.#sharing(named) : named;
    return {
      named: unique(named).sort(),
      reached: unique(reached).sort(),
      near: byNumber.filter((id) => !reached.includes(id)).sort(),
      crowded: crowded.map((identity) => ({ ...identity, holders: mostHolders + 1 })),
      subjects: subjects.sort(),
    };
  }

  /** These persons and whoever shares a strong identity with them. */
  #sharing(persons: readonly string[]): string[] {
    const personOf = ({ contactId }: KnownIdentity) => this.contacts.get(contactId)?.personId ?? '';
    const theirs = new Set(this.identities.filter((i) => isStrong(i) && persons.includes(personOf(i))).map(ofIdentity));
    return [...persons, ...this.identities.filter((i) => theirs.has(ofIdentity(i))).map(personOf)];
  }

  #asKnown({ row }: Run): KnownEnrollment {
    const { id, subjectId, contactId, sequenceId, versionId, status, stopReason, anchorAt, activatedAt, enrolledAt, endedAt } = row;
    const version = this.#sequence.version;
    return { id, subjectId, contactId, sequenceId, versionId, version, status, stopReason, anchorAt, activatedAt, enrolledAt, endedAt };
  }

  /** What db/functions/write_world.sql stores. */
  #keep(draft: Draft, event: DomainEvent): void {
    const { changes, context } = draft;
    for (const id of [...changes.newContacts, ...changes.contacts]) this.contacts.set(id, draft.contact(id));
    for (const identity of changes.identities)
      if (!this.identities.some((i) => i.contactId === identity.contactId && ofIdentity(i) === ofIdentity(identity))) this.identities.push(identity);
    this.consents.push(...changes.consents);
    for (const suppression of changes.newSuppressions) this.#suppressions.set(suppression.id, suppression);
    for (const { lifted, ...suppression } of changes.suppressions.values()) {
      if (lifted) this.#suppressions.delete(suppression.id);
      else this.#suppressions.set(suppression.id, suppression);
    }
    for (const id of [...changes.newSubjects, ...changes.subjects.keys()]) this.subjects.set(id, draft.subject(id));
    for (const { id, kept } of changes.united) this.#unite(id, kept);
    for (const { subjectId, ...key } of changes.movedKeys) if (this.#keys.has(ofKey(key))) this.#keys.set(ofKey(key), subjectId);
    for (const { subjectId, ...key } of changes.keys) if (!this.#keys.has(ofKey(key))) this.#keys.set(ofKey(key), subjectId);
    for (const id of changes.movedEnrollments) {
      const { contactId, subjectId } = draft.enrollment(id);
      this.#changeRow(id, { contactId, subjectId });
    }
    for (const { id } of changes.ends) {
      const { status, stopReason } = draft.enrollment(id);
      this.#changeRow(id, { status, stopReason, endedAt: context.nowMs });
    }
    for (const { enrollmentId, ...snooze } of changes.snoozes) {
      const snoozes = this.runs.get(enrollmentId)?.row.snoozes ?? [];
      this.#changeRow(enrollmentId, { snoozes: [...snoozes, snooze].slice(-10) });
    }
    for (const id of changes.woken) this.#changeRow(id, { notBefore: {} });
    for (const beginning of changes.beginnings) this.#begin(beginning, context);
    for (const order of changes.orders) {
      const { subjectId, enrollmentId } = order;
      const noRevenue = event.type === 'order.placed' ? event.order.noRevenue : null;
      const key = `${context.source.connectionId} ${order.externalId}`;
      this.#orders.set(key, this.#orders.get(key) ?? { id: context.newId(), subjectId, enrollmentId, placedAt: event.occurredAtMs, noRevenue });
    }
  }

  #begin(b: Beginning, { source, nowMs }: DecisionContext): void {
    const { id, sequenceId, versionId, contactId, subjectId, subjectKind, segment, valueMinor, currency, timeScale, anchorAt } = b;
    const open = {
      status: 'ACTIVE' as const,
      stopReason: null,
      stopNote: null,
      activatedAt: null,
      notBefore: {},
      putOffUntil: null,
      slots: {},
      snoozes: [],
      dueNow: {},
      held: null,
    };
    const known = { id, sequenceId, versionId, contactId, subjectId, subjectKind, segment, valueMinor, currency, timeScale, anchorAt };
    const old = { sequenceType: 'first_time' as const, cartValueMinor: null, campaignId: null };
    const row: EnrollmentRow = { tenantId: source.tenantId, ...known, ...open, ...old, enrolledAt: nowMs, endedAt: null };
    this.runs.set(id, { row, ledger: [], plan: this.#planOf(b) });
  }

  #unite(id: string, kept: string): void {
    this.subjects.delete(id);
    for (const [key, subjectId] of this.#keys) if (subjectId === id) this.#keys.set(key, kept);
    for (const [key, order] of this.#orders) if (order.subjectId === id) this.#orders.set(key, { ...order, subjectId: kept });
  }

  #changeRow(id: string, change: Partial<EnrollmentRow>): void {
    const run = this.runs.get(id);
    if (run !== undefined) run.row = { ...run.row, ...change };
  }
}

const unique = <T>(list: readonly T[]): T[] => [...new Set(list)];
