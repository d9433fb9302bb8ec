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
  /** The chosen person first, then every other that is the same one by what the event names. */
  together: string[];
  /** Identities that nobody of them has yet. */
  missing: Identity[];
}

/** A person's verified ids, by connection: different ones at the same shop are different people, whatever they share (rule 10). */
function conflict(a: readonly Identity[], b: readonly Identity[]): boolean {
  return a.some((x) => x.kind.startsWith('external:') && b.some((y) => y.kind === x.kind && y.value !== x.value));
}

/**
 * Which contact the identities of an event name, and which persons they make one. A verified id wins over an address; persons whose
 * verified ids differ stay apart.
 * @param held - every identity of every person that has any of `identities`, in order of the contacts' age
 * @returns null: nobody whom these identities could mean is known
 * Source: design, section 4, rule 10
 */
export function chooseContact(identities: readonly Identity[], held: readonly HeldIdentity[]): ChosenContact | null {
  const ofPerson = (personId: string) => held.filter((h) => h.personId === personId);
  const found = held.filter((h) => identities.some((i) => i.kind === h.kind && i.value === h.value));
  const compatible = found.filter((f) => !conflict(identities, ofPerson(f.personId)));
  const chosen = compatible.find((f) => f.kind.startsWith('external:')) ?? compatible[0];
  if (chosen === undefined) return null;
  const together = [chosen.personId];
  const theirs: Identity[] = [...ofPerson(chosen.personId)];
  for (const { personId } of compatible) {
    if (together.includes(personId) || conflict(theirs, ofPerson(personId))) continue;
    together.push(personId);
    theirs.push(...ofPerson(personId));
  }
  const missing = identities.filter((i) => !theirs.some((t) => t.kind === i.kind && t.value === i.value));
  return { contactId: chosen.contactId, personId: chosen.personId, together, missing };
}
