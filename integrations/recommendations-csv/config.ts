import { z } from 'zod';
import { readList } from './list.ts';

/** A list of properties as a file. */
export const recommendationsCsvConfig = z
  .strictObject({
    /** The file itself: the first line names its columns. */
    csv: z.string().max(200_000, 'is longer than 200000 characters'),
    /** For how many hours a row is stated after its `observed_at`, where it names no end of its own. */
    validHours: z.number().min(1).max(8_760).default(168),
  })
  .superRefine(({ csv, validHours }, context) => {
    const read = readList(csv, validHours * 3_600_000);
    if (!read.ok) context.addIssue({ code: 'custom', path: ['csv'], message: read.reason });
  });
export type RecommendationsCsvConfig = z.output<typeof recommendationsCsvConfig>;
