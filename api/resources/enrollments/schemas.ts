import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Filtered, Narrowing, Search } from '../../../operations/read/find-enrollments.ts';
import { invalidRequest } from '../../plugins/errors.ts';
import { lineField, noteField, timeField } from '../../routes/fields.ts';
import { externalIdSchema, leftWithSchema, nextStepSchema, sequenceTypeSchema } from '../../routes/recovery/schemas.ts';

const stepSchema = z
  .object({
    id: z.string(),
    channels: z.array(z.string()),
    due_at: timeField.nullable().meta({ description: 'As the plan stands now; null: it reacts to something that has not happened.' }),
    state: z.enum(['waiting', 'not_sent', 'claimed', 'sent', 'failed', 'unknown', 'skipped']).meta({
      description:
        '`waiting`: its turn has not come. `not_sent`: the sequence ended before its turn came. `claimed`: being handed to the provider. `failed`: not accepted so far. `unknown`: it may have been accepted, counts as sent and is never repeated. `skipped`: left out, `skip_reason` says why.',
    }),
    settled_at: timeField.nullable(),
    skip_reason: z.string().nullable(),
    opened_at: timeField.nullable(),
    clicked_at: timeField.nullable(),
  })
  .meta({ id: 'EnrollmentStep' });

const statusSchema = z.enum(['ACTIVE', 'PAUSED', 'COMPLETED', 'CONVERTED', 'EXITED']);

const subjectState = z.enum(['open', 'converted', 'gone']);
const minor = z.int().nullable();

const subjectSchema = z
  .object({
    kind: z.string().meta({ description: 'What the sequence is about.', examples: ['cart', 'lead'] }),
    id: z.uuid().meta({ description: 'Rekindle’s own id.' }),
    segment: z.string().meta({ description: 'By what figures group it: a value of its kind.', examples: ['first_time', 'new'] }),
    external_ids: z.array(externalIdSchema),
    state: subjectState,
    value: z.string().nullable().meta({ description: 'What it is worth now, in major units; null: unknown.' }),
    value_minor: minor,
    currency: z.string().nullable(),
    at_activation: z
      .object({ value: z.string().nullable(), value_minor: minor, currency: z.string().nullable() })
      .meta({ description: 'What it was worth when the sequence began; until then, when it was taken into the sequence.' }),
  })
  .meta({ id: 'Subject' });

export const enrollmentSchema = z
  .object({
    id: z.uuid(),
    sequence: z.object({ slug: z.string(), name: z.string(), version: z.int() }),
    status: statusSchema,
    contact: z.uuid().meta({ description: 'Whom it is about; `GET /api/contacts/{id}` has their details.' }),
    summary: z.string().meta({ description: 'Where it stands, in a sentence or two for people.' }),
    stop_reason: z.string().nullable(),
    stop_note: z.string().nullable().meta({ description: 'What was typed at a manual stop.' }),
    held: z.enum(['paused', 'takeover']).nullable(),
    subject: subjectSchema,
    sequence_type: sequenceTypeSchema.nullable().meta({ description: 'Of a cart, the same as `subject.segment`; null: it is about something else.' }),
    cart: z
      .object({
        id: z.uuid().meta({ description: 'Rekindle’s own id.' }),
        external_ids: z.array(externalIdSchema),
        state: subjectState,
        total_price: z.string().nullable().meta({ description: 'Now: as the shop’s latest event has it.' }),
        total_price_minor: z.int().nullable(),
        currency: z.string().nullable(),
        when_left: leftWithSchema,
      })
      .nullable()
      .meta({ description: 'The subject, where it is a cart; null: it is something else.' }),
    time_scale: z.number(),
    anchor_at: timeField.meta({ description: 'What the steps count from: the last activity before the sequence began.' }),
    enrolled_at: timeField,
    activated_at: timeField.nullable().meta({ description: 'When the sequence began; null: not yet, or never.' }),
    ended_at: timeField.nullable(),
    last_step: z.string().nullable().meta({ description: 'The last step that went out; null: none has.' }),
    next_step: nextStepSchema.nullable(),
    steps: z.array(stepSchema),
    workflow: z.object({ id: z.string(), url: z.string().nullable().meta({ description: 'In the Temporal Web UI, where one is configured.' }) }),
  })
  .meta({ id: 'Enrollment' });

const searchFilters = {
  email: lineField(320).optional().meta({ description: 'Read as in a webhook: capitals do not matter.' }),
  phone: lineField(60).optional().meta({ description: 'Read as in a webhook: a number without country code is the store’s country’s.' }),
  subject_id: lineField(300)
    .optional()
    .meta({ description: 'What the sequence is about, such as a cart or a lead: Rekindle’s id, or any id or token that its source has for it.' }),
  cart_id: lineField(300).optional().meta({ description: 'The same as `subject_id`.' }),
  external_id: lineField(300).optional().meta({ description: 'Any id of the source’s: of the subject, the customer or the order.' }),
};

/** What the list of enrollments, and actions on many of them, are narrowed down by. */
export const enrollmentFilters = {
  ...searchFilters,
  status: statusSchema.optional(),
  sequence: lineField(100).optional().meta({ description: 'The slug of a sequence.' }),
  campaign_id: z.uuid().optional().meta({ description: 'The campaign that they began in.' }),
  enrolled_from: timeField.optional().meta({ description: 'Only those that were taken in at that time or later.' }),
  enrolled_until: timeField.optional().meta({ description: 'Only those that were taken in before that time.' }),
};
const filterQuery = z.strictObject(enrollmentFilters);

