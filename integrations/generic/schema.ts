import { z } from 'zod';
import type { LineItem, PersonDetails, PersonRef } from '../../domain/events.ts';
import { minorDigits } from '../../domain/money.ts';
import { isPlausibleInstant, maxCount } from '../bounds.ts';
import { toMinor } from '../money.ts';
import { isPlainText, isPlainTextWithLines, isWebUrl } from '../untrusted-text.ts';

// The contract with a merchant's own system; docs/webhooks.md shows an example of each event. Unlike a shop's webhooks this format is
// ours, so what breaks a rule is refused with the path of the field. Fields that are not named here are ignored.

const text = (maxLength: number) => z.string().min(1).max(maxLength).refine(isPlainText, 'has control characters');
const id = text(255);
const webUrl = z.string().max(2_000).refine(isPlainText, 'has control characters').refine(isWebUrl, 'is no http or https URL');
const instant = z.iso
  .datetime({ offset: true })
  .transform((value) => Date.parse(value))
  .refine(isPlausibleInstant, 'is no time of our age: expected the years 2000 to 2099');
const currency = z
  .string()
  .regex(/^[A-Za-z]{3}$/, 'is no three-letter currency code')
  .transform((code) => code.toUpperCase());
/** Money in major units: `"129.90"` (exact) or `129.9`. */
const amount = z.union([z.string().max(40), z.number()], 'is no amount: expected a decimal string or a number');
const email = z
  .string()
  .max(254)
  .regex(/^[^\s@<>(),;:"\\]{1,64}@[^\s@<>(),;:"\\]+$/, 'is no e-mail address')
  .refine(isPlainText, 'has control characters');
const phone = z.string().regex(/^\+?[0-9 ()./-]{3,32}$/, 'is no phone number');

const contactFields = {
  /** Your own id of the person. Two contacts with different ids are never merged. */
  id: id.nullish(),
  email: email.nullish(),
  phone: phone.nullish(),
  first_name: text(100).nullish(),
  last_name: text(100).nullish(),
  /** BCP 47: `de-AT`. */
  locale: text(35).refine(isLocale, 'is no language tag').nullish(),
  /** IANA: `Europe/Vienna`. */
  time_zone: text(64).refine(isTimeZone, 'is no IANA time zone').nullish(),
  /** ISO 3166-1: `AT`. */
  country: z
    .string()
    .regex(/^[A-Za-z]{2}$/, 'is no two-letter country code')
    .transform((code) => code.toUpperCase())
    .nullish(),
  region: text(64).nullish(),
  order_count: z.number().int().nonnegative().max(maxCount).nullish(),
  lifetime_value: amount.nullish(),
  /** Of the lifetime value, where it is not the cart's or order's. */
  currency: currency.nullish(),
  /** What the person said about marketing. Leave out what they have not been asked. */
  marketing: z.object({ email: z.boolean().nullish(), sms: z.boolean().nullish() }).nullish(),
};
const contact = z.object(contactFields);
type ContactInput = z.output<typeof contact>;
const identified = contact.refine((c) => c.email != null || c.phone != null || c.id != null, 'names nobody: expected id, email or phone');

const item = z.object({
  title: text(500),
  variant: text(500).nullish(),
  quantity: z.number().int().positive().max(1_000_000),
  /** Of one. */
  price: amount,
  image_url: webUrl.nullish(),
  product_url: webUrl.nullish(),
  /** Units left; an oversold product counts as none. */
  stock: z.number().int().nullish(),
});

const cart = z.object({
  id,
  currency,
  total: amount,
  items: z.array(item).max(250),
  /** Where the shopper finds the cart again. */
  restore_url: webUrl.nullish(),
  created_at: instant.nullish(),
});

const order = z.object({ id, currency, total: amount });

const cartUpdated = z.object({ cart, contact: contact.nullish() }).transform((data, ctx) => {
  const totalMinor = exactMinor(data.cart.total, data.cart.currency, ['cart', 'total'], ctx);
  const items: LineItem[] = data.cart.items.map((line, index) => ({
    title: line.title,
    variant: line.variant ?? null,
    quantity: line.quantity,
    priceMinor: exactMinor(line.price, data.cart.currency, ['cart', 'items', index, 'price'], ctx),
    compareAtMinor: null,
    productId: null,
    imageUrl: line.image_url ?? null,
    productUrl: line.product_url ?? null,
    stock: line.stock == null ? null : Math.max(0, line.stock),
  }));
  return { ...data.cart, totalMinor, items, person: readContact(data.contact ?? {}, data.cart.currency, ctx) };
});

