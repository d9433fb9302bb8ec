import type { ChatAct } from '../../domain/chat/update.ts';
import { isDeepStrictEqual } from 'node:util';
import type { Identity } from '../../domain/people/choose-contact.ts';
import type { ConsentProof } from '../../domain/events.ts';
import type { NewFact } from '../../domain/facts/report.ts';
import type { ConsentStatement } from '../../domain/people/consent.ts';
import type { AnsweredKeyword, KeywordChannel } from '../../domain/people/keyword-answers.ts';
import { keptApart } from '../../domain/people/kept-apart.ts';
import { type LifecycleChange, lifecycleAfter } from '../../domain/people/lifecycle.ts';
import { noDetails } from '../../domain/people/fold-details.ts';
import { statusOf } from '../../domain/sequence/ending.ts';
import type { Snooze, StopReason } from '../../domain/sequence/plan.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import type { AnySubjectKind, SubjectKinds } from '../../domain/subjects/index.ts';
import type { Found } from './found.ts';
import type { EventSource, ScopedKey } from './source.ts';
import {
  type KnownConsent,
  type KnownContact,
  type KnownConversion,
  type KnownEnrollment,
  type KnownIdentity,
  type KnownSubject,
  type KnownSuppression,
  noChat,
  type SubjectChat,
  type World,
} from './world.ts';

/** What somebody did in a chat of the event's connection. */
export interface NewChatUpdate {
  chatId: string;
  updateId: number;
  did: ChatAct;
  token: string | null;
  queryId: string | null;
  languageCode: string | null;
  name: string | null;
  late: boolean;
}

/** A keyword that is to be answered. */
export interface NewKeywordAnswer {
  channel: KeywordChannel;
  keyword: AnsweredKeyword;
  /** E.164. */
  address: string;
  addressHash: string;
  locale: string | null;
  askedAtMs: number;
}

/** What a decision depends on besides the event and the world. Ids and hashes come from the caller, so that deciding computes nothing random. */
export interface DecisionContext {
  source: EventSource;
  /** `isIntervening`: the installation’s rollout has reached the store (rule 122). */
  tenant: { slug: string; settings: TenantSettings; timeScale: number; isIntervening: boolean };
  /** The delivery that the event came with; null: it came without a webhook. */
  inboxId: string | null;
  nowMs: number;
  /** The kinds of subject that the installation knows. */
  kinds: SubjectKinds;
  newId(): string;
  addressHash(identity: Identity): string;
}

/** A consent that is stated now. */
export interface StatedConsent extends ConsentStatement {
  contactId: string;
  channel: string;
  source: string;
  wording: string | null;
  proof?: ConsentProof | undefined;
}

/** An enrollment that ends, and why. */
export interface End {
  id: string;
  reason: StopReason;
  /** The evidence, for the story: ids only. */
  data: Record<string, unknown>;
  /** Free text of a stop by hand. */
  note: string | null;
}

/** An enrollment that begins, with the first entry of its story. */
export interface Beginning {
  id: string;
  sequenceId: string;
  versionId: string;
  contactId: string;
  subjectId: string;
  subjectKind: string;
  segment: string;
  valueMinor: number | null;
  currency: string | null;
  timeScale: number;
  anchorAt: number;
  enrolled: Record<string, unknown>;
  /** The campaign that begins it; absent: none does. */
  campaignId?: string;
}

/** Two persons become one. */
export interface Merge {
  keptId: string;
  mergedId: string;
  /** Every contact of the person that becomes part of the other. */
  contactIds: string[];
  broughtBy: 'identity' | 'subject' | 'hand';
  /** The kinds of identities that the event named. */
  identityKinds: string[];
  /** Enrollments that it ends. */
  endedIds: string[];
}

/** One entry of an enrollment's story. No personal data. */
export interface StoryEntry {
  enrollmentId: string;
  type: string;
  data: Record<string, unknown>;
}

/** A call, as its provider reported it. */
export interface ReportedCall {
  messageId: string;
  outcome: 'answered' | 'not_reached' | 'failed';
  reason: string;
  transcript: string | null;
  keywords: string[];
  startedAtMs: number | null;
  endedAtMs: number | null;
}

/** Somebody asked to be contacted later. */
export interface SnoozedEnrollment extends Snooze {
  enrollmentId: string;
}

