/** What is known of a person that would give them away: identities and keys as they are stored, and names. */
export interface PersonTraces {
  identities: readonly { kind: string; value: string }[];
  keys: readonly { value: string }[];
  names: readonly { first: string | null; last: string | null }[];
}

/** What a text is searched for. A text in lower case has one of `like` (patterns of LIKE), or matches one of `regex` (POSIX, lower case). */
export interface SearchTerms {
  like: string[];
  regex: string[];
  counts: { addresses: number; numbers: number; ids: number; names: number };
}

/** Shorter ones are found everywhere: `12` is a time, an amount and a size as well. */
const shortestId = 6;
const shortestName = 2;
/** Digits of a number's end that belong to nobody else, as far as anybody can tell by a text. */
const tellingDigits = 9;

/**
 * How what is left of a person is searched for, in any text of any table. Addresses are searched for as they may be written in JSON, in a URL and as
 * plain text; numbers by their last digits with whatever people write between them; ids as whole words; names where first and last name stand beside
 * each other, because one of them alone is a word like any other. Pure.
 */
export function searchTerms({ identities, keys, names }: PersonTraces): SearchTerms {
  const addresses = distinct(identities.filter(({ kind }) => kind === 'email').map(({ value }) => value.toLowerCase()));
  const numbers = distinct(
    identities
      .filter(({ kind }) => kind === 'phone')
      .map(({ value }) => value.replaceAll(/\D/g, '').slice(-tellingDigits))
      .filter((digits) => digits.length >= shortestId),
  );
  const others = [...identities.filter(({ kind }) => kind !== 'email' && kind !== 'phone'), ...keys];
  const ids = distinct(others.map(({ value }) => value.toLowerCase()).filter((value) => value.length >= shortestId));
  const full = distinctNames(names);
  return {
    like: distinct(addresses.flatMap(spellings)).map((text) => `%${escapeLike(text)}%`),
    regex: [
      ...numbers.map((digits) => `${digits.split('').join('[^0-9]{0,3}')}(?![0-9])`),
      ...ids.map((id) => `(?<![a-z0-9])${escapeRegex(id)}(?![a-z0-9])`),
      ...full.flatMap(([first, last]) => [beside(first, last), beside(last, first)]),
    ],
    counts: { addresses: addresses.length, numbers: numbers.length, ids: ids.length, names: full.length },
  };
}

/** First and last names that both are known, in lower case. */
export function distinctNames(names: PersonTraces['names']): [first: string, last: string][] {
  const full = names.flatMap(({ first, last }): string[] => {
    const both = [first ?? '', last ?? ''].map((name) => name.trim().toLowerCase());
    return both.every((name) => name.length >= shortestName) ? [JSON.stringify(both)] : [];
  });
  return distinct(full).map((text) => JSON.parse(text) as [string, string]);
}

const distinct = (values: readonly string[]): string[] => [...new Set(values)];

const spellings = (value: string): string[] => [
  value,
  encodeURIComponent(value).toLowerCase(),
  JSON.stringify(value).slice(1, -1),
  value.replace('@', '\\u0040'),
];

const escapeLike = (text: string) => text.replaceAll(/[\\%_]/g, (c) => `\\${c}`);
const escapeRegex = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, (c) => `\\${c}`);
/** `Ada Byron`, `Byron, Ada`, `"first_name": "Ada", "last_name": "Byron"`. */
const beside = (one: string, other: string) => `\\m${escapeRegex(one)}\\M.{1,24}\\m${escapeRegex(other)}\\M`;
