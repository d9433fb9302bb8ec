import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { majorUnits } from '../../../operations/read/major-units.ts';
import { listSubjects, readSubjectView, type SubjectView } from '../../../operations/read/subjects.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, lineField, timeField } from '../../routes/fields.ts';
import { presentExternalId } from '../../routes/recovery/present.ts';
import { externalIdSchema } from '../../routes/recovery/schemas.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const state = z.enum(['open', 'converted', 'gone']);
const subjectSchema = z
  .object({
    id: z.uuid(),
    kind: z.string().meta({ examples: ['cart', 'lead', 'account'] }),
    external_ids: z.array(externalIdSchema),
    contact: z.uuid().nullable().meta({ description: 'Whose it is; null: nobody’s so far.' }),
    state,
    value: z.string().nullable().meta({ description: 'What it is worth, in major units; null: unknown.' }),
    value_minor: z.int().nullable(),
    currency: z.string().nullable(),
    started_at: timeField,
    last_activity_at: timeField,
    converted_at: timeField.nullable(),
  })
  .meta({ id: 'ListedSubject' });

const list = aList({
  name: 'subjects',
  item: subjectSchema,
  filters: {
    kind: lineField(40)
      .optional()
      .meta({ description: 'What it is.', examples: ['cart', 'lead'] }),
    state: state.optional(),
    external_id: lineField(300).optional().meta({ description: 'Any id of the source’s: of it, the customer or the order.' }),
    email: lineField(320).optional().meta({ description: 'Of the person whose it is. Read as in a webhook.' }),
    phone: lineField(60).optional().meta({ description: 'Of the person whose it is. Read as in a webhook.' }),
  },
});

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/subjects',
    {
      schema: {
        summary: 'List what sequences may be about, the newest first',
        description: 'Carts, leads and accounts, whether or not a sequence was begun about them.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, sort, cursor, external_id: externalId, ...filter } = request.query;
      const result = await listSubjects(deps, callerOf(request).tenantId, { ...filter, externalId }, pageWanted({ limit, sort, cursor }));
      if (result.kind === 'found') return list.present(request.query.sort, result.found, present);
      return invalidRequest(reply, [
        { path: `querystring/${result.field}`, message: result.field === 'email' ? 'is no email address' : 'is no telephone number' },
      ]);
    },
  );

  app.get(
    '/api/subjects/:id',
    { schema: { params: idParams, summary: 'Show a subject', response: { 200: subjectSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const { id } = request.params;
      const found = isId(id) ? await readSubjectView(deps, callerOf(request).tenantId, id.toLowerCase()) : null;
      return found === null ? problem(reply, 404, 'unknown_subject', 'There is no such subject.') : present(found);
    },
  );
};

const present = (view: SubjectView): z.input<typeof subjectSchema> => ({
  ...{ id: view.id, kind: view.kind, external_ids: view.externalIds.map(presentExternalId), contact: view.contactId, state: view.state },
  ...{ value: majorUnits(view.valueMinor, view.currency), value_minor: view.valueMinor, currency: view.currency },
  started_at: isoTime(view.startedAtMs),
  last_activity_at: isoTime(view.lastActivityAtMs),
  converted_at: isoTimeOrNull(view.convertedAtMs),
});

export const resource: Resource = {
  tag: { name: 'subjects', description: 'What sequences are about: carts, leads, accounts.' },
  guard: 'tenant',
  changes: null,
  routes,
};