/** As the operations take it. */
export const filterOf = ({
  status,
  sequence,
  campaign_id: campaignId,
  enrolled_from: from,
  enrolled_until: until,
  ...search
}: z.output<typeof filterQuery>): Search & Narrowing => ({
  ...searchOf(search),
  status,
  sequence,
  campaignId,
  enrolledFromMs: from === undefined ? undefined : Date.parse(from),
  enrolledUntilMs: until === undefined ? undefined : Date.parse(until),
});

export const searchQuery = z.strictObject(searchFilters);

export const searchOf = ({
  email,
  phone,
  cart_id: cartId,
  subject_id: subjectId,
  external_id: externalId,
}: z.output<typeof searchQuery>): Search => ({
  email,
  phone,
  subjectId: subjectId ?? cartId,
  externalId,
});

/** A text that can find nobody is refused, because an empty list would read as "not known". */
export function unfindable(reply: FastifyReply, failed: Exclude<Filtered<unknown>, { kind: 'found' }>, where = 'querystring'): FastifyReply {
  if (failed.kind === 'unknown_sequence')
    return invalidRequest(reply, [{ path: `${where}/sequence`, message: 'is no sequence of this store: GET /api/sequences lists them' }]);
  const message = failed.field === 'email' ? 'is no email address' : 'is no telephone number; write it with its country code: +43660…';
  return invalidRequest(reply, [{ path: `${where}/${failed.field}`, message }]);
}

const note = noteField.optional().meta({ description: 'Why, for the audit log.' });

export const enrollBody = z.strictObject({
  ...searchFilters,
  sequence: lineField(100).optional().meta({ description: 'Its slug; needed only where several are about such a subject.' }),
  note,
});

export const reEnrollBody = z.strictObject({ note }).nullish();

export const gateSchema = z
  .object({
    gate: z.string(),
    result: z.enum(['pass', 'stop', 'skip', 'defer', 'hold']),
    input: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).meta({ description: 'What the gate looked at.' }),
    note: z.string().optional(),
  })
  .meta({ id: 'GateCheck' });

const line = { at: timeField, step: z.string().nullable(), sentence: z.string() };
const data = z.record(z.string(), z.unknown());

export const fieldNoteSchema = z
  .object({ field: z.string().meta({ description: 'Its path in the body.' }), reason: z.string() })
  .meta({ id: 'FieldNote', description: 'A field of a delivery that was left out or read with a guess. Never what it contained.' });

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
      variant: z.string().nullable().meta({ description: 'Which of the step’s variants it is; null: the step has one content.' }),
      language: z.string().nullable().meta({ description: 'In which its text is written (BCP 47), chosen from those that the sequence has.' }),
      provider_response: z.string().nullable(),
      provider_message_id: z.string().nullable(),
    }),
    z.object({
      kind: z.literal('event'),
      ...line,
      type: z.string(),
      data,
      notes: z.array(fieldNoteSchema).meta({ description: 'What was left out of the delivery that reported it.' }),
    }),
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

const nextDecisionSchema = z
  .object({
    step: z.string(),
    verdict: z.enum(['send', 'defer', 'hold', 'skip', 'stop']),
    reason: z.string().meta({ description: 'Of `send`, the channel.' }),
    until: timeField.nullable().meta({ description: 'Of `defer`: the first instant at which every time gate is open.' }),
    asked_at: timeField.nullable().meta({ description: 'When it is decided; null: when the sequence is resumed.' }),
    in_flight: z.boolean().meta({ description: 'It is being handed to the provider.' }),
    version: z.int().meta({ description: 'The version of the sequence that decides.' }),
    gates: z.array(gateSchema),
    sentence: z.string(),
  })
  .meta({ id: 'NextDecision' });

export const explanationSchema = z
  .object({
    enrollment: enrollmentSchema,
    next: nextDecisionSchema.nullable().meta({
      description: 'What would be decided about the next step now, on what is known now; null: there is none. Nothing is sent or stored by asking.',
    }),
    entries: z.array(entrySchema).meta({ description: 'In order of time.' }),
    truncated: z.boolean().meta({ description: 'More was recorded than is shown.' }),
  })
  .meta({ id: 'Explanation' });

export const quietSchema = z.object({
  id: z.uuid(),
  external_ids: z.array(externalIdSchema),
  state: subjectState,
  last_activity_at: timeField,
  kept_from: z
    .array(z.object({ sequence: z.string().nullable().meta({ description: 'null: no sequence could begin.' }), reason: z.string() }))
    .meta({ description: 'For programs: what kept which sequence from beginning when it was last reported. Empty: not stored.' }),
  decided_at: timeField.nullable(),
  sentence: z.string(),
});

export const foundSchema = z
  .object({
    explanations: z.array(explanationSchema).meta({ description: 'The newest first, five at most.' }),
    more: z.boolean().meta({ description: 'There are older ones: `GET /api/enrollments` lists all.' }),
    subjects_without_sequence: z
      .array(quietSchema.extend({ kind: z.string() }))
      .meta({ description: 'What was found and has no sequence begun about it, the newest first, five at most.' }),
    carts_without_sequence: z.array(quietSchema).meta({ description: 'The carts among them.' }),
  })
  .meta({ id: 'FoundExplanations' });
