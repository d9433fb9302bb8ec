import { isOfBrowser } from '../../../domain/people/browser-identity.ts';
import type { PersonDetails, SubjectKey } from '../../../domain/events.ts';
import type { Identity } from '../../../domain/people/choose-contact.ts';
import type { SequenceDefinition } from '../../../domain/sequence/definition.ts';
import type { StopReason } from '../../../domain/sequence/plan.ts';
import type { Subject, SubjectAddress, SubjectKind, SubjectReport } from '../../../domain/subjects/kind.ts';
import type { KeptFrom, NoSequenceReason } from '../../../domain/subjects/no-sequence.ts';
import type { Draft } from '../../intake/draft.ts';
import { usableOf } from '../../intake/found.ts';
import { identitiesOf, keysOf, type ScopedKey } from '../../intake/source.ts';
import type { KnownSubject } from '../../intake/world.ts';
import { beginSequences } from './begin.ts';
import { carryStops } from './carry-stops.ts';
import { applyDetails } from './details.ts';
import { endRunsAbout } from './ends.ts';
import { mergePersons, type Resolved, resolveContact } from './persons.ts';
import { endSilences, stillDeclined } from './silence.ts';
import { supersedeOlder } from './supersede.ts';
import { liftByRecord } from './suppressions.ts';
import { uniteSubjects } from './unite-subjects.ts';

/** An event that reports a subject and its person. */
export interface Reported<R> extends SubjectReport<R> {
  /** For the story, e.g. `cart.updated`. */
  type: string;
  keys: SubjectKey[];
  person: PersonDetails;
}

export interface ReportOptions {
  keys?: readonly ScopedKey[];
  /** What else is known of the subject, before its sequences are begun or go on. */
  beforeBegin?: (subjectId: string) => void;
  /** Which sequences may begin; absent: all that it triggers. */
  begins?: (definition: SequenceDefinition) => boolean;
}

/**
 * Fold a report into its subject by the provider's clock, determine its owner, and begin its sequences where possible. Subjects or persons that turn
 * out to be the same are merged first; a subject that gets another owner takes its enrollments along.
 * Source: docs/rules.md, rules 10, 16, 17 and 18
 */
export function reportSubject<D, R>(
  draft: Draft,
  kind: SubjectKind<D, R>,
  event: Reported<R>,
  { keys = keysOf(draft.context.source, event.keys), beforeBegin, begins }: ReportOptions = {},
): void {
  const identities = usableOf(draft.found, identitiesOf(draft.context.source, event.person));
  const matched = draft.matched().filter((subject) => subject.kind === kind.kind);
  if (isEchoOfConverted(draft, matched, event.occurredAtMs)) return;
  const found = uniteMatched(draft, matched);
  const anew = found !== null && found.state === 'converted' && beginsAnew(kind, found, event);
  const folded = found === null || anew ? null : foldInto(draft, kind, found, event, identities, keys);
  const owner = ownerOf(draft, event, identities, found);
  const subject = folded ?? createSubject(draft, kind, event, { identities, keys, owner, previous: anew ? found : null });
  if (folded !== null) moveTo(draft, folded, owner);
  noteOwner(draft, event, identities, owner);
  beforeBegin?.(subject.id);
  continueOrBegin(draft, kind, event, { subjectId: subject.id, contactId: owner.contactId, begins });
}

/** The event is older than the conversion of the subject that had these keys before. */
function isEchoOfConverted(draft: Draft, matched: readonly KnownSubject[], occurredAtMs: number): boolean {
  return matched.some((subject) => {
    const convertedAt = draft.findSubject(subject.previousSubjectId)?.convertedAt ?? null;
    return convertedAt !== null && occurredAtMs <= convertedAt;
  });
}

/** The one subject that the keys find. One subject may be known under two keys before an event says that they are one. */
function uniteMatched(draft: Draft, matched: readonly KnownSubject[]): KnownSubject | null {
  const [first, another] = matched;
  if (first === undefined) return null;
  if (another === undefined) return first;
  return draft.subject(
    uniteSubjects(
      draft,
      matched.map((s) => s.id),
    ),
  );
}

function beginsAnew<D, R>(kind: SubjectKind<D, R>, { convertedAt, details }: KnownSubject, event: SubjectReport<R>): boolean {
  return kind.beginsAnew({ convertedAt, details: kind.details.parse(details) }, event);
}

function addressIn(identities: readonly Identity[]): SubjectAddress {
  const of = (kind: string) => identities.find((i) => i.kind === kind)?.value ?? null;
  return { email: of('email'), phone: of('phone') };
}

function foldInto<D, R>(
  draft: Draft,
  kind: SubjectKind<D, R>,
  subject: KnownSubject,
  event: SubjectReport<R>,
  identities: readonly Identity[],
  keys: readonly ScopedKey[],
): KnownSubject {
  const known = { ...subject, details: kind.details.parse(subject.details) };
  draft.changeSubject(subject.id, kind.fold(known, event, addressIn(identities)));
  draft.addKeys(subject.id, keys);
  return draft.subject(subject.id);
}

/** The contact that the event names, else the subject's owner, else a new anonymous contact. */
function ownerOf(draft: Draft, event: Reported<unknown>, identities: readonly Identity[], subject: KnownSubject | null): Resolved {
  const named = resolveContact(draft, identities);
  if (named !== null) {
    liftByRecord(draft, named.personId, event.person.consents);
    return named;
  }
  const own = draft.findContact(subject?.contactId ?? null) ?? draft.createContact([]);
  return { contactId: own.id, personId: own.personId };
}

interface Creation {
  identities: readonly Identity[];
  keys: readonly ScopedKey[];
  owner: Resolved;
  /** The converted subject that had these keys until now. */
  previous: KnownSubject | null;
}

