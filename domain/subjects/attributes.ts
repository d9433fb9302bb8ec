/** What an attribute may be; null: it is not known. */
export type AttributeValue = string | number | boolean | null;

/** What conditions may ask of a person, whatever the sequence is about. Never a name or an address. */
export interface PersonAttributes {
  /** ISO 3166-1 alpha-2. */
  country: string | null;
  region: string | null;
  /** The language of the locale, such as `de`. */
  language: string | null;
  /** How many orders the shop counts. */
  orders: number | null;
  /** Whether a number of theirs is known. */
  hasPhone: boolean;
}

/** What conditions may ask of a subject whose person chats with the store's bot. */
export interface ChatAttributes {
  viewingScheduled: boolean;
  /** The one reminder for who has left the chat has gone out, or may have. */
  ghostReminderSent: boolean;
}

const personAttributes = ['country', 'region', 'language', 'orders', 'hasPhone'] as const satisfies readonly (keyof PersonAttributes)[];

/** A kind of subject, as far as its attributes go. */
interface Described {
  kind: string;
  attributeNames: readonly string[];
  attributes(details: unknown, chat?: ChatAttributes): Readonly<Record<string, AttributeValue>>;
}

/** The attributes that conditions of a sequence about such a subject may name: `contact.country`, `lead.source` … */
export function attributeNamesFor(kind: Pick<Described, 'kind' | 'attributeNames'>): string[] {
  return [...kind.attributeNames.map((name) => `${kind.kind}.${name}`), ...personAttributes.map((name) => `contact.${name}`)];
}

/** The same, with their values. @param details - as the kind's own schema has parsed them */
export function attributesOf(
  kind: Pick<Described, 'kind' | 'attributes'>,
  details: unknown,
  person: PersonAttributes,
  chat?: ChatAttributes,
): Record<string, AttributeValue> {
  const values: Record<string, AttributeValue> = {};
  const own = kind.attributes(details, chat);
  for (const name of Object.keys(own)) values[`${kind.kind}.${name}`] = own[name] ?? null;
  for (const [name, full] of personAttributeNames) values[full] = person[name];
  return values;
}

const personAttributeNames = personAttributes.map((name) => [name, `contact.${name}`] as const);