const orderPlaced = z.object({ order, cart_id: id.nullish(), contact: identified.nullish() }).transform((data, ctx) => {
  if (data.cart_id == null && data.contact == null)
    ctx.addIssue({ code: 'custom', path: [], message: 'expected cart_id or contact: the order belongs to nobody' });
  const totalMinor = exactMinor(data.order.total, data.order.currency, ['order', 'total'], ctx);
  return { ...data.order, totalMinor, cartId: data.cart_id ?? null, person: readContact(data.contact ?? {}, data.order.currency, ctx) };
});

/** One schema a type; the body is `{ type, timestamp, data }`, as Standard Webhooks recommends. */
export const genericData = {
  'cart.updated': cartUpdated,
  'order.placed': orderPlaced,
  'order.cancelled': z.object({ order: z.object({ id }) }),
  'contact.updated': z.object({ contact: identified }).transform((data, ctx) => readContact(data.contact, null, ctx)),
  'message.received': z.object({
    contact: identified.transform(readIdentity),
    channel: z.enum(['email', 'sms', 'telegram']),
    text: z.string().max(10_000).refine(isPlainTextWithLines, 'has control characters').nullish(),
  }),
  'contact.opted_out': z.object({
    contact: identified.transform(readIdentity),
    /** Left out or `all`: every channel. */
    channel: z.enum(['email', 'sms', 'call', 'push', 'all']).nullish(),
    /** True for a complaint or "never again": no later opt-in by import or API leaves it. */
    final: z.boolean().nullish(),
    source: text(100).nullish(),
  }),
  'contact.opted_in': z.object({
    contact: identified.transform(readIdentity),
    channel: z.enum(['email', 'sms', 'call', 'push']),
    source: text(100).nullish(),
    /** The exact words that the person agreed to: your proof. */
    wording: z.string().max(2_000).refine(isPlainTextWithLines, 'has control characters').nullish(),
  }),
} as const;

/** What every body has; the type decides about the data. */
export const genericEnvelope = z.object({ type: text(100) });
export const genericHead = z.object({ timestamp: instant, data: z.unknown() });

function exactMinor(value: string | number, inCurrency: string, path: (string | number)[], ctx: z.core.$RefinementCtx): number {
  const minor = toMinor(value, inCurrency, 'refuse');
  if (minor !== null) return minor;
  ctx.addIssue({
    code: 'custom',
    path,
    message: `is no amount of ${inCurrency}: expected at least 0, at most ${minorDigits(inCurrency) ?? 0} decimals`,
  });
  return 0;
}

function readIdentity(given: ContactInput): PersonRef {
  return { email: given.email ?? null, phone: given.phone ?? null, externalId: given.id ?? null };
}

function readContact(given: ContactInput, eventCurrency: string | null, ctx: z.core.$RefinementCtx): PersonDetails {
  const consents: PersonDetails['consents'] = [];
  for (const channel of ['email', 'sms'] as const) {
    const said = given.marketing?.[channel];
    if (said != null) consents.push({ channel, state: said ? 'granted' : 'denied', basis: 'box', atMs: null });
  }
  return {
    ...readIdentity(given),
    firstName: given.first_name ?? null,
    lastName: given.last_name ?? null,
    locale: given.locale ?? null,
    timeZone: given.time_zone ?? null,
    country: given.country ?? null,
    region: given.region ?? null,
    orderCount: given.order_count ?? null,
    lifetimeValueMinor: readLifetimeValue(given, given.currency ?? eventCurrency, ctx),
    consents,
  };
}

function readLifetimeValue(given: ContactInput, inCurrency: string | null, ctx: z.core.$RefinementCtx): number | null {
  if (given.lifetime_value == null) return null;
  if (inCurrency !== null) return exactMinor(given.lifetime_value, inCurrency, ['contact', 'lifetime_value'], ctx);
  ctx.addIssue({ code: 'custom', path: ['contact', 'currency'], message: 'is missing beside lifetime_value' });
  return null;
}

function isLocale(value: string): boolean {
  try {
    return Intl.getCanonicalLocales(value).length === 1;
  } catch {
    return false;
  }
}

function isTimeZone(value: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