function createSubject<D, R>(
  draft: Draft,
  kind: SubjectKind<D, R>,
  event: SubjectReport<R>,
  { identities, keys, owner, previous }: Creation,
): KnownSubject {
  const folded = kind.fold(null, event, addressIn(identities));
  const made = draft.createSubject(
    {
      ...folded,
      // A new subject under old keys began no earlier than its first event: the source's date of creation is the key's.
      ...(previous === null ? {} : { startedAt: event.occurredAtMs }),
      kind: kind.kind,
      contactId: owner.contactId,
      state: 'open',
      convertedAt: null,
      contactedAt: null,
      lastContactAt: null,
      previousSubjectId: previous?.id ?? null,
      noSequence: null,
    },
    previous === null ? keys : [],
  );
  if (previous !== null) draft.takeOverKeys(made.id, keys);
  return made;
}

/** The subject is this contact's from now on. A converted subject keeps its owner: later events under its keys may be about somebody else. */
function moveTo(draft: Draft, subject: KnownSubject, named: Resolved): void {
  if (subject.contactId === named.contactId || (subject.state === 'converted' && subject.contactId !== null)) return;
  const oldPersonId = draft.findContact(subject.contactId)?.personId ?? null;
  draft.changeSubject(subject.id, { contactId: named.contactId });
  if (oldPersonId === null || oldPersonId === draft.contact(named.contactId).personId) return;
  for (const enrollment of draft.enrollmentsAbout([subject.id]))
    if (enrollment.endedAt === null) draft.moveEnrollment(enrollment.id, { contactId: named.contactId });
  supersedeOlder(draft, draft.contact(named.contactId).personId);
  // The anonymous contact turned out to be this person: merge them.
  const { personId } = draft.contact(named.contactId);
  const isAnonymous = draft.identitiesOf([oldPersonId]).every(isOfBrowser);
  if (isAnonymous && !draft.areApart(personId, oldPersonId)) mergePersons(draft, [personId, oldPersonId], { by: 'subject' });
  else carryStops(draft, personId);
}

/** Record what the event says about its person, and that they were active. */
function noteOwner(draft: Draft, event: Reported<unknown>, identities: readonly Identity[], { contactId }: Resolved): void {
  if (identities.length > 0) applyDetails(draft, contactId, event.person, event.occurredAtMs);
  const person = draft.contact(draft.contact(contactId).personId);
  if ((person.lastSeenAt ?? Number.NEGATIVE_INFINITY) < event.occurredAtMs) draft.changeContact(person.id, { lastSeenAt: event.occurredAtMs });
}

/** Depending on its present state, the subject ends its enrollments, continues them, or begins one. */
function continueOrBegin<D, R>(
  draft: Draft,
  kind: SubjectKind<D, R>,
  event: Reported<R>,
  { subjectId, contactId, begins }: { subjectId: string; contactId: string; begins: ReportOptions['begins'] },
): void {
  const stored = draft.subject(subjectId);
  const subject = { ...stored, details: kind.details.parse(stored.details) };
  const ending = subject.state === 'open' ? kind.endsBy(subject) : null;
  const running = draft.enrollmentsAbout([subjectId]).find((enrollment) => enrollment.endedAt === null);
  if (ending !== null) endRunsAbout(draft, subjectId, ending);
  // A new inquiry ends the silence and takes back an earlier refusal.
  const declined = stillDeclined(stored, event.occurredAtMs);
  if (declined === null && stored.noSequence !== null) draft.changeSubject(subjectId, { noSequence: null });
  endSilences(draft, subjectId, event.occurredAtMs, 'replied');
  const owner = draft.contact(contactId);
  const unfit = ofItself(draft, kind, subject, { ending, report: event.report });
  const candidate = { subject: draft.subject(subjectId), owner };
  const { begun, keptFrom } = unfit === null ? beginSequences(draft, candidate, begins) : { begun: [], keptFrom: [unfit] };
  const ran = begun.length > 0 || draft.enrollmentsAbout([subjectId]).length > 0;
  draft.changeSubject(subjectId, { noSequence: declined ?? (ran ? null : { atMs: draft.context.nowMs, keptFrom }) });
  if (begun.length > 0) draft.moveLifecycle(contactId, 'begun');
  tellActivity(draft, kind, event, { enrollmentId: running?.id ?? begun[0]?.id ?? null, ending });
}

/** What keeps a subject from every sequence, whoever it belongs to; null: nothing. */
function ofItself<D, R>(
  draft: Draft,
  kind: SubjectKind<D, R>,
  subject: Subject<D>,
  { ending, report }: { ending: StopReason | null; report: R },
): KeptFrom | null {
  const kept = (reason: NoSequenceReason, detail: string | null = null): KeptFrom => ({ sequence: null, reason, detail });
  if (subject.state !== 'open') return kept(subject.state === 'converted' ? 'bought' : 'gone');
  const detail = kind.unfit(subject, draft.context.tenant.settings, report);
  if (detail !== null) return kept('unfit', detail);
  return ending === null ? null : kept('nothing_left');
}

/** Activity belongs to the story of the sequence about the subject; it costs no workflow history. */
function tellActivity<D, R>(
  draft: Draft,
  kind: SubjectKind<D, R>,
  event: Reported<R>,
  { enrollmentId, ending }: { enrollmentId: string | null; ending: string | null },
): void {
  if (enrollmentId === null) return;
  const { valueMinor, currency, details } = kind.fold(null, event, { email: null, phone: null });
  const data = { occurred_at_ms: event.occurredAtMs, value_minor: valueMinor, currency, items: kind.count(details) };
  draft.addStoryEntry({ enrollmentId, type: event.type, data: ending === null ? data : { ...data, [ending]: true } });
}
