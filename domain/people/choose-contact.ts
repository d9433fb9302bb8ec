import { isOfBrowser } from './browser-identity.ts';

/** One normalised way in which a person is known. */
export interface Identity {
  /** `email`, `phone`, `external:<connection id>`. */
  kind: string;
  value: string;
}

/** An identity and who has it. */
export interface HeldIdentity extends Identity {
  contactId: string;
  personId: string;
}

export interface ChosenContact {
  contactId: string;
  personId: string;
  /** The chosen person first, then the others that the event's identities merge with them. */
  together: string[];
  /** Identities that none of them has yet. */
  missing: Identity[];
}

/** Whether an identity names one person. A telephone does not: families, offices and placeholders share numbers. */
export const isStrong = ({ kind }: Pick<Identity, 'kind'>): boolean => kind !== 'phone';

/** A person's verified ids, by connection: different ones at the same shop are different people, whatever they share (rule 10). */
function conflict(a: readonly Identity[], b: readonly Identity[]): boolean {
  return a.some((x) => x.kind.startsWith('external:') && b.some((y) => y.kind === x.kind && y.value !== x.value));
}

const same = (a: Identity, b: Identity) => a.kind === b.kind && a.value === b.value;

/**
 * Which contact the identities of an event name, and which persons they merge.
 *
 * Strong identities (an address, a verified id) name a person and merge persons, unless verified ids differ; a verified id wins over an
 * address. A number merges nobody who is known by anything else. An event with the number alone means its holder where there is one, and
 * where several share it, the one who is known by the number alone, if there is one.
 * @param everythingHeld - every identity of every person that has any of `identities`, in order of the contacts' age; a browser in which a subject
 *   was left names nobody
 * @param areApart - whether a merge of the two was undone: they stay two persons, whatever they share (rule 30)
 * @returns null: none of these identities is known
 * Source: docs/rules.md#rule-10
 */
export function chooseContact(
  identities: readonly Identity[],
  everythingHeld: readonly HeldIdentity[],
  areApart: (personId: string, other: string) => boolean = () => false,
): ChosenContact | null {
  const held = everythingHeld.filter((identity) => !isOfBrowser(identity));
  const ofPerson = (personId: string) => held.filter((h) => h.personId === personId);
  const found = held.filter((h) => identities.some((i) => same(i, h)));
  const named = found.filter((f) => isStrong(f) && !conflict(identities, ofPerson(f.personId)));
  const chosen = named.find((f) => f.kind.startsWith('external:')) ?? named[0] ?? holderOfNumber(identities, found, ofPerson);
  if (chosen === undefined) return null;
  const together = [chosen.personId];
  const theirs: Identity[] = [...ofPerson(chosen.personId)];
  const joining = [...named, ...onlyHolderOfNumber(found, ofPerson)];
  for (const { personId } of joining) {
    if (together.includes(personId) || conflict(theirs, ofPerson(personId)) || together.some((other) => areApart(other, personId))) continue;
    together.push(personId);
    theirs.push(...ofPerson(personId));
  }
  const missing = identities.filter((i) => !theirs.some((t) => same(t, i)));
  return { contactId: chosen.contactId, personId: chosen.personId, together, missing };
}

type Of = (personId: string) => HeldIdentity[];

/** The person that a number means when no strong identity finds anybody. */
function holderOfNumber(identities: readonly Identity[], found: readonly HeldIdentity[], ofPerson: Of): HeldIdentity | undefined {
  const holders = found.filter((f) => !isStrong(f));
  const nameless = holders.find((f) => !ofPerson(f.personId).some(isStrong));
  const persons = new Set(holders.map((f) => f.personId));
  // A new person with an address takes over the contact that is known by the number alone, if nobody else has it.
  if (identities.some(isStrong)) return persons.size === 1 ? nameless : undefined;
  return nameless ?? (persons.size === 1 ? holders[0] : undefined);
}

/** The person known by the number alone, where nobody else has it: whoever names the number beside an address is that person. */
function onlyHolderOfNumber(found: readonly HeldIdentity[], ofPerson: Of): HeldIdentity[] {
  const nameless = found.filter((f) => !isStrong(f) && !ofPerson(f.personId).some(isStrong));
  const holders = new Set(found.filter((f) => !isStrong(f)).map((f) => f.personId));
  return holders.size === 1 ? nameless.slice(0, 1) : [];
}
