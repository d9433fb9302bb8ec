/** What tells whether a contact was separated from another by hand. */
export interface SeparableContact {
  id: string;
  personId: string;
  /** Contacts that a merge was undone with, and that merge. */
  apart: Readonly<Record<string, string>>;
}

/** Whether a merge of these two persons was undone: a contact of one is kept apart from a contact of the other. Source: docs/rules.md#rule-30 */
export function keptApart(contacts: readonly SeparableContact[]): (personId: string, other: string) => boolean {
  return (personId, other) => {
    const others = contacts.filter((c) => c.personId === other);
    return contacts.some((c) => c.personId === personId && others.some((o) => c.apart[o.id] !== undefined || o.apart[c.id] !== undefined));
  };
}
