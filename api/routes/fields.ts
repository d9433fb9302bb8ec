import { z } from 'zod';

/** Epoch milliseconds as the outside sees them. */
export const isoTime = (atMs: number) => new Date(atMs).toISOString();
export const isoTimeOrNull = (atMs: number | null) => (atMs === null ? null : isoTime(atMs));

export const timeField = z.iso.datetime();

/** An id in a path. What is no id is an unknown one: 404, not 400. */
export const idParams = z.object({ id: z.string().meta({ format: 'uuid' }) });
export const isId = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** A line that a person writes: something besides spaces, and no control characters, of which Postgres refuses NUL. */
export const noteField = z
  .string()
  .max(500)
  .regex(/\S/, 'is empty')
  .regex(/^[^\x00-\x1f\x7f]*$/, 'has control characters');
