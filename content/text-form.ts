import { z } from 'zod';
import { CopySourceError } from './copy-source.ts';
import { readFrontMatter } from './front-matter.ts';

/** A text in the parts that a form shows: what stands between the lines of `---`, and what stands below. */
export interface TextForm {
  fields: Record<string, unknown>;
  body: string;
}

/** The parts of a text. One whose front matter cannot be read is all body. */
export function readTextForm(text: string): TextForm {
  try {
    const { fields, body } = readFrontMatter({ file: '', text }, z.record(z.string(), z.unknown()), null);
    return { fields, body };
  } catch (error) {
    if (error instanceof CopySourceError) return { fields: {}, body: text };
    throw error;
  }
}
