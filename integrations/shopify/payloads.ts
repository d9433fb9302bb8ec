import { z } from 'zod';
import type { LineItem, PersonDetails } from '../../domain/events.ts';
import type { EpochMs } from '../../domain/sequence/plan.ts';
import { isPlausibleInstant, maxCount } from '../bounds.ts';
import { toMinor } from '../money.ts';
import { cleanText, isWebUrl } from '../untrusted-text.ts';

// Shopify leaves fields out, sends null, or an empty array for an empty object, and adds fields at every version. So these schemas
// demand only what an event cannot do without, and clean the rest.

const anything = z.unknown().optional();
const text = (maxLength: number) => anything.transform((value) => cleanText(value, maxLength));
const webUrl = anything.transform((value) => {
  const url = cleanText(value, 2_000);
  return url !== null && isWebUrl(url) ? url : null;
});
const flag = anything.transform((value) => (typeof value === 'boolean' ? value : null));
const amount = z.union([z.string(), z.number()]).nullish().catch(null);
const currency = anything.transform((value) => (typeof value === 'string' && /^[A-Za-z]{3}$/.test(value) ? value.toUpperCase() : null));
const instant = anything.transform(parseInstant);

/** An id, exactly: a string, or a number that survived JSON (longer ones arrive as strings, see `parse-exactly.ts`). */
const id = z
  .union([z.string().min(1).max(255), z.number().refine(Number.isSafeInteger, 'is beyond 2^53').transform(String)])
  .transform((value, ctx) => {
    const clean = cleanText(value, 255);
    if (clean !== null) return clean;
    ctx.addIssue({ code: 'custom', message: 'is empty' });
    return z.NEVER;
  });
const optionalId = id
  .nullish()
  .catch(null)
  .transform((value) => value ?? null);

/** A cart's token without the key that Storefront carts append to it (`…?key=…`): checkouts and orders name it bare. */
const optionalToken = optionalId.transform((token) => token?.split('?')[0] || null);

/** An object that may be missing, null, an empty array or of a shape that we do not know: then null. */
function orNull<T extends z.ZodType>(schema: T) {
  return anything.transform((value) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? parsed.data : null;
  });
}

const address = orNull(z.object({ first_name: text(100), last_name: text(100), country_code: text(2), province_code: text(64) }));
const customer = orNull(
  z.object({
    id: optionalId,
    email: text(320),
    phone: text(50),
    first_name: text(100),
    last_name: text(100),
    orders_count: z.coerce.number().int().nonnegative().max(maxCount).nullable().catch(null),
    total_spent: amount,
    currency,
    default_address: address,
  }),
);

const personFields = {
  email: text(320),
  phone: text(50),
  customer,
  customer_locale: text(35),
  shipping_address: address,
  billing_address: address,
  buyer_accepts_marketing: flag,
  buyer_accepts_sms_marketing: flag,
  sms_marketing_phone: text(50),
};
type PersonFields = z.output<z.ZodObject<typeof personFields>>;

const moneySet = orNull(z.object({ presentment_money: orNull(z.object({ currency_code: currency })) }));
const line = z.object({
  title: text(500),
  presentment_title: text(500),
  variant_title: text(500),
  presentment_variant_title: text(500),
  quantity: z.coerce.number().int().nonnegative().max(1_000_000),
  price: amount,
  variant_price: amount,
  original_price: amount,
  line_price: amount,
  price_set: moneySet,
  line_price_set: moneySet,
  original_line_price_set: moneySet,
  discounted_price_set: moneySet,
  image_url: webUrl,
  featured_image: orNull(z.object({ url: webUrl })),
  product_url: webUrl,
});
type Line = z.output<typeof line>;
const lines = z.array(line).max(500).nullish();

/** What Shopify calls a checkout: a cart whose shopper has begun to pay. The first one has `email: null` and `shipping_address: []`. */
export const checkoutPayload = z
  .object({
    id: optionalId,
    token: id,
    cart_token: optionalToken,
    ...personFields,
    currency,
    presentment_currency: currency,
    total_price: amount,
    line_items: lines,
    abandoned_checkout_url: webUrl,
    created_at: instant,
    updated_at: instant,
  })
  .transform((checkout, ctx) => {
    // Amounts are in the currency that the shopper saw.
    const inCurrency = checkout.presentment_currency ?? checkout.currency;
    if (inCurrency === null) return unreadable(ctx, ['currency'], 'is missing');
    const totalMinor = checkout.total_price == null ? null : toMinor(checkout.total_price, inCurrency, 'round');
    if (totalMinor === null) return unreadable(ctx, ['total_price'], 'is no amount');
    const items = readLines(checkout.line_items ?? [], inCurrency, ctx);
    if (items === null) return z.NEVER;
    return { ...checkout, person: readPerson(checkout), currency: inCurrency, totalMinor, items };
  });

