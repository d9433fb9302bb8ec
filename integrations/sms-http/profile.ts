import { z } from 'zod';
import { placeholdersIn } from './template.ts';

const template = z
  .string()
  .max(2_000)
  .refine((text) => placeholdersIn(text).unknown.length === 0, {
    error: ({ input }) =>
      `knows no ${
        typeof input === 'string'
          ? placeholdersIn(input)
              .unknown.map((name) => `{{${name}}}`)
              .join(', ')
          : 'such placeholder'
      }`,
  });
const path = z.string().regex(/^[\w-]+(\.[\w-]+){0,9}$/, 'is no path like messages.0.id');
const words = z.array(z.string().min(1).max(100)).min(1).max(50);
const where = z.record(path, words);
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~\w-]{1,80}$/, 'is no name of a header');
const names = z.array(path).min(1).max(10);
const states = z.array(z.string().min(1).max(100)).max(50).default([]);

/** Any JSON whose texts are templates. */
type JsonTemplate = string | number | boolean | null | JsonTemplate[] | { [name: string]: JsonTemplate };
const jsonTemplate: z.ZodType<JsonTemplate> = z.lazy(() =>
  z.union([template, z.number(), z.boolean(), z.null(), z.array(jsonTemplate), z.record(z.string(), jsonTemplate)]),
);

/** A gateway as data: how it is asked, what its answers mean, and how its reports look. */
export const gatewayProfile = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }),
    method: z.enum(['GET', 'POST']).default('POST'),
    headers: z.record(headerName, template).default({}),
    /** Parameters of the URL. */
    query: z.record(z.string().min(1).max(80), template).default({}),
    /** The body of a POST: a form, or JSON. */
    form: z.record(z.string().min(1).max(80), template).optional(),
    json: jsonTemplate.optional(),
    /** What shows that the gateway took the text, beside a 2xx. */
    accepted: z
      .strictObject({
        /** Where it names the message. */
        id: path.optional(),
        /** What else the answer says. */
        where: where.default({}),
        /** What an answer in plain text begins with; the word behind it names the message. */
        begins: z.string().min(1).max(40).optional(),
      })
      .refine(({ id, begins, where: fields }) => id !== undefined || begins !== undefined || Object.keys(fields).length > 0, {
        message: 'A status of 2xx alone is no proof: name `id`, `where` or `begins`.',
      }),
    /** What an answer means that took nothing; the first that fits counts. */
    refused: z
      .array(
        z
          .strictObject({
            /** What an answer in plain text contains, in any case. */
            text: z.string().min(1).max(100).optional(),
            where: where.optional(),
            status: z.int().min(400).max(499).optional(),
            /** `hard`: the number will never work. */
            severity: z.enum(['hard', 'soft']).default('soft'),
            /** It says nothing about this text: no credit, no route for now. */
            outage: z.boolean().default(false),
          })
          .refine((rule) => rule.text !== undefined || rule.where !== undefined || rule.status !== undefined, {
            message: 'says nothing of the answer: name `text`, `where` or `status`.',
          }),
      )
      .max(50)
      .default([]),
    /** Anything in plain text is a refusal, also with a status of 2xx. */
    plainTextIsRefusal: z.boolean().default(false),
    /** Reports of what became of a text; absent: there are none. */
    receipts: z
      .strictObject({
        /** Where a report has a list of them; absent: it is one. */
        list: path.optional(),
        id: names,
        status: names,
        error: z.array(path).max(10).default([]),
        /** The number that the text went to, needed where the person has opted out. */
        to: z.array(path).max(10).default([]),
        /** Names of states, in any case. Any other is ignored. */
        delivered: states,
        failed: states,
        /** The number will never get a text. */
        dead: states,
        optedOut: states,
      })
      .optional(),
    /** Texts that people send; absent: there are none. */
    texts: z.strictObject({ where: where.default({}), from: names, text: names }).optional(),
  })
  .refine(({ form, json }) => form === undefined || json === undefined, { message: 'The body is either `form` or `json`.' })
  .refine(({ method, form, json }) => method === 'POST' || (form === undefined && json === undefined), { message: 'A GET has no body.' })
  .refine(({ method, form, json }) => method === 'GET' || form !== undefined || json !== undefined, { message: 'A POST needs `form` or `json`.' });

export type GatewayProfile = z.output<typeof gatewayProfile>;
export type { JsonTemplate };

/** Every template of a profile. */
export function templatesOf({ headers, query, form = {}, json = null }: GatewayProfile): string[] {
  return [...Object.values(headers), ...Object.values(query), ...Object.values(form), ...textsIn(json)];
}

function textsIn(value: JsonTemplate): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
