import { z } from 'zod';
import type { EpochMs } from '../sequence/plan.ts';

/**
 * A kind of fact, such as the stock of a product. One file here and one line in `domain/facts/index.ts`. `V` is what it says, kept as JSON in
 * `facts.value`. All functions are pure.
 */
export interface FactKind<K extends string, V> {
  /** As `facts.kind` and the API name it. */
  kind: K;
  /** Checks what is reported, and reads what was stored. */
  value: z.ZodType<V>;
  /** How long it may be stated where neither its source nor the store's `factHours` says. */
  usualHours: number;
  /** What it is about, for the API's description. */
  about: string;
  /** The spelling under which its subject is stored and found. */
  subjectKey(subject: string): string;
  /** When it ends by its own words; null: it does not. */
  endsAtMs?(value: V): EpochMs | null;
  /** What it says, in a few words for records: "3 left". No personal data. */
  words(value: V): string;
}

/** The ids of products are compared as they are. */
export const sameText = (subject: string): string => subject;

/** Areas are written by people: case and spaces do not matter. */
export const foldedText = (subject: string): string => subject.trim().replace(/\s+/gu, ' ').toLowerCase();

/** A text of one line that a source writes: Postgres takes neither NUL nor half a surrogate pair. */
export const line = (most: number) =>
  z
    .string('is a text')
    .trim()
    .min(1, 'is empty')
    .max(most, `is longer than ${most} characters`)
    .refine((text) => !/[\p{Cc}\p{Surrogate}]/u.test(text), 'has characters that no line has');
