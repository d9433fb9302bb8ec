import { z } from 'zod';
import type { StoreWaves } from '../../../operations/drills/figures.ts';
import { hoursAhead, latenessSpansMs } from '../../../operations/drills/figures.ts';
import { isoTime, timeField } from '../../routes/fields.ts';

const bucket = (from: string, to: string) => ({
  from_seconds: z.number().meta({ description: from }),
  to_seconds: z.number().nullable().meta({ description: to }),
  steps: z.int(),
});

export const wavesSchema = z
  .object({
    at: timeField,
    open: z.int().meta({ description: 'Enrollments that have not ended.' }),
    looked_at: z.int().meta({
      description:
        'Of these, how many were looked at: all of them up to 2,000, else a sample of about as many by chance, and the counts below are estimates.',
    }),
    due_24h: z.int().meta({ description: 'Whose next step comes within 24 hours.' }),
    overdue: z.int().meta({ description: 'Whose next step should have gone out by now.' }),
    held: z.int().meta({ description: 'Paused, taken over, or their sequence or campaign is paused.' }),
    later: z.int().meta({ description: 'Due after that, or waiting for something to react to.' }),
    ahead: z.array(z.object(bucket('From now.', 'From now.'))).meta({ description: 'The due ones by hour.' }),
    behind: z
      .array(z.object(bucket('Later than this.', 'By this at most; null: by whatever.')))
      .meta({ description: 'The overdue ones by how late they are.' }),
    sent: z.array(z.object({ at: timeField, on_time: z.int(), late: z.int().meta({ description: 'By more than ten minutes.' }) })).meta({
      description: 'What was accepted, by minute, without minutes in which nothing was. Of the last hour; of a drill, since its beginning.',
    }),
    catch_up_per_minute: z.int().nullable().meta({ description: 'How many late ones leave in a minute at most, by the setting; null: no limit.' }),
  })
  .meta({ id: 'Waves' });

export function presentWaves(found: StoreWaves): z.input<typeof wavesSchema> {
  const { atMs, open, lookedAt, ahead, behind, held, later, sent, catchUpPerMinute } = found;
  const seconds = (ms: number) => ms / 1_000;
  return {
    at: isoTime(atMs),
    ...{ open, looked_at: lookedAt, held, later },
    due_24h: sum(ahead),
    overdue: sum(behind),
    ahead: Array.from({ length: hoursAhead }, (_, hour) => ({ from_seconds: hour * 3_600, to_seconds: (hour + 1) * 3_600, steps: ahead[hour] ?? 0 })),
    behind: latenessSpansMs.map((span, index) => ({
      from_seconds: seconds(latenessSpansMs[index - 1] ?? 0),
      to_seconds: Number.isFinite(span) ? seconds(span) : null,
      steps: behind[index] ?? 0,
    })),
    sent: sent.map(({ atMs: minuteMs, onTime, late }) => ({ at: isoTime(minuteMs), on_time: onTime, late })),
    catch_up_per_minute: catchUpPerMinute,
  };
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
