import { z } from 'zod';

// How `npm run send` describes an event's effect: by what the API answers afterwards, never by what the event should have done.

const enrollment = z.object({ id: z.string(), summary: z.string(), ended_at: z.string().nullable() });
/** An enrollment as the API shows it, as far as it matters here. */
export type SeenEnrollment = z.infer<typeof enrollment>;
const listOf = <T extends z.ZodType>(item: T) => z.object({ data: z.array(item) }).transform(({ data }) => data);
export const seenEnrollments = listOf(enrollment);

const note = z.object({ field: z.string(), reason: z.string() });
export const seenDeliveries = listOf(z.object({ state: z.enum(['applied', 'pending', 'ignored', 'quarantined']), notes: z.array(note) }));
export type SeenDelivery = z.infer<typeof seenDeliveries>[number];
export const seenQuarantine = listOf(z.object({ id: z.string(), reason: z.string() }));
export const seenExplanations = z.object({ carts_without_sequence: z.array(z.object({ sentence: z.string() })) });

/** What was seen before an event was sent, and after. */
export interface Seen {
  before: readonly SeenEnrollment[];
  after: readonly SeenEnrollment[];
  /** Why no sequence was begun about the cart, where none was. */
  quiet: string | null;
}

/** The effect in lines for a person: sequences that began, that ended, and that stand as they did. */
export function effectLines({ before, after, quiet }: Seen): string[] {
  const known = (e: SeenEnrollment) => before.find((b) => b.id === e.id);
  const began = after.filter((e) => known(e) === undefined);
  const ended = after.filter((e) => e.ended_at !== null && known(e)?.ended_at === null);
  const others = after.filter((e) => !began.includes(e) && !ended.includes(e));
  const running = others.filter((e) => e.ended_at === null);
  const lines = [
    ...began.map((e) => line('It began a sequence', e)),
    ...ended.map((e) => line('It ended a sequence', e)),
    ...running.map((e) => line('Still running', e)),
  ];
  if (began.length === 0 && ended.length === 0) lines.unshift(quiet ?? 'It began no sequence and ended none.');
  // With nothing running, how the latest one ended is what there is to know.
  const [latest] = others;
  if (lines.length === 1 && latest !== undefined) lines.push(line('The latest sequence', latest));
  return lines;
}

const line = (what: string, { id, summary }: SeenEnrollment) => `${what} (${id}): ${summary}`;

/** Fields that were left out or read with a guess, one a line. */
export const noteLines = (notes: SeenDelivery['notes']) => notes.map(({ field, reason }) => `  ${field} ${reason}`);

const problem = z.object({
  detail: z.string(),
  /** Of a webhook's body. */
  fields: z.array(note).optional(),
  /** Of a request. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

/** Problem details in lines: what is wrong, then field by field. @returns null where the body is none */
export function problemLines(body: unknown): string[] | null {
  const read = problem.safeParse(body);
  if (!read.success) return null;
  const { detail, fields = [], errors = [] } = read.data;
  return [detail, ...noteLines(fields), ...errors.map(({ path, message }) => `  ${path} ${message}`)];
}
