import { z } from 'zod';

/** Epoch milliseconds as ISO 8601. */
export const isoTime = (atMs: number) => new Date(atMs).toISOString();
export const isoTimeOrNull = (atMs: number | null) => (atMs === null ? null : isoTime(atMs));

export const timeField = z.iso.datetime();

/** An id in a path. A text that is no id counts as an unknown id: 404, not 400. */
export const idParams = z.object({ id: z.string().meta({ format: 'uuid' }) });
export const isId = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** A line of text: something besides spaces, and no control characters, of which Postgres refuses NUL. */
export const lineField = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/\S/, 'is empty')
    .regex(/^[^\x00-\x1f\x7f]*$/, 'has control characters');

/** A note typed by a person. */
export const noteField = lineField(500);

/** The address of the next page, for the header `Link`. */
export function nextPage(path: string, query: Record<string, string | number | undefined>, cursor: string): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, cursor })) if (value !== undefined) parameters.set(name, String(value));
  return `<${path}?${parameters.toString()}>; rel="next"`;
}
