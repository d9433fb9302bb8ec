import { z } from 'zod';
import { timeField } from '../fields.ts';
import { sequenceTypeSchema } from '../recovery/schemas.ts';

const stepSchema = z
  .object({
    id: z.string(),
    channels: z.array(z.string()),
    due_at: timeField.meta({ description: 'As the plan stands now.' }),
    state: z.enum(['waiting', 'claimed', 'sent', 'failed', 'unknown', 'skipped']),
    settled_at: timeField.nullable(),
    skip_reason: z.string().nullable(),
    opened_at: timeField.nullable(),
    clicked_at: timeField.nullable(),
  })
  .meta({ id: 'EnrollmentStep' });

export const enrollmentSchema = z
  .object({
    id: z.uuid(),
    sequence: z.object({ slug: z.string(), name: z.string(), version: z.int() }),
    status: z.enum(['ACTIVE', 'PAUSED', 'COMPLETED', 'CONVERTED', 'EXITED']),
    stop_reason: z.string().nullable(),
    stop_note: z.string().nullable().meta({ description: 'What was typed at a manual stop.' }),
    held: z.enum(['paused', 'takeover']).nullable(),
    sequence_type: sequenceTypeSchema,
    cart: z.object({
      id: z.uuid(),
      state: z.enum(['open', 'converted', 'gone']),
      total_price: z.string().nullable(),
      total_price_minor: z.int().nullable(),
      currency: z.string().nullable(),
    }),
    time_scale: z.number(),
    anchor_at: timeField.meta({ description: 'What the steps count from: the last activity before the cart was left.' }),
    enrolled_at: timeField,
    activated_at: timeField.nullable().meta({ description: 'When the cart counted as abandoned; null: not yet, or never.' }),
    ended_at: timeField.nullable(),
    next_step: z.object({ id: z.string(), at: timeField }).nullable(),
    steps: z.array(stepSchema),
    workflow: z.object({ id: z.string(), url: z.string().nullable().meta({ description: 'In the Temporal Web UI, where one is configured.' }) }),
  })
  .meta({ id: 'Enrollment' });

const gateSchema = z
  .object({
    gate: z.string(),
    result: z.enum(['pass', 'stop', 'skip', 'defer', 'hold']),
    input: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).meta({ description: 'What the gate looked at.' }),
    note: z.string().optional(),
  })
  .meta({ id: 'GateCheck' });

const line = { at: timeField, step: z.string().nullable(), sentence: z.string() };
const data = z.record(z.string(), z.unknown());

export const entrySchema = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('decision'),
      ...line,
      verdict: z.enum(['send', 'defer', 'hold', 'skip', 'stop']),
      reason: z.string(),
      until: timeField.nullable(),
      version: z.int().meta({ description: 'The version of the sequence that decided.' }),
      gates: z.array(gateSchema),
    }),
    z.object({
      kind: z.literal('message'),
      ...line,
      id: z.uuid(),
      state: z.enum(['claimed', 'sent', 'failed', 'unknown', 'skipped']),
      channel: z.string().nullable(),
      due_at: timeField.nullable(),
      claimed_at: timeField.nullable(),
      settled_at: timeField.nullable(),
      opened_at: timeField.nullable(),
      clicked_at: timeField.nullable(),
      in_doubt: z.boolean(),
      failures: z.int(),
      refusals: z.int(),
      skip_reason: z.string().nullable(),
      provider_response: z.string().nullable(),
      provider_message_id: z.string().nullable(),
    }),
    z.object({ kind: z.literal('event'), ...line, type: z.string(), data }),
    z.object({
      kind: z.literal('provider_event'),
      ...line,
      type: z.string(),
      machine: z.boolean().meta({
        description:
          'Made by a program, or suspected to be: nothing counts it. Why it is suspected stands in `data.suspected`; a sign of life that follows makes it a `message.clicked`.',
      }),
      data,
    }),
  ])
  .meta({ id: 'ExplanationEntry' });

export const explanationSchema = z
  .object({
    enrollment: enrollmentSchema,
    entries: z.array(entrySchema).meta({ description: 'In order of time.' }),
    truncated: z.boolean().meta({ description: 'More was recorded than is shown.' }),
  })
  .meta({ id: 'Explanation' });
