import { z } from 'zod';
import { attemptStatuses, type AttemptView } from '../../../operations/read/attempts.ts';
import { isoTime, timeField } from '../../routes/fields.ts';

export const attemptSchema = z
  .object({
    id: z.uuid().nullable().meta({ description: 'The `sub_id` of its links; null: it is planned and has no message yet.' }),
    enrollment: z.uuid(),
    lead: z.uuid().meta({ description: 'The lead, or whatever the sequence is about.' }),
    campaign: z.uuid().nullable(),
    step: z.string(),
    channel: z.string().nullable(),
    script: z.string().nullable().meta({ description: 'The name of its script, else of its step’s own text.' }),
    status: z.enum(attemptStatuses).meta({
      description:
        '`SCHEDULED`: put off, or to be tried again. `RUNNING`: its call may be under way. `SUCCESS`: the provider has it, or may have; a call was answered. `FAILED`: it was refused, did not arrive, or nobody answered.',
    }),
    startedAt: timeField.meta({ description: 'In the future while it is scheduled.' }),
    variant: z
      .string()
      .nullable()
      .meta({ description: 'Of the contents that its step compares, or of the scripts of its campaign’s test; null: it has one.' }),
    experiment: z.uuid().nullable().meta({ description: 'The test of its campaign’s scripts; null: there is none.' }),
    providerId: z.string().nullable(),
    notes: z.string().nullable(),
    transcript: z.string().nullable().meta({ description: 'Of a call.' }),
    keywords: z.array(z.string()).meta({ description: 'The words in a call by which a wish was heard.' }),
  })
  .meta({ id: 'Attempt' });

export const presentAttempt = (attempt: AttemptView): z.input<typeof attemptSchema> => ({
  ...{ id: attempt.id, enrollment: attempt.enrollmentId, lead: attempt.subjectId, campaign: attempt.campaignId, step: attempt.step },
  ...{ channel: attempt.channel, script: attempt.script, status: attempt.status, startedAt: isoTime(attempt.startedAtMs) },
  ...{ variant: attempt.variant, experiment: attempt.experimentId, providerId: attempt.providerId, notes: attempt.notes },
  ...{ transcript: attempt.transcript, keywords: attempt.keywords },
});
