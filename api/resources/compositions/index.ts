import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  type ApprovalDecision,
  type ApprovalResult,
  type CompositionView,
  compositionStates,
  decideComposition,
  listCompositions,
} from '../../../operations/composition/approvals.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { approveBody, compositionSchema, rejectBody } from './schemas.ts';

const list = aList({
  name: 'compositions',
  item: compositionSchema,
  filters: {
    state: z.enum(compositionStates).optional(),
    enrollment_id: z.uuid().optional(),
  },
});

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  async function decide(request: Parameters<typeof callerOf>[0], reply: FastifyReply, id: string, decision: ApprovalDecision) {
    const { tenantId } = callerOf(request);
    const result: ApprovalResult = isId(id)
      ? await decideComposition(deps, { tenantId, id, decision, actor: actorOf(request) })
      : { kind: 'not_found' };
    return result.kind === 'decided' ? present(result.view) : refuse(reply, result);
  }

  app.get(
    '/api/compositions',
    {
      schema: {
        summary: 'List what models have written',
        description: 'The latest first. `?state=waiting` are the texts that wait for a person (setting `modelApproval`).',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, state, enrollment_id: enrollment } = request.query;
      return list.present(
        request.query.sort,
        await listCompositions(deps, callerOf(request).tenantId, { state, enrollment }, pageWanted({ limit, sort, cursor })),
        present,
      );
    },
  );

  app.post(
    '/api/compositions/:id/approve',
    {
      schema: {
        summary: 'Approve a text, as it is or edited',
        description:
          'The message goes out at once where it waits for this, else when it is due. Fields that you leave out stay as the model wrote them. An edited text is judged by the same rules as a model’s.',
        params: idParams,
        body: approveBody,
        response: { 200: compositionSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    (request, reply) => {
      const { subject, body, cta_text: cta } = request.body ?? {};
      const approve = {
        ...(subject === undefined ? {} : { subject }),
        ...(body === undefined ? {} : { body }),
        ...(cta === undefined ? {} : { cta }),
      };
      return decide(request, reply, request.params.id, { approve });
    },
  );

  app.post(
    '/api/compositions/:id/reject',
    {
      schema: {
        summary: 'Reject a text',
        description: 'The template goes out in its place, at once where the message waits for this.',
        params: idParams,
        body: rejectBody,
        response: { 200: compositionSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    (request, reply) => decide(request, reply, request.params.id, { reject: { note: request.body?.note ?? null } }),
  );
};

function refuse(reply: FastifyReply, result: Exclude<ApprovalResult, { kind: 'decided' }>): FastifyReply {
  switch (result.kind) {
    case 'not_found':
      return problem(reply, 404, 'unknown_composition', 'No text of yours has this id.');
    case 'busy':
      return problem(reply.header('retry-after', '1'), 503, 'busy', 'Somebody else is changing this right now; try again.');
    case 'no_text':
      return result.state === 'writing'
        ? problem(reply, 409, 'being_written', 'The model is asked for this text just now: list it again in a moment.')
        : problem(reply, 409, 'no_text', 'The model gave no text that could be decided about: the template goes out.');
    case 'over':
      return problem(reply, 409, 'already_decided', 'It is too late: the message is on its way or has gone, or its sequence has ended.');
    case 'stale':
      return problem(
        reply,
        409,
        'stale_text',
        'What the text was written about (the cart, a price, a name) has changed since. It is written anew while there is time, else the template goes out.',
      );
    case 'guarded':
      return problem(
        reply,
        409,
        'breaks_rules',
        `The text breaks rules that every text keeps: ${result.faults.map(({ detail }) => detail).join('; ')}. Change it, or reject it.`,
      );
  }
}

function present({ row, state, sequence, waitsUntilMs }: CompositionView): z.input<typeof compositionSchema> {
  return {
    id: row.id,
    enrollment_id: row.enrollmentId,
    sequence,
    step: row.stepId,
    channel: row.channel,
    language: row.language,
    state,
    subject: row.subject,
    body: row.body,
    cta_text: row.cta,
    edited: row.unedited !== null,
    due_at: isoTime(row.dueAt),
    waits_until: isoTimeOrNull(waitsUntilMs),
    decided_by: row.decidedBy,
    decided_at: isoTimeOrNull(row.decidedAt),
    note: row.decisionNote,
    reason: row.reason,
    guard: row.guard,
    model: row.model,
    calls: row.calls,
    input_tokens: row.inputTokens,
    output_tokens: row.outputTokens,
    cost: row.costMicros / 1e6,
    created_at: isoTime(row.createdAt),
  };
}

export const resource: Resource = {
  tag: { name: 'compositions', description: 'What models have written for single persons, and its approval.' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};
