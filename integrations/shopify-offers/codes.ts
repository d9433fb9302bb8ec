import { z } from 'zod';
import type { MintedCode, Minter } from '../port.ts';
import { adminApiOf, type AskShop, ShopAwayError, ShopRefusesError } from './admin-api.ts';
import type { ShopifyOffersConfig } from './config.ts';

export const createQuery = `mutation MakeOffer($discount: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $discount) {
    codeDiscountNode { id }
    userErrors { field message code }
  }
}`;
export const findQuery = `query FindOffer($code: String!) {
  codeDiscountNodeByCode(code: $code) {
    id
    codeDiscount { __typename ... on DiscountCodeBasic { title status } }
  }
}`;
const deactivateQuery = `mutation CloseOffer($id: ID!) {
  discountCodeDeactivate(id: $id) {
    codeDiscountNode { id }
    userErrors { field message code }
  }
}`;

const userErrors = z.array(z.object({ message: z.string().catch(''), code: z.string().nullish() }));
const created = z.object({ discountCodeBasicCreate: z.object({ codeDiscountNode: z.object({ id: z.string() }).nullish(), userErrors }) });
const closed = z.object({ discountCodeDeactivate: z.object({ userErrors }) });
const found = z.object({
  codeDiscountNodeByCode: z
    .object({ id: z.string(), codeDiscount: z.object({ title: z.string().optional(), status: z.string().optional() }).nullish() })
    .nullable(),
});

/** By which a discount of ours is known in the shop: another one that happens to have the code is left alone. */
const titleOf = (code: string): string => `Rekindle ${code}`;

/** A shop's clock may be behind ours, and a code must be good when its message arrives. */
const earlierMs = 600_000;

/** The discount: for one use by one buyer, on everything, in place of other discounts, until the end that the message states. */
export function discountOf({ code, percentOff, grantedAt, endsAt }: MintedCode): Record<string, unknown> {
  return {
    title: titleOf(code),
    code,
    startsAt: new Date(grantedAt - earlierMs).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    usageLimit: 1,
    appliesOncePerCustomer: true,
    context: { all: 'ALL' },
    customerGets: { value: { percentage: percentOff / 100 }, items: { all: true } },
    combinesWith: { orderDiscounts: false, productDiscounts: false, shippingDiscounts: false },
  };
}

/** Discount codes in a Shopify shop. */
export function createShopifyMinter(config: ShopifyOffersConfig): Minter {
  const ask = adminApiOf(config);
  return {
    async mint(code) {
      try {
        return await make(ask, code);
      } catch (error) {
        if (error instanceof ShopRefusesError) return { kind: 'refused', response: error.message };
        throw error;
      }
    },
    async check() {
      await find(ask, 'RK-CHECK');
      return config.shop;
    },
    async revoke(code) {
      const ours = await find(ask, code);
      if (ours === null || ours.status === 'EXPIRED') return;
      const answer = read(closed, await ask(deactivateQuery, { id: ours.id }));
      const [fault] = answer.discountCodeDeactivate.userErrors;
      if (fault !== undefined) throw new ShopAwayError(sentenceOf(fault));
    },
  };
}

async function make(ask: AskShop, code: MintedCode): ReturnType<Minter['mint']> {
  const answer = read(created, await ask(createQuery, { discount: discountOf(code) }));
  const faults = answer.discountCodeBasicCreate.userErrors;
  const [fault] = faults;
  if (fault === undefined) {
    if (answer.discountCodeBasicCreate.codeDiscountNode == null) throw new ShopAwayError('the answer names neither a discount nor an error');
    return { kind: 'minted' };
  }
  if (faults.some((one) => one.code === 'INTERNAL_ERROR')) throw new ShopAwayError(sentenceOf(fault));
  if (!faults.some((one) => one.code === 'TAKEN')) return { kind: 'refused', response: sentenceOf(fault) };
  // Made by a call of which no answer came, unless it is somebody else's.
  const ours = await find(ask, code.code);
  if (ours === null) return { kind: 'refused', response: 'the shop has another discount with this code' };
  return ours.status === 'EXPIRED' ? { kind: 'refused', response: 'its code was closed in the shop' } : { kind: 'minted' };
}

/** The discount with this code, if it is ours. */
async function find(ask: AskShop, code: string): Promise<{ id: string; status: string | null } | null> {
  const { codeDiscountNodeByCode: node } = read(found, await ask(findQuery, { code }));
  return node === null || node.codeDiscount?.title !== titleOf(code) ? null : { id: node.id, status: node.codeDiscount.status ?? null };
}

function read<T>(schema: z.ZodType<T>, data: unknown): T {
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw new ShopAwayError('the answer has another shape than the API promises');
  return parsed.data;
}

const sentenceOf = ({ code, message }: { code?: string | null | undefined; message: string }) => `${code ?? 'refused'}: ${message}`.slice(0, 300);
