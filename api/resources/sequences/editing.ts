import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  addStep,
  anchors,
  createSequence,
  delayUnits,
  deleteSequence,
  deleteStep,
  type Edited,
  editSequence,
  type EditRefused,
  editStep,
  type PlainStep,
  readSteps,
  type StepWish,
} from '../../../operations/versions/edit-draft.ts';
import { createLike } from '../../../operations/versions/form.ts';
import { readSequence } from '../../../operations/versions/read.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { lineField } from '../../routes/fields.ts';
import type { ResourceOptions } from '../resource.ts';
import { presentSequence } from './present.ts';
import { sequenceSchema, slugParams } from './schemas.ts';

const stepSchema = z
  .object({
    id: z.string(),
    order: z.int().meta({ description: 'Its place, counted from 0.' }),
    channel: z.string().meta({ description: 'The first of its channels.' }),
    channels: z.array(z.string()),
    delayValue: z.number(),
    delayUnit: z.enum(delayUnits),
    anchor: z.enum(anchors).meta({ description: 'What the delay counts from: the enrollment, the step before, or the event that it reacts to.' }),
    scriptId: z.string().nullable().meta({ description: 'The name of its script; null: selection decides, or its own text goes out.' }),
    content: z.string().nullable().meta({ description: 'The name of its own text.' }),
    conditions: z.unknown().meta({ description: 'null: it always applies.' }),
    maxRetries: z.int(),
  })
  .meta({ id: 'SequenceStep' });

/** A sequence with its steps. */
const detailSchema = sequenceSchema
  .extend({
    description: z.string().nullable(),
    campaignId: z
      .uuid()
      .nullable()
      .meta({ description: 'The campaign that uses it; of several, the first. Of a draft also the one that uses it once it is activated.' }),
    campaigns: z.array(z.uuid()),
    steps: z.array(stepSchema).meta({ description: 'Of the version in use; where nothing was published, of the draft.' }),
    draftSteps: z.array(stepSchema).nullable().meta({ description: 'Of the draft, which is the next version; null: there is none.' }),
  })
  .meta({ id: 'SequenceWithSteps' });

const channel = z
  .union([z.string().max(40), z.array(z.string().max(40)).min(1).max(8)])
  .transform((given) => (Array.isArray(given) ? given : [given]).map((name) => name.toLowerCase()))
  .meta({ description: 'Such as `EMAIL`, `SMS` or `CALL`; a list is in order of preference.' });

const stepFields = {
  order: z.int().min(0).max(49).meta({ description: 'Its place, counted from 0; default: the last.' }),
  channel,
  delayValue: z.number().min(0).max(527_040),
  delayUnit: z.enum(delayUnits).meta({ description: 'Default: minutes.' }),
  anchor: z.enum(anchors).meta({ description: 'Default: the enrollment.' }),
  on: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: 'What it reacts to, as in a file: `{ "event": "message.opened", "step": "email_1", "within": "72h" }`.' }),
  scriptId: z.string().max(60).nullable().meta({ description: 'A script’s id or name; null: selection decides.' }),
  content: z.string().max(200).nullable().meta({ description: 'The name of a text of the sequence.' }),
  text: z.string().max(262_144).meta({ description: 'Its own words, as in a file of its first channel.' }),
  conditions: z.unknown().meta({ description: 'As in a file, such as `{ "not": "converted" }`; a list: all of them; null: it always applies.' }),
  maxRetries: z.int().min(0).max(10),
};
const addBody = z
  .strictObject({ ...stepFields, id: z.string().max(40).meta({ description: 'Its name; default: made from its channel.' }) })
  .partial()
  .extend({ channel });
const changeBody = z.strictObject(stepFields).partial();

