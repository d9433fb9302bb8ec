import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelNames } from '../../../domain/channels/index.ts';
import { checkForm, type FormFault, previewForm, readForm, storeForm } from '../../../operations/versions/form.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { lineField } from '../../routes/fields.ts';
import { presentPreview as presentStepPreview, previewSchema, refusePreview } from '../previews/present.ts';
import type { ResourceOptions } from '../resource.ts';
import { slugParams } from './schemas.ts';

const said = z.record(z.string(), z.unknown()).meta({ description: 'What the file of the sequence says, as JSON: spans are texts such as `2h`.' });
const texts = z.record(z.string().max(200), z.string().max(262_144)).meta({
  description: 'Texts that are written anew, by name, as in `PUT …/draft`. The others are those of the draft so far, else of the version in use.',
});

const formSchema = z
  .object({
    slug: z.string(),
    name: z.string(),
    status: z.enum(['DRAFT', 'ACTIVE', 'ARCHIVED']),
    base_version: z.int().meta({ description: 'The version in use; 0: none.' }),
    draft: z
      .string()
      .nullable()
      .meta({ description: 'The `source_hash` of the draft that is shown; null: there is none, and the version in use is shown.' }),
    said,
    texts: z.array(
      z.object({
        name: z.string(),
        source: z.string(),
        fields: z.record(z.string(), z.unknown()).meta({ description: 'What stands between its lines of `---`.' }),
        body: z.string().meta({ description: 'What stands below them.' }),
      }),
    ),
    unknown_texts: z
      .array(z.string())
      .meta({ description: 'Texts of the version in use of which only the compiled form is kept: they stay as they are, or are written anew.' }),
    about: z
      .object({ kind: z.string(), attributes: z.array(z.string()), samples: z.array(z.string()) })
      .nullable()
      .meta({
        description:
          'What it is about, which attributes conditions may ask for, and the samples of previews; null: it does not say what it is about.',
      }),
  })
  .meta({ id: 'SequenceForm' });

const faultSchema = z
  .object({
    path: z.array(z.union([z.string(), z.int()])).meta({ description: 'Of the field, such as `["steps", 2, "at"]`; empty: the whole, or a text.' }),
    text: z.string().nullable().meta({ description: 'The name of the text in which it is; null: in none.' }),
    line: z.int().nullable(),
    rule: z.string().meta({ description: '`format`: it cannot be read; `text`; `script`; else a rule of the linter.' }),
    severity: z.enum(['error', 'warning']),
    message: z.string(),
  })
  .meta({ id: 'FormFault' });

const formBody = z.strictObject({ said, texts: texts.default({}) });

/** A sequence as one form edits it. What is typed is checked and shown without being stored; what is stored is the draft. */
export const formRoutes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  const unknown = (reply: FastifyReply) => problem(reply, 404, 'unknown_sequence', 'There is no such sequence.');
  const answer = async (reply: FastifyReply, tenantId: string, slug: string) => {
    const form = await readForm(deps, { tenantId, slug });
    if (form === null) return unknown(reply);
    const { baseVersion, draftHash, unknownTexts, about, ...same } = form;
    return reply.send({
      ...same,
      ...{ base_version: baseVersion, draft: draftHash, unknown_texts: unknownTexts },
      about: about === null ? null : { ...about, attributes: [...about.attributes], samples: [...about.samples] },
    });
  };

  app.get(
    '/api/sequences/:slug/form',
    {
      schema: {
        summary: 'Show a sequence as a form edits it',
        description: 'Its draft, else the version in use, as JSON, with its texts as they were written.',
        params: slugParams,
        response: { 200: formSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => answer(reply, callerOf(request).tenantId, request.params.slug),
  );

  app.put(
    '/api/sequences/:slug/form',
    {
      schema: {
        summary: 'Store a form as the draft',
        description:
          'It names the draft and the version in use that were seen: where one of them is another by now, nothing is stored (409 `stale_draft`). Comments in the file of the draft stay.',
        params: slugParams,
        body: formBody.extend({
          draft: z.string().max(100).nullable().meta({ description: 'The `draft` that was seen; null: there was none.' }),
          base_version: z.int32().min(0).meta({ description: 'The version in use that was seen; 0: none.' }),
        }),
        response: { 200: formSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const { slug } = request.params;
      const { said: fields, texts: copy, draft: draftHash, base_version: baseVersion } = request.body;
      const stored = await storeForm(deps, { tenantId, slug, said: fields, copy, draftHash, baseVersion, actor: actorOf(request) });
      switch (stored.kind) {
        case 'stored':
          return answer(reply, tenantId, slug);
        case 'unknown':
          return unknown(reply);
        case 'stale':
          return problem(reply, 409, 'stale_draft', 'Somebody has changed the draft, or published a version, since you have read it. Read it again.');
        case 'mistakes':
          return invalidRequest(reply, stored.faults.map(problemOf), 'The sequence cannot be used like this.');
        case 'invalid':
          return invalidRequest(reply, stored.faults, 'The sequence cannot be used like this.');
      }
    },
  );

  app.post(
    '/api/sequences/:slug/form/check',
    {
      config: { permission: 'read', idempotency: 'none' },
      schema: {
        summary: 'Check a form while it is filled in',
        description:
          'What is wrong with which field or text. Stores nothing. What takes long, rehearsing it hour by hour, is done when it is stored.',
        params: slugParams,
        body: formBody,
        response: { 200: z.object({ faults: z.array(faultSchema) }).meta({ id: 'FormFaults' }), ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { said: fields, texts: copy } = request.body;
      const faults = await checkForm(deps, { tenantId: callerOf(request).tenantId, slug: request.params.slug, said: fields, copy });
      return faults === null ? unknown(reply) : { faults };
    },
  );

  app.post(
    '/api/sequences/:slug/form/preview',
    {
      config: { permission: 'read', idempotency: 'none' },
      schema: {
        summary: 'Show what a step of a form says',
        description: 'As a contact or a sample would get it. Stores and sends nothing.',
        params: slugParams,
        body: formBody.extend({
          step: z.string().max(40),
          channel: z.enum(channelNames).optional().meta({ description: 'Default: the first of the step’s that has a text.' }),
          contact: lineField(320)
            .optional()
            .meta({ description: 'The id of a contact, or an email address of theirs; left out, a sample is shown.' }),
          sample: lineField(200).optional(),
          locale: lineField(35).optional().meta({ description: 'The reader’s, BCP 47.' }),
        }),
        response: { 200: previewSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { said: fields, texts: copy, step: stepId, channel = null, contact = null, sample = null, locale = null } = request.body;
      const { tenantId } = callerOf(request);
      const { slug } = request.params;
      const done = await previewForm(deps, { tenantId, slug, said: fields, copy, stepId, channel, contact, sample, locale });
      if (done.kind === 'previewed') return presentStepPreview(done.preview);
      if (done.kind === 'mistakes') return invalidRequest(reply, done.faults.map(problemOf), 'The step cannot be shown like this.');
      return refusePreview(reply, done, 'body');
    },
  );
};

const problemOf = ({ path, text, line, message }: FormFault) => ({
  path: text === null ? path.join('.') : `${text}${line === null ? '' : `:${line}`}`,
  message,
});