/** An order as db/functions/credit_order.sql takes it. */
export interface PlacedOrder {
  externalId: string;
  atMs: number;
  currency: string | null;
  totalMinor: number | null;
  noRevenue: string | null;
  contactId: string | null;
  subjectId: string | null;
  /** The recovery that it is credited to. */
  enrollmentId: string | null;
  /** Of the report that it came by, where that is not the event's. */
  connectionId?: string;
}

/** Everything that one decision changes. Rows that exist already are named by id; what is not listed stays as it is. */
export interface Changes {
  newContacts: Set<string>;
  contacts: Set<string>;
  merges: Merge[];
  identities: KnownIdentity[];
  consents: StatedConsent[];
  newSuppressions: KnownSuppression[];
  suppressions: Map<string, KnownSuppression & { lifted: boolean }>;
  newSubjects: Set<string>;
  /** The changed fields by subject. Nothing else of a row is written: not every subject that an order names is locked by a key. */
  subjects: Map<string, Set<keyof KnownSubject>>;
  /** New leads that campaigns may take. */
  routings: string[];
  /** Subjects that turned out to be the same as another one. */
  united: { id: string; kept: string }[];
  /** Keys that leave a bought subject: the shop uses them again. */
  movedKeys: (ScopedKey & { subjectId: string })[];
  keys: (ScopedKey & { subjectId: string })[];
  ends: End[];
  movedEnrollments: Set<string>;
  snoozes: SnoozedEnrollment[];
  woken: Set<string>;
  beginnings: Beginning[];
  stories: StoryEntry[];
  /** Orders on record that are credited to an enrollment now. */
  credited: { orderId: string; enrollmentId: string }[];
  orders: PlacedOrder[];
  /** As `update_order` takes them. */
  orderUpdates: Record<string, unknown>[];
  /** Reports of trackers, new ones and changed ones. */
  conversions: Map<string, KnownConversion>;
  /** By which trackers will name a lead. */
  trackerIds: { value: string; kind: 'sub_id' | 'click_id'; subjectId: string }[];
  calls: ReportedCall[];
  /** What people did in chats with the store's bot, to be answered. */
  chatUpdates: NewChatUpdate[];
  keywordAnswers: NewKeywordAnswer[];
  /** Work for people. */
  tasks: { kind: string; key: string; subjectId: string; enrollmentId: string; data: Record<string, unknown> }[];
  receipts: { messageId: string; enrollmentId: string; stepId: string; type: string; atMs: number; detail: string | null }[];
  privacyRequests: { topic: string; contactId: string | null; requestedAtMs: number }[];
  facts: (NewFact & { connectionId: string | null })[];
  /** What accounts did. `data`: what else is known of it, by its kind. */
  behaviours: { subjectId: string; key: string; kind: string; data: Record<string, unknown>; atMs: number }[];
  /** Offers that an order redeemed. */
  redeemed: { code: string; order: string | null; atMs: number }[];
  disconnects: boolean;
  /** Contacts whose running calls must be over before the event is answered 2xx. */
  covered: Set<string>;
}

/**
 * A world in which one event is being decided. Whatever an effect changes here is seen by the rules that follow and recorded in `changes`,
 * which the caller writes in one statement. The world itself stays as it was read, so that the same event and world give the same changes.
 */
export class Draft {
  readonly world: World;
  readonly context: DecisionContext;
  readonly found: Found;
  readonly changes: Changes = {
    newContacts: new Set(),
    contacts: new Set(),
    merges: [],
    identities: [],
    consents: [],
    newSuppressions: [],
    suppressions: new Map(),
    newSubjects: new Set(),
    subjects: new Map(),
    routings: [],
    united: [],
    movedKeys: [],
    keys: [],
    ends: [],
    movedEnrollments: new Set(),
    snoozes: [],
    woken: new Set(),
    beginnings: [],
    stories: [],
    credited: [],
    orders: [],
    orderUpdates: [],
    conversions: new Map(),
    trackerIds: [],
    calls: [],
    chatUpdates: [],
    keywordAnswers: [],
    tasks: [],
    receipts: [],
    privacyRequests: [],
    facts: [],
    behaviours: [],
    redeemed: [],
    disconnects: false,
    covered: new Set(),
  };
  readonly #contacts: Map<string, KnownContact>;
  readonly #identities: KnownIdentity[];
  readonly #consents: KnownConsent[];
  readonly #suppressions: Map<string, KnownSuppression>;
  readonly #subjects: Map<string, KnownSubject>;
  readonly #enrollments: Map<string, KnownEnrollment>;
  readonly #credits = new Map<string, string>();

