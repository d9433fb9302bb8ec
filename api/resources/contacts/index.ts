import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { erasePerson } from '../../../operations/erase-person.ts';
import { type ContactRow, listContacts, readContact } from '../../../operations/read/contacts.ts';
import { listMerges } from '../../../operations/read/merges.ts';
import { undoMerge } from '../../../operations/undo-merge.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, lineField, timeField } from '../../routes/fields.ts';
import { presentExternalId } from '../../routes/recovery/present.ts';
import { externalIdSchema } from '../../routes/recovery/schemas.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { handRoutes } from './by-hand.ts';
import { mergeSchema, presentMerge } from './merges.ts';
import { timelineRoute } from './timeline.ts';

const list = aList({
  name: 'merges',
  item: mergeSchema,
  filters: {
    email: lineField(320).optional().meta({ description: 'Of one of the two. Read as in a webhook.' }),
    phone: lineField(60).optional().meta({ description: 'Of one of the two. Read as in a webhook.' }),
  },
});

const contactSchema = z
  .object({
    id: z.uuid(),
    person: z.uuid().meta({ description: 'The contact that stands for the whole person: the same for all that turned out to be one.' }),
    lifecycle: z.string(),
    first_name: z.string().nullable(),
    last_name: z.string().nullable(),
    emails: z.array(z.string()),
    phones: z.array(z.string()).meta({ description: 'In E.164.' }),
    country: z.string().nullable(),
    region: z.string().nullable(),
    locale: z.string().nullable(),
    time_zone: z.string().nullable(),
    external_ids: z.array(externalIdSchema).meta({ description: 'The ids that shops and other systems have for them.' }),
    created_at: timeField,
  })
  .meta({ id: 'Contact' });

const contactList = aList({
  name: 'contacts',
  fields: { last_name: 'text' },
  item: contactSchema,
  filters: {
    email: lineField(320).optional().meta({ description: 'Every contact of that person. Read as in a webhook.' }),
    phone: lineField(60).optional().meta({ description: 'Every contact of that person. Read as in a webhook.' }),
    external_id: lineField(300)
      .optional()
      .meta({ description: 'Any id of the source’s: of the customer, or of a cart, a lead or an order of theirs.' }),
    ids: z
      .string()
      .max(40 * 200)
      .transform((text) => text.split(','))
      .pipe(z.array(z.uuid()).max(200))
      .optional()
      .meta({ description: 'Contacts with these ids, up to 200 with commas between.' }),
  },
});

const count = z.int().nonnegative();
const erasureSchema = z
  .object({
    contact: z.uuid(),
    contacts: count,
    subjects: count,
    enrollments: count,
    messages: count,
    consents: count,
    deliveries: count,
    quarantined: count,
  })
  .meta({ id: 'Erasure', description: 'How many rows were emptied. It is in the audit log too.' });

const busy = 'Somebody else is changing this person right now, or a message is on its way. Ask again.';
const whyNotErased = {
  busy,
  pending: 'Deliveries about this person are still to be applied. Ask again when they are.',
  importing: 'A file of leads that names this person is still being taken in. Ask again when it is done, or cancel the import.',
};

const unreadable = (field: 'email' | 'phone') => [
  { path: `querystring/${field}`, message: field === 'email' ? 'is no email address' : 'is no telephone number' },
];

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/contacts',
    {
      schema: {
        summary: 'Find contacts',
        description: 'By an address, a number or an id of the source’s: every contact of that person; without any, all of them. The newest first.',
        querystring: contactList.query,
        response: { 200: contactList.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, sort, cursor, external_id: externalId, ...search } = request.query;
      const result = await listContacts(deps, callerOf(request).tenantId, { ...search, externalId }, pageWanted({ limit, sort, cursor }));
      return result.kind === 'found'
        ? contactList.present(request.query.sort, result.found, presentContact)
        : invalidRequest(reply, unreadable(result.field));
    },
  );

  app.get(
    '/api/contacts/:id',
    { schema: { params: idParams, summary: 'Show a contact', response: { 200: contactSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const { id } = request.params;
      const found = isId(id) ? await readContact(deps, callerOf(request).tenantId, id) : null;
      if (found === null) return problem(reply, 404, 'unknown_contact', 'No contact of yours has this id.');
      return presentContact(found);
    },
  );

  timelineRoute(app, { deps });
  handRoutes(app, { deps });

  app.delete(
    '/api/contacts/:id',
    {
      schema: {
        summary: 'Erase a person',
        description:
          'Every sequence of theirs ends, and what is known about them is removed everywhere: details, addresses, subjects, texts of messages, stored deliveries. Ids, times, amounts and outcomes stay, and so do hashes by which their addresses get nothing any more. A repeat does what is left. It answers when the data are gone; the receipt of `GET /api/erasures` follows.',
        params: idParams,
        response: { 200: erasureSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const erased = isId(id) ? await erasePerson(deps, { tenantId, contactId: id, actor: actorOf(request) }) : ({ kind: 'not_found' } as const);
      if (erased.kind === 'erased') return { contact: id, ...erased.erasure };
      if (erased.kind === 'not_found') return problem(reply, 404, 'unknown_contact', 'No contact of yours has this id.');
      return problem(reply.header('retry-after', '1'), 503, erased.kind, whyNotErased[erased.kind]);
    },
  );

  app.get(
    '/api/contacts/merges',
    {
      schema: {
        summary: 'List which people turned out to be one',
        description: 'Every merge with what brought it and what it moved, the latest first.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, sort, cursor, ...search } = request.query;
      const result = await listMerges(deps, callerOf(request).tenantId, search, pageWanted({ limit, sort, cursor }));
      if (result.kind === 'found') return list.present(request.query.sort, result.found, presentMerge);
      return invalidRequest(reply, unreadable(result.field));
    },
  );

  app.post(
    '/api/contacts/:id/unmerge',
    {
      schema: {
        summary: 'Undo a merge',
        description:
          'The contacts that the merge brought along become a person of their own again, with their identities, subjects, enrollments and consents, and are kept apart from now on. Opt-outs, complaints, purchases and replies stay with both, what went out counts for both, and enrollments that the merge ended stay ended. A repeat changes nothing.',
        params: idParams,
        body: z
          .strictObject({ merge: z.uuid().optional().meta({ description: 'Which one; else the latest of this contact that is not undone.' }) })
          .nullish(),
        response: { 200: mergeSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const undone = isId(id)
        ? await undoMerge(deps, { tenantId, contactId: id, mergeId: request.body?.merge ?? null, actor: actorOf(request) })
        : ({ kind: 'not_found' } as const);
      if (undone.kind === 'undone') return presentMerge(undone.merge);
      if (undone.kind === 'not_found') return problem(reply, 404, 'unknown_merge', 'No merge of a contact of yours has this id.');
      return problem(reply.header('retry-after', '1'), 503, 'busy', busy);
    },
  );
};

function presentContact(row: ContactRow): z.input<typeof contactSchema> {
  const { id, personId, lifecycle, firstName, lastName, emails, phones, country, region, locale, timeZone, externalIds, createdAt } = row;
  return {
    ...{ id, person: personId, lifecycle, first_name: firstName, last_name: lastName, emails, phones, country, region, locale, time_zone: timeZone },
    external_ids: externalIds.map(presentExternalId),
    created_at: isoTime(createdAt),
  };
}

export const resource: Resource = {
  tag: { name: 'contacts', description: 'People: who they are, who turned out to be the same, and how they are erased.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