/** A cart before checkout: no person, no currency but in its lines, no total. */
export const cartPayload = z
  .object({ id: optionalToken, token: optionalToken, line_items: lines, created_at: instant, updated_at: instant })
  .transform((cart, ctx) => {
    const token = cart.token ?? cart.id;
    if (token === null) return unreadable(ctx, ['token'], 'is missing');
    const raw = cart.line_items ?? [];
    // ISO 4217 reserves XXX for "no currency": all that an emptied cart has.
    const inCurrency = raw.map(lineCurrency).find((code) => code !== null) ?? (raw.length === 0 ? 'XXX' : null);
    if (inCurrency === null) return unreadable(ctx, ['line_items', 0, 'price_set'], 'names no currency');
    const items = readLines(raw, inCurrency, ctx);
    if (items === null) return z.NEVER;
    let totalMinor = 0;
    for (const entry of raw) {
      const price = entry.price ?? entry.original_price;
      const lineTotal = entry.line_price != null ? toMinor(entry.line_price, inCurrency, 'round') : null;
      totalMinor += lineTotal ?? (price == null ? 0 : (toMinor(price, inCurrency, 'round') ?? 0) * entry.quantity);
    }
    if (!Number.isSafeInteger(totalMinor)) return unreadable(ctx, ['line_items'], 'are worth too much');
    return { token, currency: inCurrency, totalMinor, items, created_at: cart.created_at, updated_at: cart.updated_at };
  });

/** All that is sent when a checkout is deleted: mostly just its number. */
export const deletedCheckoutPayload = z
  .object({ id: optionalId, token: optionalId, updated_at: instant })
  .transform((deleted, ctx) => (deleted.id === null && deleted.token === null ? unreadable(ctx, ['id'], 'is missing') : deleted));

export const orderPayload = z
  .object({
    id,
    checkout_id: optionalId,
    checkout_token: optionalId,
    cart_token: optionalToken,
    ...personFields,
    contact_email: text(320),
    currency,
    total_price: amount,
    created_at: instant,
    processed_at: instant,
    updated_at: instant,
  })
  .transform((order, ctx) => {
    if (order.currency === null) return unreadable(ctx, ['currency'], 'is missing');
    const totalMinor = order.total_price == null ? null : toMinor(order.total_price, order.currency, 'round');
    if (totalMinor === null) return unreadable(ctx, ['total_price'], 'is no amount');
    return { ...order, currency: order.currency, totalMinor, person: readPerson({ ...order, email: order.email ?? order.contact_email }) };
  });

export const cancelledOrderPayload = z.object({ id, cancelled_at: instant, updated_at: instant });

export const privacyPayload = z.object({ customer: orNull(z.object({ id: optionalId, email: text(320), phone: text(50) })) });

export const shopPayload = z.object({});

/** Epoch milliseconds of an ISO 8601 time with its offset; null for anything else, and for times that no shop's clock says. */
export function parseInstant(value: unknown): EpochMs | null {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}T[\d:.]{5,30}(Z|[+-]\d{2}:?\d{2})$/.test(value)) return null;
  const ms = Date.parse(value);
  return isPlausibleInstant(ms) ? ms : null;
}

function unreadable(ctx: z.core.$RefinementCtx, path: (string | number)[], message: string): never {
  ctx.addIssue({ code: 'custom', path, message });
  return z.NEVER;
}

function lineCurrency(entry: Line): string | null {
  const sets = [entry.price_set, entry.line_price_set, entry.original_line_price_set, entry.discounted_price_set];
  return sets.map((set) => set?.presentment_money?.currency_code ?? null).find((code) => code !== null) ?? null;
}

function readLines(raw: Line[], inCurrency: string, ctx: z.core.$RefinementCtx): LineItem[] | null {
  const items: LineItem[] = [];
  for (const [index, entry] of raw.entries()) {
    if (entry.quantity === 0) continue;
    const price = entry.price ?? entry.variant_price ?? entry.original_price;
    const priceMinor = price == null ? null : toMinor(price, inCurrency, 'round');
    if (priceMinor === null) {
      unreadable(ctx, ['line_items', index, 'price'], 'is no amount');
      return null;
    }
    items.push({
      title: entry.presentment_title ?? entry.title ?? '',
      variant: entry.presentment_variant_title ?? entry.variant_title,
      quantity: entry.quantity,
      priceMinor,
      compareAtMinor: null,
      productId: null,
      imageUrl: entry.image_url ?? entry.featured_image?.url ?? null,
      productUrl: entry.product_url,
      stock: null,
    });
  }
  return items;
}

function readPerson(fields: PersonFields): PersonDetails {
  const { customer: known } = fields;
  const place = fields.shipping_address ?? fields.billing_address ?? known?.default_address ?? null;
  const email = fields.email ?? known?.email ?? null;
  // The number that was given for text messages is the one that the consent is about.
  const smsPhone = fields.buyer_accepts_sms_marketing === true ? fields.sms_marketing_phone : null;
  const phone = smsPhone ?? fields.phone ?? known?.phone ?? fields.sms_marketing_phone;
  const consents: PersonDetails['consents'] = [];
  // A shopper who has not come to the field yet has not said no: a box counts only beside the address that it is about.
  if (email !== null && fields.buyer_accepts_marketing !== null)
    consents.push({ channel: 'email', state: answer(fields.buyer_accepts_marketing), basis: 'box', atMs: null });
  if (phone !== null && fields.buyer_accepts_sms_marketing !== null)
    consents.push({ channel: 'sms', state: answer(fields.buyer_accepts_sms_marketing), basis: 'box', atMs: null });
  return {
    email,
    phone,
    externalId: known?.id ?? null,
    firstName: known?.first_name ?? place?.first_name ?? null,
    lastName: known?.last_name ?? place?.last_name ?? null,
    locale: fields.customer_locale,
    timeZone: null,
    country: place?.country_code ?? null,
    region: place?.province_code ?? null,
    orderCount: known?.orders_count ?? null,
    lifetimeValueMinor: known?.total_spent == null || known.currency === null ? null : toMinor(known.total_spent, known.currency, 'round'),
    consents,
  };
}

function answer(accepts: boolean): 'granted' | 'denied' {
  return accepts ? 'granted' : 'denied';
}