  constructor(world: World, context: DecisionContext) {
    this.world = world;
    this.context = context;
    this.found = { ...world.found, reached: [...world.found.reached] };
    this.#contacts = byId(world.contacts);
    this.#identities = [...world.identities];
    this.#consents = [...world.consents];
    this.#suppressions = byId(world.suppressions);
    this.#subjects = byId(world.subjects);
    this.#enrollments = byId(world.enrollments);
  }

  // People

  contact(id: string): KnownContact {
    return known(this.#contacts, id);
  }

  /** null: the world does not contain this contact. */
  findContact(id: string | null): KnownContact | null {
    return (id === null ? undefined : this.#contacts.get(id)) ?? null;
  }

  /** Every contact of these persons, oldest first. */
  contactsOf(personIds: readonly string[]): KnownContact[] {
    return [...this.#contacts.values()].filter((c) => personIds.includes(c.personId)).sort(byAge);
  }

  /** The persons whom these contacts belong to. A contact that merged meanwhile belongs to the person that stays. */
  personsOf(contactIds: readonly string[]): string[] {
    return [...new Set(contactIds.flatMap((id) => this.#contacts.get(id)?.personId ?? []))].sort();
  }

  createContact(identities: readonly Identity[], fields: Partial<Omit<KnownContact, 'id' | 'personId'>> = {}): KnownContact {
    const id = this.context.newId();
    const made: KnownContact = {
      lifecycle: 'NEW',
      details: noDetails,
      lastSeenAt: null,
      lastOrderAt: null,
      lastReplyAt: null,
      lastContactedAt: null,
      lastWhatsappAt: null,
      takenOverAt: null,
      takenOverUntil: null,
      apart: {},
      ...fields,
      id,
      personId: id,
    };
    this.#contacts.set(id, made);
    this.changes.newContacts.add(id);
    this.addIdentities(id, identities);
    this.found.reached.push(id);
    return made;
  }

  changeContact(id: string, patch: Partial<Omit<KnownContact, 'id'>>): void {
    if (change(this.#contacts, id, patch) && !this.changes.newContacts.has(id)) this.changes.contacts.add(id);
  }

  /** What happened to somebody moves their lifecycle, or leaves it. */
  moveLifecycle(contactId: string, change: LifecycleChange): void {
    this.changeContact(contactId, { lifecycle: lifecycleAfter(this.contact(contactId).lifecycle, change) });
  }

  /** Whether a merge of these two was undone. */
  areApart(personId: string, other: string): boolean {
    return keptApart([...this.#contacts.values()])(personId, other);
  }

  addMerge(merge: Merge): void {
    this.changes.merges.push(merge);
  }

  addIdentities(contactId: string, identities: readonly Identity[]): void {
    for (const { kind, value } of identities) {
      const identity = { contactId, kind, value };
      this.#identities.push(identity);
      this.changes.identities.push(identity);
    }
  }

  /** Every identity of every person who has any of these, in order of the contacts' age. */
  heldBesides(identities: readonly Identity[]): (KnownIdentity & { personId: string })[] {
    const holders = this.#identities.filter((h) => identities.some((i) => i.kind === h.kind && i.value === h.value));
    const persons = this.personsOf(holders.map((h) => h.contactId));
    return this.#identities
      .map((i) => ({ ...i, personId: this.contact(i.contactId).personId }))
      .filter((i) => persons.includes(i.personId))
      .sort((a, b) => (a.contactId < b.contactId ? -1 : a.contactId > b.contactId ? 1 : 0));
  }

  /** Everything that persons are known by, providers' ids included. */
  identitiesOf(personIds: readonly string[]): Identity[] {
    const contacts = new Set(this.contactsOf(personIds).map((c) => c.id));
    const all = this.#identities.filter((i) => contacts.has(i.contactId));
    return all.filter((i, at) => all.findIndex((other) => other.kind === i.kind && other.value === i.value) === at);
  }

  consentsOf(contactIds: readonly string[]): KnownConsent[] {
    return this.#consents.filter((c) => contactIds.includes(c.contactId));
  }

  stateConsent(consent: StatedConsent): void {
    this.#consents.push(consent);
    this.changes.consents.push(consent);
  }

  // Suppressions

  /** Those in force. */
  suppressions(): KnownSuppression[] {
    return [...this.#suppressions.values()];
  }

  addSuppression(suppression: Omit<KnownSuppression, 'id'>): void {
    const made = { ...suppression, id: this.context.newId() };
    this.#suppressions.set(made.id, made);
    this.changes.newSuppressions.push(made);
  }

  changeSuppression(id: string, patch: Partial<Pick<KnownSuppression, 'sinceMs' | 'basis'>>): void {
    if (!change(this.#suppressions, id, patch)) return;
    const changed = known(this.#suppressions, id);
    const at = this.changes.newSuppressions.findIndex((s) => s.id === id);
    if (at >= 0) this.changes.newSuppressions[at] = changed;
    else this.changes.suppressions.set(id, { ...changed, lifted: false });
  }

  liftSuppression(id: string): void {
    const at = this.changes.newSuppressions.findIndex((s) => s.id === id);
    if (at >= 0) this.changes.newSuppressions.splice(at, 1);
    else this.changes.suppressions.set(id, { ...known(this.#suppressions, id), lifted: true });
    this.#suppressions.delete(id);
  }

  // Subjects

  kindOf(name: string): AnySubjectKind {
    return this.context.kinds.of(name);
  }

  subject(id: string): KnownSubject {
    return known(this.#subjects, id);
  }

  /** Those that the world contains. */
  subjects(): KnownSubject[] {
    return [...this.#subjects.values()];
  }

  findSubject(id: string | null): KnownSubject | null {
    return (id === null ? undefined : this.#subjects.get(id)) ?? null;
  }

  /** The subjects that the event's keys find, oldest first. */
  matched(): KnownSubject[] {
    const united = new Set(this.changes.united.map((u) => u.id));
    return this.found.subjects.filter((id) => !united.has(id)).map((id) => this.subject(id));
  }

  createSubject(fields: Omit<KnownSubject, 'id' | 'chat'> & { chat?: SubjectChat }, keys: readonly ScopedKey[]): KnownSubject {
    const made = { chat: noChat, ...fields, id: this.context.newId() };
    this.#subjects.set(made.id, made);
    this.changes.newSubjects.add(made.id);
    this.addKeys(made.id, keys);
    return made;
  }

  changeSubject(id: string, patch: Partial<Omit<KnownSubject, 'id' | 'kind'>>): void {
    const before = this.subject(id);
    if (!change(this.#subjects, id, patch) || this.changes.newSubjects.has(id)) return;
    const after = this.subject(id);
    const fields = this.changes.subjects.get(id) ?? new Set();
    for (const field of fieldsOf(patch)) if (!isSame(before[field], after[field])) fields.add(field);
    this.changes.subjects.set(id, fields);
  }

  addKeys(subjectId: string, keys: readonly ScopedKey[]): void {
    this.changes.keys.push(...keys.map((key) => ({ ...key, subjectId })));
  }

  /** Keys that belong to a bought subject name this one from now on. */
  takeOverKeys(subjectId: string, keys: readonly ScopedKey[]): void {
    this.changes.movedKeys.push(...keys.map((key) => ({ ...key, subjectId })));
    this.addKeys(subjectId, keys);
  }

  // Enrollments

  enrollments(): KnownEnrollment[] {
    return [...this.#enrollments.values()];
  }

  enrollmentsAbout(subjectIds: readonly string[]): KnownEnrollment[] {
    return this.enrollments().filter((enrollment) => subjectIds.includes(enrollment.subjectId));
  }

  /** What is open for these persons, oldest first. */
  openEnrollmentsOf(personIds: readonly string[]): KnownEnrollment[] {
    return this.enrollments().filter((enrollment) => {
      const owner = this.#contacts.get(enrollment.contactId);
      return enrollment.endedAt === null && owner !== undefined && personIds.includes(owner.personId);
    });
  }

  /** What has ended about other subjects of these persons, as far as it was asked for. */
  endedEnrollmentsOf(personIds: readonly string[]): KnownEnrollment[] {
    return this.enrollments().filter((enrollment) => {
      const owner = this.#contacts.get(enrollment.contactId);
      return enrollment.endedAt !== null && owner !== undefined && personIds.includes(owner.personId);
    });
  }

  /** End what is still open of these enrollments. */
  end(ids: readonly string[], reason: StopReason, { note = null, data = {} }: Partial<Pick<End, 'note' | 'data'>> = {}): void {
    for (const id of ids) {
      const enrollment = known(this.#enrollments, id);
      if (enrollment.endedAt !== null) continue;
      this.#enrollments.set(id, { ...enrollment, endedAt: this.context.nowMs, status: statusOf(reason), stopReason: reason });
      this.changes.ends.push({ id, reason, data, note });
    }
  }

  moveEnrollment(id: string, to: Partial<Pick<KnownEnrollment, 'contactId' | 'subjectId'>>): void {
    if (change(this.#enrollments, id, to)) this.changes.movedEnrollments.add(id);
  }

  /** What is left of an open enrollment moves to that time. */
  snooze(snoozed: SnoozedEnrollment): void {
    this.changes.snoozes.push(snoozed);
  }

  /** Its workflow decides again at once, even where its step was deferred. */
  wake(id: string): void {
    this.changes.woken.add(id);
  }

  enrollment(id: string): KnownEnrollment {
    return known(this.#enrollments, id);
  }

  begin(beginning: Omit<Beginning, 'id'>): Beginning {
    const begun = { ...beginning, id: this.context.newId() };
    this.changes.beginnings.push(begun);
    return begun;
  }

  addStoryEntry(entry: StoryEntry): void {
    this.changes.stories.push(entry);
  }

  // Orders

  ordersOf(subjectId: string) {
    const united = this.changes.united.filter((u) => u.kept === subjectId).map((u) => u.id);
    return this.world.orders
      .filter((o) => o.subjectId !== null && [subjectId, ...united].includes(o.subjectId))
      .map((o) => ({ ...o, enrollmentId: this.#credits.get(o.id) ?? o.enrollmentId }));
  }

  credit(orderId: string, enrollmentId: string): void {
    this.#credits.set(orderId, enrollmentId);
    this.changes.credited.push({ orderId, enrollmentId });
  }

  // Conversions

  /** What trackers have reported, as far as it was read, with what was changed. Oldest first. */
  conversions(): KnownConversion[] {
    const changed = this.changes.conversions;
    const known = (this.world.conversions ?? []).map((one) => changed.get(one.id) ?? one);
    return [...known, ...[...changed.values()].filter(({ id }) => !known.some((one) => one.id === id))];
  }

  putConversion(conversion: KnownConversion): void {
    this.changes.conversions.set(conversion.id, conversion);
  }

  // The answer

  /** The answer waits for the running calls of every contact of these persons. */
  coverPersons(personIds: readonly string[]): void {
    for (const { id } of this.contactsOf(personIds)) this.changes.covered.add(id);
  }

  coverContact(contactId: string): void {
    this.changes.covered.add(contactId);
  }
}

/** Most values are plain, and asking about those is cheap. */
const isSame = (a: unknown, b: unknown) => Object.is(a, b) || (typeof a === 'object' && isDeepStrictEqual(a, b));
const fieldsOf = <T extends object>(patch: T) => Object.keys(patch) as (keyof T)[];
const byAge = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
const byId = <T extends { id: string }>(rows: readonly T[]) => new Map(rows.map((row) => [row.id, row]));

function known<T>(rows: ReadonlyMap<string, T>, id: string): T {
  const row = rows.get(id);
  if (row === undefined) throw new Error(`row ${id} is not part of the world that was read`);
  return row;
}

/** @returns whether the patch changes anything */
function change<T extends { id: string }>(rows: Map<string, T>, id: string, patch: Partial<NoInfer<T>>): boolean {
  const row = known(rows, id);
  if (fieldsOf<Partial<T>>(patch).every((field) => isSame(row[field], patch[field]))) return false;
  rows.set(id, { ...row, ...patch });
  return true;
}
