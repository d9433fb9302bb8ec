import { z } from 'zod';
import type { Page } from '../../operations/read/page.ts';

const keys = {
  id: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  /** Epoch milliseconds and an id. */
  moment: /^\d{1,16}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  number: /^\d{1,9}$/,
  parked: /^[a-z]{3,12}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
} as const;

/**
 * A list of the API. Every list takes `limit` and `cursor` besides its own filters, and answers `{ data, nextCursor }`. A parameter that the
 * list does not have is refused: a filter with a typing error would otherwise answer with everything.
 * @param name - of the list; a cursor of another list is refused
 * @param key - what its pages are ordered by
 */
export function aList<T extends z.ZodType, F extends z.ZodRawShape>({
  name,
  item,
  filters,
  key = 'id',
  usual = 100,
  most = 500,
}: {
  name: string;
  item: T;
  filters: F;
  key?: keyof typeof keys;
  usual?: number;
  most?: number;
}) {
  const cursor = z
    .string()
    .transform((text, context) => {
      const after = decode(name, keys[key], text);
      if (after === null) context.addIssue('is no cursor of this list: leave it out for the first page');
      return after;
    })
    .optional()
    .meta({ description: 'The `nextCursor` of the page before. It means nothing to callers.' });
  return {
    query: z.strictObject({ ...filters, limit: z.coerce.number().int().min(1).max(most).default(usual), cursor }),
    answer: z.object({
      data: z.array(item),
      nextCursor: z.string().nullable().meta({ description: 'Give it as `cursor` for the next page; null: this was the last.' }),
    }),
    present: <R>({ items, next }: Page<R>, show: (row: R) => z.input<T>) => ({
      data: items.map(show),
      nextCursor: next === null ? null : encode(name, next),
    }),
  };
}

const encode = (name: string, after: string) => Buffer.from(`${name} ${after}`).toString('base64url');

/** @returns null for a cursor that `encode` has not made for this list */
function decode(name: string, key: RegExp, text: string): string | null {
  const [list, after = '', ...more] = Buffer.from(text, 'base64url').toString().split(' ');
  return list === name && key.test(after) && more.length === 0 && encode(name, after) === text ? after : null;
}
