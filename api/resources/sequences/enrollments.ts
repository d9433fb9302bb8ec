import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { enrollMany } from '../../../operations/enroll-many.ts';
import { type EnrollmentWithAttempts, enrollmentsOfSequence } from '../../../operations/read/sequence-enrollments.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { isoTime, isoTimeOrNull, lineField, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { ResourceOptions } from '../resource.ts';
import { slugParams } from './schemas.ts';

const statuses = z.enum(['ACTIVE', 'PAUSED', 'COMPLETED', 'CONVERTED', 'EXITED']);

const enrollmentSchema = z
  .object({
    id: z.uuid(),
    sequence: z.string(),
    lead: z.uuid().meta({ description: 'The lead, or whatever the sequence is about.' }),
    contact: z.uuid().meta({ description: 'Whom it is about; `GET /api/contacts/{id}` has their details.' }),
    campaign: z.uuid().nullable(),
    status: statuses,
    currentStep: z.int().meta({ description: 'The step that it stands on, counted from 0.' }),
    nextExecuteAt: timeField.nullable().meta({ description: 'null: it has ended, or is held.' }),
    completedSteps: z.array(z.object({ step: z.string(), timestamp: timeField, status: z.enum(['SUCCESS', 'FAILED']), attemptId: z.uuid() })),
    enrolledAt: timeField,
    completedAt: timeField.nullable(),
    exitReason: z.string().nullable(),
  })
  .meta({ id: 'SequenceEnrollment' });

const list = aList({
  name: 'sequence-enrollments',
  item: enrollmentSchema,
  filters: {
    status: statuses.optional(),
    reason: lineField(100).optional().meta({ description: 'Why it ended, as `exitReason` has it.' }),
    lastStep: lineField(100).optional().meta({ description: 'The step of the last message that went out; `-`: none has.' }),
    since: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ description: 'Only those that began to count since then, as the figures of the sequence do.' }),
  },
  usual: 50,
  most: 100,
});

const enrolledSchema = z
  .object({
    results: z.array(
      z.object({
        lead: z.uuid(),
        enrollment: z.uuid().nullable(),
        reason: z.string().nullable().meta({ description: 'Why it was refused; null: it was enrolled.' }),
        detail: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'EnrolledLeads' });

/** Who is in a sequence, and putting leads into it by hand. */
export const enrollmentRoutes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/sequences/:slug/enrollments',
    {
      schema: {
        summary: 'List who is or was in a sequence, the newest first',
        params: slugParams,
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, sort, cursor, status = null, reason = null, lastStep = null, since } = request.query;
      const where = { tenantId: callerOf(request).tenantId, slug: request.params.slug };
      const found = await enrollmentsOfSequence(deps, where, {
        ...{ status, reason, lastStep, sinceMs: since === undefined ? null : Date.parse(since) },
        ...pageWanted({ limit, sort, cursor }),
      });
      return found === null ? unknown(reply) : list.present(request.query.sort, found, present);
    },
  );

  app.post(
    '/api/sequences/:slug/enroll',
    {
      config: { permission: 'operate' },
      schema: {
        summary: 'Begin a sequence about leads by hand',
        description:
          'The steps count from now. Each lead is enrolled or refused by itself, with the reason. A lead is in a sequence only once at a time.',
        params: slugParams,
        body: z.strictObject({ leads: z.array(z.uuid()).min(1).max(100) }),
        response: { 200: enrolledSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { leads } = request.body;
      const wish = { tenantId: callerOf(request).tenantId, slug: request.params.slug, leads, actor: actorOf(request) };
      const results = await enrollMany(deps, wish);
      if (results === null) return unknown(reply);
      return { results: results.map(({ lead, enrollmentId, reason, detail }) => ({ lead, enrollment: enrollmentId, reason, detail })) };
    },
  );
};

const unknown = (reply: Parameters<typeof problem>[0]) => problem(reply, 404, 'unknown_sequence', 'There is no such sequence.');

function present({ view: { row, sequence, steps, next }, attempts }: EnrollmentWithAttempts): z.input<typeof enrollmentSchema> {
  const open = steps.findIndex(({ state }) => state === 'waiting' || state === 'failed' || state === 'claimed');
  return {
    ...{ id: row.id, sequence: sequence.slug, lead: row.subjectId, contact: row.contactId, campaign: row.campaignId, status: row.status },
    currentStep: open < 0 ? steps.length : open,
    nextExecuteAt: isoTimeOrNull(next?.atMs ?? null),
    completedSteps: attempts.flatMap(({ id, step, status, startedAtMs }) =>
      id === null || (status !== 'SUCCESS' && status !== 'FAILED') ? [] : [{ step, timestamp: isoTime(startedAtMs), status, attemptId: id }],
    ),
    enrolledAt: isoTime(row.enrolledAt),
    completedAt: isoTimeOrNull(row.endedAt),
    exitReason: row.stopReason,
  };
}
