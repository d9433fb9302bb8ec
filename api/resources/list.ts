import { z } from 'zod';
import type { Order, Page, PageWanted, Usual } from '../../operations/read/page.ts';

const keys = {
  id: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  /** Epoch milliseconds and an id. */
  moment: /^\d{1,16}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  number: /^\d{1,9}$/,
  parked: /^[a-z]{3,12}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
} as const;

/** How a value is written behind the id in a cursor; `~` stands for none. */
const values = {
  text: /^[0-9a-f-]{36}(~|=[^\0]{0,2000})$/s,
  /** Epoch milliseconds. */
  time: /^[0-9a-f-]{36}(~|=-?\d{1,14})$/,
  number: /^[0-9a-f-]{36}(~|=-?\d{1,20}(\.\d{1,20})?(e-\d{1,3})?)$/,
} as const;

export type SortField = keyof typeof values;

/**
 * A list of the API. Every list takes `limit`, `sort` and `cursor` besides its own filters, and answers `{ data, nextCursor }`. A parameter that
 * the list does not have is refused: a filter with a typing error would otherwise answer with everything.
 * @param name - of the list; a cursor of another list, or of another order, is refused
 * @param key - what its pages are ordered by
 * @param first - its usual order
 * @param fields - what it may be sorted by besides the age of its entries, as its entries name it
 */
export function aList<T extends z.ZodType, F extends z.ZodRawShape, const S extends string = never>({
  name,
  item,
  filters,
  key = 'id',
  first = 'newest',
  fields,
  usual = 100,
  most = 500,
}: {
  name: string;
  item: T;
  filters: F;
  key?: keyof typeof keys;
  first?: Usual;
  fields?: Readonly<Record<S, SortField>>;
  usual?: number;
  most?: number;
}) {
  const others: Readonly<Record<string, SortField>> = fields ?? {};
  const names = ['created_at', ...Object.keys(others)];
  const cursor = z
    .string()
    .transform((text, context) => {
      const place = decode(name, (by) => (by === 'created_at' ? keys[key] : others[by] === undefined ? null : values[others[by]]), text);
      if (place === null) context.addIssue('is no cursor of this list: leave it out for the first page');
      return place;
    })
    .optional()
    .meta({ description: 'The `nextCursor` of the page before, asked for in the same order. It means nothing to callers.' });
  const sort = z
    .enum(names.flatMap((field) => [field, `-${field}`]) as Sorting<S | 'created_at'>[])
    .default((first === 'newest' ? '-created_at' : 'created_at') as never)
    .transform(orderOf)
    .meta({
      description:
        'By which field, `-`: the largest or latest first. `created_at` is the age of the entries. Entries without a value stand at the end either way; equal ones follow their age.',
    });
  return {
    query: z
      .strictObject({ ...filters, limit: z.coerce.number().int().min(1).max(most).default(usual), sort, cursor })
      .superRefine((query, context) => {
        const { sort: asked, cursor: place } = query as { sort?: Order; cursor?: Place };
        if (place !== undefined && asked !== undefined && textOf(place.order) !== textOf(asked))
          context.addIssue({
            code: 'custom',
            path: ['cursor'],
            message: `belongs to sort=${textOf(place.order)}: leave it out for the first page of another order`,
          });
      }),
    answer: z.object({
      data: z.array(item),
      nextCursor: z.string().nullable().meta({ description: 'Give it as `cursor` for the next page; null: this was the last.' }),
    }),
    /** @param order - in which the page was asked for: the next one is asked for in the same. */
    present: <R>(order: Order, { items, next }: Page<R>, show: (row: R) => z.input<T>) => ({
      data: items.map(show),
      nextCursor: next === null ? null : encode(name, { order, after: next }),
    }),
  };
}

type Sorting<S extends string> = S | `-${S}`;

export interface Place {
  order: Order;
  after: string;
}

const orderOf = (text: string): Order => (text.startsWith('-') ? { by: text.slice(1), descending: true } : { by: text, descending: false });
const textOf = ({ by, descending }: Order) => `${descending ? '-' : ''}${by}`;

/** Which page a request asks for. */
export const pageWanted = ({ limit, sort, cursor }: { limit: number; sort: Order; cursor?: Place | null | undefined }): PageWanted => ({
  limit,
  order: sort,
  after: cursor?.after ?? null,
});

const encode = (name: string, { order, after }: Place) => Buffer.from(`${name} ${textOf(order)} ${after}`).toString('base64url');

/**
 * @param keyOf - how the place in an order is written; null: the list has no such order
 * @returns null for a cursor that `encode` has not made for this list
 */
function decode(name: string, keyOf: (by: string) => RegExp | null, text: string): Place | null {
  const [list, sort = '', ...rest] = Buffer.from(text, 'base64url').toString().split(' ');
  const place = { order: orderOf(sort), after: rest.join(' ') };
  const key = keyOf(place.order.by);
  return list === name && key !== null && key.test(place.after) && encode(name, place) === text ? place : null;
}