const sequenceFields = {
  name: lineField(80),
  description: z.string().max(1_000).nullable(),
  campaignId: z
    .uuid()
    .nullable()
    .meta({ description: 'A campaign that uses it from now on; where the campaign has an active sequence, from when this one is activated.' }),
};
const createBody = z.strictObject({
  name: sequenceFields.name,
  slug: z.string().max(40).optional().meta({ description: 'Its name for programs; default: made from `name`.' }),
  description: sequenceFields.description.optional(),
  campaignId: sequenceFields.campaignId.optional(),
  on: z
    .string()
    .max(40)
    .default('manual')
    .meta({ description: 'What starts it: `manual`, which campaigns and programs do, or a trigger such as `lead.created`.' }),
  like: z
    .string()
    .max(40)
    .optional()
    .meta({ description: 'The slug of a sequence whose steps and texts it begins with. `on` and `about` are those of that one.' }),
  about: z.string().max(40).optional().meta({ description: 'What a manual sequence is about. Default: `lead`.' }),
});

const stepParams = slugParams.extend({ stepId: z.string().max(40) });

/** Sequences edited step by step. A change goes to the draft; what runs is not touched until it is activated, and then as `running` says. */
export const editingRoutes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  const detail = async (tenantId: string, slug: string): Promise<z.input<typeof detailSchema> | null> => {
    const [sequence, known] = await Promise.all([readSequence(deps, tenantId, slug), readSteps(deps, tenantId, slug)]);
    if (sequence === null || known === null) return null;
    const { description, campaigns, waiting, steps, draftSteps } = known;
    return {
      ...presentSequence(sequence),
      ...{ description, campaigns, campaignId: campaigns[0] ?? waiting },
      steps: (steps ?? draftSteps ?? []).map(presentStep),
      draftSteps: draftSteps?.map(presentStep) ?? null,
    };
  };
  const answer = async (reply: FastifyReply, tenantId: string, slug: string, edited: Edited, status = 200) => {
    if (edited.kind !== 'edited') return refuse(reply, edited);
    const found = await detail(tenantId, slug);
    return found === null ? refuse(reply, { kind: 'unknown' }) : reply.code(status).send(found);
  };

  app.get(
    '/api/sequences/:slug',
    {
      schema: {
        summary: 'Show a sequence with its steps',
        params: slugParams,
        response: { 200: detailSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => (await detail(callerOf(request).tenantId, request.params.slug)) ?? refuse(reply, { kind: 'unknown' }),
  );

  app.post(
    '/api/sequences',
    {
      schema: {
        summary: 'Create a sequence',
        description: 'It begins as a draft without steps, or with those of another one (`like`). Edit it, then activate it.',
        body: createBody,
        response: { 201: detailSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { name, slug = null, description = null, campaignId = null, on, about, like } = request.body;
      if (like !== undefined) {
        const copied = await createLike(deps, { tenantId, actor: actorOf(request), like, slug, name });
        if (copied.kind === 'texts_unknown')
          return problem(
            reply,
            409,
            'texts_unknown',
            `How these texts were written is not known, only their compiled form: ${copied.texts.join(', ')}. Begin with an empty sequence.`,
          );
        if (copied.kind === 'stale') return refuse(reply, { kind: 'slug_taken' });
        if (copied.kind !== 'created') return refuse(reply, copied);
        const edited =
          description === null && campaignId === null
            ? null
            : await editSequence(deps, {
                tenantId,
                slug: copied.slug,
                actor: actorOf(request),
                campaignId: campaignId ?? undefined,
                fields: description === null ? {} : { description },
              });
        return answer(reply, tenantId, copied.slug, edited ?? { kind: 'edited', step: null }, 201);
      }
      const what = { on, about: about ?? (on === 'manual' || on === 'bulk' ? 'lead' : null) };
      const made = await createSequence(deps, { tenantId, actor: actorOf(request), slug, name, description, campaignId, ...what });
      if (made.kind !== 'created') return refuse(reply, made);
      return answer(reply, tenantId, made.slug, { kind: 'edited', step: null }, 201);
    },
  );

  app.put(
    '/api/sequences/:slug',
    {
      schema: {
        summary: 'Change what is said of a sequence',
        description:
          'What is left out stays. Name and description go to the draft, and hold once it is activated; the campaign uses the sequence at once.',
        params: slugParams,
        body: z.strictObject(sequenceFields).partial(),
        response: { 200: detailSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { slug } = request.params;
      const { campaignId, ...fields } = request.body;
      return answer(reply, tenantId, slug, await editSequence(deps, { tenantId, slug, actor: actorOf(request), campaignId, fields }));
    },
  );

  app.delete(
    '/api/sequences/:slug',
    {
      schema: {
        summary: 'Delete a sequence of which nothing was published',
        description: 'Refused with 409 where something was: archive or end it.',
        params: slugParams,
        response: { 204: z.null(), ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const deleted = await deleteSequence(deps, { tenantId: callerOf(request).tenantId, slug: request.params.slug, actor: actorOf(request) });
      if (deleted === 'deleted') return reply.code(204).send(null);
      if (deleted === 'unknown') return refuse(reply, { kind: 'unknown' });
      return problem(reply, 409, 'not_a_draft', 'Something was published of it, and its enrollments refer to that: archive it, or end it.');
    },
  );

  app.post(
    '/api/sequences/:slug/steps',
    {
      schema: {
        summary: 'Add a step to the draft',
        description:
          'Where there is no draft, one is made of the version in use. A step that names neither a script nor a text goes out by the campaign’s own script, else by the default of its channel.',
        params: slugParams,
        body: addBody,
        response: { 201: detailSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { slug } = request.params;
      const edited = await addStep(deps, { tenantId, slug, actor: actorOf(request), wish: wishOf(request.body) });
      return answer(reply, tenantId, slug, edited, 201);
    },
  );

  app.put(
    '/api/sequences/:slug/steps/:stepId',
    {
      config: { edits: '/api/sequences/:slug' },
      schema: {
        summary: 'Change a step of the draft',
        description: 'What is left out stays.',
        params: stepParams,
        body: changeBody,
        response: { 200: detailSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { slug, stepId } = request.params;
      const edited = await editStep(deps, { tenantId, slug, stepId, actor: actorOf(request), wish: wishOf(request.body) });
      return answer(reply, tenantId, slug, edited);
    },
  );

  app.delete(
    '/api/sequences/:slug/steps/:stepId',
    {
      config: { edits: '/api/sequences/:slug' },
      schema: {
        summary: 'Take a step out of the draft',
        description: 'Those behind it move up.',
        params: stepParams,
        response: { 200: detailSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { slug, stepId } = request.params;
      return answer(reply, tenantId, slug, await deleteStep(deps, { tenantId, slug, stepId, actor: actorOf(request) }));
    },
  );
};

const wishOf = ({ channel: channels, ...rest }: z.output<typeof changeBody> & { id?: string | undefined }): StepWish => ({ ...rest, channels });

const presentStep = ({ channels, ...step }: PlainStep): z.input<typeof stepSchema> => ({ ...step, channels, channel: channels[0] ?? 'none' });

function refuse(reply: FastifyReply, refused: EditRefused): FastifyReply {
  switch (refused.kind) {
    case 'unknown':
      return problem(reply, 404, 'unknown_sequence', 'There is no such sequence.');
    case 'unknown_step':
      return problem(reply, 404, refused.kind, 'The draft has no such step.');
    case 'unknown_script':
      return problem(reply, 404, refused.kind, 'There is no such script.');
    case 'unknown_campaign':
      return problem(reply, 404, refused.kind, 'There is no such campaign, or it has ended.');
    case 'slug_taken':
      return problem(reply, 409, refused.kind, 'Another sequence has this slug, or had it: choose another one.');
    case 'busy':
      return problem(reply, 409, refused.kind, 'Others are changing it: try again.');
    case 'invalid':
      return invalidRequest(reply, refused.faults, 'The sequence cannot be used like this.');
  }
}
