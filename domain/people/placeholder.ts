import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

// What shops write where nobody is meant. Short on purpose: other placeholders are caught by counting how many people share
// them. docs/webhooks.md shows it.

/** Ids that mean "not logged in", or a missing value of a program. */
const emptyIds = new Set([
  ...'0 00 -1 null nil none undefined nan n/a na guest guests visitor anonymous anon unknown unset empty default false true - -- . ?'.split(' '),
  'not set',
  'not logged in',
  '[object object]',
]);

/** Local parts that belong to no person, whatever the domain. */
const nobodysLocal =
  /^(?:no|do[-_.]?not|dont|never|nao|ne[-_.]?pas|nicht)[-_.]?(?:reply|respond|answer|responda|repondre|antworten)(?:[-_.].*)?$|[-_.]no[-_.]?reply$/;
const emptyLocals = new Set([
  'null',
  'nil',
  'none',
  'undefined',
  'guest',
  'anonymous',
  'unknown',
  'noemail',
  'no-email',
  'no_email',
  'nomail',
  'noone',
  'nobody',
]);
/** Local parts that are placeholders when the domain begins with the same word: `test@test.com`. */
const doubled = new Set([
  'test',
  'none',
  'no',
  'na',
  'a',
  'aa',
  'aaa',
  'x',
  'xx',
  'xxx',
  'abc',
  'asd',
  'asdf',
  'qwerty',
  'email',
  'example',
  'null',
  'user',
  'fake',
  'dummy',
]);

/**
 * Why a value names nobody although it looks like an identity; null: it may name somebody.
 * @param kind - `email`, `phone`, or anything else for an id: a person's, a cart's or an order's
 * @param value - normalised by `identity.ts` where it is an address or a number
 * @param own - the store's own addresses, normalised: its sender, its support, where its replies go
 */
export function placeholderReason(kind: string, value: string, own: { addresses: readonly string[] }): string | null {
  if (kind === 'email') return emailPlaceholder(value, own.addresses);
  return kind === 'phone' ? phonePlaceholder(value) : idPlaceholder(value);
}

function idPlaceholder(value: string): string | null {
  const id = value.trim().toLowerCase();
  if (id === '' || emptyIds.has(id) || /^0+(?:\.0+)?$/.test(id)) return 'stands for nobody';
  // The nil UUID of RFC 9562 and its opposite, with or without hyphens.
  if (/^(?:0{8}-0{4}-0{4}-0{4}-0{12}|f{8}-f{4}-f{4}-f{4}-f{12}|0{32}|f{32})$/.test(id)) return 'is an empty UUID';
  // `{{ customer.id }}`, `${id}`, `%CUSTOMER_ID%`, `<id>`: a template that nobody filled in.
  if (/^(?:\{\{.*\}\}|\$?\{.*\}|%[a-z0-9_.]+%|<.*>|\[\[?[a-z0-9_. ]+\]?\])$/.test(id)) return 'is a template that was not filled in';
  return null;
}

function emailPlaceholder(value: string, own: readonly string[]): string | null {
  if (own.includes(value)) return "is the store's own address";
  const at = value.lastIndexOf('@');
  const local = value.slice(0, at).replace(/\+.*$/, '');
  const [name = ''] = value.slice(at + 1).split('.');
  if (nobodysLocal.test(local)) return 'is an address that nobody reads';
  if (emptyLocals.has(local) || (doubled.has(local) && local === name)) return 'stands for nobody';
  return null;
}

function phonePlaceholder(value: string): string | null {
  const digits = String(parsePhoneNumberFromString(value)?.nationalNumber ?? value.replace(/\D/g, ''));
  if (/^(\d)\1+$/.test(digits) || /(\d)\1{7}$/.test(digits)) return 'is one repeated digit';
  const upwards = '01234567890123456789';
  const downwards = '98765432109876543210';
  if (digits.length >= 7 && (upwards.includes(digits) || downwards.includes(digits))) return 'is a row of digits';
  return null;
}
