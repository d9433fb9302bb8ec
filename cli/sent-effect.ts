import { type Row, shown } from './command.ts';

// What `rekindle send` says an event did. Only what the API answered afterwards counts, never what the event was meant to do.

/** An enrollment as the API shows it, as far as it matters here. */
export interface SeenEnrollment {
  id: string;
  summary: string;
  ended_at: string | null;
}

/** What was seen before an event was sent, and after. */
export interface Seen {
  before: readonly SeenEnrollment[];
  after: readonly SeenEnrollment[];
  /** Why no sequence was begun, where none was. */
  quiet: string | null;
}

/** What changed between the two. */
export function effectOf({ before, after }: Pick<Seen, 'before' | 'after'>): { began: SeenEnrollment[]; ended: SeenEnrollment[] } {
  const known = (e: SeenEnrollment) => before.find((b) => b.id === e.id);
  return {
    began: after.filter((e) => known(e) === undefined),
    ended: after.filter((e) => e.ended_at !== null && known(e)?.ended_at === null),
  };
}

/** The effect in lines for a person: sequences that began, that ended, and that stand as they did. */
export function effectLines({ before, after, quiet }: Seen): string[] {
  const { began, ended } = effectOf({ before, after });
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
export const noteLines = (notes: readonly Row[]) => notes.map(({ field, reason }) => `  ${shown(field)} ${shown(reason)}`);
